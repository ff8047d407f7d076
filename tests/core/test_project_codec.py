"""Instances and edits as bytes: exact both ways, and damage is noticed."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seginst_core.errors import ProjectError
from seginst_core.project.codec import (
    Recent,
    edit_from_bytes,
    edit_to_bytes,
    instance_from_bytes,
    instance_to_bytes,
    instances_from_bytes,
    instances_to_bytes,
)
from seginst_core.project.edits import Change, Edit
from seginst_core.types import PIPELINES, STATES, Box, Instance, Mask, Origin

finite = st.floats(-1e6, 1e6)
scores = st.none() | st.floats(0, 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bits = rng.random((height, width)) < draw(st.sampled_from([0.02, 0.5, 1.0]))
    return Mask(draw(st.integers(-(2**31), 2**31 - 1)), draw(st.integers(-50, 20_000)), bits)


@st.composite
def boxes(draw):
    (x0, x1), (y0, y1) = (sorted((draw(finite), draw(finite))) for _ in range(2))
    return Box(x0, y0, x1, y1)


origins = st.builds(
    Origin,
    kind=st.sampled_from(["human", "model", "import"]),
    model=texts,
    pipeline=st.none() | st.sampled_from(PIPELINES),
    score=scores,
    threshold=scores,
    edited=st.booleans(),
)
instances = st.builds(
    Instance,
    id=st.integers(1, 2**53 - 1),
    category_id=st.integers(1, 2**31),
    box=boxes(),
    mask=st.none() | masks(),
    score=scores,
    iscrowd=st.booleans(),
    origin=origins,
    attributes=st.dictionaries(texts, texts, max_size=3),
)


@st.composite
def edits(draw):
    changes = []
    for instance in draw(st.lists(instances, max_size=4)):
        other = replace(draw(instances), id=instance.id)
        sides = draw(st.sampled_from([(None, instance), (instance, None), (other, instance)]))
        changes.append(Change(*sides))
    state = draw(st.none() | st.tuples(st.sampled_from(STATES), st.sampled_from(STATES)))
    return Edit(
        draw(st.integers(1, 99)), tuple(changes), draw(texts), state=state, tool=draw(texts)
    )


def sides_of(edit):
    return [
        tuple(None if side is None else instance_to_bytes(side) for side in (c.before, c.after))
        for c in edit.changes
    ]


@given(instances)
def test_an_instance_comes_back_exactly(instance):
    again = instance_from_bytes(instance_to_bytes(instance))
    assert again == instance
    assert again.mask is None or again.mask.bits.dtype == np.bool_


@given(st.lists(instances, max_size=5))
def test_a_prediction_s_instances_come_back_in_order(many):
    assert instances_from_bytes(instances_to_bytes(many)) == tuple(many)


@given(edits())
def test_an_edit_comes_back_with_the_records_it_was_made_of(edit):
    sides = sides_of(edit)
    again, records = edit_from_bytes(edit.image_id, edit.text, edit_to_bytes(edit, sides))
    assert again == edit
    assert list(records) == sides


@given(edits(), st.data())
def test_a_cut_or_lengthened_record_is_called_damaged(edit, data):
    whole = edit_to_bytes(edit, sides_of(edit))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for damaged in (cut, whole + b"\0"):
        with pytest.raises(ProjectError, match="damaged"):
            edit_from_bytes(edit.image_id, edit.text, damaged)


@given(st.lists(instances, min_size=1, max_size=2), st.data())
def test_flipped_bytes_never_end_in_another_error(many, data):
    body = bytearray(instances_to_bytes(many))
    for _ in range(3):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        again = instances_from_bytes(bytes(body))
    except ProjectError:
        return
    assert all(isinstance(instance, Instance) for instance in again)


def test_numbers_of_arrays_are_stored_as_what_they_are():
    origin = Origin("model", score=np.float32(0.3), threshold=np.float64(0.5))  # type: ignore[arg-type]
    box = Box(*np.array([0.1, 0.2, 7, 9], np.float32))
    instance = Instance(np.int64(7), np.int32(2), box, None, np.float32(0.3), origin=origin)  # type: ignore[arg-type]
    again = instance_from_bytes(instance_to_bytes(instance))
    assert again.box == instance.box
    assert (again.id, again.category_id, again.score) == (7, 2, float(np.float32(0.3)))
    assert type(again.id) is int


@pytest.mark.parametrize(
    "instance",
    [
        Instance(1, 1, Box(-math.inf, 0, 1, 1), None),
        Instance(1, 1, Box(0, 0, 1, math.inf), None),
        Instance(1, 1, Box(0, 0, 1, 1), None, score=math.nan),
        Instance(1, 1, Box(0, 0, 1, 1), None, attributes={"note": "\udcff"}),
    ],
)
def test_what_json_cannot_hold_is_refused_before_it_is_stored(instance):
    with pytest.raises(ProjectError):
        instance_to_bytes(instance)


def test_the_newest_records_are_not_unpacked_again_and_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(Recent, "MOST", 3)
    made = [Instance(k, 1, Box(0, 0, 1, 1), None) for k in range(1, 6)]
    records = [instance_to_bytes(one) for one in made]
    recent = Recent()
    for record, one in zip(records[:3], made[:3], strict=True):
        recent.keep(record, one)
    assert recent.read(records[0]) is made[0]
    recent.keep(records[3], made[3])
    assert recent.read(records[1]) is not made[1], "asked for the longest time ago"
    assert recent.read(records[1]) == made[1]
    assert recent.read(records[3]) is made[3]


def test_large_masks_are_not_all_kept(monkeypatch):
    monkeypatch.setattr(Recent, "MOST_BYTES", 25_000)
    made = [
        Instance(k, 1, Box(0, 0, 100, 100), Mask(0, 0, np.ones((100, 100), bool)))
        for k in range(1, 5)
    ]
    recent = Recent()
    for one in made:
        recent.keep(instance_to_bytes(one), one)
    kept = [recent.read(instance_to_bytes(one)) is one for one in reversed(made)]
    assert kept == [True, True, False, False]
