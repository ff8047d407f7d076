"""Moving a corner changes what its two sides sweep over, and no pixel else."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.brush import stroke
from seginst_core.masks.corners import Ring, move_knot, rings, sides, with_knot
from seginst_core.masks.geometry import iou, subtract, trim, union
from seginst_core.masks.polygons import from_polygons, outlines
from seginst_core.types import Mask

WIDTH, HEIGHT = 40, 30
MASKS = npst.arrays(np.bool_, (HEIGHT, WIDTH)).map(lambda bits: trim(bits, 0, 0)).filter(bool)


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


def full(mask: Mask | None) -> np.ndarray:
    array = np.zeros((HEIGHT, WIDTH), np.bool_)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def corner_at(ring: Ring, place: tuple[float, float]) -> int:
    return ring.corners().index(place)


@given(MASKS, st.floats(0.5, 4))
def test_knots_are_points_of_the_exact_outline_three_at_least(mask, tolerance_px):
    found = rings(mask, tolerance_px)
    for ring, outline in zip(found, outlines(mask), strict=True):
        assert np.array_equal(ring.points, outline)
        assert len(ring.knots) >= 3
        assert list(ring.knots) == sorted(set(ring.knots))


def test_a_simplified_disc_is_the_disc_within_its_tolerance():
    disc = stroke([(15, 15)], 12)
    (ring,) = rings(disc, 1.0)
    assert len(ring.knots) < 20
    assert iou(from_polygons([np.array(ring.corners())], WIDTH, HEIGHT), disc) > 0.9


@given(MASKS, st.data())
def test_a_moved_corner_changes_nothing_that_its_sides_do_not_sweep_over(mask, data):
    ring = data.draw(st.sampled_from(rings(mask, 1.5)))
    place = data.draw(st.integers(0, len(ring.knots) - 1))
    to = data.draw(st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)) | st.none())
    after = move_knot(mask, ring, place, to, WIDTH, HEIGHT)
    first, last = ring.knots[place - 1], ring.knots[(place + 1) % len(ring.knots)]
    n = len(ring.points)
    swept = [ring.points[k % n] for k in range(first, first + (last - first) % n + 1)]
    swept += [to] if to is not None else []
    hull = cv2.convexHull(np.array(swept, np.float32).reshape(-1, 1, 2))
    for y, x in np.argwhere(full(after) ^ full(mask)):
        assert cv2.pointPolygonTest(hull, (float(x) + 0.5, float(y) + 0.5), True) >= -1
    # A corner that stays leaves all that is within its sides' straightening.
    if to is not None and after is not None:
        assert after.x1 <= WIDTH
        assert after.y1 <= HEIGHT


def test_a_rectangles_corner_goes_where_it_is_moved_and_comes_back():
    before = block(5, 5, 20, 20)
    (ring,) = rings(before, 1.0)
    assert set(ring.corners()) == {(5, 5), (20, 5), (20, 20), (5, 20)}
    place = corner_at(ring, (20, 20))
    assert {*sides(ring, place)} == {(20, 5), (5, 20)}
    after = move_knot(before, ring, place, (28, 24), WIDTH, HEIGHT)
    expected = from_polygons([np.array([(5, 5), (20, 5), (28, 24), (5, 20)])], WIDTH, HEIGHT)
    assert iou(after, expected) > 0.97
    triangle = move_knot(before, ring, place, None, WIDTH, HEIGHT)
    assert triangle.area == pytest.approx(15 * 15 / 2, abs=9)
    far = move_knot(before, ring, place, (500, 500), WIDTH, HEIGHT)
    assert (far.x1, far.y1) == (WIDTH, HEIGHT)


def test_holes_and_other_parts_stay_to_the_pixel():
    disc = stroke([(30, 8)], 6)
    mask = union(subtract(block(2, 2, 20, 20), block(8, 8, 12, 12)), disc)
    outer = next(r for r in rings(mask, 1.0) if (2, 2) in r.corners())
    after = move_knot(mask, outer, corner_at(outer, (20, 20)), (18, 26), WIDTH, HEIGHT)
    assert np.array_equal(full(after)[:, 22:], full(mask)[:, 22:])
    assert not full(after)[8:12, 8:12].any()
    hole = next(r for r in rings(mask, 1.0) if (8, 8) in r.corners())
    wider = move_knot(mask, hole, corner_at(hole, (8, 8)), (4, 4), WIDTH, HEIGHT)
    assert subtract(wider, mask) is None
    assert wider.area < mask.area


@pytest.mark.parametrize("at", [(12.3, 4.6), (20.4, 11.8), (5.2, 5.1)])
def test_a_new_knot_lies_on_the_outline_and_moving_it_not_changes_nothing(at):
    before = block(5, 5, 20, 20)
    (ring,) = rings(before, 1.0)
    more, distance_px = with_knot(ring, *at)
    assert distance_px < 1
    new = set(more.corners()) - set(ring.corners())
    assert len(new) == (0 if at == (5.2, 5.1) else 1)
    for place, corner in enumerate(more.corners()):
        assert move_knot(before, more, place, corner, WIDTH, HEIGHT) == before
