"""Where an export goes: what is there already is replaced only if a person says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from seginst_gui.dialogs.export import ExportDialog
from seginst_gui.dialogs.importing import ImportDialog
from seginst_gui.main_window import MainWindow

from .canvas_scenes import block, open_window
from .test_exchange_dialogs import choose, click, in_dialog, told
from .tool_hands import put

ANOTHERS = '{"a day": "of work in another tool"}'


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path) as window:
        put(window.session, block(90, 60, 140, 100))
        yield window


def export(
    qtbot: QtBot, window: MainWindow, path: Path, answer: str = "", format_name: str = "coco"
) -> list[str]:
    """Export to a path and wait for it; return what was asked, each answered with a button."""
    asked: list[str] = []

    def reply() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            assert box.defaultButton() is box.button(QMessageBox.StandardButton.No)
            box.button(getattr(QMessageBox.StandardButton, answer)).click()

    def fill(dialog: QDialog) -> None:
        choose(dialog, "export_format", format_name)
        dialog.findChild(QLineEdit, "export_path").setText(str(path))
        told(dialog)
        QTimer.singleShot(0, reply)
        click(dialog, "Export")
        if asked and answer == "No":
            assert dialog.isVisible(), "one may choose another place"
            dialog.reject()

    window.notice.hide()
    in_dialog(fill)
    window.commands.export_coco()
    if answer != "No":
        qtbot.waitUntil(lambda: "Written to" in window.notice.text and window.notice.isVisible())
    return asked


def test_what_another_wrote_is_replaced_only_on_yes(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    path = tmp_path / "images_annotations.json"
    path.write_text(ANOTHERS)
    assert export(qtbot, window, path, "No") == [f"{path} exists already. Replace it?"]
    assert path.read_text() == ANOTHERS
    assert len(export(qtbot, window, path, "Yes")) == 1
    assert path.read_text() != ANOTHERS


@pytest.mark.parametrize("format_name", ["coco", "yolo"])
def test_the_last_export_is_replaced_without_a_word_unless_another_wrote_there_since(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, format_name: str
) -> None:
    path = tmp_path / "out.json"
    assert export(qtbot, window, path, format_name=format_name) == []
    assert export(qtbot, window, path, format_name=format_name) == []
    (path / "classes.txt" if path.is_dir() else path).write_text(ANOTHERS)
    if path.is_dir():
        (path / "new.txt").write_text("")
    assert len(export(qtbot, window, path, "No", format_name)) == 1


def test_what_was_picked_in_the_file_dialog_is_asked_about_there(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.json"
    path.write_text(ANOTHERS)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))

    def browse(dialog: QDialog) -> None:
        click(dialog, "Browse…")
        click(dialog, "Export")

    in_dialog(browse)
    window.commands.export_coco()
    qtbot.waitUntil(lambda: "Written to" in window.notice.text)
    assert path.read_text() != ANOTHERS


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("{images}/a.png", "images are never written to"),
        ("{images}/new.TIF", "images are never written to"),
        ("a\0.png", "images are never written to"),
        ("~nobody_here/x.json", "no home folder ~nobody_here"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_in_the_dialog(
    qtbot: QtBot, tmp_path: Path, typed: str, problem: str
) -> None:
    (tmp_path / "images").mkdir()
    dialog = ExportDialog((), tmp_path / "out.json", no_losses)
    qtbot.addWidget(dialog)
    dialog.findChild(QLineEdit, "export_path").setText(typed.format(images=tmp_path / "images"))
    assert problem in " ".join(label.text() for label in dialog.findChildren(QLabel))
    save = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Export")
    assert not save.isEnabled()


def test_a_name_without_a_folder_goes_beside_the_images(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog((), tmp_path / "out.json", no_losses)
    qtbot.addWidget(dialog)
    dialog.findChild(QLineEdit, "export_path").setText("mine.json")
    assert dialog.choice().path == tmp_path / "mine.json"


@pytest.mark.parametrize("typed", ["~nobody_here", "x" * 300, "a\0b"])
def test_a_place_that_cannot_be_is_nothing_to_import(
    qtbot: QtBot, tmp_path: Path, typed: str
) -> None:
    dialog = ImportDialog(tmp_path)
    qtbot.addWidget(dialog)
    dialog.findChild(QLineEdit, "import_path").setText(typed)
    assert "There is nothing at this place." in [w.text() for w in dialog.findChildren(QLabel)]


def no_losses(_choice: object) -> tuple[str, ...]:
    return ()
