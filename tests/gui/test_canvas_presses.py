"""Buttons pressed together and twice, by mouse events: what a stroke or a ring becomes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_gui.canvas.view import Canvas
from seginst_gui.tools import TOOLS

from .canvas_scenes import Stage, _mouse, block, drag, hover, open_stage

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.MouseButton.NoButton
Place = tuple[float, float]


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        opened.open()
        opened.look(150, 100, 2)
        opened.canvas.edit_ready.connect(lambda e: opened.session.apply(e, select_added=True))
        yield opened


def take(stage: Stage, tool: str) -> None:
    stage.canvas.set_tool(TOOLS[tool].make(stage.session))


def at(canvas: Canvas, x: float, y: float) -> Place:
    return canvas._camera.to_widget(x, y)


def stroke(canvas: Canvas, middle: bool, *places: Place) -> None:
    """Drag with the left button; half-way the middle one goes down, and up after the left one."""
    hover(canvas, places[0])
    _mouse(canvas, QEvent.Type.MouseButtonPress, LEFT, LEFT, places[0])
    _mouse(canvas, QEvent.Type.MouseMove, NONE, LEFT, places[1])
    if middle:
        _mouse(canvas, QEvent.Type.MouseButtonPress, MIDDLE, LEFT | MIDDLE, places[1])
    _mouse(canvas, QEvent.Type.MouseMove, NONE, LEFT | MIDDLE, places[2])
    _mouse(canvas, QEvent.Type.MouseButtonRelease, LEFT, MIDDLE, places[2])
    if middle:
        _mouse(canvas, QEvent.Type.MouseButtonRelease, MIDDLE, NONE, places[2])


@pytest.mark.parametrize("tool", ["brush", "superpixel", "eraser", "reshape", "box", "wand", "cut"])
def test_the_middle_button_takes_nothing_from_a_stroke(stage: Stage, tool: str) -> None:
    stage.add(block(120, 80, 160, 120))
    take(stage, tool)
    canvas, made = stage.canvas, []
    places = [at(canvas, *p) for p in ((110, 100.5), (140, 100.5), (175, 125.5))]
    for middle in (False, True):
        stage.session.select(())
        stroke(canvas, middle, *places)
        made.append([(i.box, i.mask) for i in stage.session.instances])
        hover(canvas, (5, 5))
        assert canvas._preview.box is None
        assert not canvas._preview.path
        stage.session.undo()
    assert made[0] == made[1]
    assert made[0] != [(i.box, i.mask) for i in stage.session.instances], "something was drawn"
    assert canvas.centre() == pytest.approx((150, 100), abs=0.5), "and nothing was panned"


def test_space_in_a_stroke_pans_the_next_drag_only(stage: Stage) -> None:
    take(stage, "brush")
    canvas = stage.canvas
    hover(canvas, (300, 200))
    _mouse(canvas, QEvent.Type.MouseButtonPress, LEFT, LEFT, (300, 200))
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    _mouse(canvas, QEvent.Type.MouseMove, NONE, LEFT, (340, 200))
    _mouse(canvas, QEvent.Type.MouseButtonRelease, LEFT, NONE, (340, 200))
    assert len(stage.session.instances) == 1
    assert canvas.centre() == pytest.approx((150, 100), abs=0.5)
    drag(canvas, LEFT, (300, 200), (340, 200))
    assert canvas.centre() == pytest.approx((130, 100), abs=0.5)
    QTest.keyRelease(canvas, Qt.Key.Key_Space)


@pytest.mark.parametrize("tool", ["brush", "superpixel", "box", "cut", "reshape"])
def test_a_stroke_whose_release_went_elsewhere_ends_where_it_was_then(
    stage: Stage, tool: str
) -> None:
    """A dialog that comes up while the button is down gets the release."""
    stage.add(block(120, 80, 160, 120))
    take(stage, tool)
    canvas, made = stage.canvas, []
    start, end = (at(canvas, *p) for p in ((110, 70.5), (175, 130.5)))
    for lost in (False, True):
        stage.session.select(())
        hover(canvas, start)
        _mouse(canvas, QEvent.Type.MouseButtonPress, LEFT, LEFT, start)
        _mouse(canvas, QEvent.Type.MouseMove, NONE, LEFT, end)
        if not lost:
            _mouse(canvas, QEvent.Type.MouseButtonRelease, LEFT, NONE, end)
        hover(canvas, (5, 5))
        hover(canvas, (90, 5))
        made.append([(i.box, i.mask) for i in stage.session.instances])
        stage.session.undo()
    assert made[0] == made[1]
    assert made[0] != [(i.box, i.mask) for i in stage.session.instances], "something was drawn"


def test_a_pan_whose_release_went_elsewhere_is_over(stage: Stage) -> None:
    canvas = stage.canvas
    _mouse(canvas, QEvent.Type.MouseButtonPress, MIDDLE, MIDDLE, (300, 200))
    _mouse(canvas, QEvent.Type.MouseMove, NONE, MIDDLE, (320, 200))
    hover(canvas, (5, 5))
    hover(canvas, (90, 5))
    assert canvas.centre() == pytest.approx((140, 100), abs=0.5)


def click(canvas: Canvas, place: Place, kind: QEvent.Type = QEvent.Type.MouseButtonPress) -> None:
    _mouse(canvas, kind, LEFT, LEFT, place)
    _mouse(canvas, QEvent.Type.MouseButtonRelease, LEFT, NONE, place)


def double_click(canvas: Canvas, place: Place) -> None:
    click(canvas, place)
    click(canvas, place, QEvent.Type.MouseButtonDblClick)


def ring(canvas: Canvas, x0: int, y0: int) -> list[Place]:
    corners = ((x0, y0), (x0 + 40, y0), (x0 + 40, y0 + 30), (x0, y0 + 30))
    return [at(canvas, *corner) for corner in corners]


@pytest.mark.parametrize("tool", ["polygon", "scissors"])
@pytest.mark.parametrize("last", [0, 3])
def test_a_double_click_closes_a_ring_and_begins_no_other(
    stage: Stage, tool: str, last: int
) -> None:
    take(stage, tool)
    canvas = stage.canvas
    for n, x0 in enumerate((100, 160), start=1):
        corners = ring(canvas, x0, 80)
        for place in corners[: 4 if last == 0 else 3]:
            click(canvas, place)
        double_click(canvas, corners[last])
        assert len(stage.session.instances) == n
        assert not canvas._preview.knots, "nothing is begun"
        stage.session.select(())
    first, second = (i.box for i in stage.session.instances)
    assert second.x0 >= first.x1, "the second ring has no corner of the first"


def test_quick_clicks_of_a_brush_are_dabs_each(stage: Stage) -> None:
    take(stage, "brush")
    click(stage.canvas, (300, 200))
    click(stage.canvas, (308, 200), QEvent.Type.MouseButtonDblClick)
    assert len(stage.session.travel(-5)) == 2


def test_a_ring_is_begun_by_a_click_after_a_double_one(stage: Stage) -> None:
    take(stage, "polygon")
    canvas = stage.canvas
    corners = ring(canvas, 100, 80)
    for place in (*corners, corners[0]):
        click(canvas, place)
    click(canvas, corners[0])
    assert len(canvas._preview.knots) == 2, "a corner, and the pointer"
