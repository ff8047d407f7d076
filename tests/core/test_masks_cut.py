"""A cut loses no pixel, and divides what the line divides."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.brush import stroke
from seginst_core.masks.cut import MIN_PIECE_PX, cut
from seginst_core.masks.geometry import subtract, trim, union
from seginst_core.masks.morphology import parts
from seginst_core.types import Mask

COORDINATES = st.floats(-5, 25, allow_nan=False)
LINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4)
MASKS = npst.arrays(np.bool_, (20, 18)).map(lambda bits: trim(bits, 0, 0)).filter(bool)


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


@given(MASKS, LINES)
def test_the_pieces_make_up_the_mask_and_do_not_overlap(mask, line):
    pieces = cut(mask, line)
    count = np.zeros((20, 18), np.int32)
    for piece in pieces:
        count[piece.y0 : piece.y1, piece.x0 : piece.x1] += piece.bits
    expected = np.zeros((20, 18), np.int32)
    expected[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    assert np.array_equal(count, expected)
    assert all(piece.area >= MIN_PIECE_PX for piece in pieces[1:])


@pytest.mark.parametrize("angle", [0, 7, 30, 45, 60, 90, 135, 173])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_a_straight_line_through_a_disc_gives_its_two_sides(angle, shift):
    disc = stroke([(50, 50)], 30)
    u, v = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = 50 + shift, 50 - shift
    pieces = cut(disc, [(x - 40 * u, y - 40 * v), (x + 40 * u, y + 40 * v)])
    assert len(pieces) == 2
    assert all(len(parts(piece)) == 1 for piece in pieces)
    sides = []
    for piece in pieces:
        rows, columns = np.nonzero(piece.bits)
        side = u * (rows + piece.y0 + 0.5 - y) - v * (columns + piece.x0 + 0.5 - x)
        side = side if side.mean() > 0 else -side
        assert side.min() > -1.5
        sides.append(
            np.sign(u * (rows.mean() + piece.y0 - y) - v * (columns.mean() + piece.x0 - x))
        )
    assert sorted(sides) == [-1, 1]


def test_a_line_that_ends_inside_or_misses_leaves_the_mask_alone():
    square = block(10, 10, 40, 40)
    for line in ([(0, 25), (30, 25)], [(0, 0), (60, 0)], [(25, 25)]):
        assert cut(square, line) == [square]


def test_a_ring_is_cut_by_two_crossings_and_not_by_one():
    ring = subtract(block(10, 10, 50, 50), block(20, 20, 40, 40))
    assert cut(ring, [(5, 30), (30, 30)]) == [ring]
    pieces = cut(ring, [(5, 30), (55, 30)])
    assert [len(parts(piece)) for piece in pieces] == [1, 1]


def test_parts_that_the_line_does_not_divide_stay_with_the_largest_piece():
    apart = union(block(10, 10, 30, 30), block(60, 10, 70, 20))
    first, second = cut(apart, [(25, 0), (25, 40)])
    assert first == union(subtract(block(10, 10, 30, 30), second), block(60, 10, 70, 20))
    assert second.x1 == 30


def test_a_line_along_the_edge_cuts_off_no_crumbs():
    square = block(10, 10, 40, 40)
    assert cut(square, [(0, 10.2), (60, 10.4)]) == [square]
