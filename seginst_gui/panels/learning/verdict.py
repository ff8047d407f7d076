"""Before and after: what a new model does better and worse on the images kept out of training."""

from collections.abc import Mapping, Sequence
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_core.project.learning import Run
from seginst_core.types import Box
from seginst_gui.colours import Tone, tone_colour
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import IconLabel, dim_label
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

# Name, words, whether more is better, decimals.
FIGURES: tuple[tuple[str, str, bool, int], ...] = (
    ("segm_AP", later("Mask AP"), True, 3),
    ("bbox_AP", later("Box AP"), True, 3),
    ("mean_iou", later("Mean IoU"), True, 3),
    ("n_false", later("False objects"), False, 0),
)
WORDS: Mapping[str, tuple[str, str, Tone]] = {
    "better": (later("Better: it is live"), "done", "good"),
    "not better": (later("Not better: the former stays live"), "information", "busy"),
    "worse": (later("Worse: the former stays live"), "problem", "bad"),
    "untested": (later("Not tested: the former stays live"), "information", "busy"),
}
_PLACE = Qt.ItemDataRole.UserRole
MOST_SHOWN = 500

Moved = Mapping[str, object]


class VerdictView(QWidget):
    """``fly_wanted(image_id, box, object_id)`` shows an object; ``take_wanted(run)`` overrules."""

    fly_wanted = Signal(int, object, int)
    take_wanted = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("verdict")
        self._session = session
        self._run: Run | None = None
        self._moved: list[Moved] = []
        self._mark = IconLabel()
        self._head = QLabel()
        font = self._head.font()
        font.setBold(True)
        self._head.setFont(font)
        # Or a long name takes the room of the list beside it.
        self._head.setWordWrap(True)
        self._reason = dim_label()
        self._figures = QGridLayout()
        self._figures.setHorizontalSpacing(14)
        self._figures.setVerticalSpacing(3)
        self._take = QPushButton(tr("Let it go live all the same"))
        self._take.setObjectName("verdict_take")
        self._take.setToolTip(tr("The former model is kept, and you can go back to it at any time"))
        self._take.clicked.connect(lambda: self.take_wanted.emit(self._run))
        self._which = QComboBox()
        self._which.setObjectName("verdict_which")
        self._which.setAccessibleName(tr("Which objects are listed"))
        self._which.currentIndexChanged.connect(self._fill)
        self._tree = self._make_tree()
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._mark)
        head.addWidget(self._head, 1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addLayout(head)
        left.addWidget(self._reason)
        left.addLayout(self._figures)
        left.addWidget(self._take, 0, Qt.AlignmentFlag.AlignLeft)
        left.addStretch()
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addWidget(self._which)
        right.addWidget(self._tree, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(16)
        layout.addLayout(left, 1)
        layout.addLayout(right, 1)

    def show_run(self, run: Run, word: str, *, live: bool) -> None:
        """Show what came of a finished run; ``live`` says whether its model is live now."""
        self._run = run
        verdict = run.outcome.get("verdict")
        table = verdict if isinstance(verdict, Mapping) else {}
        words, symbol, tone = WORDS[word]
        said = tr(words)
        if live and word != "better":
            said, symbol, tone = tr("Live because you said so"), "done", "busy"
        elif not live and word == "better":
            said = tr("Better, but another model is live now")
        self._mark.show_icon(symbol, tone)
        self._head.setText(f"{run.outcome.get('name', run.title)} · {said}")
        n_images, n_objects = table.get("n_images"), table.get("n_objects")
        on = ""
        if isinstance(n_images, int) and isinstance(n_objects, int):
            on = tr("Tested on {objects} in {images}.").format(
                objects=count(n_objects, "object"), images=count(n_images, "image")
            )
        reason = table.get("reason", tr("No images were kept out to test it on."))
        self._reason.setText(f"{reason} {on}".rstrip())
        self._show_figures(table)
        self._take.setVisible(not live)
        moved = table.get("moved")
        self._moved = cast(list[Moved], moved) if isinstance(moved, list) else []
        better = [m for m in self._moved if _gain(m) > 0]
        self._which.blockSignals(True)
        self._which.clear()
        for text, n, way in (
            (tr("All that changed ({n})"), len(self._moved), 0),
            (tr("Got better ({n})"), len(better), 1),
            (tr("Got worse ({n})"), len(self._moved) - len(better), -1),
        ):
            self._which.addItem(text.format(n=n), way)
        self._which.blockSignals(False)
        self._fill()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setObjectName("verdict_objects")
        tree.setAccessibleName(tr("Objects that got better or worse"))
        tree.setHeaderLabels([tr("Image"), tr("IoU before"), tr("after")])
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setFrameShape(QFrame.Shape.StyledPanel)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        tree.currentItemChanged.connect(self._fly)
        tree.itemClicked.connect(lambda item, _column: self._fly(item))
        return tree

    def _show_figures(self, table: Mapping[str, object]) -> None:
        while (item := self._figures.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        before, after = table.get("before"), table.get("after")
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            return
        for column, text in enumerate(("", tr("before"), tr("after"), "")):
            self._figures.addWidget(_right(dim_label(text)), 0, column)
        row = 1
        for name, words, more, decimals in FIGURES:
            # A model that found nothing has no mean IoU.
            if name not in after and name not in before:
                continue
            old, new = float(before.get(name, 0)), float(after.get(name, 0))
            self._figures.addWidget(QLabel(tr(words)), row, 0)
            for column, value in ((1, old), (2, new)):
                self._figures.addWidget(_right(QLabel(f"{value:.{decimals}f}")), row, column)
            change = QLabel(f"{new - old:+.{decimals}f}" if new != old else tr("same"))
            if new != old:
                good = (new > old) == more
                change.setStyleSheet(f"color: {tone_colour('good' if good else 'bad').name()}")
            self._figures.addWidget(_right(change), row, 3)
            row += 1
        self._figures.setColumnStretch(4, 1)

    def _fill(self) -> None:
        way = self._which.currentData() or 0
        self._tree.clear()
        shown = [m for m in self._moved if way == 0 or _gain(m) * way > 0][:MOST_SHOWN]
        self._tree.addTopLevelItems(self._rows(shown))

    def _rows(self, moved: Sequence[Moved]) -> list[QTreeWidgetItem]:
        names = {entry.ref.id: entry.ref.path for entry in self._session.entries}
        rows = []
        for one in moved:
            image_id = cast(int, one["image_id"])
            before, after = cast(float, one["before"]), cast(float, one["after"])
            name = names.get(image_id) or tr("image {image_id}").format(image_id=image_id)
            row = QTreeWidgetItem([name, f"{before:.2f}", f"{after:.2f}"])
            gained = after > before
            row.setIcon(0, icon("better", "good") if gained else icon("worse", "bad"))
            for column in (1, 2):
                row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
            x, y, width, height = cast(list[float], one["bbox"])
            place = (image_id, Box(x, y, x + width, y + height), cast(int, one["truth_id"]))
            row.setData(0, _PLACE, place)
            rows.append(row)
        return rows

    def _fly(self, row: QTreeWidgetItem | None, *_of: object) -> None:
        if row is not None:
            self.fly_wanted.emit(*row.data(0, _PLACE))


def _gain(moved: Moved) -> float:
    return cast(float, moved["after"]) - cast(float, moved["before"])


def _right(label: QLabel) -> QLabel:
    label.setAlignment(Qt.AlignmentFlag.AlignRight)
    label.setWordWrap(False)
    return label
