"""The brush and the wand set the pixels that a person would count by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.brush import stroke
from seginst_core.masks.classical.flood import flood
from seginst_core.types import Mask

SIDE = 40
EIGHTHS = st.integers(-2 * 8, 18 * 8).map(lambda n: n / 8)
PATHS = st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=1, max_size=4)


def whole(mask: Mask) -> np.ndarray:
    """The mask's pixels in an array whose index is the coordinate plus 10."""
    array = np.zeros((SIDE, SIDE), np.bool_)
    array[mask.y0 + 10 : mask.y1 + 10, mask.x0 + 10 : mask.x1 + 10] = mask.bits
    return array


def distances(path: list[tuple[float, float]]) -> np.ndarray:
    """From each pixel centre to the path, one pixel and one segment at a time."""
    nearest = np.full((SIDE, SIDE), math.inf)
    for (ax, ay), (bx, by) in zip(path, path[1:] or path, strict=False):
        length = math.hypot(bx - ax, by - ay)
        for i in range(SIDE):
            for j in range(SIDE):
                x, y = j - 9.5, i - 9.5
                t = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length**2 if length else 0.0
                t = min(max(t, 0.0), 1.0)
                here = math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))
                nearest[i, j] = min(nearest[i, j], here)
    return nearest


@given(PATHS, st.sampled_from([1, 1.5, 2, 3.25, 6]))
@settings(max_examples=60)
def test_a_stroke_holds_the_centres_within_its_radius(path, radius_px):
    painted, distance = whole(stroke(path, radius_px)), distances(path)
    # A centre exactly on the rim may fall either way by a float's error.
    sure = np.abs(distance - radius_px) > 1e-5
    assert np.array_equal(painted[sure], distance[sure] <= radius_px)


@given(st.tuples(EIGHTHS, EIGHTHS), st.integers(2, 16).map(lambda n: n / 2))
@settings(max_examples=60)
def test_a_click_paints_the_exact_disc(point, radius_px):
    expected = distances([point]) <= radius_px
    assert np.array_equal(whole(stroke([point], radius_px)), expected)


@given(PATHS, st.sampled_from([1, 1.5, 2, 3.25, 6]))
@settings(max_examples=60)
def test_a_square_covers_the_centres_within_its_sides_on_its_way(path, radius_px):
    steps = np.linspace(0, 1, 2001)[:, None]
    far = np.full((SIDE, SIDE), math.inf)
    y, x = np.mgrid[:SIDE, :SIDE] - 9.5
    for a, b in zip(path, path[1:] or path, strict=False):
        for cx, cy in np.unique(np.array(a) + steps * (np.array(b) - np.array(a)), axis=0)[::4]:
            far = np.minimum(far, np.maximum(np.abs(x - cx), np.abs(y - cy)))
    painted = whole(stroke(path, radius_px, "square"))
    sure = np.abs(far - radius_px) > 0.03
    assert np.array_equal(painted[sure], (far <= radius_px)[sure])


@given(st.tuples(EIGHTHS, EIGHTHS), st.integers(2, 16))
@settings(max_examples=60)
def test_a_square_of_so_many_pixels_has_so_many_wherever_it_is_put(point, width_px):
    assert stroke([point], width_px / 2, "square").bits.shape == (width_px, width_px)
    assert stroke([point], width_px / 2, "square").bits.all()


@given(st.tuples(EIGHTHS, EIGHTHS))
@settings(max_examples=30)
def test_a_square_of_one_pixel_is_the_pixel_under_the_pointer(point):
    one = stroke([point], 0.5, "square")
    assert (one.x0, one.y0) == (math.floor(point[0]), math.floor(point[1]))
    assert one.bits.shape == (1, 1)


