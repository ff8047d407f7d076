"""Bring in a detectron2 model: its two files, and its classes in an order that is confirmed."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seginst_core.errors import ModelError
from seginst_core.events import JsonValue
from seginst_core.library import LibraryModel
from seginst_core.models import detectron2
from seginst_gui.dialogs import typed_path
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.language import tr
from seginst_gui.panels.labels import IconLabel, dim_label
from seginst_gui.panels.texts import with_link

_CLASSES_HEIGHT_PX, _BAR_HEIGHT_PX = 110, 6
_SAID_LINES = 4


class Detectron2Dialog(QDialog):
    """``folder`` is the new model's, once the dialog was accepted.

    A worker takes the model in. What it refuses is said here, with all that was typed still there.
    ``donors`` are the two-stage models whose nested U-Net can draw a Faster R-CNN's masks.
    """

    def __init__(self, donors: Sequence[LibraryModel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("detectron2_dialog")
        self.setWindowTitle(tr("Add a detectron2 model"))
        self.setMinimumWidth(560)
        self.folder: Path | None = None
        self._job = ""
        self._refusal = ""
        self._worker = WorkerClient(self)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(lambda _job: self._on_end(""))
        self._config = _line("config", tr("A YAML file, or a name in detectron2's model zoo"))
        self._weights = _line("weights", tr("A .pth file, such as model_final.pth"))
        self._names = QPlainTextEdit()
        self._names.setObjectName("detectron2_names")
        self._names.setAccessibleName(tr("Class names in the order of training"))
        self._names.setPlaceholderText(tr("One name a line, in the order of training"))
        self._names.setTabChangesFocus(True)
        self._order = QListWidget()
        self._order.setObjectName("detectron2_order")
        self._order.setAccessibleName(tr("Classes by number"))
        for box in (self._names, self._order):
            box.setFixedHeight(_CLASSES_HEIGHT_PX)
        self._confirmed = QCheckBox(tr("This is the order of the classes in training"))
        self._confirmed.setObjectName("detectron2_confirmed")
        self._donor = QComboBox()
        self._donor.setObjectName("detectron2_donor")
        for model in donors:
            self._donor.addItem(
                tr("the nested U-Net of {name}").format(name=model.name), str(model.folder)
            )
        if not donors:
            self._donor.addItem(tr("no model: there is no two-stage model yet"), "")
        self._name = _line("name", "")
        self._fields = QWidget()
        self._lay_out_fields()
        self._symbol = IconLabel()
        self._said = QLabel()
        self._said.setObjectName("detectron2_said")
        self._said.setWordWrap(True)
        self._said.setOpenExternalLinks(True)
        self._said.setAlignment(Qt.AlignmentFlag.AlignTop)
        # Room for the longest refusal from the start: nothing moves when it comes.
        self._said.setMinimumHeight(_SAID_LINES * self._said.fontMetrics().lineSpacing())
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(_BAR_HEIGHT_PX)
        kept = self._bar.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(kept)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._add = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._add.setText(tr("Add"))
        self._buttons.accepted.connect(self._start)
        self._buttons.rejected.connect(self.reject)
        # One line: a dialog does not allow for the height of a label that wraps.
        intro = dim_label(
            tr("Copies a Faster R-CNN or Mask R-CNN into your models; no code in its files is run.")
        )
        intro.setWordWrap(False)
        state = QHBoxLayout()
        state.setSpacing(8)
        state.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        state.addWidget(self._said, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(self._fields)
        layout.addLayout(state)
        layout.addWidget(self._bar)
        layout.addWidget(self._buttons)
        for line in (self._config, self._weights, self._name):
            line.textChanged.connect(self._on_change)
        self._names.textChanged.connect(self._on_names)
        self._confirmed.toggled.connect(self._check)
        self._on_change()

    def reject(self) -> None:
        """Stop the work under way; with none, close."""
        if self._job:
            self._worker.cancel(self._job)
            self._say(tr("Stopping…"))
        else:
            super().reject()

    def done(self, result: int) -> None:
        """Close, and let the worker go."""
        self._worker.retire()
        super().done(result)

    def _lay_out_fields(self) -> None:
        classes = QHBoxLayout()
        classes.addWidget(self._names, 1)
        classes.addWidget(self._order, 1)
        form = QFormLayout(self._fields)
        form.setContentsMargins(0, 6, 0, 6)
        yaml, weights = tr("Configurations (*.yaml *.yml)"), tr("Weights (*.pth *.pt *.pkl)")
        form.addRow(tr("Configuration"), self._with_browse(self._config, yaml))
        form.addRow(tr("Weights"), self._with_browse(self._weights, weights))
        form.addRow(tr("Classes"), classes)
        form.addRow("", self._confirmed)
        form.addRow(tr("If it only finds boxes,\nmasks come from"), self._donor)
        form.addRow(tr("Name"), self._name)

    def _with_browse(self, line: QLineEdit, kinds: str) -> QHBoxLayout:
        def browse() -> None:
            picked, _ = QFileDialog.getOpenFileName(
                self,
                tr("Choose a file"),
                line.text(),
                tr("{kinds};;All files (*)").format(kinds=kinds),
            )
            if picked:
                line.setText(picked)

        button = QPushButton(tr("Browse…"))
        button.clicked.connect(browse)
        row = QHBoxLayout()
        row.addWidget(line, 1)
        row.addWidget(button)
        return row

    def _class_names(self) -> list[str]:
        parts = self._names.toPlainText().replace(",", "\n").splitlines()
        return [part.strip() for part in parts if part.strip()]

    def _on_names(self) -> None:
        """Number the classes; an order that was changed has to be confirmed anew."""
        self._order.clear()
        self._order.addItems([f"{k}   {name}" for k, name in enumerate(self._class_names())])
        self._confirmed.setChecked(False)
        self._on_change()

    def _on_change(self) -> None:
        self._refusal = ""
        stem = Path(self._config.text().strip()).stem
        self._name.setPlaceholderText(stem or tr("That of the configuration"))
        self._check()

    def _check(self) -> None:
        """Say what is still to be done, or what was refused; offer to add only what may be."""
        names = self._class_names()
        self._confirmed.setEnabled(bool(names))
        missing, refusal = "", self._refusal
        weights = self._weights.text().strip()
        if not detectron2.is_installed():
            refusal = detectron2.NOT_INSTALLED
        elif not refusal and weights:
            try:
                detectron2.check_weights_name(typed_path(weights))
            except ModelError as error:
                refusal = str(error)
        if not self._config.text().strip():
            missing = tr("Choose the configuration the model was trained with.")
        elif not weights:
            missing = tr("Choose the weights.")
        elif not names:
            missing = tr("Name the classes in the order of training.")
        elif not self._confirmed.isChecked():
            missing = tr("Check the numbers of the classes and confirm their order.")
        self._say(refusal or missing, bad=bool(refusal))
        self._add.setEnabled(not refusal and not missing)

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._said.setText(with_link(text))
        self._symbol.show_icon("problem" if bad else "", "bad")
        self._symbol.setVisible(bad)
        working = bool(self._job)
        self._bar.setVisible(working)
        self._fields.setEnabled(not working)

    def _start(self) -> None:
        typed = self._config.text().strip()
        config = typed_path(typed)
        names: list[JsonValue] = [*self._class_names()]
        self._job = self._worker.submit(
            "add_detectron2",
            {
                "config": str(config) if config.is_file() else typed,
                "weights": str(typed_path(self._weights.text())),
                "categories": names,
                "masks_from": str(self._donor.currentData()),
                "name": self._name.text().strip(),
            },
        )
        self._add.setEnabled(False)
        self._say(tr("Reading the weights and building the network…"))

    def _on_finished(self, job_id: str, result: dict[str, object]) -> None:
        del job_id
        self._job = ""
        self.folder = Path(str(result["folder"]))
        self.accept()

    def _on_failed(self, job_id: str, sentence: str) -> None:
        del job_id
        self._on_end(sentence)

    def _on_end(self, sentence: str) -> None:
        self._job = ""
        self._refusal = sentence
        self._check()


def _line(name: str, placeholder: str) -> QLineEdit:
    line = QLineEdit()
    line.setObjectName(f"detectron2_{name}")
    line.setPlaceholderText(placeholder)
    return line
