"""While the annotation is hidden no hand changes what cannot be seen, and the notice says why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import mask_box
from seginst_core.types import Instance, Origin, Prediction
from seginst_gui.main_window import MainWindow

from .canvas_scenes import block, drag, open_window
from .tool_hands import put

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
# Each through the object that is there, in image pixels.
LINES = {
    "eraser": ((90, 70), (130, 70)),
    "cut": ((80, 80.5), (110, 80.5), (150, 80.5)),
    "reshape": ((100, 70), (110, 40), (125, 70)),
    "select": ((110, 80), (110, 80)),
    "corners": ((110, 80), (110, 80)),
}


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on one image with one object, selected no more, its annotation hidden by key."""
    with open_window(qtbot, tmp_path) as window:
        put(window.session, block(90, 60, 140, 100))
        window.session.select(())
        window.activateWindow()
        QTest.qWaitForWindowActive(window)
        window.canvas.setFocus()
        QTest.keyClick(window.canvas, Qt.Key.Key_H)
        assert not window.session.layers.annotation
        yield window


def draw(window: MainWindow, tool: str) -> None:
    window.use_tool(tool)
    drag(window.canvas, LEFT, *(window.canvas._camera.to_widget(*p) for p in LINES[tool]))


@pytest.mark.parametrize("tool", LINES)
def test_a_tool_does_not_meet_what_is_hidden(window: MainWindow, tool: str) -> None:
    before = window.session.instances
    draw(window, tool)
    assert window.session.instances == before
    assert window.session.selection == frozenset()
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    draw(window, tool)
    assert window.session.instances != before or window.session.selection, "shown, it does"


def test_select_all_and_delete_leave_what_is_hidden(window: MainWindow) -> None:
    before = window.session.instances
    QTest.keyClick(window.canvas, Qt.Key.Key_A, CTRL)
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert window.session.instances == before
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    QTest.keyClick(window.canvas, Qt.Key.Key_A, CTRL)
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert window.session.instances == ()


@pytest.mark.parametrize("act", ["eraser", "cut", "reshape", "delete"])
def test_what_was_selected_before_stays_as_it_is_and_the_notice_says_why(
    window: MainWindow, act: str
) -> None:
    (old,) = window.session.instances
    window.session.select([old.id])
    if act == "delete":
        QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    else:
        draw(window, act)
    assert window.session.instances == (old,)
    assert "The annotation is hidden" in window.notice.text
    assert window.session.selection == {old.id}, "and is selected still when it is shown again"


def test_a_new_object_is_stored_and_said_to_be_out_of_sight(window: MainWindow) -> None:
    window.use_tool("brush")
    drag(window.canvas, LEFT, (100, 500), (160, 500))
    assert len(window.session.instances) == 2
    assert "Show annotation" in window.notice.text


def test_nothing_is_pasted_out_of_sight(window: MainWindow) -> None:
    (old,) = window.session.instances
    window.session.select([old.id])
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    QTest.keyClick(window.canvas, Qt.Key.Key_C, CTRL)
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    QTest.keyClick(window.canvas, Qt.Key.Key_V, CTRL)
    assert window.session.instances == (old,)
    assert "The annotation is hidden" in window.notice.text
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    QTest.keyClick(window.canvas, Qt.Key.Key_V, CTRL)
    assert len(window.session.instances) == 2


def test_what_is_taken_from_a_model_is_said_to_be_out_of_sight(window: MainWindow) -> None:
    session = window.session
    assert session.project is not None
    assert session.image_id is not None
    mask = block(200, 60, 250, 100)
    origin = Origin("model", "m", "two-stage")
    one = Instance(1, session.instances[0].category_id, mask_box(mask), mask, 0.9, origin=origin)
    session.project.add_prediction(Prediction(session.image_id, "m", "two-stage", (one,)), "m")
    session.refresh_image(session.image_id)
    window.commands.accept_all("two-stage")
    assert len(session.instances) == 2
    assert "1 taken; the annotation is hidden" in window.notice.text
