"""Masks as crops do what full-image arrays would do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.geometry import (
    box_iou,
    clip,
    contains,
    from_box,
    intersect,
    iou,
    mask_box,
    meet,
    overlap,
    subtract,
    trim,
    union,
    window,
)
from seginst_core.types import Box, Mask

# Crops reach at most this far from the origin, on every side.
REACH = 12
SHAPES = npst.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6)
OFFSETS = st.integers(-REACH, REACH - 6)
MASKS = st.builds(Mask, OFFSETS, OFFSETS, npst.arrays(np.bool_, SHAPES))


def full(mask: Mask | None) -> np.ndarray:
    """The mask in an array whose index is the coordinate plus ``REACH``."""
    array = np.zeros((2 * REACH, 2 * REACH), np.bool_)
    if mask is not None:
        y, x = np.nonzero(mask.bits)
        array[y + mask.y0 + REACH, x + mask.x0 + REACH] = True
    return array


def assert_tight(mask: Mask | None) -> None:
    if mask is not None:
        for edge in (mask.bits[0], mask.bits[-1], mask.bits[:, 0], mask.bits[:, -1]):
            assert edge.any()


@given(MASKS, MASKS)
def test_set_operations_equal_those_of_whole_images(a, b):
    assert np.array_equal(full(union(a, b)), full(a) | full(b))
    assert np.array_equal(full(intersect(a, b)), full(a) & full(b))
    assert np.array_equal(full(subtract(a, b)), full(a) & ~full(b))
    assert_tight(intersect(a, b))
    assert_tight(subtract(a, b))


@given(MASKS, MASKS)
def test_operations_without_pixels_left_give_none(a, b):
    assert (intersect(a, b) is None) == (not (full(a) & full(b)).any())
    assert (subtract(a, b) is None) == (not (full(a) & ~full(b)).any())


@given(MASKS, MASKS)
def test_overlap_and_iou_equal_those_of_whole_images(a, b):
    shared, either = (full(a) & full(b)).sum(), (full(a) | full(b)).sum()
    assert overlap(a, b) == shared
    assert iou(a, b) == pytest.approx(shared / either if either else 0.0)


@given(MASKS, st.integers(0, REACH), st.integers(0, REACH))
def test_clipping_keeps_what_lies_in_the_image(mask, width, height):
    inside = full(mask)
    inside[:REACH] = inside[REACH + height :] = False
    inside[:, :REACH] = inside[:, REACH + width :] = False
    clipped = clip(mask, width, height)
    assert np.array_equal(full(clipped), inside)
    assert (clipped is None) == (not inside.any())
    assert_tight(clipped)


@given(MASKS, OFFSETS, OFFSETS, st.integers(-2, 8), st.integers(-2, 8))
def test_a_window_is_a_writable_piece_of_the_image(mask, x0, y0, wide, high):
    high, wide = min(high, REACH - y0), min(wide, REACH - x0)
    piece = window(mask, x0, y0, x0 + wide, y0 + high)
    rows = slice(y0 + REACH, y0 + REACH + max(high, 0))
    columns = slice(x0 + REACH, x0 + REACH + max(wide, 0))
    assert np.array_equal(piece, full(mask)[rows, columns])
    piece[:] = True


@given(MASKS)
def test_trimming_and_the_box_are_tight(mask):
    tight = trim(mask.bits, mask.x0, mask.y0)
    assert np.array_equal(full(tight), full(mask))
    assert_tight(tight)
    if tight is None:
        with pytest.raises(ValueError, match="empty"):
            mask_box(mask)
    else:
        y, x = np.nonzero(full(mask))
        expected = Box(x.min() - REACH, y.min() - REACH, x.max() + 1 - REACH, y.max() + 1 - REACH)
        assert mask_box(mask) == expected


def test_a_trimmed_mask_lets_the_large_array_go():
    large = np.zeros((500, 500), np.bool_)
    large[7, 9] = True
    small = trim(large, 0, 0)
    assert small is not None
    assert not np.shares_memory(small.bits, large)


@given(MASKS, st.integers(-REACH, REACH - 1), st.integers(-REACH, REACH - 1))
def test_contains_looks_at_one_pixel(mask, x, y):
    assert contains(mask, x, y) == full(mask)[y + REACH, x + REACH]


@given(
    st.floats(-20, 20), st.floats(-20, 20), st.floats(0, 20), st.floats(0, 20),
    st.integers(1, REACH), st.integers(1, REACH),
)  # fmt: skip
def test_a_filled_box_has_the_pixels_whose_centre_it_holds(x0, y0, wide, high, width, height):
    box = Box(x0, y0, x0 + wide, y0 + high)
    filled = from_box(box, width, height)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    # On an exact tie the left and top edges belong, the right and bottom ones do not.
    inside = (box.x0 <= x) & (x < box.x1) & (box.y0 <= y) & (y < box.y1)
    expected = np.zeros((2 * REACH, 2 * REACH), np.bool_)
    expected[REACH : REACH + height, REACH : REACH + width] = inside
    if not np.array_equal(full(filled), expected):
        # Adding a half rounds: only within a float's error of a tie may a pixel differ.
        edges = np.array([box.x0, box.y0, box.x1, box.y1]) % 1.0
        assert np.abs(edges - 0.5).min() < 1e-12
    assert filled is None or filled.bits.all()


def test_the_iou_of_boxes() -> None:
    box = Box(0, 0, 10, 10)
    assert box_iou(box, box) == 1.0
    assert box_iou(box, Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert box_iou(box, Box(20, 0, 30, 10)) == 0.0
    assert box_iou(Box(1, 1, 1, 1), Box(1, 1, 1, 1)) == 0.0


def test_boxes_meet_where_they_share_more_than_an_edge() -> None:
    box = Box(0, 0, 10, 10)
    assert meet(box, Box(9, 9, 20, 20))
    assert not meet(box, Box(10, 0, 20, 10))
