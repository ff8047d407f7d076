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


def test_reshape_takes_the_object_nearest_to_where_the_line_begins(session):
    left, right = put(session, block(20, 20, 40, 50)), put(session, block(50, 20, 80, 50))
    bump = block(40, 25, 46, 35)
    tool = TOOLS["reshape"].make(session)
    edit = drag(tool, (30, 25), (46, 25), (46, 35), (30, 35))
    assert (edit.text, edit.tool) == ("Reshape", "reshape")
    grown, same = undone(session, edit)
    assert (grown.mask, grown.id, grown.origin.edited) == (union(left.mask, bump), left.id, True)
    assert same is right
    assert session.selection == frozenset()
    # From outside: nearer to the one at the right, through it and out again.
    cut_off = undone(session, drag(tool, (48, 40), (90, 40)))[1]
    assert cut_off.mask == block(50, 20, 80, 40)
    # The line begins in the left one, which it does not change.
    _, bitten = undone(session, drag(tool, (45, 30), (60, 30), (60, 34), (49, 34)))
    assert subtract(block(50, 20, 80, 40), bitten.mask) == block(50, 30, 60, 34)


def test_reshape_takes_the_selected_object_first_if_the_line_changes_it(session):
    small, large = put(session, block(40, 30, 50, 40)), put(session, block(20, 20, 60, 50))
    far = put(session, block(90, 60, 110, 80))
    tool = TOOLS["reshape"].make(session)
    line = (45, 35), (70, 35), (70, 38), (45, 38)
    for chosen, changed in ((large, large), (small, small), (far, small), (None, small)):
        session.select([] if chosen is None else [chosen.id])
        assert [c.id for c in drag(tool, *line).changes] == [changed.id]


def test_reshape_shows_its_line_keeps_it_straight_and_gives_it_up(session):
    put(session, block(20, 20, 60, 50))
    tool = TOOLS["reshape"].make(session)
    tool.press(Pointer(10, 30))
    tool.move(Pointer(30, 60), held=True)
    tool.move(Pointer(70, 30), held=True)
    assert tool.preview.path == ((10, 30), (30, 60), (70, 30))
    assert tool.preview.colour == session.category.colour
    tool.move(Pointer(70, 30, shift=True), held=True)
    assert tool.preview.path == ((10, 30), (70, 30))
    assert tool.cancel()
    assert not tool.cancel()
    assert tool.preview == NOTHING
    assert tool.release(Pointer(70, 30)) is None
    assert drag(tool, (30, 30)) is None
    assert drag(tool, (5, 5), (10, 80)) is None
    assert drag(tool, (30, 30), (40, 30)) is None


def test_reshape_leaves_alone_what_has_no_mask_yet(session):
    session.apply(drag(TOOLS["box"].make(session), (20, 20), (60, 50)))
    assert drag(TOOLS["reshape"].make(session), (10, 30), (70, 30)) is None
    session.select([session.instances[0].id])
    assert drag(TOOLS["reshape"].make(session), (10, 30), (70, 30)) is None
