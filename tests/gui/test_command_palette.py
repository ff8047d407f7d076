"""The command palette: what it finds, and that Enter does it."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_gui.app import build_window
from seginst_gui.dialogs.command_palette import CommandPalette, rank

from .conftest import MakeFolder


def titles(palette: CommandPalette) -> list[str]:
    rows = palette.findChild(QTreeWidget)
    return [rows.topLevelItem(k).text(0) for k in range(rows.topLevelItemCount())]


@pytest.mark.parametrize(
    ("wanted", "better", "worse"),
    [
        ("fit", "Fit to window", "Fine-tune images together"),
        ("ft", "Fit to window", "Find other"),
        ("Next im", "Next image", "Next image not done"),
        ("tune", "Fine-tune", "Zoom in"),
    ],
)
def test_the_text_itself_comes_before_its_letters(wanted, better, worse) -> None:
    best, other = rank(wanted, better, ""), rank(wanted, worse, "tune it")
    assert best is not None
    assert other is None or best < other


def test_what_has_the_letters_nowhere_is_left_out() -> None:
    assert rank("xyz", "Zoom in", "Look closer") is None
    assert rank("closer", "Zoom in", "Look closer") is not None
    assert rank("", "Zoom in", "") is not None


def test_enter_does_what_was_typed_and_disabled_actions_are_not_offered(
    qtbot: QtBot, make_folder: MakeFolder
) -> None:
    window = build_window(make_folder("a.png", "b.png"))
    qtbot.addWidget(window)
    window.show()
    offered: list[str] = []

    def answer() -> None:
        palette = QApplication.activeModalWidget()
        assert isinstance(palette, CommandPalette)
        offered.extend(titles(palette))
        field = palette.findChild(QLineEdit)
        QTest.keyClicks(field, "eraser")
        QTest.keyClick(field, Qt.Key.Key_Return)

    QTimer.singleShot(0, answer)
    window.actions_by_id["command_palette"].trigger()
    assert window.canvas.tool is window.tools["eraser"]
    assert "Next image" in offered
    assert "Merge" not in offered
    window.close()


def test_arrow_keys_go_through_the_list_and_escape_does_nothing(
    qtbot: QtBot, make_folder: MakeFolder
) -> None:
    window = build_window(Path(make_folder("a.png")))
    qtbot.addWidget(window)
    palette = CommandPalette(window.actions_by_id.values(), window)
    palette.show()
    field = palette.findChild(QLineEdit)
    QTest.keyClicks(field, "zoom")
    assert titles(palette)[:2] == ["Zoom in", "Zoom out"]
    QTest.keyClick(field, Qt.Key.Key_Down)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert palette.chosen is window.actions_by_id["zoom_out"]
    again = CommandPalette(window.actions_by_id.values(), window)
    again.show()
    QTest.keyClick(again.findChild(QLineEdit), Qt.Key.Key_Escape)
    assert again.chosen is None
    window.close()
