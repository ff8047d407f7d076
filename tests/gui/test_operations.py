"""What is done to the selected objects: each one step, which undo takes back to the pixel."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from seginst_core.errors import ProjectError
from seginst_core.masks.geometry import overlap, subtract, union
from seginst_core.masks.morphology import smooth
from seginst_core.project.edits import Edit, add, change
from seginst_core.types import Box, Instance, Mask, Origin, Prediction
from seginst_gui import operations
from seginst_gui.operations import ON_SELECTION
from seginst_gui.session import Session

SHAPES = ("fill_holes", "smooth", "grow", "shrink", "merge", "subtract", "split_parts")


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


def put(session: Session, mask: Mask | None, category: int = 1, box: Box | None = None) -> Instance:
    box = box or Box(mask.x0, mask.y0, mask.x1, mask.y1)
    made = Instance(session.new_ids()[0], category, box, mask, attributes={"seen": "twice"})
    session.apply(add(session.image.id, [made], "Put"))
    return made


def do(session: Session, name: str, *chosen: Instance) -> dict[int, Instance]:
    """Select, operate, check that undo and redo are exact; return the objects by id."""
    before = session.instances
    session.select(i.id for i in chosen)
    ON_SELECTION[name](session)
    after = session.instances
    assert after != before
    session.undo()
    assert session.instances == before
    session.redo()
    assert session.instances == after
    return {i.id: i for i in after}


def test_holes_are_filled_and_the_rest_stays(opened: Session) -> None:
    ring = subtract(block(10, 10, 30, 30), block(15, 15, 20, 20))
    holed, plain = put(opened, ring), put(opened, block(40, 10, 50, 20))
    found = do(opened, "fill_holes", holed, plain)
    assert found[holed.id].mask == block(10, 10, 30, 30)
    assert found[holed.id].attributes == {"seen": "twice"}
    assert found[plain.id] is plain


def test_smoothing_leaves_alone_what_it_would_take_away(opened: Session) -> None:
    spiked = put(opened, union(block(10, 10, 30, 30), block(30, 20, 40, 21)))
    speck = put(opened, block(60, 5, 62, 7))
    found = do(opened, "smooth", spiked, speck)
    assert found[spiked.id].mask == smooth(spiked.mask, 80, 60)
    assert found[spiked.id].box == Box(10, 10, 30, 30)
    assert found[speck.id] == speck


def test_growing_ends_at_the_image_and_shrinking_at_the_last_pixel(opened: Session) -> None:
    corner, speck = put(opened, block(0, 0, 10, 10)), put(opened, block(40, 40, 41, 41))
    found = do(opened, "grow", corner, speck)
    assert found[corner.id].box == Box(0, 0, 11, 11)
    assert found[speck.id].mask.area == 5
    found = do(opened, "shrink", found[corner.id])
    assert found[corner.id].mask == corner.mask
    speck = do(opened, "shrink", found[speck.id])[speck.id]
    assert speck.mask == block(40, 40, 41, 41)
    with pytest.raises(ProjectError, match="too small"):
        do(opened, "shrink", speck)


def test_kept_apart_growing_ends_at_other_objects_and_keeps_what_was_shared(
    opened: Session,
) -> None:
    left, right = put(opened, block(10, 10, 20, 20)), put(opened, block(21, 10, 30, 20))
    over = put(opened, block(25, 15, 35, 25))
    opened.keep_apart = True
    found = do(opened, "grow", left, right)
    grown = [found[i.id].mask for i in (left, right)]
    assert overlap(*grown) == 0
    assert grown[0].x1 == 21
    assert overlap(grown[1], over.mask) == overlap(right.mask, over.mask) == 25
    opened.keep_apart = False
    assert overlap(do(opened, "grow", left)[left.id].mask, grown[1]) > 0


@pytest.mark.parametrize("name", ["smooth", "fill_holes"])
def test_kept_apart_no_operation_gains_pixels_of_another_object(opened: Session, name: str) -> None:
    ring = put(opened, subtract(block(10, 10, 30, 30), block(19, 19, 21, 21)))
    inner = put(opened, block(19, 19, 20, 21))
    opened.keep_apart = True
    found = do(opened, name, ring)[ring.id].mask
    assert overlap(found, inner.mask) == 0
    assert overlap(found, block(20, 19, 21, 21)) == 2


def test_kept_apart_an_object_without_any_room_says_why(opened: Session) -> None:
    own = put(opened, block(20, 20, 30, 30))
    put(opened, subtract(block(15, 15, 35, 35), own.mask))
    opened.keep_apart = True
    opened.select([own.id])
    with pytest.raises(ProjectError, match=r"^Other objects are in the way"):
        ON_SELECTION["grow"](opened)


def test_merging_keeps_the_first_and_takes_boxes_as_filled(opened: Session) -> None:
    one, two = put(opened, block(10, 10, 20, 20), 2), put(opened, block(15, 15, 30, 30), 1)
    boxed = put(opened, None, 1, Box(40, 40, 50, 50))
    found = do(opened, "merge", two, boxed, one)
    assert list(found) == [one.id]
    assert found[one.id].category_id == 2
    everything = union(union(one.mask, two.mask), block(40, 40, 50, 50))
    assert found[one.id].mask == everything
    assert opened.selection <= {one.id}


def test_subtracting_takes_the_last_out_of_the_others(opened: Session) -> None:
    one, inner = put(opened, block(10, 10, 30, 30)), put(opened, block(12, 12, 14, 14))
    apart, last = put(opened, block(50, 10, 60, 20)), put(opened, block(10, 10, 20, 20))
    found = do(opened, "subtract", one, inner, apart, last)
    assert found[one.id].mask == subtract(one.mask, last.mask)
    assert inner.id not in found
    assert found[apart.id] is apart
    assert found[last.id] is last


def test_who_corrects_a_class_has_looked_at_the_object(opened: Session) -> None:
    session = opened
    drawn_by_model = Origin("model", "m", "two-stage", 0.9, 0.5)
    made = replace(put(session, block(5, 5, 20, 20)), origin=drawn_by_model)
    session.apply(change(session.image.id, [(session.instances[0], made)], "Accept"))
    session.select([made.id])
    operations.set_class(session, made.category_id)
    assert not session.instances[0].origin.vouched, "the class that it has is no correction"
    other = session.project.add_category("another")
    operations.set_class(session, other.id)
    (now,) = session.instances
    assert now.category_id == other.id
    assert now.origin == replace(drawn_by_model, seen=True)
    assert now.origin.vouched


def test_parts_become_objects_of_the_same_class(opened: Session) -> None:
    several = union(union(block(10, 10, 14, 14), block(30, 10, 40, 20)), block(14, 14, 16, 16))
    old = put(opened, several, 2)
    found = do(opened, "split_parts", old)
    assert found.pop(old.id).mask == block(30, 10, 40, 20)
    (piece,) = found.values()
    # Pixels that touch at a corner hang together.
    assert piece.mask == union(block(10, 10, 14, 14), block(14, 14, 16, 16))
    assert (piece.category_id, piece.attributes) == (2, old.attributes)


@pytest.mark.parametrize("name", SHAPES)
def test_with_nothing_to_do_one_sentence_and_no_step(opened: Session, name: str) -> None:
    speck = put(opened, block(0, 0, 80, 60) if name == "grow" else block(10, 10, 11, 11))
    steps = len(opened.project.history(opened.image.id))
    opened.select([speck.id])
    with pytest.raises(ProjectError, match=r"^[A-Z].*\.$"):
        ON_SELECTION[name](opened)
    assert opened.instances == (speck,)
    assert len(opened.project.history(opened.image.id)) == steps


def test_the_steps_carry_names(opened: Session) -> None:
    one, two = put(opened, block(10, 10, 20, 20)), put(opened, block(15, 15, 30, 30))
    opened.select([one.id, two.id])
    names: list[str] = []
    acts: list[Callable[[Session], None]] = [ON_SELECTION["grow"], ON_SELECTION["merge"]]
    for act in acts:
        act(opened)
        names.append(opened.undo().text)
        opened.redo()
    assert names == ["Grow 2 objects", "Merge 2 objects"]
    assert operations.select_next(opened).id == one.id


def test_what_was_said_to_be_none_is_not_taken_with_all(opened: Session) -> None:
    origin = Origin("model", model="m", pipeline="two-stage")
    found = tuple(
        Instance(k, 1, Box(x, 10, x + 10, 20), block(x, 10, x + 10, 20), score=0.9, origin=origin)
        for k, x in enumerate((10, 30, 50))
    )
    opened.project.add_prediction(Prediction(opened.image.id, "m", "two-stage", found, 0.1), "m")
    opened.refresh_image(opened.image.id)
    put(opened, found[0].mask)
    refused = replace(found[1], id=opened.new_ids()[0])
    opened.apply(Edit(opened.image.id, (), "Not an object", refused=(refused,)))
    accepted = operations.accept_all(opened, "two-stage")
    assert (accepted.n_taken, accepted.n_there, accepted.n_refused) == (1, 1, 1)
    assert [i.mask for i in opened.instances] == [found[0].mask, found[2].mask]


def test_a_thousand_objects_are_written_in_the_history_as_in_the_panels(opened: Session) -> None:
    ids = opened.new_ids(1000)
    made = [Instance(k, 1, Box(0, 0, 2, 2), block(0, 0, 2, 2)) for k in ids]
    opened.apply(add(opened.image.id, made, "Put"), select_added=True)
    operations.delete_selected(opened)
    steps = opened.project.history(opened.image.id)
    assert steps[-1].text == "Delete 1,000 objects"
