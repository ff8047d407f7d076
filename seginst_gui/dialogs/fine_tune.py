"""Fine-tune with one button; everything that was decided can be seen, and changed under More."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seginst_core.library import LibraryModel
from seginst_core.project.learning.sides import MIN_DONE
from seginst_core.types import PipelineName, Stage
from seginst_gui.dialogs.fine_tune_more import MoreForm
from seginst_gui.jobs.model_choice import ModelChoice
from seginst_gui.jobs.plan import Facts, FineTunePlan, minutes_of, stage_of
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import dim_label
from seginst_gui.panels.texts import count, duration
from seginst_gui.session import PIPELINE_LETTERS

_WIDTH_PX = 520
_TRAINED: Mapping[Stage, str] = {
    "all": later("All of it"),
    "detector": later("The detector alone"),
    "mask": later("The masks alone"),
}


class FineTuneDialog(QDialog):
    """``plan()`` is what was decided and picked, once the dialog was accepted."""

    def __init__(
        self,
        facts: Facts,
        plan: FineTunePlan,
        models: ModelChoice,
        library: Sequence[LibraryModel] = (),
        n_unfinished: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("fine_tune_dialog")
        self.setWindowTitle(tr("Fine-tune"))
        self.setMinimumWidth(_WIDTH_PX)
        self._facts = facts
        self._summary = QGridLayout()
        self._summary.setColumnStretch(1, 1)
        self._summary.setHorizontalSpacing(12)
        self._summary.setVerticalSpacing(4)
        self._form = MoreForm(facts, plan, models, library)
        self._form.changed.connect(self._show_plan)
        self._more = QToolButton()
        self._more.setObjectName("fine_tune_more")
        self._more.setText(tr("More"))
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setCheckable(True)
        self._more.setAutoRaise(True)
        self._more.toggled.connect(self._open_more)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setText(tr("Fine-tune"))
        ok.setDefault(True)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(12)
        layout.addWidget(_wrapped(_learns_from(facts)))
        layout.addLayout(self._summary)
        layout.addWidget(dim_label(_tested(facts)))
        if n_unfinished:
            layout.addWidget(
                dim_label(
                    tr(
                        "An interrupted training is waiting in the Training panel; "
                        "it stays there and can go on later."
                    )
                )
            )
        layout.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._form)
        layout.addStretch()
        layout.addWidget(self._buttons)
        self._open_more(False)
        self._show_plan()

    def plan(self) -> FineTunePlan:
        """Return what is to be done."""
        return self._form.plan()

    def _open_more(self, opened: bool) -> None:
        self._more.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self._form.setVisible(opened)
        self.adjustSize()

    def _show_plan(self) -> None:
        while (item := self._summary.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        plan = self.plan()
        for row, pipeline in enumerate(plan.pipelines):
            name = QLabel(f"{PIPELINE_LETTERS[pipeline]} · {pipeline}")
            font = name.font()
            font.setBold(True)
            name.setFont(font)
            self._summary.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._summary.addWidget(_wrapped(_will_do(plan, pipeline, self._facts)), row, 1)
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(plan.pipelines))


def _learns_from(facts: Facts) -> str:
    return tr(
        "Learns from {objects} in {images} marked done. It runs in the background, "
        "and you can go on working."
    ).format(objects=count(facts.n_objects, "object"), images=count(facts.n_images, "image"))


def _tested(facts: Facts) -> str:
    if facts.n_images < MIN_DONE and not facts.n_held_out:
        return tr(
            "With {n} images done or more, some are kept out of training to test the new "
            "model. Until then nothing can say whether it is better, so it will not go live by "
            "itself."
        ).format(n=MIN_DONE)
    if facts.n_held_out:
        kept = tr(
            "{images} of them are kept out of training for good (a fifth of all as more come), "
            "together with near-duplicates and tiles of the same image."
        ).format(images=count(facts.n_held_out, "image"))
    else:
        kept = tr(
            "A fifth of them, or a third while they are few, is kept out of training for good, "
            "together with near-duplicates and tiles of the same image."
        )
    test = tr(
        "They are the test: a new model goes live only if it is better there. "
        "The former one is kept."
    )
    return f"{kept} {test}"


def _will_do(plan: FineTunePlan, pipeline: PipelineName, facts: Facts) -> str:
    start = plan.start.get(pipeline)
    if start:
        begun = tr("starts from {name}").format(name=start.name)
    else:
        begun = tr("starts from scratch ({preset})").format(preset=plan.preset)
    stage = stage_of(plan, pipeline)
    if plan.iterations is not None:
        budget = tr("{n} iterations").format(n=f"{plan.iterations:,}")
    else:
        budget = duration(60 * minutes_of(plan, pipeline))
        if start and pipeline == "two-stage" and stage != "detector":
            # Few objects are not learned by heart: their masks are done sooner.
            budget = tr("at most {duration}").format(duration=budget)
    said = f"{tr(_TRAINED[stage])}, {budget}, {begun}."
    why = _why(plan, facts) if pipeline == "two-stage" else ""
    return f"{said} {why}".strip()


def _why(plan: FineTunePlan, facts: Facts) -> str:
    """Say what speaks for the stage, if it is the suggested one."""
    start = plan.start.get("two-stage")
    new = start.card.lacks(facts.classes, facts.renamed) if start else []
    if plan.stage != ("all" if new else facts.faults.stage):
        return ""
    if len(new) == 1:
        return tr("It does not know {name} yet.").format(name=new[0])
    if new:
        text = tr("It does not know {n_new} of {n} classes yet.")
        return text.format(n=len(facts.classes), n_new=len(new))
    boxes, masks = facts.faults.detector, facts.faults.mask
    if facts.faults.stage == "detector":
        text = tr("Of {n} faults you mended, {n_boxes} were boxes.")
        return text.format(n=boxes + masks, n_boxes=boxes)
    if facts.faults.stage == "mask":
        text = tr("Of {n} faults you mended, {n_masks} were masks in boxes that fit.")
        return text.format(n=boxes + masks, n_masks=masks)
    return ""


def _wrapped(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label