@given(st.tuples(EIGHTHS, EIGHTHS))
@example((5.0, 5.5))
@example((5.0, 5.0))
def test_half_a_pixel_paints_the_pixel_under_the_pointer(point):
    for radius_px in (0.5, 0.25):
        mask = stroke([point], radius_px)
        assert (mask.x0, mask.y0) == (math.floor(point[0]), math.floor(point[1]))
        assert mask.bits.tolist() == [[True]]


@given(PATHS)
@settings(max_examples=100)
@example([(0.0, 0.0), (8.0, 8.0)])
@example([(0.5, 0.9), (9.5, 1.1)])
def test_half_a_pixel_paints_the_pixels_that_the_path_crosses(path):
    painted = whole(stroke(path, 0.5))
    crossed, touched = np.zeros_like(painted), np.zeros_like(painted)
    for x, y in path:
        crossed[math.floor(y) + 10, math.floor(x) + 10] = True
    for (ax, ay), (bx, by) in pairwise(path):
        for i, j in np.ndindex(SIDE, SIDE):
            # Liang and Barsky: the stretch of the line between the pixel's four sides.
            low, high = 0.0, 1.0
            for start, step, near in ((ax, bx - ax, j - 10), (ay, by - ay, i - 10)):
                if step:
                    t = sorted(((near - start) / step, (near + 1 - start) / step))
                    low, high = max(low, t[0]), min(high, t[1])
                elif not near <= start < near + 1:
                    high = -1.0
            crossed[i, j] |= high - low > 1e-6
            touched[i, j] |= high - low > -1e-6
    assert not (crossed & ~painted).any()
    assert not (painted & ~(touched | crossed)).any()


@given(PATHS, st.sampled_from([0.5, 0.7, 1, 4]))
def test_the_pixel_under_each_point_always_belongs(path, radius_px):
    painted = whole(stroke(path, radius_px))
    for x, y in path:
        assert painted[math.floor(y) + 10, math.floor(x) + 10]


def test_a_stroke_needs_a_point():
    with pytest.raises(ValueError, match="at least one point"):
        stroke([], 3)


def test_a_stroke_far_away_is_the_same_stroke():
    here = stroke([(3.25, 4.5), (60.75, 31.5)], 9)
    there = stroke([(30003.25, 20004.5), (30060.75, 20031.5)], 9)
    assert there == Mask(here.x0 + 30000, here.y0 + 20000, here.bits)


def reached(image: np.ndarray, x: int, y: int, tolerance: int, *, contiguous: bool) -> np.ndarray:
    alike = (np.abs(image.astype(int) - image[y, x].astype(int)) <= tolerance).all(axis=2)
    if not contiguous:
        return alike
    found, todo = np.zeros_like(alike), [(y, x)]
    while todo:
        i, j = todo.pop()
        inside = 0 <= i < alike.shape[0] and 0 <= j < alike.shape[1]
        if inside and alike[i, j] and not found[i, j]:
            found[i, j] = True
            todo += [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
    return found


IMAGES = npst.arrays(
    np.uint8,
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
    elements=st.sampled_from([0, 10, 20, 128, 250, 255]),
)


@given(IMAGES, st.data(), st.sampled_from([0, 5, 10, 127, 255]), st.booleans())
@settings(max_examples=300)
def test_the_wand_takes_the_pixels_a_walk_would_reach(image, data, tolerance, contiguous):
    x = data.draw(st.integers(0, image.shape[1] - 1))
    y = data.draw(st.integers(0, image.shape[0] - 1))
    image.flags.writeable = False  # as every picture the window shows
    before = image.copy()
    mask = flood(image, x, y, tolerance, contiguous=contiguous)
    assert mask is not None
    found = np.zeros(image.shape[:2], np.bool_)
    found[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    assert np.array_equal(found, reached(image, x, y, tolerance, contiguous=contiguous))
    assert np.array_equal(image, before)


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (5, 0), (0, 4)])
def test_the_wand_outside_the_image_takes_nothing(x, y):
    assert flood(np.zeros((4, 5, 3), np.uint8), x, y, 10) is None
