"""Mouse, wheel and keys: what they do to the view, and what a tool hears of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import Edit
from seginst_core.types import Box
from seginst_gui.tools.base import Preview

from .canvas_scenes import HEIGHT, WIDTH, Recorder, Stage, block, drag, hover, open_stage, wheel

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        yield opened


@pytest.fixture
def tool(stage: Stage) -> Recorder:
    stage.open()
    stage.look(150, 100, 4)
    recorder = Recorder(stage.session)
    stage.canvas.set_tool(recorder)
    return recorder


@pytest.mark.parametrize("zoom", [0.25, 1.0, 2.7, 40.0])
def test_image_to_widget_and_back(stage: Stage, zoom: float) -> None:
    stage.open()
    stage.look(150, 100, zoom)
    for x, y in ((150, 100), (150.5, 100.5), (149.2, 101.8)):
        back = stage.canvas.widget_to_image(stage.canvas.image_to_widget(x, y))
        assert back == pytest.approx((x, y), abs=1.001 / zoom)
    exact = stage.canvas.widget_to_image(QPointF(100.25, 50.5))
    u, v = (
        p - e for p, e in zip(exact, stage.canvas.widget_to_image(QPoint(100, 50)), strict=True)
    )
    assert (u, v) == pytest.approx((0.25 / zoom, 0.5 / zoom))


@pytest.mark.parametrize("dy", [120, -120, 15, 360])
def test_the_wheel_zooms_about_the_pointer(stage: Stage, dy: int) -> None:
    stage.open()
    stage.look(150, 100, 3)
    place = QPointF(200, 310)
    before, zoom = stage.canvas.widget_to_image(place), stage.canvas.zoom
    for _ in range(5):
        wheel(stage.canvas, place.toTuple(), dy)
    assert stage.canvas.zoom == pytest.approx(zoom * 2 ** (5 * dy / 480))
    u, v = stage.canvas._camera.to_widget(*before)
    assert (u, v) == pytest.approx(place.toTuple(), abs=1)


def test_zoom_stops_at_its_limits_and_is_announced(stage: Stage) -> None:
    stage.open()
    fit = stage.canvas.zoom
    heard: list[float] = []
    stage.canvas.zoom_changed.connect(heard.append)
    stage.canvas.zoom_by(1e6)
    stage.canvas.zoom_by(1e-9)
    assert heard == [64.0, pytest.approx(min(fit, 1) / 4)]
    stage.canvas.actual_size()
    assert stage.canvas.zoom == 1
    stage.canvas.fit()
    assert stage.canvas.zoom == pytest.approx(fit)
    assert stage.canvas.image_to_widget(WIDTH / 2, HEIGHT / 2) == QPoint(320, 240)


def test_shift_and_sideways_wheels_move(stage: Stage) -> None:
    stage.open()
    stage.look(150, 100, 4)
    place = stage.canvas.image_to_widget(150, 100)
    wheel(stage.canvas, (320, 240), 60, Qt.KeyboardModifier.ShiftModifier)
    assert stage.canvas.image_to_widget(150, 100) == place + QPoint(60, 0)
    wheel(stage.canvas, (320, 240), 0, dx=-60)
    assert stage.canvas.image_to_widget(150, 100) == place
    assert stage.canvas.zoom == pytest.approx(4)


def test_middle_and_space_drags_pan_and_the_tool_hears_nothing(stage: Stage, tool) -> None:
    canvas = stage.canvas
    start = canvas.image_to_widget(150, 100)
    drag(canvas, MIDDLE, (100, 100), (120, 95), (160, 80))
    assert canvas.image_to_widget(150, 100) == start + QPoint(60, -20)
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
    drag(canvas, LEFT, (160, 80), (130, 90), (100, 100))
    assert canvas.image_to_widget(150, 100) == start
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor
    assert {name for name, *_ in tool.calls} <= {"move", "cancel"}
    drag(canvas, LEFT, (100, 100), (110, 110))
    assert tool.calls[-1][0] == "release"


def test_a_drag_gives_the_tool_every_point_in_image_pixels(stage: Stage, tool) -> None:
    canvas = stage.canvas
    points = [(150.5, 100.5), (151.25, 100.5), (160.5, 110.25), (140.5, 90.0)]
    places = [canvas._camera.to_widget(x, y) for x, y in points]
    tool.calls.clear()
    drag(canvas, LEFT, *places)
    assert [name for name, *_ in tool.calls] == ["move", "press", *["held"] * 3, "release"]
    for (_, *heard), told in zip(tool.calls[1:], [*points, points[-1]], strict=True):
        assert heard == pytest.approx(told, abs=1e-6)


def test_an_edit_is_passed_on_and_not_stored(stage: Stage, tool) -> None:
    tool.edit = Edit(stage.session.image.id, (), "Nothing")
    heard: list[Edit] = []
    stage.canvas.edit_ready.connect(heard.append)
    drag(stage.canvas, LEFT, (100, 100), (110, 110))
    assert heard == [tool.edit]
    QTest.keyClick(stage.canvas, Qt.Key.Key_Return)
    assert heard == [tool.edit] * 2
    assert not stage.session.can_undo()


def test_a_double_click_confirms_or_else_presses_again(stage: Stage, tool) -> None:
    at = QPoint(300, 200)

    def double_click() -> None:
        tool.calls.clear()
        QTest.mouseClick(stage.canvas, LEFT, pos=at)
        QTest.mouseDClick(stage.canvas, LEFT, pos=at)
        QTest.mouseRelease(stage.canvas, LEFT, pos=at)

    double_click()
    names = [name for name, *_ in tool.calls if name != "move"]
    assert names == ["press", "release", "confirm", "press", "release"]
    tool.edit = Edit(stage.session.image.id, (), "Nothing")
    double_click()
    names = [name for name, *_ in tool.calls if name != "move"]
    assert names == ["press", "release", "confirm"]


def test_escape_gives_up_the_drag_first_and_then_the_selection(stage: Stage, tool) -> None:
    (one,) = stage.add(block(10, 10, 20, 20))
    stage.session.select([one.id])
    QTest.mousePress(stage.canvas, LEFT, pos=QPoint(300, 200))
    QTest.keyClick(stage.canvas, Qt.Key.Key_Escape)
    assert tool.calls[-1][0] == "cancel"
    assert stage.session.selection == {one.id}
    QTest.mouseRelease(stage.canvas, LEFT, pos=QPoint(300, 200))
    assert tool.calls[-1][0] == "cancel"
    QTest.keyClick(stage.canvas, Qt.Key.Key_Escape)
    assert stage.session.selection == frozenset()


def test_ctrl_wheel_resizes_a_tool_that_has_a_size_and_zooms_otherwise(stage: Stage, tool) -> None:
    ctrl = Qt.KeyboardModifier.ControlModifier
    wheel(stage.canvas, (320, 240), 120, ctrl)
    assert stage.canvas.zoom == pytest.approx(4 * 2**0.25)
    tool.preview = Preview(ring_px=5)
    stage.canvas.refresh()
    tool.calls.clear()
    for _ in range(9):
        wheel(stage.canvas, (320, 240), 40, ctrl)
    wheel(stage.canvas, (320, 240), -240, ctrl)
    assert tool.calls == [("resize", 1, 0)] * 3 + [("resize", -2, 0)]
    assert stage.canvas.zoom == pytest.approx(4 * 2**0.25)


def test_ctrl_selects_with_any_tool_in_hand(stage: Stage, tool) -> None:
    one, two = stage.add(block(10, 10, 30, 30), block(60, 10, 80, 30))
    canvas, ctrl = stage.canvas, Qt.KeyboardModifier.ControlModifier
    at = [QPointF(*canvas._camera.to_widget(x, 20.5)).toPoint() for x in (20.5, 70.5, 45.5)]
    tool.calls.clear()
    QTest.mouseClick(canvas, LEFT, ctrl, at[0])
    assert stage.session.selection == {one.id}
    QTest.mouseClick(canvas, LEFT, ctrl | Qt.KeyboardModifier.ShiftModifier, at[1])
    assert stage.session.selection == {one.id, two.id}
    QTest.mouseClick(canvas, LEFT, ctrl, at[2])
    assert stage.session.selection == frozenset()
    assert {name for name, *_ in tool.calls} <= {"move"}
    tool.calls.clear()
    hover(canvas, (310, 210))
    assert [name for name, *_ in tool.calls] == ["move"], "the tool is in hand again"
    tool.calls.clear()
    QTest.mouseClick(canvas, LEFT, pos=at[0])
    assert [name for name, *_ in tool.calls if name != "move"] == ["press", "release"]


def test_ctrl_held_where_nothing_can_be_pressed_takes_no_tool_away(stage: Stage, tool) -> None:
    canvas, ctrl = stage.canvas, Qt.KeyboardModifier.ControlModifier
    stage.session.step(1)
    QTest.mouseClick(canvas, LEFT, ctrl, QPoint(300, 200))
    stage.wait_for_pixels()
    tool.calls.clear()
    hover(canvas, (310, 210))
    assert [name for name, *_ in tool.calls] == ["move"]


def test_a_rectangle_with_ctrl_is_shown_and_ends_with_the_press(stage: Stage, tool) -> None:
    (one,) = stage.add(block(10, 10, 20, 20))
    canvas, ctrl = stage.canvas, Qt.KeyboardModifier.ControlModifier
    start, end = (QPointF(*canvas._camera.to_widget(x, x)).toPoint() for x in (5.0, 35.0))

    def begin() -> None:
        QTest.mousePress(canvas, LEFT, ctrl, start)
        QTest.mouseMove(canvas, end)
        assert canvas._preview.box is not None

    begin()
    QTest.mouseRelease(canvas, LEFT, ctrl, end)
    assert stage.session.selection == {one.id}
    assert canvas._preview.box is None
    begin()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas._preview.box is None
    assert stage.session.selection == {one.id}, "Esc gave up the rectangle alone"
    begin()
    canvas.set_tool(tool)
    assert canvas._preview.box is None
    QTest.mousePress(canvas, LEFT, ctrl, start)
    assert canvas._preview.box is None, "nothing is left of the one given up"
    QTest.mouseRelease(canvas, LEFT, ctrl, start)
    tool.calls.clear()
    drag(canvas, LEFT, (300, 200), (310, 210))
    assert [name for name, *_ in tool.calls if name in ("press", "release")] == ["press", "release"]


def test_another_image_cancels_what_was_begun(stage: Stage, tool) -> None:
    QTest.mousePress(stage.canvas, LEFT, pos=QPoint(300, 200))
    stage.session.step(1)
    assert tool.calls[-1][0] == "cancel"
    n = len(tool.calls)
    # Until its pixels are there, nothing can be drawn on the next image.
    drag(stage.canvas, LEFT, (300, 200), (310, 210))
    assert len(tool.calls) == n
    stage.wait_for_pixels()
    QTest.mouseRelease(stage.canvas, LEFT, pos=QPoint(300, 200))
    assert "release" not in [name for name, *_ in tool.calls]


def test_another_tool_ends_what_the_first_had_begun(stage: Stage, tool) -> None:
    QTest.mousePress(stage.canvas, LEFT, pos=QPoint(300, 200))
    other = Recorder(stage.session)
    stage.canvas.set_tool(other)
    assert tool.calls[-1][0] == "cancel"
    QTest.mouseRelease(stage.canvas, LEFT, pos=QPoint(300, 200))
    # It hears where the pointer is, but of no press nor release that it did not begin.
    assert [kind for kind, *_ in other.calls] == ["move"]


def test_the_pointer_is_told_in_image_pixels_until_it_leaves(stage: Stage, tool) -> None:
    canvas = stage.canvas
    heard: list[tuple[float, float]] = []
    canvas.pointer_moved.connect(lambda x, y: heard.append((x, y)))
    hover(canvas, canvas._camera.to_widget(123.5, 77.25))
    assert heard[-1] == pytest.approx((123.5, 77.25))
    with stage.qtbot.waitSignal(canvas.pointer_left, timeout=1000):
        canvas.leaveEvent(None)


def test_flying_to_an_object_puts_it_in_the_middle(stage: Stage) -> None:
    stage.open()
    stage.look(150, 100, 4)
    stage.canvas.centre_on(Box(200, 120, 240, 160))
    assert stage.canvas.image_to_widget(220, 140) == QPoint(320, 240)
    assert stage.canvas.zoom == pytest.approx(4)
    stage.canvas.centre_on(Box(20, 20, 22, 22))
    assert stage.canvas.zoom > 16
