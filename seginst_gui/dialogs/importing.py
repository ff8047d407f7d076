"""Ask what to import."""

from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seginst_core.formats import FORMATS
from seginst_gui.dialogs import is_there, typed_path
from seginst_gui.jobs.exchange import ImportChoice
from seginst_gui.language import tr


class ImportDialog(QDialog):
    """``choice()`` is what was picked, once the dialog was accepted."""

    def __init__(self, start: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("import_dialog")
        self.setWindowTitle(tr("Import annotations"))
        self.setMinimumWidth(520)
        self._start = start
        self._path = QLineEdit()
        self._path.setObjectName("import_path")
        self._path.setPlaceholderText(tr("A file, or a folder of files"))
        self._path.textChanged.connect(self._check)
        file_button, folder_button = QPushButton(tr("File…")), QPushButton(tr("Folder…"))
        file_button.clicked.connect(self._browse_file)
        folder_button.clicked.connect(self._browse_folder)
        where = QHBoxLayout()
        where.addWidget(self._path, 1)
        where.addWidget(file_button)
        where.addWidget(folder_button)
        self._format = QComboBox()
        self._format.setObjectName("import_format")
        self._format.addItem(tr("Told by the content"), "")
        for name, entry in FORMATS.items():
            self._format.addItem(entry.name, name)
        form = QFormLayout()
        form.addRow(tr("From"), where)
        form.addRow(tr("Format"), self._format)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("Import"))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        self._check()

    def choice(self) -> ImportChoice:
        """Return what was picked."""
        return ImportChoice(self._picked(), str(self._format.currentData()))

    def _picked(self) -> Path:
        return typed_path(self._path.text())

    def _browse_file(self) -> None:
        kinds = tr("Annotations (*.json *.xml *.yaml *.yml *.txt *.png);;All files (*)")
        picked, _ = QFileDialog.getOpenFileName(self, tr("Import"), str(self._start), kinds)
        if picked:
            self._path.setText(picked)

    def _browse_folder(self) -> None:
        picked = QFileDialog.getExistingDirectory(self, tr("Import"), str(self._start))
        if picked:
            self._path.setText(picked)

    def _check(self) -> None:
        problem = ""
        if not self._path.text().strip():
            problem = tr("Choose a file or a folder.")
        elif not is_there(self._picked()):
            problem = tr("There is nothing at this place.")
        self._problem.setText(problem)
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)
