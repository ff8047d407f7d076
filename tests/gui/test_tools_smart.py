"""The tools that look at the image: GrabCut, scissors, superpixels."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import contains, intersect, iou, overlap, subtract
from seginst_core.project.edits import add
from seginst_core.types import Box, Instance
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS
from seginst_gui.tools.base import NOTHING, Pointer

from .tool_hands import block, drag, put, session_on, undone

WIDTH, HEIGHT = 160, 120
THING = stroke([(60, 50), (90, 60)], 15)


def pixels() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 30, (HEIGHT, WIDTH, 3))
    image = (60 + noise).astype(np.uint8)
    image[THING.y0 : THING.y1, THING.x0 : THING.x1][THING.bits] += 110
    return cv2.GaussianBlur(image, (3, 3), 0)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with session_on(qtbot, tmp_path, pixels()) as opened:
        yield opened


def test_grabcut_takes_what_stands_out_in_the_box(session):
    tool = TOOLS["grabcut"].make(session)
    edit = drag(tool, (35, 25), (80, 60), (115, 88))
    (made,) = undone(session, edit)
    assert iou(made.mask, THING) > 0.9
    assert tool.preview == NOTHING
    assert (edit.text, edit.tool) == ("GrabCut", "grabcut")
    # A box over the image's border, with nothing in it, and a click on the ground.
    drag(tool, (140, 100), (200, 200))
    assert drag(tool, (10, 10)) is None


def test_grabcut_says_where_it_finds_nothing(qtbot, tmp_path):
    with session_on(qtbot, tmp_path, np.full((HEIGHT, WIDTH, 3), 90, np.uint8)) as session:
        tool, said = TOOLS["grabcut"].make(session), []
        tool.refused = said.append
        assert drag(tool, (35, 25), (80, 60), (115, 88)) is None
        drawn = put(session, block(120, 80, 140, 100))
        boxed = Instance(session.new_ids()[0], drawn.category_id, Box(45, 38, 105, 72), None)
        session.apply(add(session.image.id, [boxed], "Put"))
        session.select([])
        assert drag(tool, (75, 55)) is None
    assert [sentence.split(";")[0] for sentence in said] == [
        "GrabCut finds nothing that stands out in this box.",
        "GrabCut finds nothing that this object could be fitted to",
    ]


def test_grabcut_fits_the_object_that_is_clicked(session):
    rough = put(session, block(45, 38, 105, 72))
    edit = drag(TOOLS["grabcut"].make(session), (75, 55))
    (after,) = undone(session, edit)
    assert (after.id, edit.text) == (rough.id, "Refine")
    assert iou(after.mask, THING) > iou(rough.mask, THING) + 0.1


def test_grabcut_gives_a_box_its_mask_on_enter_and_keeps_apart(session):
    other = put(session, block(40, 30, 70, 80))
    box = Box(35, 25, 115, 88)
    boxed = Instance(session.new_ids()[0], other.category_id, box, None)
    session.apply(add(session.image.id, [boxed], "Put"))
    session.select([boxed.id])
    session.keep_apart = True
    _, after = undone(session, TOOLS["grabcut"].make(session).confirm())
    assert overlap(after.mask, other.mask) == 0
    assert overlap(after.mask, THING) > 0.7 * subtract(THING, other.mask).area
    assert intersect(after.mask, THING).area > 0.85 * after.mask.area


def test_scissors_follow_the_edge_between_clicks(session):
    tool = TOOLS["scissors"].make(session)
    for corner in ((75, 38), (104, 62), (75, 72)):
        assert drag(tool, corner) is None
    tool.move(Pointer(46, 48), held=False)
    # The line runs along the edge, not straight between the clicks.
    assert len(tool.preview.path) > 60
    assert tool.preview.knots == ((75, 38), (104, 62), (75, 72))
    drag(tool, (46, 48))
    edit = drag(tool, (75.5, 38.5))
    (made,) = undone(session, edit)
    assert iou(made.mask, THING) > 0.85
    assert (edit.tool, tool.preview) == ("scissors", NOTHING)


def test_scissors_close_on_enter_draw_straight_with_shift_and_are_given_up(session):
    tool = TOOLS["scissors"].make(session)
    assert tool.confirm() is None
    for corner in ((10, 10), (60, 10), (60, 90), (10, 90)):
        drag(tool, corner, shift=True)
    assert tool.preview.path[:4] == ((10, 10), (60, 10), (60, 90), (10, 90))
    drag(tool, (10, 14), shift=True)
    (made,) = undone(session, tool.confirm())
    assert iou(made.mask, block(10, 10, 60, 90)) > 0.97
    drag(tool, (10, 10))
    assert tool.cancel()
    assert not tool.cancel()
    assert tool.confirm() is None


def test_superpixels_are_painted_whole_and_keep_to_the_thing(session):
    tool = TOOLS["superpixel"].make(session)
    tool.move(Pointer(75, 55), held=False)
    shown = tool.preview.mask
    assert contains(shown, 75, 55)
    edit = drag(tool, (58, 49), (75, 55), (92, 61))
    (made,) = undone(session, edit)
    assert made.box.x0 < 58 < 92 < made.box.x1
    assert subtract(shown, made.mask) is None
    assert overlap(made.mask, THING) > 0.9 * made.mask.area
    assert (edit.text, edit.tool) == ("Paint a new object of superpixels", "superpixel")
    session.select([made.id])
    (less,) = undone(session, drag(tool, (75, 55), alt=True))
    assert less.mask == subtract(made.mask, shown)
    (more,) = undone(session, drag(tool, (75, 55), (-20, 55)))
    assert more.mask.x0 == 0
    assert drag(tool, (-30, -30)) is None


def test_superpixels_have_a_size(session):
    tool = TOOLS["superpixel"].make(session)
    areas = []
    for steps in (-30, 30):
        tool.resize(steps)
        tool.move(Pointer(20, 100), held=False)
        areas.append(tool.preview.mask.area)
    assert areas[0] < 100 < areas[1]
