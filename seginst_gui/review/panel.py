"""The right side of a review: how far it is, what is listed, the list, an object's story."""

from dataclasses import replace
from typing import get_args

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seginst_core.review.faults.stages import Fault
from seginst_core.review.objects.arrange import (
    GROUP_BY,
    SORT_BY,
    GroupBy,
    Scope,
    SortBy,
    count_kinds,
    progress,
)
from seginst_core.review.objects.schema import KIND_NAMES
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import empty_label
from seginst_gui.panels.texts import count
from seginst_gui.review.case_list import CaseList
from seginst_gui.review.fault_bars import FaultBars
from seginst_gui.review.state import ReviewState
from seginst_gui.review.story import StoryCard

SCOPE_NAMES: dict[Scope, str] = {"queue": later("To decide"), "all": later("All cases")}
SORT_NAMES: dict[SortBy, str] = {
    "worth": later("Most worth first"),
    "kind": later("By kind"),
    "image": later("By image"),
    "score": later("Highest score first"),
    "iou_a": later("Lowest IoU of A first"),
    "iou_b": later("Lowest IoU of B first"),
    "iou_ab": later("Least agreement first"),
    "area": later("Largest first"),
}
GROUP_NAMES: dict[GroupBy, str] = {
    "none": later("No headings"),
    "kind": later("Headings: kind"),
    "image": later("Headings: image"),
    "class": later("Headings: class"),
    "stage": later("Headings: A's stage at fault"),
}
NOTHING_YET = later(
    "Nothing to review yet: pre-label the images, and what A and B see is listed here."
)
ALL_DECIDED = later(
    "Everything is decided. Well done.\nAll cases are still listed under “All cases”."
)
NOTHING_SO = later("No case is like this; choose another kind, or clear the search.")


