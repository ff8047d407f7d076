"""Whole-mask changes against what their definitions say, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import subtract, union
from seginst_core.masks.morphology import fill_holes, grow, parts, shrink, smooth
from seginst_core.types import Mask

WIDTH, HEIGHT = 14, 11
IMAGES = npst.arrays(np.bool_, (HEIGHT, WIDTH)).filter(np.any)


def whole(bits: np.ndarray) -> Mask:
    """A mask whose crop is tight, as stored masks are."""
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    x0, y0 = int(columns[0]), int(rows[0])
    return Mask(x0, y0, bits[y0 : rows[-1] + 1, x0 : columns[-1] + 1].copy())


def full(mask: Mask | None, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    array = np.zeros((height, width), np.bool_)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


SIDES = [(0, 1), (0, -1), (1, 0), (-1, 0)]
CORNERS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def beside(bits: np.ndarray, ways: list[tuple[int, int]] = SIDES) -> np.ndarray:
    """The pixels that have one of ``bits`` beside them."""
    height, width = bits.shape
    padded = np.pad(bits, 1)
    return np.any([padded[1 + dy :, 1 + dx :][:height, :width] for dx, dy in ways], axis=0)


def spread(seed: np.ndarray, within: np.ndarray, *, corners: bool) -> np.ndarray:
    """All of ``within`` that can be walked to from ``seed``."""
    while True:
        step = (seed | beside(seed, SIDES + CORNERS if corners else SIDES)) & within
        if np.array_equal(step, seed):
            return seed
        seed = step


@given(IMAGES)
def test_holes_are_what_cannot_be_left_over_sides(bits):
    sky = np.pad(~bits, 1, constant_values=True)
    edge = np.zeros_like(sky)
    edge[0] = True
    expected = ~spread(edge, sky, corners=False)[1:-1, 1:-1]
    assert np.array_equal(full(fill_holes(whole(bits))), expected)


@given(IMAGES)
def test_growing_adds_what_lies_beside_and_ends_at_the_image(bits):
    assert np.array_equal(full(grow(whole(bits), WIDTH, HEIGHT)), bits | beside(bits))


@given(IMAGES)
def test_shrinking_takes_what_lies_beside_background_and_keeps_the_images_edge(bits):
    expected = bits & ~beside(~bits)
    left = shrink(whole(bits), WIDTH, HEIGHT)
    assert np.array_equal(full(left), expected)
    assert (left is None) == (not expected.any())


@given(IMAGES)
def test_parts_are_the_pieces_that_touch_nowhere_largest_first(bits):
    found = parts(whole(bits))
    assert np.array_equal(np.sum([full(p) for p in found], axis=0), bits)
    areas = [p.area for p in found]
    assert areas == sorted(areas, reverse=True)
    for part in found:
        seed = np.zeros_like(bits)
        seed[tuple(np.argwhere(full(part))[0])] = True
        assert np.array_equal(spread(seed, bits, corners=True), full(part))


@given(IMAGES, st.integers(1, 3))
def test_smoothing_is_opening_then_closing_by_a_disc(bits, radius_px):
    reach = range(-radius_px, radius_px + 1)
    disc = [(dx, dy) for dx in reach for dy in reach if dx**2 + dy**2 <= (radius_px + 0.5) ** 2]

    def of_disc(array, choose):
        padded = np.pad(array, radius_px, mode="edge")
        shifted = [padded[radius_px + dy :, radius_px + dx :][:HEIGHT, :WIDTH] for dx, dy in disc]
        return choose(shifted, axis=0)

    opened = of_disc(of_disc(bits, np.all), np.any)
    closed = of_disc(of_disc(opened, np.any), np.all)
    assert np.array_equal(full(smooth(whole(bits), WIDTH, HEIGHT, radius_px)), closed)


@pytest.mark.parametrize("radius_px", [1, 2, 3])
def test_smoothing_takes_spikes_and_fills_notches_of_a_square(radius_px):
    square = Mask(20, 20, np.ones((20, 20), np.bool_))
    spiked = union(square, stroke([(40, 30), (50, 30)], 0.5))
    notched = subtract(spiked, stroke([(30, 15), (30, 26)], 0.5))
    smoothed = full(smooth(notched, 80, 80, radius_px), 80, 80)
    # A disc rounds the corners and the notch's mouth and changes nothing else.
    different = np.argwhere(smoothed != full(square, 80, 80))
    corners = np.array([(20, 20), (20, 39), (39, 20), (39, 39), (20, 30)])
    distances = np.abs(different[:, None] - corners).max(axis=2).min(axis=1)
    assert np.all(distances <= radius_px)


def test_smoothing_keeps_the_side_at_which_the_image_cuts_an_object_off():
    mask = Mask(0, 0, np.ones((30, 30), np.bool_))
    smoothed = smooth(mask, 100, 30)
    assert smoothed.bits[:, :20].all()
    assert smooth(Mask(5, 5, np.ones((3, 3), np.bool_)), 100, 100) is None
