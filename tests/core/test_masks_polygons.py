"""Polygons become the pixels that pycocotools sets; masks become rings that give them back."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pycocotools import mask as coco_mask

from seginst_core.errors import FormatError
from seginst_core.masks.polygons import from_polygons, outlines, to_polygons
from seginst_core.types import Mask


def whole(mask: Mask | None, width: int, height: int) -> np.ndarray:
    array = np.zeros((height, width), np.bool_)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def reference(polygons: list[np.ndarray], width: int, height: int) -> np.ndarray:
    rles = coco_mask.frPyObjects([p.ravel().tolist() for p in polygons], height, width)
    return coco_mask.decode(coco_mask.merge(rles)) > 0


def rings(low: float, high: float, places: int) -> st.SearchStrategy[np.ndarray]:
    """Polygons whose points are written with so many decimals, as annotation tools do."""
    scale = 10**places
    number = st.integers(int(low * scale), int(high * scale)).map(lambda n: n / scale)
    return st.lists(st.tuples(number, number), min_size=3, max_size=8).map(np.array)


@pytest.mark.parametrize("places", [0, 1, 2, 5])
@given(data=st.data())
@settings(max_examples=150)
def test_polygons_set_the_pixels_of_pycocotools(places, data):
    polygons = data.draw(st.lists(rings(0, 60, places), min_size=1, max_size=3))
    far = data.draw(st.tuples(*[st.sampled_from([0, 1, 9, 990])] * 2))
    polygons = [np.round(p + far, places) for p in polygons]
    width, height = far[0] + 64, far[1] + 65
    assert np.array_equal(
        whole(from_polygons(polygons, width, height), width, height),
        reference(polygons, width, height),
    )


@pytest.mark.parametrize("places", [0, 1, 3])
@given(data=st.data())
@settings(max_examples=150)
def test_polygons_partly_outside_are_cut_as_pycocotools_cuts_them(places, data):
    polygons = data.draw(st.lists(rings(-30, 60, places), min_size=1, max_size=3))
    width, height = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    expected = reference(polygons, width, height)
    mask = from_polygons(polygons, width, height)
    assert np.array_equal(whole(mask, width, height), expected)
    assert (mask is None) == (not expected.any())


def test_nothing_to_draw_is_no_mask():
    square = np.array([[1, 1], [4, 1], [4, 4], [1, 4]], np.float64)
    assert from_polygons([], 10, 10) is None
    assert from_polygons([square[:2]], 10, 10) is None
    assert from_polygons([square - 100], 10, 10) is None
    assert from_polygons([square + 100], 10, 10) is None
    assert from_polygons([square * 0.01], 10, 10) is None
    assert from_polygons([square[:2], square], 10, 10) == Mask(1, 1, np.ones((3, 3), np.bool_))


@given(rings(900, 960, 1))
@settings(max_examples=400)
def test_no_tie_falls_to_another_side_far_from_the_corner(ring):
    assert np.array_equal(
        whole(from_polygons([ring], 970, 965), 970, 965), reference([ring], 970, 965)
    )


def test_a_tie_along_an_edge_far_from_the_corner():
    # Found by chance: the walk along one edge meets a tie that any shift of the points would move.
    ring = np.array(
        [[949.5, 953.8], [920, 942], [934.9, 914.5], [911.8, 957.8], [904.2, 925.3], [948, 950]]
    )
    assert np.array_equal(
        whole(from_polygons([ring], 999, 999), 999, 999), reference([ring], 999, 999)
    )


@pytest.mark.parametrize("far", [1e8, 1e18, 1e300, np.inf, np.nan])
def test_an_outline_without_end_is_refused_before_memory_is_asked_for(far):
    with pytest.raises(FormatError, match="further than any image"):
        from_polygons([np.array([[0, 0], [far, 5], [5, -far]])], 10, 10)
    with pytest.raises(FormatError, match="larger than any real one"):
        from_polygons([np.array([[0, 0], [9, 5], [5, 7]])], 1 << 40, 10)


def test_a_jagged_outline_is_not_taken_for_one_without_end():
    zigzag = np.stack([np.arange(4000), np.arange(4000) % 2 * 900.0], axis=1)
    mask = from_polygons([zigzag], 4000, 1000)
    assert np.array_equal(whole(mask, 4000, 1000), reference([zigzag], 4000, 1000))


def test_float32_points_are_taken_as_they_are():
    points = np.array([[10.1, 10.3], [50.7, 12.9], [30.5, 44.1]], np.float32)
    assert np.array_equal(
        whole(from_polygons([points], 64, 64), 64, 64), reference([points.astype(float)], 64, 64)
    )


PIXELS = npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=9))


def without_holes(bits: np.ndarray) -> np.ndarray:
    """Fill what cannot reach the outside through sides or corners, one pixel at a time."""
    outside = np.zeros(np.add(bits.shape, 2), np.bool_)
    outside[0] = outside[-1] = True
    outside[:, 0] = outside[:, -1] = True
    background = ~np.pad(bits, 1)
    while True:
        grown = np.zeros_like(outside)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                grown |= np.roll(outside, (dy, dx), (0, 1))
        grown &= background
        grown |= outside
        if np.array_equal(grown, outside):
            return ~outside[1:-1, 1:-1]
        outside = grown


def edges_of(ring: np.ndarray) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """The ring cut into sides of one pixel."""
    sides = []
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        n_sides = int(np.abs(b - a).max())
        assert n_sides > 0
        points = [tuple(a + (b - a) * k / n_sides) for k in range(n_sides + 1)]
        sides += list(pairwise(points))
    return sides


@given(PIXELS, st.integers(0, 5000), st.integers(0, 5000))
@settings(max_examples=300)
def test_rings_give_a_mask_without_holes_back_exactly(bits, x0, y0):
    solid = without_holes(bits)
    polygons = to_polygons(Mask(x0, y0, bits))
    again = from_polygons(polygons, x0 + bits.shape[1], y0 + bits.shape[0])
    expected = np.zeros_like(bits)
    if again is not None:
        expected[again.y0 - y0 : again.y1 - y0, again.x0 - x0 : again.x1 - x0] = again.bits
    assert np.array_equal(expected, solid)


@given(PIXELS)
@settings(max_examples=300)
def test_outlines_are_the_sides_between_mask_and_background_with_the_mask_on_the_right(bits):
    padded = np.pad(bits, 1)
    sides = [side for ring in outlines(Mask(-1, -1, padded)) for side in edges_of(ring)]
    assert len(sides) == len(set(sides))
    expected = set()
    for y, x in np.argwhere(bits):
        corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
        across = [(y - 1, x), (y, x + 1), (y + 1, x), (y, x - 1)]
        for k, (row, column) in enumerate(across):
            if not padded[row + 1, column + 1]:
                expected.add((corners[k], corners[(k + 1) % 4]))
    assert set(sides) == expected


@given(PIXELS)
def test_outlines_hold_corners_only(bits):
    for ring in outlines(Mask(0, 0, bits)):
        steps = np.roll(ring, -1, axis=0) - ring
        turns = steps[:, 0] * np.roll(steps, -1, axis=0)[:, 1]
        turns -= steps[:, 1] * np.roll(steps, -1, axis=0)[:, 0]
        assert (turns != 0).all()
        assert ring.dtype == np.float32


def test_parts_that_touch_at_a_corner_have_a_ring_each():
    bits = np.eye(3, dtype=np.bool_)
    polygons = to_polygons(Mask(5, 7, bits))
    assert [len(ring) for ring in polygons] == [4, 4, 4]
    assert from_polygons(polygons, 20, 20) == Mask(5, 7, bits)


def test_what_corners_enclose_is_no_hole_and_what_sides_enclose_is_one():
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.bool_)
    assert len(to_polygons(Mask(0, 0, diamond))) == len(outlines(Mask(0, 0, diamond))) == 4
    frame = np.ones((3, 3), np.bool_)
    frame[1, 1] = False
    assert len(to_polygons(Mask(0, 0, frame))) == 1
    assert len(outlines(Mask(0, 0, frame))) == 2
    assert from_polygons(to_polygons(Mask(0, 0, frame)), 3, 3).area == 9
    frame[2, 2] = False  # now the middle reaches the outside through a corner
    assert from_polygons(to_polygons(Mask(0, 0, frame)), 3, 3) == Mask(0, 0, frame)


def test_a_large_smooth_mask_keeps_every_pixel():
    y, x = np.mgrid[0:400, 0:500]
    bits = (x - 250) ** 2 / 5 + (y - 200) ** 2 / 3 < 6000
    mask = Mask(100, 50, bits)
    again = from_polygons(to_polygons(mask), 700, 600)
    assert np.array_equal(whole(again, 700, 600), whole(mask, 700, 600))
