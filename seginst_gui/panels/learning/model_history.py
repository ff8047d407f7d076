"""Which model was live when: notes on each step, and the way back."""

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_core.project.learning import LiveModel, Run
from seginst_core.project.reviewing import ModelCost
from seginst_core.types import PIPELINES
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import empty_label
from seginst_gui.panels.texts import count, duration, moment
from seginst_gui.session import PIPELINE_LETTERS, Session

_STEP = Qt.ItemDataRole.UserRole
SENTENCE_EMPTY = later("No model has gone live in this project yet. Fine-tune (Ctrl+T) makes one.")


class ModelHistory(QWidget):
    """``back_wanted(step)`` asks to let a former model be live again, ``run_wanted(run)`` for its
    before and after."""

    back_wanted = Signal(object)
    run_wanted = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._runs: dict[str, Run] = {}
        self._tree = QTreeWidget()
        self._tree.setObjectName("model_history")
        self._tree.setAccessibleName(tr("Models that were live"))
        self._tree.setHeaderLabels([tr("Model"), tr("Live since"), tr("To correct")])
        self._tree.setRootIsDecorated(False)
        self._tree.setFrameShape(QFrame.Shape.NoFrame)
        header = self._tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section in (1, 2):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.headerItem().setToolTip(2, tr("Time spent on each object taken over from it"))
        self._tree.currentItemChanged.connect(lambda *_rows: self._on_current())
        self._note = QTextBrowser()
        self._note.setObjectName("live_note")
        self._note.setAccessibleName(tr("Note on the model"))
        self._note.setFrameShape(QFrame.Shape.NoFrame)
        self._note.document().setDocumentMargin(8)
        self._note.setMinimumHeight(30)
        self._note.setMaximumHeight(76)
        self._back = self._button("go_back", tr("Go back to it"), self._go_back)
        self._back.setToolTip(tr("Let this model be live again; its predictions are shown again"))
        self._edit = self._button("note", tr("Note"), self._edit_note)
        self._edit.setToolTip(tr("Write down what this model is about"))
        self._compare = self._button("review", tr("Before and after"), self._show_run)
        self._compare.setToolTip(tr("Show what its training changed on the images kept out of it"))
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 6, 8, 8)
        for button in (self._back, self._edit, self._compare):
            buttons.addWidget(button)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._tree, 1)
        column.addWidget(self._note)
        column.addLayout(buttons)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty_label(tr(SENTENCE_EMPTY)))
        self._stack.addWidget(whole)
        self.refresh()

    def refresh(self) -> None:
        """Read the history anew, the newest step first."""
        project = self._session.project
        steps = project.learning.live_models() if project else ()
        runs = project.learning.runs(["finished"]) if project else ()
        self._runs = {str(run.outcome.get("id")): run for run in runs if run.outcome.get("verdict")}
        live = {step.pipeline: step.id for step in steps}
        current = self._step()
        self._tree.clear()
        # Reads every edit ever made, so only for someone who looks.
        costs = project.reviewing.costs() if project and steps and self.isVisible() else ()
        by_model = {cost.model: cost for cost in costs}
        now = datetime.now().astimezone()
        for pipeline in PIPELINES:
            for step in reversed([s for s in steps if s.pipeline == pipeline]):
                letter = PIPELINE_LETTERS[pipeline]
                row = QTreeWidgetItem([f"{letter} · {step.name}", moment(step.since, now)])
                row.setData(0, _STEP, step)
                row.setToolTip(0, step.note)
                self._show_cost(row, by_model.get(step.model))
                is_live = step.id == live[pipeline]
                row.setIcon(0, icon("in_use") if is_live else icon("model", "dim"))
                font = row.font(0)
                font.setBold(is_live)
                row.setFont(0, font)
                self._tree.addTopLevelItem(row)
                if current is not None and step.id == current.id:
                    self._tree.setCurrentItem(row)
        first = self._tree.topLevelItem(0)
        if self._tree.currentItem() is None and first is not None:
            self._tree.setCurrentItem(first)
        self._stack.setCurrentIndex(1 if steps else 0)
        self._on_current()

    def showEvent(self, event: QShowEvent) -> None:
        """Show what correcting each model's objects has cost until now."""
        super().showEvent(event)
        self.refresh()

    def _show_cost(self, row: QTreeWidgetItem, cost: ModelCost | None) -> None:
        if cost is None:
            return
        row.setText(2, tr("{n} s").format(n=f"{cost.seconds / cost.n_accepted:.1f}"))
        row.setTextAlignment(2, Qt.AlignmentFlag.AlignRight)
        row.setToolTip(
            2,
            tr("{objects} taken over, {n} left as drawn; {edits}, {time} in all").format(
                objects=count(cost.n_accepted, "object"),
                n=f"{cost.n_kept:,}",
                edits=count(cost.n_edits, "edit"),
                time=duration(cost.seconds),
            ),
        )

    def _button(self, name: str, text: str, act: object) -> QPushButton:
        button = QPushButton(icon(name), text)
        button.setObjectName(f"history_{name}")
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(act)
        return button

    def _step(self) -> LiveModel | None:
        row = self._tree.currentItem()
        step = row.data(0, _STEP) if row else None
        return step if isinstance(step, LiveModel) else None

    def _on_current(self) -> None:
        step, row = self._step(), self._tree.currentItem()
        self._note.setPlainText(step.note if step and step.note else tr("No note."))
        self._edit.setEnabled(step is not None)
        self._back.setEnabled(step is not None and row is not None and not row.font(0).bold())
        self._compare.setEnabled(step is not None and step.model in self._runs)

    def _go_back(self) -> None:
        if (step := self._step()) is not None:
            self.back_wanted.emit(step)

    def _show_run(self) -> None:
        step = self._step()
        if step is not None and step.model in self._runs:
            self.run_wanted.emit(self._runs[step.model])

    def _edit_note(self) -> None:
        step, project = self._step(), self._session.project
        if step is None or project is None:
            return
        text, ok = QInputDialog.getMultiLineText(
            self, tr("Note"), tr("What {name} is about:").format(name=step.name), step.note
        )
        if ok:
            project.learning.note_live(step.id, text.strip())
            self.refresh()
