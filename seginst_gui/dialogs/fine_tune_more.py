"""Everything about a fine-tune that a person may decide instead of the program."""

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from seginst_core.library import LibraryModel
from seginst_core.models import detectron2
from seginst_core.types import (
    ENGINE_NAMES,
    PIPELINES,
    PRESETS,
    STAGES,
    EngineName,
    PipelineName,
    Preset,
    Stage,
)
from seginst_gui.jobs.model_choice import ModelChoice
from seginst_gui.jobs.plan import Facts, FineTunePlan
from seginst_gui.language import later, tr
from seginst_gui.panels.texts import with_link
from seginst_gui.session import PIPELINE_LETTERS

NAMES: dict[PipelineName, str] = {
    "two-stage": later("two-stage (boxes, then nested U-Net)"),
    "end-to-end": later("end-to-end (Mask R-CNN)"),
}
STAGE_NAMES: dict[Stage, str] = {
    "all": later("Both stages"),
    "detector": later("Detector only"),
    "mask": later("Masks only"),
}
START_MINUTES, START_ITERATIONS = 15, 300


class MoreForm(QWidget):
    """The plan as a form; ``changed`` when something was picked."""

    changed = Signal()

    def __init__(
        self,
        facts: Facts,
        plan: FineTunePlan,
        models: ModelChoice,
        library: Sequence[LibraryModel],
    ) -> None:
        super().__init__()
        self._pipelines = {name: self._pipeline(name, plan) for name in PIPELINES}
        self._starts = {name: self._start(name, models, library) for name in PIPELINES}
        self._stage = self._combo("stage")
        for stage in STAGES:
            name = tr(STAGE_NAMES[stage])
            best = stage == facts.faults.stage
            text = tr("{stage} (suggested)").format(stage=name) if best else name
            self._stage.addItem(text, stage)
        self._stage.setCurrentIndex(STAGES.index(plan.stage))
        self._data = self._combo("data")
        self._data.addItem(tr("All images done ({n})").format(n=facts.n_images), False)
        if 0 < facts.n_new < facts.n_images:
            text = tr("Only images not learned from yet ({n})")
            self._data.addItem(text.format(n=facts.n_new), True)
        self._preset = self._combo("preset")
        for preset in PRESETS:
            self._preset.addItem(preset, preset)
        self._preset.setCurrentText(plan.preset)
        self._engine = self._combo("engine")
        for engine in ENGINE_NAMES:
            self._engine.addItem(engine, engine)
        self._has_detectron2 = detectron2.is_installed()
        self._engine_note = _engine_note()
        self._unit = self._combo("unit")
        self._unit.addItem(tr("As long as is usual"), "usual")
        self._unit.addItem(tr("minutes each"), "minutes")
        self._unit.addItem(tr("iterations each"), "iterations")
        self._unit.currentIndexChanged.connect(self._on_unit)
        self._amount = QSpinBox()
        self._amount.setObjectName("fine_tune_amount")
        self._amount.setRange(1, 100_000)
        self._amount.setValue(START_MINUTES)
        self._amount.valueChanged.connect(lambda _value: self._check())
        budget = QHBoxLayout()
        budget.addWidget(self._amount, 1)
        budget.addWidget(self._unit, 2)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for name, box in self._pipelines.items():
            form.addRow(tr("Train") if name == "two-stage" else "", box)
        for name, combo in self._starts.items():
            form.addRow(tr("{letter} starts from").format(letter=PIPELINE_LETTERS[name]), combo)
        form.addRow(tr("Stage of A"), self._stage)
        form.addRow(tr("Data"), self._data)
        form.addRow(tr("For"), budget)
        form.addRow(tr("Size from scratch"), self._preset)
        form.addRow(tr("Engine from scratch"), self._engine)
        form.addRow("", self._engine_note)
        self._check()

    def plan(self) -> FineTunePlan:
        """Return what is picked."""
        start = {
            name: cast(LibraryModel, combo.currentData())
            for name, combo in self._starts.items()
            if combo.currentData() is not None
        }
        stage: Stage = self._stage.currentData()
        preset: Preset = self._preset.currentData()
        engine: EngineName = self._engine.currentData()
        unit, amount = self._unit.currentData(), self._amount.value()
        return FineTunePlan(
            tuple(name for name, box in self._pipelines.items() if box.isChecked()),
            start,
            stage if "two-stage" in start else "all",
            preset,
            engine,
            minutes=float(amount) if unit == "minutes" else None,
            iterations=amount if unit == "iterations" else None,
            only_new=bool(self._data.currentData()),
        )

    def _pipeline(self, name: PipelineName, plan: FineTunePlan) -> QCheckBox:
        box = QCheckBox(f"{PIPELINE_LETTERS[name]} · {tr(NAMES[name])}")
        box.setObjectName(f"fine_tune_{name}")
        box.setChecked(name in plan.pipelines)
        box.toggled.connect(lambda _on: self._check())
        return box

    def _start(
        self, name: PipelineName, models: ModelChoice, library: Sequence[LibraryModel]
    ) -> QComboBox:
        """Offer the live model first, then the others of its pipeline, then none."""
        combo = self._combo(f"start_{name}")
        live = models.get(name)
        if live is not None:
            combo.addItem(tr("{name} (live)").format(name=live.name), live)
        for model in library:
            if model.card.pipeline == name and (live is None or model.folder != live.folder):
                combo.addItem(model.name, model)
        combo.addItem(tr("Scratch"), None)
        combo.setCurrentIndex(0 if live is not None else combo.count() - 1)
        return combo

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(f"fine_tune_{name}")
        combo.currentIndexChanged.connect(lambda _index: self._check())
        return combo

    def _on_unit(self) -> None:
        unit = self._unit.currentData()
        if unit != "usual":
            self._amount.setValue(START_MINUTES if unit == "minutes" else START_ITERATIONS)

    def _check(self) -> None:
        if self.layout() is None:
            return
        chosen = {name for name, box in self._pipelines.items() if box.isChecked()}
        for name, combo in self._starts.items():
            combo.setEnabled(name in chosen)
        self._stage.setEnabled(
            "two-stage" in chosen and self._starts["two-stage"].currentData() is not None
        )
        # A model to start from brings its own size and engine.
        scratch = any(self._starts[name].currentData() is None for name in chosen)
        self._preset.setEnabled(scratch)
        self._engine.setEnabled(scratch and self._has_detectron2)
        self._engine_note.setVisible(scratch and not self._has_detectron2)
        self._amount.setEnabled(self._unit.currentData() != "usual")
        self.changed.emit()


def _engine_note() -> QLabel:
    note = QLabel()
    note.setObjectName("fine_tune_engine_note")
    note.setWordWrap(True)
    note.setOpenExternalLinks(True)
    note.setAlignment(Qt.AlignmentFlag.AlignTop)
    note.setText(with_link(detectron2.NOT_INSTALLED))
    # Two lines: a form does not allow for the height of a label that wraps.
    note.setMinimumHeight(2 * note.fontMetrics().lineSpacing())
    return note
