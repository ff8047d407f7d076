"""The tools that reshape objects that are there already."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import subtract, union
from seginst_core.types import Box
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS
from seginst_gui.tools.base import NOTHING, Pointer

from .tool_hands import block, drag, put, session_on, undone

WIDTH, HEIGHT = 120, 90


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with session_on(qtbot, tmp_path, np.full((HEIGHT, WIDTH, 3), 40, np.uint8)) as opened:
        yield opened


def test_a_line_across_an_object_makes_two(session):
    square = put(session, block(20, 20, 60, 60), attributes={"seen": "once"})
    other = put(session, block(80, 20, 100, 60))
    edit = drag(TOOLS["cut"].make(session), (10, 30.5), (40, 30.5), (70, 30.5))
    first, apart, second = undone(session, edit)
    assert (edit.text, apart) == ("Cut 1 object", other)
    assert first.id == square.id
    assert union(first.mask, second.mask) == square.mask
    assert subtract(first.mask, second.mask) == first.mask
    assert first.box.y0 == pytest.approx(31, abs=1)
    assert (second.category_id, second.attributes) == (square.category_id, square.attributes)


def test_a_line_reaches_the_image_border_and_shift_keeps_it_straight(session):
    whole = put(session, block(0, 0, WIDTH, HEIGHT))
    tool = TOOLS["cut"].make(session)
    edit = drag(tool, (40, -20), (90, 30), (40, HEIGHT + 20), shift=True)
    assert tool.preview == NOTHING
    first, second = undone(session, edit)
    assert union(first.mask, second.mask) == whole.mask
    assert second.box.x0 == 0
    assert second.box.x1 == pytest.approx(40, abs=1)


def test_only_the_selected_object_is_cut_where_several_overlap(session):
    below, above = put(session, block(20, 20, 60, 60)), put(session, block(30, 30, 70, 70))
    tool = TOOLS["cut"].make(session)
    line = (10, 45), (80, 45)
    session.select([above.id])
    edit = drag(tool, *line)
    assert {c.id for c in edit.changes if c.before} == {above.id}
    session.select([])
    edit = drag(tool, *line)
    assert {c.id for c in edit.changes if c.before} == {below.id, above.id}
    assert edit.text == "Cut 2 objects"


def test_a_line_that_divides_nothing_is_no_step(session):
    put(session, subtract(block(20, 20, 60, 60), block(30, 30, 50, 50)))
    tool = TOOLS["cut"].make(session)
    assert drag(tool, (10, 40), (40, 40)) is None
    assert drag(tool, (40, 40)) is None


@pytest.mark.parametrize("name", ["brush", "polygon", "wand"])
def test_kept_apart_a_new_object_leaves_the_others_their_pixels(session, name):
    there = put(session, block(20, 20, 60, 60))
    session.keep_apart = True
    tool = TOOLS[name].make(session)
    corners = [(40, 40), (80, 40), (80, 80), (40, 80)]
    if name == "polygon":
        for corner in corners:
            drag(tool, corner)
        edit = tool.confirm()
    else:
        edit = drag(tool, *corners)
    _, made = undone(session, edit)
    assert subtract(made.mask, there.mask) == made.mask
    session.keep_apart = False
    if name == "brush":
        assert union(drag(tool, *corners).changes[0].after.mask, made.mask) != made.mask


def test_kept_apart_more_of_an_object_keeps_what_it_shared_already(session):
    there, own = put(session, block(20, 20, 60, 60)), put(session, block(50, 20, 90, 60))
    session.select([own.id])
    session.keep_apart = True
    brush = TOOLS["brush"].make(session)
    brush.set_radius(3)
    _, after = undone(session, drag(brush, (40, 40), (95, 40)))
    gained = subtract(after.mask, own.mask)
    assert subtract(gained, there.mask) == gained
    assert subtract(own.mask, after.mask) is None
    assert drag(brush, (40, 40)) is None
    session.select([])
    assert drag(brush, (40, 40)) is None


def test_corners_are_dragged_made_and_taken_away(session):
    square = put(session, block(20, 20, 60, 60))
    tool = TOOLS["corners"].make(session)
    assert drag(tool, (40, 40)) is None
    assert session.selection == {square.id}
    tool.move(Pointer(50, 50, reach_px=2), held=False)
    assert set(tool.preview.knots) == {(20, 20), (60, 20), (60, 60), (20, 60)}
    edit = drag(tool, (60.5, 59.5), (70, 65), (80, 70))
    (moved,) = undone(session, edit)
    assert (edit.text, moved.id) == ("Move a corner", square.id)
    assert moved.box == Box(20, 20, 80, 70)
    assert subtract(square.mask, moved.mask) is None
    # The upper side becomes two, with a corner between them.
    (roof,) = undone(session, drag(tool, (40, 20.5), (40, 10)))
    assert roof.box.y0 == pytest.approx(10, abs=1)
    session.undo()
    session.undo()
    (triangle,) = undone(session, drag(tool, (60, 60), alt=True))
    assert triangle.mask.area == pytest.approx(800, abs=25)


def test_corners_end_at_the_image_leave_holes_and_other_objects_alone(session):
    ring = put(session, subtract(block(80, 50, 110, 80), block(90, 60, 100, 70)))
    other = put(session, block(100, 75, 115, 88))
    session.select([ring.id])
    session.keep_apart = True
    tool = TOOLS["corners"].make(session)
    after, _ = undone(session, drag(tool, (110, 80), (WIDTH + 50, HEIGHT + 50)))
    assert (after.mask.x1, after.mask.y1) == (WIDTH, HEIGHT)
    gained = subtract(after.mask, ring.mask)
    assert subtract(gained, other.mask) == gained
    assert not after.mask.bits[60 - after.mask.y0, 90 - after.mask.x0]
    assert drag(tool, (80, 50), (80.2, 50.1)) is None
    drag(tool, (5, 5))
    assert session.selection == frozenset()
