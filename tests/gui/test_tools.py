"""The tools, driven by pointer positions in image pixels, on a real project."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import subtract, union
from seginst_core.types import Box, Instance, Prediction
from seginst_gui.session import Proposal, Session
from seginst_gui.tools import TOOLS
from seginst_gui.tools.base import NOTHING, Pointer
from seginst_gui.tools.brush import BrushTool, EraserTool

from .tool_hands import block, drag, put, session_on

WIDTH, HEIGHT = 120, 90


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    image[20:40, 30:60] = (60, 60, 200)
    with session_on(qtbot, tmp_path, image) as session:
        yield session


def test_a_stroke_with_nothing_selected_is_a_new_object_and_the_next_one_extends_it(session):
    brush = BrushTool(session)
    brush.set_radius(4)
    session.apply(drag(brush, (20, 20), (40, 20)), select_added=True)
    first = stroke([(20, 20), (40, 20)], 4)
    assert [i.mask for i in session.instances] == [first]
    assert session.selection == {session.instances[0].id}
    session.apply(drag(brush, (40, 20), (40, 50)), select_added=True)
    assert len(session.instances) == 1
    expected = union(first, stroke([(40, 20), (40, 50)], 4))
    assert np.array_equal(session.instances[0].mask.bits, expected.bits)
    assert session.instances[0].box == Box(expected.x0, expected.y0, expected.x1, expected.y1)
    assert session.undo().text == "Paint"
    assert session.instances[0].mask == first
    session.undo()
    assert session.instances == ()


def test_a_brush_of_half_a_pixel_paints_one_pixel(session):
    brush = BrushTool(session)
    brush.set_radius(0.5)
    session.apply(drag(brush, (10.3, 11.8)))
    assert session.instances[0].mask == block(10, 11, 11, 12)


def test_strokes_end_at_the_image(session):
    brush = BrushTool(session)
    brush.set_radius(10)
    session.apply(drag(brush, (0, 0), (WIDTH + 30, 0)))
    mask = session.instances[0].mask
    assert (mask.x0, mask.y0, mask.x1, mask.y1) == (0, 0, WIDTH, 10)
    assert drag(brush, (-50, -50), (-60, -50)) is None


def test_shift_draws_a_straight_line_from_the_last_stroke(session):
    brush = BrushTool(session)
    brush.set_radius(2)
    session.apply(drag(brush, (10, 10)), select_added=True)
    session.apply(drag(brush, (60, 60), shift=True))
    expected = union(stroke([(10, 10)], 2), stroke([(10, 10), (60, 60)], 2))
    assert np.array_equal(session.instances[0].mask.bits, expected.bits)


def test_shift_held_on_the_way_is_straight_from_where_it_was_pressed(session):
    brush = BrushTool(session)
    brush.set_radius(2)
    brush.press(Pointer(10, 10))
    brush.move(Pointer(30, 10), held=True)
    for x, y in ((40, 30), (80, 50), (60, 40)):
        brush.move(Pointer(x, y, shift=True), held=True)
    session.apply(brush.release(Pointer(60, 40, shift=True)))
    expected = union(stroke([(10, 10), (30, 10)], 2), stroke([(30, 10), (60, 40)], 2))
    assert np.array_equal(session.instances[0].mask.bits, expected.bits)


def test_shift_never_draws_from_another_images_stroke(session):
    brush = BrushTool(session)
    brush.set_radius(2)
    session.apply(drag(brush, (10, 10)))
    session.step(1)
    session.apply(drag(brush, (60, 60), shift=True))
    assert session.instances[0].mask == stroke([(60, 60)], 2)


def test_a_square_brush_paints_and_shows_squares(session):
    brush = BrushTool(session)
    size, square = brush.options
    size.set(6)
    square.set(True)
    assert (brush.preview.ring_px, brush.preview.square) == (3, True)
    session.apply(drag(brush, (20.2, 30.7)))
    assert session.instances[0].mask == block(17, 28, 23, 34)
    size.set(1)
    session.apply(drag(brush, (50.9, 50.1)))
    assert session.instances[1].mask == block(50, 50, 51, 51)


def test_the_wand_takes_all_that_is_alike_where_it_need_not_be_connected(session):
    tool = TOOLS["wand"].make(session)
    tolerance, contiguous = tool.options
    contiguous.set(False)
    tolerance.set(0)
    session.picture.pixels.flags.writeable = True
    session.picture.pixels[60:70, 80:90] = (60, 60, 200)
    session.apply(drag(tool, (45, 30)))
    assert session.instances[0].mask.area == 20 * 30 + 100
    contiguous.set(True)
    session.apply(drag(tool, (45, 30)))
    assert session.instances[1].mask == block(30, 20, 60, 40)


def test_eraser_takes_away_and_deletes_what_is_empty(session):
    put(session, block(20, 20, 60, 60))
    small = put(session, block(80, 20, 84, 24))
    eraser = EraserTool(session)
    eraser.set_radius(5)
    session.select([session.instances[0].id])
    session.apply(drag(eraser, (40, 40)))
    expected = subtract(block(20, 20, 60, 60), stroke([(40, 40)], 5))
    assert session.instances[0].mask == expected
    assert session.instances[0].origin.edited
    session.select([])
    session.apply(drag(eraser, (82, 22)))
    assert session.document.get(small.id) is None
    assert session.undo() is not None
    assert session.document.get(small.id) == small


def test_alt_turns_the_brush_into_an_eraser(session):
    put(session, block(20, 20, 60, 60))
    session.select([session.instances[0].id])
    brush = BrushTool(session)
    brush.set_radius(5)
    session.apply(drag(brush, (40, 40), alt=True))
    assert session.instances[0].mask.area < 40 * 40


def test_a_stroke_that_changes_nothing_is_no_step(session):
    put(session, block(20, 20, 60, 60))
    session.select([session.instances[0].id])
    brush = BrushTool(session)
    brush.set_radius(3)
    assert drag(brush, (40, 40)) is None
    assert drag(EraserTool(session), (100, 80)) is None


def test_brush_sizes_have_ends_and_always_move(session):
    brush = BrushTool(session)
    brush.set_radius(0.5)
    seen = []
    for _ in range(60):
        brush.resize(1)
        seen.append(brush.radius_px)
    assert seen == sorted(set(seen)) or seen[-1] == 500.0
    for _ in range(120):
        brush.resize(-1)
    assert brush.radius_px == 0.5


def test_polygon_closes_on_its_first_point_and_on_confirm(session):
    tool = TOOLS["polygon"].make(session)
    for point in ((10, 10), (50, 10), (50, 40)):
        assert drag(tool, point) is None
    edit = drag(tool, (10.5, 10.5))
    session.apply(edit)
    assert tool.preview == NOTHING
    area = session.instances[0].mask.area
    assert abs(area - 40 * 30 / 2) < 60
    for point in ((70, 50), (90, 50)):
        drag(tool, point)
    assert tool.confirm() is None
    drag(tool, (90, 70))
    assert tool.confirm() is not None
    drag(tool, (5, 5))
    assert tool.cancel()
    assert not tool.cancel()


def test_box_is_cut_to_the_image_and_a_click_is_none(session):
    tool = TOOLS["box"].make(session)
    assert drag(tool, (10, 10)) is None
    session.apply(drag(tool, (100, 80), (150, 120)))
    made = session.instances[0]
    assert made.mask is None
    assert made.box == Box(100, 80, WIDTH, HEIGHT)


def test_wand_takes_the_region_of_like_colour(session):
    tool = TOOLS["wand"].make(session)
    session.apply(drag(tool, (45, 30)), select_added=True)
    assert session.instances[0].mask == block(30, 20, 60, 40)
    assert drag(tool, (45, 30), alt=True).changes[0].after is None
    session.select([])
    assert drag(tool, (45, 30), alt=True) is None


def test_select_picks_the_smallest_adds_with_shift_and_takes_rectangles(session):
    large = put(session, block(10, 10, 80, 80))
    small = put(session, block(30, 30, 40, 40))
    tool = TOOLS["select"].make(session)
    drag(tool, (35, 35))
    assert session.selection == {small.id}
    drag(tool, (15, 15), shift=True)
    assert session.selection == {small.id, large.id}
    drag(tool, (15, 15), shift=True)
    assert session.selection == {small.id}
    drag(tool, (100, 85))
    assert session.selection == frozenset()
    drag(tool, (25, 25), (45, 45))
    assert session.selection == {small.id}
    drag(tool, (0, 0), (110, 85))
    assert session.selection == {small.id, large.id}


def test_select_reaches_predictions_above_the_threshold_only(session):
    category = session.drawing_category()
    mask = block(70, 50, 90, 70)
    found = Instance(1, category.id, Box(70, 50, 90, 70), mask, score=0.6)
    session.project.add_prediction(
        Prediction(session.image.id, "m", "end-to-end", (found,)), "model"
    )
    session.refresh_image(session.image.id)
    tool = TOOLS["select"].make(session)
    drag(tool, (75, 55))
    assert session.proposal == Proposal("end-to-end", 1)
    session.set_layers(replace(session.layers, threshold=0.7))
    session.select_proposal(None)
    drag(tool, (75, 55))
    assert session.proposal is None


@pytest.mark.parametrize("name", list(TOOLS))
def test_escape_leaves_nothing_behind(session, name):
    tool = TOOLS[name].make(session)
    before = tool.preview
    tool.press(Pointer(20, 20))
    tool.move(Pointer(50, 50), held=True)
    tool.cancel()
    assert tool.preview == before
    assert session.instances == ()


@pytest.mark.parametrize("name", ["brush", "superpixel", "polygon", "box", "wand", "scissors"])
def test_a_preview_has_the_colour_of_what_is_drawn(session, name):
    drawn = put(session, block(10, 10, 30, 30))
    ship = session.project.add_category("ship", (0, 60, 230))
    session.refresh_categories()
    session.choose_category(ship.id)
    tool = TOOLS[name].make(session)
    for chosen in ([], [drawn.id]):
        session.select(chosen)
        # A brush goes on with the one selected object; the others here begin a new one.
        goes_on = chosen and name in ("brush", "superpixel")
        expected = session.category_of(drawn) if goes_on else ship
        assert tool.colour() == expected.colour
