"""Ask where and how to export, and say what would be lost."""

from collections.abc import Callable
from dataclasses import dataclass
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

from seginst_core.errors import SegInstError
from seginst_core.formats import FORMATS, coco_json
from seginst_core.project import ImageEntry
from seginst_core.types import STATES, Dataset, State
from seginst_gui.language import tr


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """Where to write, in which format, images in which states; in COCO masks may be polygons."""

    path: Path
    format_name: str
    states: tuple[State, ...]
    polygons: bool


class ExportDialog(QDialog):
    """``choice()`` is what was picked, once the dialog was accepted.

    ``collect`` gives the data set of images in some states; it is asked only where
    something may be lost.
    """

    def __init__(
        self,
        entries: tuple[ImageEntry, ...],
        suggested: Path,
        collect: Callable[[tuple[State, ...]], Dataset],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle(tr("Export annotations"))
        self.setMinimumWidth(520)
        self._collect = collect
        self._collected: dict[tuple[State, ...], Dataset] = {}
        self._suggested = suggested
        n_done = sum(entry.state == "done" for entry in entries)
        self._path = QLineEdit(str(suggested))
        self._path.setObjectName("export_path")
        self._path.textChanged.connect(self._check)
        self._format = QComboBox()
        self._format.setObjectName("export_format")
        for name, entry in FORMATS.items():
            self._format.addItem(entry.name, name)
        self._format.currentIndexChanged.connect(self._suggest)
        browse = QPushButton(tr("Browse…"))
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.addWidget(self._path, 1)
        where.addWidget(browse)
        self._states = QComboBox()
        self._states.setObjectName("export_states")
        done: tuple[State, ...] = ("done",)
        self._states.addItem(tr("Images marked done ({n_done})").format(n_done=n_done), done)
        self._states.addItem(tr("All images ({len})").format(len=len(entries)), STATES)
        self._states.setCurrentIndex(0 if n_done else 1)
        self._states.currentIndexChanged.connect(self._check)
        self._masks = QComboBox()
        self._masks.setObjectName("export_masks")
        self._masks.addItem(tr("Exact, run lengths (RLE)"), False)
        self._masks.addItem(tr("Polygons: holes are lost, and you are told how many"), True)
        self._masks.currentIndexChanged.connect(self._check)
        self._form = QFormLayout()
        self._form.addRow(tr("Format"), self._format)
        self._form.addRow(tr("To"), where)
        self._form.addRow(tr("Images"), self._states)
        self._form.addRow(tr("Masks"), self._masks)
        self._n_done = n_done
        self._losses = QLabel()
        self._losses.setObjectName("export_losses")
        self._losses.setWordWrap(True)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setText(tr("Export"))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(self._form)
        layout.addWidget(self._losses)
        layout.addWidget(self._problem)
        layout.addWidget(self._buttons)
        self._check()

    def choice(self) -> ExportChoice:
        """Return what was picked."""
        return ExportChoice(
            Path(self._path.text().strip()).expanduser(),
            str(self._format.currentData()),
            self._states.currentData(),
            self._is_coco() and bool(self._masks.currentData()),
        )

    def _is_coco(self) -> bool:
        return str(self._format.currentData()) == "coco"

    def _suggest(self) -> None:
        """Change the ending of the place with the format, unless the place was typed."""
        name = str(self._format.currentData())
        stem = self._suggested.stem
        folders = {other: self._suggested.with_name(f"{stem}_{other}") for other in FORMATS}
        if Path(self._path.text().strip()) in (self._suggested, *folders.values()):
            self._path.setText(str(self._suggested if self._is_coco() else folders[name]))
        self._check()

    def _browse(self) -> None:
        if self._is_coco():
            picked, _ = QFileDialog.getSaveFileName(
                self, tr("Export COCO"), self._path.text(), tr("COCO JSON (*.json)")
            )
        else:
            above = str(Path(self._path.text()).parent)
            picked = QFileDialog.getExistingDirectory(
                self, tr("Export to a new or empty folder"), above
            )
        if picked:
            self._path.setText(picked)

    def _check(self) -> None:
        problem = ""
        if not self._path.text().strip():
            file, folder = tr("Choose a file to write."), tr("Choose a folder to write.")
            problem = file if self._is_coco() else folder
        elif self._states.currentIndex() == 0 and not self._n_done:
            problem = tr(
                "No image is marked done yet; choose all images, or mark some as done first."
            )
        self._form.setRowVisible(self._masks, self._is_coco())
        try:
            lost = () if problem else self._lost()
        except SegInstError as error:
            problem, lost = str(error), ()
        self._losses.setText("\n".join((tr("What will be lost:"), *lost)) if lost else "")
        self._losses.setVisible(bool(lost))
        self._problem.setText(problem)
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)

    def _lost(self) -> tuple[str, ...]:
        choice = self.choice()
        if self._is_coco() and not choice.polygons:
            return ()
        if choice.states not in self._collected:
            self._collected[choice.states] = self._collect(choice.states)
        dataset = self._collected[choice.states]
        if choice.polygons:
            return coco_json.losses(dataset, polygons=True)
        return FORMATS[choice.format_name].losses(dataset)
