"""Every tool in the canvas, by mouse events in widget pixels, also at the image's border."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import subtract, union
from seginst_gui.tools import TOOLS

from .canvas_scenes import WIDTH, Stage, block, drag, hover, open_stage, picture, write

LEFT = Qt.MouseButton.LeftButton
THING = block(150, 90, 190, 120)
Places = list[tuple[float, float]]

# What to drag through, in image pixels, one drag each, and whether Enter ends it.
HANDS: dict[str, tuple[list[Places], bool]] = {
    "brush": ([[(140, 80), (200, 80)]], False),
    "eraser": ([[(140, 100), (200, 100)]], False),
    "polygon": ([[(140, 80)], [(200, 80)], [(170, 140)]], True),
    "box": ([[(140, 80), (200, 130)]], False),
    "wand": ([[(170, 105)]], False),
    "cut": ([[(140, 105.5), (170, 105.5), (200, 105.5)]], False),
    "corners": ([[(190, 120), (200, 125)]], False),
    "reshape": ([[(180, 100), (205, 98), (205, 112), (180, 110)]], False),
    "scissors": ([[(150, 90)], [(190, 90)], [(190, 120)], [(150, 120)]], True),
    "superpixel": ([[(160, 100), (180, 110)]], False),
    "grabcut": ([[(140, 80), (170, 100), (200, 130)]], False),
}


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        pixels = picture()
        pixels[THING.y0 : THING.y1, THING.x0 : THING.x1] = (240, 230, 200)
        write(tmp_path / "a.png", pixels)
        opened.open()
        opened.canvas.edit_ready.connect(lambda e: opened.session.apply(e, select_added=True))
        # New objects have another colour than those that are there.
        ship = opened.session.project.add_category("ship", (0, 60, 230))
        opened.session.refresh_categories()
        opened.session.choose_category(ship.id)
        yield opened


def use(stage: Stage, name: str) -> None:
    """Do with a tool what a hand would."""
    stage.canvas.set_tool(TOOLS[name].make(stage.session))
    drags, enters = HANDS[name]
    for places in drags:
        shown = [stage.canvas._camera.to_widget(x, y) for x, y in places]
        hover(stage.canvas, shown[0])
        drag(stage.canvas, LEFT, *shown)
    if enters:
        QTest.keyClick(stage.canvas, Qt.Key.Key_Return)


def test_there_is_a_hand_for_every_tool_that_edits() -> None:
    assert set(HANDS) == set(TOOLS) - {"select"}


@pytest.mark.parametrize("name", list(HANDS))
@pytest.mark.parametrize("zoom", [1.0, 3.7])
def test_a_tool_does_one_step_that_is_shown_and_undone(stage: Stage, name: str, zoom) -> None:
    holed = union(subtract(THING, block(160, 95, 164, 99)), block(195, 90, 199, 94))
    (there,) = stage.add(holed)
    (below,) = stage.add(block(100, 60, 230, 150))
    stage.look(170, 105, zoom)
    stage.session.select([there.id] if name in ("cut", "corners", "eraser") else [])
    before, look = stage.session.instances, stage.canvas.grab().toImage()
    use(stage, name)
    after = stage.session.instances
    assert after != before
    assert stage.session.document.get(below.id) is below
    changed = [i for i in after if i not in before]
    assert all(i.mask is None or i.mask.bits.any() for i in changed)
    stage.session.select([])
    assert stage.canvas.grab().toImage() != look
    stage.session.undo()
    assert stage.session.instances == before
    stage.session.redo()
    assert stage.session.instances == after


@pytest.mark.parametrize("name", list(HANDS))
def test_a_tool_ends_at_the_images_border(stage: Stage, name: str) -> None:
    """The same movements at a corner of the image, where half of each lies outside."""
    (there,) = stage.add(block(WIDTH - 20, 0, WIDTH, 15))
    stage.session.select([there.id] if name in ("cut", "corners", "eraser") else [])
    stage.look(WIDTH - 20, 20, 3)
    drags, enters = HANDS[name]
    stage.canvas.set_tool(TOOLS[name].make(stage.session))
    for places in drags:
        moved = [(x + WIDTH - 170, y - 105) for x, y in places]
        drag(stage.canvas, LEFT, *(stage.canvas._camera.to_widget(x, y) for x, y in moved))
    if enters:
        QTest.keyClick(stage.canvas, Qt.Key.Key_Return)
    for instance in stage.session.instances:
        mask, box = instance.mask, instance.box
        assert 0 <= box.x0 < box.x1 <= WIDTH
        assert 0 <= box.y0 < box.y1 <= 200
        if mask is not None:
            assert mask.x0 >= 0
            assert mask.x1 <= WIDTH
            assert np.any(mask.bits)


def test_the_corners_shown_are_those_of_the_object_as_it_is(stage: Stage) -> None:
    (there,) = stage.add(THING)
    stage.look(170, 105, 3)
    hover(stage.canvas, stage.canvas.image_to_widget(170, 105).toTuple())
    stage.session.select([there.id])
    tool = TOOLS["corners"].make(stage.session)
    stage.canvas.set_tool(tool)
    square = {(150, 90), (190, 90), (190, 120), (150, 120)}
    assert set(tool.preview.knots) == square
    drags, _ = HANDS["corners"]
    drag(stage.canvas, LEFT, *(stage.canvas._camera.to_widget(x, y) for x, y in drags[0]))
    assert set(tool.preview.knots) != square
    stage.session.undo()
    assert set(tool.preview.knots) == square
    QTest.keyClick(stage.canvas, Qt.Key.Key_Escape)
    assert tool.preview.knots == ()
