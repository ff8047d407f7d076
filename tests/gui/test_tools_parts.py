"""Every tool by mouse events on an object with a hole and two parts, under and over others.

What a tool does not draw at stays as it is, to the pixel: the hole, the far part, the others.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import contains, subtract, union, window
from seginst_core.types import Instance, Mask
from seginst_gui.operations import ON_SELECTION
from seginst_gui.tools import TOOLS

from .canvas_scenes import HEIGHT, WIDTH, Stage, block, drag, hover, open_stage, picture, write

LEFT = Qt.MouseButton.LeftButton
BODY, HOLE, PART = block(140, 80, 200, 130), block(165, 100, 175, 110), block(220, 80, 240, 130)
HOLED = union(subtract(BODY, HOLE), PART)
SEEN = subtract(HOLED, block(140, 80, 146, 130))
"""What the image shows of it: GrabCut has something to mend."""
Places = list[tuple[float, float]]

# With the object selected: what is dragged through, image pixels, and whether Enter ends it; then
# the area x0, y0, x1, y1 in which pixels may change.
HANDS: dict[str, tuple[list[Places], bool, tuple[int, int, int, int]]] = {
    "brush": ([[(150, 76), (190, 76)]], False, (135, 60, 205, 90)),
    "eraser": ([[(150, 84), (190, 84)]], False, (135, 70, 205, 98)),
    "wand": ([[(170, 60)]], False, (0, 0, WIDTH, HEIGHT)),
    "superpixel": ([[(150, 78), (190, 78)]], False, (120, 50, 215, 98)),
    "corners": ([[(140, 80), (130, 70)]], False, (129, 69, 200, 131)),
    "reshape": ([[(190, 85), (212, 85), (212, 125), (190, 125)]], False, (199, 84, 213, 126)),
    "grabcut": ([[(150, 90)]], False, (110, 50, 275, 165)),
    "cut": ([[(130, 90), (210, 90)]], False, (0, 0, 0, 0)),
    "polygon": ([[(20, 150)], [(60, 150)], [(40, 180)]], True, (20, 150, 60, 180)),
    "box": ([[(20, 150), (60, 180)]], False, (20, 150, 60, 180)),
    "scissors": ([[(20, 150)], [(60, 150)], [(40, 180)]], True, (15, 145, 65, 185)),
}
ADDS = ("polygon", "box", "scissors")


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        pixels = picture()
        pixels[BODY.y0 : BODY.y1, BODY.x0 : PART.x1] = np.where(
            window(SEEN, BODY.x0, BODY.y0, PART.x1, BODY.y1)[..., None],
            np.uint8(220),
            pixels[BODY.y0 : BODY.y1, BODY.x0 : PART.x1],
        )
        write(tmp_path / "a.png", pixels)
        opened.open()
        opened.canvas.edit_ready.connect(lambda e: opened.session.apply(e, select_added=True))
        yield opened


def use(stage: Stage, name: str) -> None:
    drags, enters, _ = HANDS[name]
    stage.canvas.set_tool(TOOLS[name].make(stage.session))
    for places in drags:
        shown = [stage.canvas._camera.to_widget(x, y) for x, y in places]
        hover(stage.canvas, shown[0])
        drag(stage.canvas, LEFT, *shown)
    if enters:
        QTest.keyClick(stage.canvas, Qt.Key.Key_Return)


def whole(masks: list[Mask]) -> np.ndarray:
    found = np.zeros((HEIGHT, WIDTH), bool)
    for mask in masks:
        found |= window(mask, 0, 0, WIDTH, HEIGHT)
    return found


def test_there_is_a_hand_for_every_tool() -> None:
    assert set(HANDS) == set(TOOLS) - {"select"}


@pytest.mark.parametrize("name", list(HANDS))
def test_a_tool_leaves_the_hole_the_other_part_and_other_objects(stage: Stage, name: str) -> None:
    (there,) = stage.add(HOLED)
    below, above = stage.add(block(100, 60, 270, 150), block(185, 115, 230, 140))
    stage.look(180, 105, 2)
    stage.session.select([there.id])
    before = stage.session.instances
    use(stage, name)
    after = stage.session.instances
    for other in (below, above):
        assert stage.session.document.get(other.id) is other
    own = [i for i in after if i.id not in (below.id, above.id)]
    x0, y0, x1, y1 = HANDS[name][2]
    if name in ADDS:
        assert stage.session.document.get(there.id) is there
        (made,) = (i for i in own if i.id != there.id)
        assert x0 <= made.box.x0 < made.box.x1 <= x1
        assert y0 <= made.box.y0 < made.box.y1 <= y1
    else:
        now, was = whole([i.mask for i in own]), whole([HOLED])
        changed = now ^ was
        assert changed.any() == (name != "cut")
        changed[y0:y1, x0:x1] = False
        assert not changed.any(), "only where the tool worked"
        if name not in ("wand", "grabcut"):
            assert not now[HOLE.y0 : HOLE.y1, HOLE.x0 : HOLE.x1].any()
        assert now[PART.y0 : PART.y1, PART.x0 : PART.x1].mean() > 0.97
        assert len(own) == (2 if name == "cut" else 1)
    stage.session.undo()
    assert stage.session.instances == before


@pytest.mark.parametrize(
    "name", ["brush", "wand", "superpixel", "corners", "reshape", "polygon", "scissors"]
)
def test_keep_apart_covers_no_other_object(stage: Stage, name: str) -> None:
    (there,) = stage.add(HOLED)
    others = stage.add(block(100, 60, 270, 79), block(10, 140, 50, 190))
    stage.session.keep_apart = True
    stage.look(150, 110, 2)
    stage.session.select([there.id])
    before = stage.session.instances
    use(stage, name)
    assert stage.session.instances != before
    taken = whole([o.mask for o in others])
    own = [i for i in stage.session.instances if i.id not in {o.id for o in others}]
    assert not (whole([i.mask for i in own]) & taken).any()
    assert [stage.session.document.get(o.id) for o in others] == others


def test_select_takes_parts_as_one_and_looks_through_holes(stage: Stage) -> None:
    (there,) = stage.add(HOLED)
    below, small = stage.add(block(100, 60, 270, 150), block(187, 117, 193, 123))
    stage.look(180, 105, 2)
    stage.canvas.set_tool(TOOLS["select"].make(stage.session))

    def click(x: float, y: float) -> frozenset[int]:
        drag(stage.canvas, LEFT, stage.canvas._camera.to_widget(x, y))
        return stage.session.selection

    assert click(150, 90) == {there.id}
    assert click(230, 90) == {there.id}, "the other part"
    assert click(170, 105) == {below.id}, "through the hole"
    assert click(210, 90) == {below.id}, "between the parts"
    assert click(190, 120) == {small.id}, "the smallest of three"
    places = [stage.canvas._camera.to_widget(x, y) for x, y in ((135, 75), (200, 100), (245, 135))]
    drag(stage.canvas, LEFT, *places)
    assert stage.session.selection == {there.id, small.id}, "what lies wholly in the rectangle"


def test_shapes_of_an_object_with_a_hole_and_parts(stage: Stage) -> None:
    (there,) = stage.add(HOLED)
    (other,) = stage.add(block(190, 70, 230, 100))

    def done(name: str, *chosen: Instance) -> list[Instance]:
        stage.session.select(i.id for i in chosen)
        ON_SELECTION[name](stage.session)
        after = list(stage.session.instances)
        stage.session.undo()
        return after

    assert done("fill_holes", there)[0].mask == union(BODY, PART)
    grown = done("grow", there)[0].mask
    assert not contains(grown, 170, 105)
    assert contains(grown, 219, 100)
    assert contains(grown, 165, 105)
    shrunk = done("shrink", there)[0].mask
    assert contains(shrunk, 230, 100)
    assert not contains(shrunk, 164, 105)
    assert not contains(done("smooth", there)[0].mask, 170, 105)
    merged = done("merge", there, other)
    assert [i.id for i in merged] == [there.id]
    assert merged[0].mask == union(HOLED, other.mask)
    assert done("subtract", there, other)[0].mask == subtract(HOLED, other.mask)
    split = done("split_parts", there)
    assert {i.mask.area for i in split} == {BODY.area - HOLE.area, PART.area, other.mask.area}
