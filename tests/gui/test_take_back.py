"""Undo and delete take back what is being drawn before they touch what is stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_gui.main_window import MainWindow

from .canvas_scenes import _mouse, block, drag, hover, open_window
from .tool_hands import put

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
CORNERS = ((90, 70), (130, 70), (140, 90), (130, 110))
CORNERS_TOO_FAR = ((40, 40), (30, 160))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path) as window:
        window.activateWindow()
        QTest.qWaitForWindowActive(window)
        window.canvas.setFocus()
        yield window


def click(window: MainWindow, *places: tuple[float, float]) -> None:
    for place in places:
        drag(window.canvas, LEFT, window.canvas._camera.to_widget(*place))


def undo(window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def delete(window: MainWindow) -> None:
    QTest.keyClick(window.canvas, Qt.Key.Key_Backspace)


@pytest.mark.parametrize(("tool", "take_back"), [("polygon", undo), ("scissors", delete)])
def test_a_corner_is_taken_back_and_no_object(window: MainWindow, tool: str, take_back) -> None:
    """Though the object drawn before it is selected and could be deleted or undone."""
    session, made = window.session, []
    for n_stored, wrong in ((0, ()), (0, CORNERS_TOO_FAR), (1, CORNERS_TOO_FAR)):
        stored = [put(session, block(200, 150, 210, 160)) for _ in range(n_stored)]
        session.select(i.id for i in stored)
        window.use_tool(tool)
        click(window, *CORNERS[:3], *wrong)
        for _ in wrong:
            take_back(window)
        click(window, CORNERS[3])
        QTest.keyClick(window.canvas, Qt.Key.Key_Return)
        made.append(session.instances[-1].mask)
        assert session.instances[:-1] == tuple(stored)
        while session.undo() is not None:
            pass
    assert made[0] == made[1] == made[2]


def test_after_the_first_corner_objects_are_meant_again(window: MainWindow) -> None:
    stored = put(window.session, block(200, 150, 210, 160))
    window.session.select([stored.id])
    window.use_tool("polygon")
    click(window, *CORNERS[:2])
    undo(window)
    delete(window)
    assert not window.canvas._preview.path
    assert window.session.instances == (stored,)
    delete(window)
    assert window.session.instances == ()
    undo(window)
    assert window.session.instances == (stored,)


def test_undo_with_the_button_down_gives_the_stroke_up(window: MainWindow) -> None:
    stored = put(window.session, block(90, 60, 140, 100))
    canvas = window.canvas
    start, end = (canvas._camera.to_widget(*place) for place in ((80, 80.5), (150, 85.5)))
    for tool in ("brush", "cut", "box", "wand"):
        window.use_tool(tool)
        hover(canvas, start)
        _mouse(canvas, QEvent.Type.MouseButtonPress, LEFT, LEFT, start)
        _mouse(canvas, QEvent.Type.MouseMove, NONE, LEFT, end)
        undo(window)
        _mouse(canvas, QEvent.Type.MouseButtonRelease, LEFT, NONE, end)
        assert window.session.instances == (stored,)
