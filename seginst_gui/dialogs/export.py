"""Ask where and how to export, and say what would be lost."""

from collections.abc import Callable, Set
from dataclasses import replace
from functools import partial
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
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
from seginst_core.formats.coco_json import check_name
from seginst_core.project import ImageEntry
from seginst_core.types import STATES, State
from seginst_gui.dialogs import is_there, typed_path
from seginst_gui.jobs.aside import Aside
from seginst_gui.jobs.exchange import ExportChoice
from seginst_gui.language import tr

Losses = tuple[str, ...]


class ExportDialog(QDialog):
    """``choice()`` is what was picked, once the dialog was accepted.

    ``find_losses`` says what a choice would lose. It is asked in a thread, and nothing can be
    exported before its answer is shown. What is at another place than ``ours`` is replaced only if
    the person says so, here or in the file dialog.
    """

    def __init__(
        self,
        entries: tuple[ImageEntry, ...],
        suggested: Path,
        find_losses: Callable[[ExportChoice], Losses],
        parent: QWidget | None = None,
        *,
        ours: Set[Path] = frozenset(),
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle(tr("Export annotations"))
        self.setMinimumWidth(520)
        self._find_losses = find_losses
        self._known: dict[ExportChoice, Losses] = {}
        self._asked: Aside[Losses] | None = None
        self._suggested = suggested
        self._may_replace = set(ours)
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
            self._suggested.parent / typed_path(self._path.text()),
            str(self._format.currentData()),
            self._states.currentData(),
            self._is_coco() and bool(self._masks.currentData()),
        )

    def accept(self) -> None:
        """Close, unless something would be replaced that the person wants to keep."""
        path = self.choice().path
        if path in self._may_replace or not is_there(path) or self._asks_to_replace(path):
            super().accept()

    def _asks_to_replace(self, path: Path) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        question = tr("{path} exists already. Replace it?").format(path=path)
        return QMessageBox.question(self, self.windowTitle(), question, yes | no, no) == yes

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
            if picked:  # and the file dialog has asked already
                self._may_replace.add(Path(picked))
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
        elif place := self._place_problem():
            problem = place
        elif self._states.currentIndex() == 0 and not self._n_done:
            problem = tr(
                "No image is marked done yet; choose all images, or mark some as done first."
            )
        self._form.setRowVisible(self._masks, self._is_coco())
        if self._asked is not None:
            self._asked.forget()
            self._asked = None
        choice = self._without_place()
        if problem or not choice.may_lose:
            self._show(problem, ())
        elif choice in self._known:
            self._show("", self._known[choice])
        else:
            self._show(tr("Looking for what would be lost…"), ())
            self._asked = Aside(
                partial(self._find_losses, choice),
                partial(self._learn, choice),
                lambda sentence: self._show(sentence, ()),
                self,
            )

    def _place_problem(self) -> str:
        """Return why nothing can be written at the place, as far as its name tells."""
        typed = typed_path(self._path.text())
        if typed.parts and typed.parts[0].startswith("~"):
            return tr("There is no home folder {name}.").format(name=typed.parts[0])
        try:
            if self._is_coco():
                check_name(self.choice().path)
        except FormatError as error:
            return str(error)
        return ""

    def _without_place(self) -> ExportChoice:
        return replace(self.choice(), path=Path())

    def _learn(self, choice: ExportChoice, losses: Losses) -> None:
        self._asked = None
        self._known[choice] = losses
        self._show("", losses)

    def _show(self, problem: str, lost: Losses) -> None:
        self._losses.setText("\n".join((tr("What will be lost:"), *lost)) if lost else "")
        self._losses.setVisible(bool(lost))
        self._problem.setText(problem)
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not problem)


def stamp(path: Path) -> int:
    """Return what tells whether somebody has written to a place since; 0 if nothing is there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