class ReviewPanel(QWidget):
    """Filters, sorts and groups the cases; a click looks at one."""

    left = Signal()
    """The person is done with reviewing."""
    report_wanted = Signal()

    def __init__(self, state: ReviewState) -> None:
        super().__init__()
        self.setObjectName("review_panel")
        self._state = state
        self._scopes = QButtonGroup(self)
        self._progress_text = QLabel()
        self._progress_text.setObjectName("review_progress_text")
        self._bar = QProgressBar()
        self._bar.setObjectName("review_progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._kinds = _combo("kind_filter", tr("Which cases"))
        self._sort = _combo("case_sort", tr("In which order"))
        self._group = _combo("case_group", tr("Under which headings"))
        self._search = QLineEdit()
        self._search.setObjectName("case_search")
        self._search.setPlaceholderText(tr("Search image, class, reason"))
        self._search.setClearButtonEnabled(True)
        self._faults = FaultBars()
        self.cases = CaseList()
        self.story = StoryCard(state)
        self._empty = empty_label(tr(NOTHING_YET))
        self._empty.setObjectName("review_empty")
        self._stack = QStackedWidget()
        self._lay_out()
        for name in SORT_BY:
            self._sort.addItem(tr(SORT_NAMES[name]), name)
        for group in GROUP_BY:
            self._group.addItem(tr(GROUP_NAMES[group]), group)
        self._kinds.activated.connect(self._on_kind)
        self._sort.activated.connect(lambda: self._arrange(sort=self._sort.currentData()))
        self._group.activated.connect(lambda: self._arrange(group=self._group.currentData()))
        self._search.textChanged.connect(lambda text: self._arrange(text=text))
        self._faults.fault_wanted.connect(self._on_fault)
        self.cases.case_wanted.connect(state.look_at)
        state.groups_changed.connect(self._show_groups)
        state.focus_changed.connect(lambda: self.cases.show_focus(state.focus))
        self._show_groups()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        top = QHBoxLayout()
        top.setContentsMargins(10, 10, 10, 0)
        top.setSpacing(4)
        for scope in get_args(Scope):
            button = QToolButton()
            button.setObjectName(f"scope_{scope}")
            button.setText(tr(SCOPE_NAMES[scope]))
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _on, scope=scope: self._on_scope(scope))
            self._scopes.addButton(button)
            top.addWidget(button)
        top.addStretch(1)
        report = QToolButton()
        report.setObjectName("review_report_button")
        report.setText(tr("Report"))
        report.setToolTip(
            tr("Scores, curves, confusions and the error budget as a page to look at")
        )
        report.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        report.clicked.connect(self.report_wanted)
        leave = QToolButton()
        leave.setObjectName("review_leave")
        leave.setText(tr("Close"))
        leave.setToolTip(tr("Go back to the editor (Ctrl+R)"))
        leave.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        leave.clicked.connect(self.left)
        top.addWidget(report)
        top.addWidget(leave)
        column.addLayout(top)
        facts = QVBoxLayout()
        facts.setContentsMargins(10, 0, 10, 0)
        facts.setSpacing(4)
        facts.addWidget(self._progress_text)
        facts.addWidget(self._bar)
        facts.addWidget(self._faults)
        facts.addWidget(self._search)
        row = QHBoxLayout()
        row.addWidget(self._kinds, 1)
        row.addWidget(self._sort, 1)
        facts.addLayout(row)
        facts.addWidget(self._group)
        column.addLayout(facts)
        self._stack.addWidget(self.cases)
        self._stack.addWidget(self._empty)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self._stack)
        halves.addWidget(self.story)
        halves.setSizes([620, 150])
        halves.setCollapsible(0, False)
        column.addWidget(halves, 1)

    def _show_groups(self) -> None:
        state = self._state
        how = state.how
        everything = list(state.listing.all())
        for button, scope in zip(self._scopes.buttons(), get_args(Scope), strict=True):
            button.setChecked(scope == how.scope)
        self._show_kinds()
        self._sort.setCurrentIndex(SORT_BY.index(how.sort))
        self._group.setCurrentIndex(GROUP_BY.index(how.group))
        n_done, n_all = progress(everything)
        n_images = len({c.image_id for c in everything if c.open})
        self._bar.setRange(0, max(n_all, 1))
        self._bar.setValue(n_done)
        if how.scope == "all":
            words = [count(len(state.order), "case")]
        else:
            words = [
                tr("{n_done:,} of {count} decided").format(
                    n_done=n_done, count=count(n_all, "object")
                )
            ]
            if n_images:
                words.append(tr("{images} to go").format(images=count(n_images, "image")))
        waiting = state.listing.n_waiting
        if waiting:
            words.append(tr("listing {count}…").format(count=count(waiting, "more image")))
        self._progress_text.setText("  ·  ".join(words))
        self._bar.setVisible(how.scope == "queue")
        self._faults.show_cases(everything, _as_fault(how.stage))
        if how.scope == "queue":
            self._faults.hide()
        self.cases.rows.show(state.groups)
        self.cases.show_focus(state.focus)
        self._stack.setCurrentIndex(0 if state.order else 1)
        narrowed = how.kind or how.stage or how.text
        if not everything:
            self._empty.setText(tr(NOTHING_YET))
        else:
            self._empty.setText(tr(NOTHING_SO if narrowed else ALL_DECIDED))

    def _show_kinds(self) -> None:
        state = self._state
        how = replace(state.how, kind=None)
        inside = [c for c in state.listing.all() if how.scope == "all" or c.open]
        with QSignalBlocker(self._kinds):
            self._kinds.clear()
            self._kinds.addItem(tr("All kinds ({len:,})").format(len=len(inside)), None)
            for kind, n in count_kinds(inside).items():
                self._kinds.addItem(f"{KIND_NAMES[kind]} ({n:,})", kind)
            place = self._kinds.findData(state.how.kind)
            self._kinds.setCurrentIndex(max(place, 0))

    def _on_scope(self, scope: Scope) -> None:
        self._state.arrange(replace(self._state.how, scope=scope, kind=None, stage=None))

    def _on_kind(self) -> None:
        self._state.arrange(replace(self._state.how, kind=self._kinds.currentData()))

    def _on_fault(self, fault: Fault | None) -> None:
        self._state.arrange(replace(self._state.how, stage=fault))

    def _arrange(
        self, sort: SortBy | None = None, group: GroupBy | None = None, text: str | None = None
    ) -> None:
        how = self._state.how
        self._state.arrange(
            replace(
                how,
                sort=sort or how.sort,
                group=group or how.group,
                text=how.text if text is None else text,
            )
        )


def _combo(name: str, label: str) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(label)
    combo.setToolTip(label)
    combo.setMinimumContentsLength(8)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    return combo


def _as_fault(stage: str | None) -> Fault | None:
    return next((f for f in get_args(Fault) if f == stage), None)
