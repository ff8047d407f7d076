"""Keys that the person changes: they hold at once, are kept, and never fire while typing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
)
from pytestqt.qtbot import QtBot

from seginst_gui import settings
from seginst_gui.actions import action_entries
from seginst_gui.actions.keys import RESERVED, default_keys, given, load_keys, owner, save_keys
from seginst_gui.app import build_window
from seginst_gui.dialogs.shortcuts import ShortcutSheet
from seginst_gui.main_window import MainWindow
from seginst_gui.tools import TOOLS
from seginst_gui.wiring.actions import use_keys

from .canvas_scenes import picture, write

NO_KEY = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ENTRIES = action_entries()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        write(tmp_path / "images" / name, picture())
    window = build_window(tmp_path / "images")
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.session.picture is not None)
    to_front(window)
    yield window
    window.close()


@pytest.fixture
def sheet(window: MainWindow) -> ShortcutSheet:
    sheet = ShortcutSheet(window.actions_by_id, window)
    sheet.keys_changed.connect(lambda keys: use_keys(window, keys))
    sheet.show()
    return sheet


def to_front(window: MainWindow) -> None:
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.canvas.setFocus()


def choose(sheet: ShortcutSheet, name: str) -> None:
    sheet._list.setCurrentItem(sheet._rows[name])


def type_key(sheet: ShortcutSheet, key: Qt.Key, held: Qt.KeyboardModifier = NO_KEY) -> str:
    """Press a key in the field; return what the sheet says to it."""
    QTest.keyClick(sheet.findChild(QKeySequenceEdit, "shortcut_field"), key, held)
    return sheet.findChild(QLabel, "shortcut_words").text()


def press(sheet: ShortcutSheet, name: str) -> None:
    button = sheet.findChild(QPushButton, name)
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def in_hand(window: MainWindow) -> str:
    return next(name for name, tool in window.tools.items() if tool is window.canvas.tool)


def test_every_default_key_is_free_spelled_and_not_reserved() -> None:
    keys = [key for own in default_keys(ENTRIES).values() for key in own]
    assert all(keys)
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(RESERVED)


def test_the_shared_keys_of_other_programs_are_the_defaults() -> None:
    keys = default_keys(ENTRIES)
    wanted = {
        "Ctrl+Z": "undo", "Ctrl+Shift+Z": "redo", "Ctrl+Y": "redo", "A": "previous_image",
        "D": "next_image", "Ctrl+Shift+D": "next_todo", "V": "tool_select", "B": "tool_brush",
        "E": "tool_eraser", "P": "tool_polygon", "R": "tool_box", "Return": "accept",
        "Del": "delete", "Backspace": "delete", "Ctrl+C": "copy", "Ctrl+V": "paste",
        "Ctrl+D": "duplicate", "1": "class_1", "9": "class_9", "Tab": "next_object",
        "H": "show_annotation", "Ctrl+S": "save", "Ctrl+Shift+P": "command_palette",
        "F1": "shortcuts",
    }  # fmt: skip
    assert {key: owner(keys, key) for key in wanted} == wanted


def test_a_new_key_works_at_once_is_named_everywhere_and_kept(
    window: MainWindow, sheet: ShortcutSheet, qtbot: QtBot, tmp_path: Path
) -> None:
    choose(sheet, "tool_brush")
    assert "Ctrl+B is free" in type_key(sheet, Qt.Key.Key_B, CTRL)
    press(sheet, "shortcut_use")
    assert sheet._rows["tool_brush"].text(1) == "Ctrl+B"
    sheet.close()
    to_front(window)
    window.use_tool("select")
    QTest.keyClick(window.canvas, Qt.Key.Key_B)
    assert in_hand(window) == "select"
    QTest.keyClick(window.canvas, Qt.Key.Key_B, CTRL)
    assert in_hand(window) == "brush"
    assert "(Ctrl+B)" in window.actions_by_id["tool_brush"].toolTip()
    later = build_window()
    qtbot.addWidget(later)
    assert later.actions_by_id["tool_brush"].shortcut().toString() == "Ctrl+B"
    assert later.actions_by_id["tool_eraser"].shortcut().toString() == "E"


def test_a_taken_key_is_warned_of_and_then_lost_there(
    window: MainWindow, sheet: ShortcutSheet
) -> None:
    choose(sheet, "tool_brush")
    assert type_key(sheet, Qt.Key.Key_E) == (
        "E is taken: it is the key of Eraser. Used here, it is lost there."
    )
    assert sheet._rows["tool_eraser"].text(1) == "E", "nothing happens before it is asked for"
    press(sheet, "shortcut_add")
    assert sheet._rows["tool_brush"].text(1) == "B, E"
    assert sheet._rows["tool_eraser"].text(1) == ""
    sheet.close()
    to_front(window)
    for key in (Qt.Key.Key_E, Qt.Key.Key_B):
        window.use_tool("select")
        QTest.keyClick(window.canvas, key)
        assert in_hand(window) == "brush"
    assert window.actions_by_id["tool_eraser"].toolTip().startswith("Eraser\n")
    sheet.show()
    choose(sheet, "tool_eraser")
    press(sheet, "shortcut_usual")
    assert (sheet._rows["tool_brush"].text(1), sheet._rows["tool_eraser"].text(1)) == ("B", "E")


def test_keys_that_stay_are_refused(sheet: ShortcutSheet) -> None:
    choose(sheet, "tool_brush")
    assert "cannot have another meaning" in type_key(sheet, Qt.Key.Key_Space)
    assert not sheet.findChild(QPushButton, "shortcut_use").isEnabled()
    assert "already" in type_key(sheet, Qt.Key.Key_B)
    assert not sheet.findChild(QPushButton, "shortcut_use").isEnabled()


def test_no_key_and_all_as_usual(window: MainWindow, sheet: ShortcutSheet) -> None:
    choose(sheet, "class_1")
    press(sheet, "shortcut_none")
    choose(sheet, "undo")
    type_key(sheet, Qt.Key.Key_U)
    press(sheet, "shortcut_use")
    assert settings.load_keys() == {"class_1": (), "undo": ("U",)}
    assert not window.actions_by_id["class_1"].shortcuts()
    press(sheet, "shortcut_reset")
    assert settings.load_keys() == {}
    assert window.actions_by_id["class_1"].shortcut().toString() == "1"
    assert window.actions_by_id["undo"].shortcut().toString() == "Ctrl+Z"


def test_the_sheet_finds_commands_by_name_and_by_key(sheet: ShortcutSheet) -> None:
    field = sheet.findChild(QLineEdit)
    for text, name in (("superpix", "tool_superpixel"), ("ctrl+shift+d", "next_todo")):
        field.setText(text)
        assert [n for n, row in sheet._rows.items() if not row.isHidden()] == [name]


def test_the_class_panel_names_the_keys_there_are(window: MainWindow) -> None:
    window.session.project.add_category("plane")
    window.session.refresh_categories()
    use_keys(window, given(load_keys(ENTRIES), "class_1", ("F5",)))
    assert window.categories_panel._list.topLevelItem(0).text(1) == "F5"


@pytest.mark.parametrize(
    "stored",
    ["no json", "[1]", '{"nothing": ["X"]}', '{"undo": 3}', '{"undo": ["Esc", "What+Ever", "E"]}'],
)
def test_settings_of_another_hand_never_make_a_key_mean_two_things(stored: str) -> None:
    settings._settings().setValue("keys", stored)
    keys = load_keys(ENTRIES)
    assert set(keys) == set(ENTRIES)
    flat = [key for own in keys.values() for key in own]
    assert len(flat) == len(set(flat))
    assert not set(flat) & set(RESERVED)
    if "E" in stored and "undo" in stored and "3" not in stored:
        assert keys["undo"] == ("E",)
        assert keys["tool_eraser"] == ()
    save_keys(keys, ENTRIES)
    assert load_keys(ENTRIES) == keys


def test_bare_letters_never_fire_while_typing(window: MainWindow) -> None:
    """In every field of the window that text can be typed into."""
    window.session.project.add_category("plane")
    window.session.refresh_categories()
    fired = []
    for name, action in window.actions_by_id.items():
        action.triggered.connect(lambda _on=False, name=name: fired.append(name))
    window.use_tool("brush")
    window.categories_panel.add()
    tried: set[QLineEdit] = set()
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
        QApplication.processEvents()
        fields = {f for f in window.findChildren(QLineEdit) if f.isVisible()} - tried
        for field in fields:
            if field.isReadOnly():
                continue
            field.setFocus()
            field.clear()
            QTest.keyClicks(field, "bE1nol[]")
            assert fired == [], field.objectName() or field.parent()
            # A number's field leaves letters out, but takes them from the actions all the same.
            assert field.text() == "bE1nol[]" or isinstance(field.parent(), QSpinBox)
        tried |= fields
    assert len(tried) > 3


def test_tools_have_keys_of_their_own_in_the_sheet(sheet: ShortcutSheet) -> None:
    assert {f"tool_{name}" for name in TOOLS} <= set(sheet._rows)
    assert set(sheet._rows) == set(ENTRIES)
