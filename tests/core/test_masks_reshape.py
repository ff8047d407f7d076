"""A line drawn anew is where the outline runs afterwards, to the pixel."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import contains, distance, subtract, trim, union, window
from seginst_core.masks.reshape import reshape
from seginst_core.types import Mask

SIZE = (100, 80)
COORDINATES = st.floats(-5, 30, allow_nan=False)
LINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=2, max_size=6)
MASKS = npst.arrays(np.bool_, (12, 10)).map(lambda bits: trim(bits, 8, 8)).filter(bool)


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


SQUARE = block(20, 20, 50, 50)


def test_out_and_back_adds_what_the_line_encloses():
    line = [(45, 30), (60, 30), (60, 40), (45, 40)]
    for way in (line, line[::-1]):
        assert reshape(SQUARE, way, *SIZE) == union(SQUARE, block(50, 30, 60, 40))


def test_through_the_mask_takes_off_what_the_line_cuts_off():
    line = [(55, 30), (40, 30), (40, 40), (55, 40)]
    for way in (line, line[::-1]):
        assert reshape(SQUARE, way, *SIZE) == subtract(SQUARE, block(40, 30, 50, 40))


def test_one_line_adds_and_takes_off_in_turn():
    line = [(45, 25), (55, 25), (55, 30), (45, 30), (45, 40), (60, 40)]
    added, gone = block(50, 25, 55, 30), block(45, 30, 50, 40)
    assert reshape(SQUARE, line, *SIZE) == subtract(union(SQUARE, added), gone)


def test_the_larger_piece_stays_whichever_way_the_line_goes():
    assert reshape(SQUARE, [(30, 10), (30, 60)], *SIZE) == block(30, 20, 50, 50)
    assert reshape(SQUARE, [(40, 60), (40, 10)], *SIZE) == block(20, 20, 40, 50)


@pytest.mark.parametrize("angle", [0, 7, 30, 45, 60, 90, 135, 173])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_a_pixel_is_on_the_side_that_its_centre_is_on(angle, shift):
    disc = stroke([(50, 40)], 20)
    u, v = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = 50 + shift - 4 * v, 40 - shift + 4 * u
    line = [(x - 40 * u, y - 40 * v), (x + 40 * u, y + 40 * v)]
    left = reshape(disc, line, *SIZE)
    rows, columns = np.nonzero(disc.bits)
    side = u * (rows + disc.y0 + 0.5 - y) - v * (columns + disc.x0 + 0.5 - x)
    for row, column, away in zip(rows.tolist(), columns.tolist(), side.tolist(), strict=True):
        if abs(away) > 1e-4:
            assert contains(left, column + disc.x0, row + disc.y0) == (away < 0)


def test_a_line_through_the_centres_of_pixels_has_no_gap():
    line = [(15.5, 25.5), (25.5, 15.5)]
    for way in (line, line[::-1], [(60 - y, x) for x, y in line], [(x, 65 - y) for x, y in line]):
        gone = subtract(SQUARE, reshape(SQUARE, way, *SIZE) or SQUARE)
        assert gone is None or gone.area <= 25
    assert reshape(SQUARE, [(10.5, 10.5), (55.5, 55.5)], *SIZE).area in (435, 465)


def test_a_loop_makes_a_hole_and_around_the_mask_more_of_it_but_no_part():
    inside = [(30, 30), (40, 30), (40, 40), (30, 40), (30, 31)]
    assert reshape(SQUARE, inside, *SIZE) == subtract(SQUARE, block(30, 30, 40, 40))
    assert reshape(SQUARE, inside[:3], *SIZE) is None
    beside = [(x + 30, y) for x, y in inside]
    assert reshape(SQUARE, beside, *SIZE) is None
    around = [(15, 15), (55, 15), (55, 55), (15, 55), (15, 16)]
    assert reshape(SQUARE, around, *SIZE) == block(15, 15, 55, 55)


def test_where_a_wavering_line_crosses_itself_nothing_is_left_behind():
    curl = [(46, 26), (48, 26), (48, 28), (46, 28), (46, 25)]
    line = [*curl, (45, 30), (60, 30), (60, 40), (45, 40)]
    assert reshape(SQUARE, line, *SIZE) == union(SQUARE, block(50, 30, 60, 40))
    outside = [(x + 12, y) for x, y in curl]
    line = [*outside, (56, 31), (40, 31), (40, 40), (55, 40)]
    assert reshape(SQUARE, line, *SIZE) == subtract(SQUARE, block(40, 31, 50, 40))


def test_a_hole_and_another_part_stay_unless_the_line_splits_them():
    holed = union(subtract(SQUARE, block(30, 30, 40, 40)), block(60, 20, 70, 50))
    assert reshape(holed, [(45, 22), (55, 22), (55, 26), (45, 26)], *SIZE) == union(
        holed, block(50, 22, 55, 26)
    )
    # Across the hole: its smaller part is filled.
    assert reshape(holed, [(28, 33), (42, 33)], *SIZE) == union(holed, block(30, 30, 40, 33))


def test_ends_that_nearly_reach_the_outline_are_led_there():
    line = [(51.5, 30), (60, 30), (60, 40), (51.5, 40)]
    assert reshape(SQUARE, line, *SIZE) is None
    assert reshape(SQUARE, line, *SIZE, reach_px=1) is None
    led = reshape(SQUARE, line, *SIZE, reach_px=3)
    assert subtract(SQUARE, led) is None
    assert subtract(led, SQUARE).area == pytest.approx(100, abs=12)
    short = [(48.5, 30), (40, 30), (40, 40), (48.5, 40)]
    assert reshape(SQUARE, short, *SIZE) is None
    left = reshape(SQUARE, short, *SIZE, reach_px=3)
    assert subtract(left, SQUARE) is None
    assert subtract(SQUARE, left).area == pytest.approx(100, abs=12)


def test_a_line_that_leaves_the_image_ends_at_its_border():
    corner = block(80, 60, 100, 80)
    grown = reshape(corner, [(85, 65), (85, 50), (120, 50), (120, 90), (95, 75)], *SIZE)
    assert (grown.x1, grown.y1, grown.y0) == (100, 80, 50)
    assert subtract(corner, grown) is None


@pytest.mark.parametrize("line", [[], [(30, 30)], [(30, 30), (30, 30)], [(0, 0), (10, 0)]])
def test_a_line_that_splits_nothing_changes_nothing(line):
    assert reshape(SQUARE, line, *SIZE, reach_px=2) is None


def test_a_line_far_away_makes_no_window_that_holds_both(monkeypatch):
    """What is selected still may lie at the other end of a large image."""
    made = []

    def spied(mask, x0, y0, x1, y1):
        made.append((x1 - x0) * (y1 - y0))
        return window(mask, x0, y0, x1, y1)

    monkeypatch.setattr("seginst_core.masks.reshape.window", spied)
    size = (10_000, 10_000)
    assert reshape(SQUARE, [(9_000, 30), (9_050, 40)], *size, reach_px=4) is None
    assert reshape(SQUARE, [(30, 9_000), (40, 9_050)], *size, reach_px=4) is None
    assert not made
    assert reshape(SQUARE, [(30, 10), (30, 60)], *size, reach_px=4) == block(30, 20, 50, 50)
    assert made[0] < 5_000


@given(MASKS, LINES)
def test_a_line_does_the_same_from_either_end(mask, line):
    found = reshape(mask, line, *SIZE)
    assert found == reshape(mask, line[::-1], *SIZE)
    if found is not None:
        assert found != mask
        assert found == trim(found.bits, found.x0, found.y0)
        assert 0 <= found.x0 < found.x1 <= SIZE[0]
        assert 0 <= found.y0 < found.y1 <= SIZE[1]


@given(MASKS, st.floats(0, 30), st.floats(0, 30))
def test_the_distance_is_that_of_the_nearest_pixel(mask, x, y):
    rows, columns = np.nonzero(mask.bits)
    pixels = zip((columns + mask.x0).tolist(), (rows + mask.y0).tolist(), strict=True)
    nearest = min(
        math.hypot(max(px - x, 0, x - px - 1), max(py - y, 0, y - py - 1)) for px, py in pixels
    )
    assert distance(mask, x, y) == pytest.approx(nearest)
