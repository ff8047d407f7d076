"""The layer panel: what the canvas shows, from which score on, and taking predictions over."""

from dataclasses import replace

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from seginst_core.types import PIPELINES, PipelineName
from seginst_gui.canvas.looks import PIPELINE_COLOURS
from seginst_gui.icons import icon
from seginst_gui.language import tr
from seginst_gui.panels.labels import ElidedLabel
from seginst_gui.panels.texts import count
from seginst_gui.session import PIPELINE_LETTERS, Session

LOWEST, HIGHEST = 5, 95
"""Ends of the score slider, in hundredths."""
_GAP_PX = 6


class LayersPanel(QWidget):
    """``accept_wanted`` takes the selected prediction, ``accept_all_wanted(pipeline)`` all."""

    accept_wanted = Signal()
    accept_all_wanted = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._annotation = QCheckBox(tr("Annotation"))
        self._annotation.setObjectName("layer_annotation")
        self._annotation.setToolTip(tr("Show or hide the annotation"))
        self._annotation.toggled.connect(self._switch)
        self._n_objects = ElidedLabel()
        self._boxes: dict[PipelineName, QCheckBox] = {}
        self._facts: dict[PipelineName, ElidedLabel] = {}
        self._models: dict[PipelineName, str] = {}
        self._accept_all: dict[PipelineName, QPushButton] = {}
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(1)
        grid.addWidget(_Swatch(None), 0, 0)
        grid.addWidget(self._annotation, 0, 1)
        grid.addWidget(self._n_objects, 1, 1)
        for place, pipeline in enumerate(PIPELINES, 1):
            grid.setRowMinimumHeight(3 * place - 1, _GAP_PX)
            self._add_pipeline(grid, 3 * place, pipeline)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("score")
        self._slider.setAccessibleName(tr("Lowest score shown"))
        self._slider.setToolTip(tr("Predictions that score lower are hidden and not accepted"))
        self._slider.setRange(LOWEST, HIGHEST)
        self._slider.setPageStep(5)
        self._slider.valueChanged.connect(self._slide)
        self._value = QLabel()
        self._value.setMinimumWidth(self._value.fontMetrics().horizontalAdvance("0.00"))
        score = QHBoxLayout()
        score.addWidget(QLabel(tr("Score from")))
        score.addWidget(self._slider, 1)
        score.addWidget(self._value)
        self._accept = QPushButton(icon("accept"), tr("Accept selected"))
        self._accept.setObjectName("accept_selected")
        self._accept.setToolTip(tr("Take the selected prediction into the annotation"))
        self._accept.clicked.connect(self.accept_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 10)
        layout.setSpacing(8)
        layout.addLayout(grid)
        layout.addLayout(score)
        layout.addWidget(self._accept)
        layout.addStretch()
        for signal in (session.image_changed, session.predictions_changed, session.project_changed):
            signal.connect(self._read_models)
        for signal in (
            session.layers_changed,
            session.selection_changed,
            session.instances_changed,
        ):
            signal.connect(self._show)
        self._read_models()

    def _add_pipeline(self, grid: QGridLayout, row: int, pipeline: PipelineName) -> None:
        letter = PIPELINE_LETTERS[pipeline]
        box = QCheckBox(f"{letter} · {pipeline}")
        box.setObjectName(f"layer_{letter.lower()}")
        box.setToolTip(tr("Show or hide what {letter} found").format(letter=letter))
        box.toggled.connect(self._switch)
        facts = ElidedLabel()
        accept = QPushButton(tr("Accept all of {letter}").format(letter=letter))
        accept.setObjectName(f"accept_all_{letter.lower()}")
        accept.setToolTip(
            tr("Take all shown predictions of {letter} into the annotation").format(letter=letter)
        )
        accept.clicked.connect(lambda: self.accept_all_wanted.emit(pipeline))
        grid.addWidget(_Swatch(QColor(*PIPELINE_COLOURS[pipeline])), row, 0)
        grid.addWidget(box, row, 1)
        grid.addWidget(facts, row + 1, 1)
        grid.addWidget(accept, row, 2, 2, 1)
        self._boxes[pipeline], self._facts[pipeline] = box, facts
        self._accept_all[pipeline] = accept

    def _read_models(self) -> None:
        project, image = self._session.project, self._session.image
        if project is not None and image is not None:
            looked = self._session.predictions
            self._models = {p: project.prediction_model_name(image.id, p) for p in looked}
        self._show()

    def _show(self) -> None:
        session, layers = self._session, self._session.layers
        _set_checked(self._annotation, layers.annotation)
        opened = session.document is not None
        self._n_objects.show_text(count(len(session.instances), "object") if opened else "")
        for pipeline in PIPELINES:
            shows = layers.shows(pipeline)
            _set_checked(self._boxes[pipeline], shows)
            self._facts[pipeline].show_text(self._found(pipeline) if opened else "")
            self._accept_all[pipeline].setEnabled(shows and bool(session.proposals(pipeline)))
        self._slider.blockSignals(True)
        self._slider.setValue(round(100 * layers.threshold))
        self._slider.blockSignals(False)
        self._value.setText(f"{layers.threshold:.2f}")
        self._accept.setEnabled(session.proposal is not None)

    def _found(self, pipeline: PipelineName) -> str:
        """Return what a pipeline found, as ``15 of 31 · planes``."""
        prediction = self._session.predictions.get(pipeline)
        if prediction is None:
            return tr("has not looked yet")
        n_shown, n = len(self._session.proposals(pipeline)), len(prediction.instances)
        shown = tr("{n} of {total}").format(n=f"{n_shown:,}", total=f"{n:,}")
        parts = (shown, self._models.get(pipeline))
        return " · ".join(part for part in parts if part)

    def _switch(self) -> None:
        layers = replace(
            self._session.layers,
            annotation=self._annotation.isChecked(),
            two_stage=self._boxes["two-stage"].isChecked(),
            end_to_end=self._boxes["end-to-end"].isChecked(),
        )
        self._session.set_layers(layers)

    def _slide(self, value: int) -> None:
        self._session.set_layers(replace(self._session.layers, threshold=value / 100))


class _Swatch(QWidget):
    """How a layer looks on the canvas: an outline in its colour, or filled in any."""

    def __init__(self, colour: QColor | None) -> None:
        super().__init__()
        self._colour = colour
        self.setFixedSize(QSize(14, 14))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sign."""
        del event
        painter = QPainter(self)
        inner = QRect(2, 2, 10, 10)
        if self._colour is None:
            painter.fillRect(inner, QColor(230, 159, 0, 120))
            painter.setPen(QColor(230, 159, 0))
        else:
            pen = painter.pen()
            pen.setColor(self._colour)
            pen.setWidth(2)
            painter.setPen(pen)
        painter.drawRect(inner)
        painter.end()


def _set_checked(box: QCheckBox, checked: bool) -> None:
    box.blockSignals(True)
    box.setChecked(checked)
    box.blockSignals(False)
