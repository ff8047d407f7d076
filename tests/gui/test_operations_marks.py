"""Copies, locks, hidden objects, and Tab through what lies over each other."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_core.masks.geometry import mask_box, union
from seginst_core.project.edits import add
from seginst_core.types import Box, Instance
from seginst_gui import operations
from seginst_gui.canvas.view import Canvas
from seginst_gui.operations import ON_SELECTION
from seginst_gui.panels.objects import ObjectsPanel
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS

from .canvas_scenes import hover
from .tool_hands import block, drag, put


def choose(session: Session, *chosen: Instance) -> None:
    session.select(i.id for i in chosen)


def test_a_copy_lies_beside_its_original_and_is_selected(opened: Session) -> None:
    old = put(opened, block(10, 10, 20, 16), score=0.4, attributes={"seen": "once"})
    choose(opened, old)
    ON_SELECTION["copy"](opened)
    for n in (1, 2):
        operations.paste(opened)
        made = opened.instances[-1]
        assert made.mask == block(10 + 10 * n, 10 + 10 * n, 20 + 10 * n, 16 + 10 * n)
        assert made.box == mask_box(made.mask)
        assert (made.attributes, made.score, made.origin.kind) == (old.attributes, None, "human")
        assert opened.selection == {made.id}
    assert opened.undo().text == "Paste 1 object"
    opened.undo()
    assert opened.instances == (old,)


def test_a_duplicate_stays_inside_the_image(opened: Session) -> None:
    corner = put(opened, block(70, 50, 80, 60))
    boxed = replace(corner, id=opened.new_ids()[0], box=Box(3.5, 2, 74.5, 7), mask=None)
    opened.apply(add(opened.image.id, [boxed], "Put"))
    choose(opened, corner, boxed)
    ON_SELECTION["duplicate"](opened)
    *_, first, second = opened.instances
    assert first.mask == block(60, 40, 70, 50)
    assert (second.mask, second.box) == (None, Box(0.5, 12, 71.5, 17))


def test_pasting_elsewhere_keeps_the_place_and_is_cut_to_the_image(
    opened: Session, make_folder
) -> None:
    inside, outside = put(opened, block(10, 10, 70, 50)), put(opened, block(60, 10, 70, 20))
    choose(opened, inside, outside)
    ON_SELECTION["copy"](opened)
    make_folder("b.png", width=40, height=30)
    opened.step(1)
    operations.paste(opened)
    assert [i.mask for i in opened.instances] == [block(10, 10, 40, 30)]
    make_folder("sub/c.png", width=5, height=5)
    opened.step(1)
    with pytest.raises(ProjectError, match="outside"):
        operations.paste(opened)
    assert opened.instances == ()


def test_what_was_copied_stays_whole_on_a_smaller_image(opened: Session, make_folder) -> None:
    wide, far = put(opened, block(10, 10, 70, 50)), put(opened, block(60, 10, 70, 20))
    boxed = replace(wide, id=opened.new_ids()[0], box=Box(20, 5, 60, 25), mask=None)
    opened.apply(add(opened.image.id, [boxed], "Put"))
    choose(opened, wide, far, boxed)
    ON_SELECTION["copy"](opened)
    make_folder("b.png", width=40, height=30)
    opened.step(1)
    said = "2 objects cut at the image's edge, 1 object outside the image left out."
    assert operations.paste(opened) == said
    assert operations.paste(opened) == said
    opened.step(1)
    assert operations.paste(opened) == ""
    pasted = opened.instances
    assert [i.mask and i.mask.area for i in pasted] == [60 * 40, 100, None]
    assert (pasted[2].box.width, pasted[2].box.height) == (40, 20)
    choose(opened, *pasted)
    assert ON_SELECTION["duplicate"](opened) == ""


def test_copying_to_the_next_image_goes_there(opened: Session) -> None:
    old = put(opened, block(10, 10, 20, 16))
    for path in ("b.png", "sub/c.png"):
        opened.select(i.id for i in opened.instances)
        ON_SELECTION["copy_to_next"](opened)
        assert opened.image.path == path
        assert [i.mask for i in opened.instances] == [old.mask]
    with pytest.raises(ProjectError, match="last image"):
        ON_SELECTION["copy_to_next"](opened)
    assert len(opened.instances) == 1


def test_a_copy_of_a_class_that_is_gone_is_drawn_with_the_present_one(opened: Session) -> None:
    opened.choose_category(2)
    old = put(opened, block(10, 10, 20, 16))
    choose(opened, old)
    ON_SELECTION["copy"](opened)
    ON_SELECTION["delete"](opened)
    opened.project.remove_category(2)
    opened.refresh_categories()
    operations.paste(opened)
    assert opened.instances[0].category_id == 1


def test_nothing_copied_is_said(opened: Session) -> None:
    with pytest.raises(ProjectError, match="Nothing"):
        operations.paste(opened)


def test_what_is_locked_stays_as_it_is_until_it_is_unlocked(opened: Session) -> None:
    kept, free = put(opened, block(10, 10, 30, 30)), put(opened, block(20, 20, 40, 40))
    choose(opened, kept)
    ON_SELECTION["lock"](opened)
    for name in ("delete", "grow"):
        with pytest.raises(ProjectError, match="locked"):
            ON_SELECTION[name](opened)
    assert opened.document.get(kept.id) is kept
    # What acts on all it meets passes it by.
    choose(opened)
    through = [(5, 25), (60, 25)]
    for tool, points in (("eraser", [(25, 25)]), ("cut", through), ("reshape", through)):
        edit = drag(TOOLS[tool].make(opened), *points)
        assert {c.id for c in edit.changes if c.before} == {free.id}
    drag(TOOLS["select"].make(opened), (0, 0), (70, 55))
    assert opened.selection == {free.id}
    drag(TOOLS["select"].make(opened), (12, 12))
    assert opened.selection == {kept.id}
    ON_SELECTION["lock"](opened)
    ON_SELECTION["delete"](opened)
    assert opened.instances == (free,)


def test_what_is_hidden_is_not_met_until_another_image_is_opened(
    qtbot: QtBot, opened: Session
) -> None:
    large, small = put(opened, block(10, 10, 50, 50)), put(opened, block(20, 20, 30, 30))
    panel = ObjectsPanel(opened)
    qtbot.addWidget(panel)
    choose(opened, small)
    ON_SELECTION["hide"](opened)
    assert opened.selection == frozenset()
    drag(TOOLS["select"].make(opened), (25, 25))
    assert opened.selection == {large.id}
    assert operations.select_next(opened) == large
    assert "Hidden" in panel._rows.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert opened.instances == (large, small)
    operations.show_all(opened)
    assert opened.shown == (large, small)
    choose(opened, small)
    ON_SELECTION["solo"](opened)
    assert opened.shown == (small,)
    opened.step(1)
    opened.step(-1)
    assert opened.shown == (large, small)


def test_the_canvas_shows_no_hidden_object(qtbot: QtBot, opened: Session) -> None:
    canvas = Canvas(opened)
    qtbot.addWidget(canvas)
    canvas.resize(320, 240)
    canvas.show()
    qtbot.waitUntil(lambda: opened.picture is not None and canvas.settled)
    bare = canvas.grab().toImage()
    made = put(opened, block(10, 10, 50, 50))
    assert canvas.grab().toImage() != bare
    opened.set_marks(hidden=frozenset({made.id}))
    assert canvas.grab().toImage() == bare


def test_tab_goes_through_the_stack_at_the_pointer_and_round(qtbot: QtBot, opened: Session) -> None:
    large, small = put(opened, block(10, 10, 50, 50)), put(opened, block(20, 20, 30, 30))
    apart = put(opened, union(block(55, 5, 70, 20), block(20, 55, 25, 58)))
    choose(opened, small)
    seen = []
    for _ in range(3):
        assert operations.select_below(opened, 25, 25)
        seen += opened.selection
    assert seen == [large.id, small.id, large.id]
    assert not operations.select_below(opened, 60, 10)
    choose(opened, apart)
    assert not operations.select_below(opened, 25, 25)


def test_the_canvas_knows_where_the_pointer_is(qtbot: QtBot, opened: Session) -> None:
    canvas = Canvas(opened)
    qtbot.addWidget(canvas)
    canvas.show()
    qtbot.waitUntil(lambda: opened.picture is not None)
    assert canvas.pointer_place() is None
    place = canvas.image_to_widget(25, 25)
    hover(canvas, place.toTuple())
    assert np.allclose(canvas.pointer_place(), (25, 25), atol=1 / canvas.zoom)
