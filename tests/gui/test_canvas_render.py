"""Overlay tiles: which device pixels a mask takes, and what is painted on them."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from seginst_core.types import Box, Instance, Mask
from seginst_gui.canvas import overlay
from seginst_gui.canvas import render as module
from seginst_gui.canvas.looks import annotated, proposed
from seginst_gui.canvas.overlay import Layer, changed_pixels
from seginst_gui.canvas.render import Band, Kept, Look, device_extent, render, sample, tint
from seginst_gui.canvas.stamps import lay, meet, stamp, touch

RED = 0xFFFF0000
FLAT = Look(RED, ())


def thing(instance_id: int, mask: Mask | None, look: Look = FLAT, box: Box | None = None):
    tight = Box(mask.x0, mask.y0, mask.x1, mask.y1) if mask is not None else box
    assert tight is not None
    return Instance(instance_id, 1, tight, mask), look


def disc(x0: int, y0: int, side: int) -> Mask:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return Mask(x0, y0, x**2 + y**2 <= (side / 2) ** 2)


@st.composite
def masks(draw) -> Mask:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    bits = rng.random((height, width)) < draw(st.floats(0.05, 0.95))
    bits[rng.integers(height), rng.integers(width)] = True
    return Mask(draw(st.integers(-9, 40)), draw(st.integers(-9, 40)), bits)


def assume_off_borders(centres: np.ndarray) -> None:
    """A centre on the border of two pixels falls to either by rounding; both are right."""
    assume(np.abs(centres - np.round(centres)).min() > 1e-9)


@given(masks(), st.floats(1.0, 9.0))
def test_enlarged_each_device_pixel_shows_the_pixel_under_its_centre(mask, zoom) -> None:
    window = (-100, -100, 620, 620)
    got = sample(mask, zoom, window)
    centres = (np.arange(-100, 620) + 0.5) / zoom
    assume_off_borders(centres)
    centres = np.floor(centres).astype(int)
    full = np.zeros((100, 100), bool)
    full[mask.y0 + 15 : mask.y1 + 15, mask.x0 + 15 : mask.x1 + 15] = mask.bits
    inside = (centres >= -15) & (centres < 85)
    expected = np.zeros((720, 720), bool)
    expected[np.ix_(inside, inside)] = full[np.ix_(centres[inside] + 15, centres[inside] + 15)]
    assert np.array_equal(got, expected)


@given(masks(), st.floats(0.02, 0.999))
def test_reduced_no_pixel_is_lost_and_none_is_invented(mask, zoom) -> None:
    got = sample(mask, zoom, (-20, -20, 80, 80))
    rows, columns = np.nonzero(mask.bits)
    expected = np.zeros((100, 100), bool)
    # A pixel belongs to the device pixel its centre falls into.
    assume_off_borders((np.arange(-9, 64) + 0.5) * zoom)
    row_at = np.floor((rows + mask.y0 + 0.5) * zoom).astype(int) + 20
    column_at = np.floor((columns + mask.x0 + 0.5) * zoom).astype(int) + 20
    expected[row_at, column_at] = True
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("zoom", [0.011, 0.3, 0.9])
def test_a_large_mask_is_reduced_as_a_small_one_is(zoom) -> None:
    bits = np.random.default_rng(0).random((301, 407)) < 0.02
    large, window = Mask(3, 5, bits), (0, 0, 420, 320)
    got, expected = sample(large, zoom, window), np.zeros((320, 420), bool)
    for top in range(0, 301, 100):
        part = bits[top : top + 100]
        if part.any():
            expected |= sample(Mask(3, 5 + top, part), zoom, window)
    assert np.array_equal(got, expected)


def test_a_large_mask_has_no_gap_where_rounding_leaves_a_pixel_without_a_row() -> None:
    solid, zoom = Mask(3041, 3041, np.ones((323, 323), bool)), 6 / 11
    assert sample(solid, zoom, device_extent(solid, zoom)).all()


@given(masks(), st.sampled_from([0.125, 0.3, 1.0, 1.7, 4.0]), st.integers(-20, 60))
def test_a_window_shows_the_same_as_the_whole(mask, zoom, cut) -> None:
    whole = sample(mask, zoom, (-40, -40, 300, 300))
    part = sample(mask, zoom, (cut, cut, cut + 50, cut + 30))
    assert np.array_equal(part, whole[cut + 40 : cut + 70, cut + 40 : cut + 90])


@pytest.mark.parametrize("zoom", [0.3, 1.0, 5.0])
def test_tiles_join_without_a_seam(zoom) -> None:
    things = [thing(1, disc(3, 5, 60), annotated((230, 159, 0)))]
    whole = render(things, zoom, (0, 0, 400, 400))
    assert whole is not None
    halves = [render(things, zoom, (x, 0, x + 20, 400)) for x in range(0, 400, 20)]
    empty = np.zeros((400, 20), np.uint32)
    assert np.array_equal(np.hstack([empty if h is None else h for h in halves]), whole)


@pytest.mark.parametrize("right", [180, 356, 560])
@pytest.mark.parametrize("n", [20, 200])
def test_stamps_lie_one_over_the_other_whatever_their_sizes(n: int, right: int) -> None:
    rng, window = np.random.default_rng(0), (100, 200, right, 290)
    expected = np.zeros((900, 1100), np.uint32)
    stamps = []
    for turn in range(n):
        side = (5, 40, 300)[turn % 3]
        x0, y0 = rng.integers(101 - side, right), rng.integers(201 - side, 290)
        bits, tint_of_it = rng.random((side, side)) < 0.3, turn + 1
        expected[y0 + 200 : y0 + 200 + side, x0 + 200 : x0 + 200 + side][bits] = tint_of_it
        part = (x0, y0, x0 + side, y0 + side)
        stamps.append(stamp(bits, part, tint_of_it, often=turn % 4 < 2))
    assert np.array_equal(lay(window, stamps), expected[400:490, 300 : 200 + right])


@given(*(st.tuples(*(st.integers(0, 6) for _ in range(4))) for _ in range(2)))
def test_extents_touch_where_they_share_a_pixel(a, b) -> None:
    a, b = ((x, y, x + 1 + wide, y + 1 + high) for x, y, wide, high in (a, b))
    assert touch(a, b) == (meet(a, b) is not None)


def test_kept_shapes_draw_the_same_and_the_oldest_make_room(monkeypatch) -> None:
    monkeypatch.setattr(module, "_KEPT_BYTES", 40_000)
    look, kept, window = annotated((230, 159, 0)), Kept(), (0, 0, 900, 120)
    things = [thing(n, disc(90 * n, 5, 20 + 10 * n), look) for n in range(9)]
    for zoom in (1.0, 0.7):
        for some in (things, things[::-1], things):
            plain = render(some, zoom, window)
            assert np.array_equal(render(some, zoom, window, kept=kept), plain)
        there = [n for n, (instance, _) in enumerate(things) if kept.find(instance, look)]
        assert there == list(range(there[0], 9)), "the last ones"
        assert 0 < kept._n_bytes <= 40_000
        kept.clear()
        assert kept.find(things[8][0], look) is None


def test_a_shape_is_not_taken_for_another_mask_or_look() -> None:
    kept, looks = Kept(), [annotated((230, 159, 0)), annotated((0, 158, 115))]
    for mask in (disc(5, 5, 30), disc(8, 5, 30)):
        for look in looks:
            one = [thing(1, mask, look)]
            plain = render(one, 1.0, (0, 0, 50, 50))
            assert np.array_equal(render(one, 1.0, (0, 0, 50, 50), kept=kept), plain)


def test_nothing_in_a_window_is_none() -> None:
    for far in (disc(0, 0, 10), disc(2980, 40, 10)):
        for kept in (None, Kept()):
            assert render([thing(1, far)], 1.0, (50, 50, 60, 60), kept=kept) is None


def test_an_object_smaller_than_a_pixel_is_still_a_dot() -> None:
    dot = [thing(1, Mask(100, 200, np.ones((1, 1), bool)), annotated((0, 158, 115)))]
    words = render(dot, 1 / 64, (0, 0, 10, 10))
    assert words is not None
    assert words[3, 1] == tint((0, 158, 115), 1.0)


def test_a_line_runs_along_the_edge_and_no_object_hides_anothers() -> None:
    line = Look(tint((0, 0, 255), 0.5), (Band(-2, 0, RED),))
    inner, outer = Mask(20, 20, np.ones((30, 30), bool)), Mask(0, 0, np.ones((80, 80), bool))
    words = render([thing(1, inner, line), thing(2, outer, line)], 1.0, (0, 0, 80, 80))
    assert words is not None
    ring = np.zeros((80, 80), bool)
    for lo, hi in ((0, 80), (20, 50)):
        ring[lo:hi, lo:hi] = True
        ring[lo + 2 : hi - 2, lo + 2 : hi - 2] = False
    assert np.array_equal(words == RED, ring)
    assert (words[~ring] == tint((0, 0, 255), 0.5)).all()


def test_two_models_that_agree_to_the_pixel_are_both_seen() -> None:
    mask = disc(20, 20, 60)
    a, b = proposed("two-stage", False), proposed("end-to-end", False)
    drawn = [render([thing(1, mask, look)], 1.0, (0, 0, 100, 100)) for look in (a, b)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    cyan, magenta = drawn[0] == tint((0, 200, 255), 1.0), drawn[1] == tint((255, 80, 200), 1.0)
    assert cyan.sum() > 100
    assert magenta.sum() > 100
    assert not (cyan & magenta).any()
    # Lines only: the inside stays free.
    assert drawn[0][50, 50] == drawn[1][50, 50] == 0


def test_a_crowd_is_hatched_and_a_box_is_dashed() -> None:
    solid = Mask(0, 0, np.ones((100, 100), bool))
    instance = Instance(1, 1, Box(0, 0, 100, 100), solid, iscrowd=True)
    words = render([(instance, FLAT)], 1.0, (0, 0, 100, 100))
    assert words is not None
    assert 0.4 < (words == RED).mean() < 0.6
    colour = (1, 2, 3)
    box = [thing(1, None, annotated(colour), Box(10, 10, 90.4, 60))]
    words = render(box, 1.0, (0, 0, 100, 100))
    assert words is not None
    rows, columns = np.nonzero(words)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (10, 10, 89, 59)
    assert words[30, 50] == 0
    top = words[10, 10:90] == tint(colour, 1.0)
    assert 0.4 < top.mean() < 0.6


@given(masks(), masks())
def test_what_changed_between_two_masks_is_found_tightly(a, b) -> None:
    window = (-10, -10, 70, 70)
    difference = sample(a, 1.0, window) ^ sample(b, 1.0, window)
    found = changed_pixels(a, b)
    if found is None:
        assert not difference.any()
        return
    x0, y0, x1, y1 = (n + 10 for n in found)
    assert difference[y0:y1, x0:x1].sum() == difference.sum()
    assert difference[y0, x0:x1].any()
    assert difference[y1 - 1, x0:x1].any()
    assert difference[y0:y1, x0].any()
    assert difference[y0:y1, x1 - 1].any()


def test_a_layer_says_what_changed_and_nothing_else() -> None:
    layer = Layer()
    looks = annotated((1, 2, 3)), annotated((4, 5, 6))
    one, two = thing(1, disc(0, 0, 10), looks[0]), thing(2, disc(50, 0, 10), looks[0])
    assert layer.show({1: one, 2: two}) == [(0, 0, 10, 10), (50, 0, 60, 10)]
    assert layer.show({1: one, 2: two}) == []
    bits = two[0].mask.bits.copy()
    bits[5, 5] = False
    stroked = thing(2, Mask(50, 0, bits), looks[0])
    assert layer.show({1: one, 2: stroked}) == [(55, 5, 56, 6)]
    assert set(layer.show({1: one, 2: (stroked[0], looks[1])})) == {(50, 0, 60, 10)}
    assert layer.show({1: one}) == [(50, 0, 60, 10)]


def test_a_layer_without_objects_draws_nothing_and_leaves_nothing_for_later() -> None:
    layer, image = Layer(), QImage(300, 300, QImage.Format.Format_ARGB32_Premultiplied)
    painter, area = QPainter(image), QRect(0, 0, 300, 300)
    layer.show({1: thing(1, disc(0, 0, 10))})
    assert layer.paint(painter, 1.0, area, 1, math.inf).isEmpty()
    layer.show({})
    image.fill(RED)
    before = layer.n_rendered
    assert layer.paint(painter, 1.0, area, 1, 0.0).isEmpty()
    painter.end()
    assert layer.n_rendered == before
    assert {image.pixel(x, 5) for x in range(300)} == {RED}


@pytest.mark.parametrize("again", [(2.0, 1), (1.0, 2)])
def test_at_another_zoom_or_scale_nothing_of_the_former_one_is_left(again) -> None:
    def painted(*ways: tuple[float, int]) -> QImage:
        layer, area = Layer(), QRect(0, 0, 200, 200)
        layer.show({1: thing(1, disc(10, 10, 40), annotated((230, 159, 0)))})
        for zoom, unit_px in ways:
            image = QImage(200, 200, QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(0)
            painter = QPainter(image)
            layer.paint(painter, zoom, area, unit_px, math.inf)
            painter.end()
        return image

    assert painted((1.0, 1), again) == painted(again) != painted((1.0, 1))


class Ticks:
    """A clock that is one on whenever it is looked at."""

    n = 0

    def __call__(self) -> float:
        self.n += 1
        return self.n


def painted(layer: Layer, zoom: float, until: float, left: int = 0) -> tuple[QImage, bool]:
    """A view of 300 px, and whether nothing is left to paint of it."""
    image = QImage(300, 300, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.translate(-left, 0)
    rest = layer.paint(painter, zoom, QRect(left, 0, 300, 300), 1, until)
    painter.end()
    return image, rest.isEmpty()


@pytest.mark.parametrize("meanwhile", ["nothing", "moved", "gone", "cleared", "zoom", "panned"])
def test_a_tile_begun_in_one_frame_is_gone_on_with_in_the_next(meanwhile, monkeypatch) -> None:
    look = annotated((230, 159, 0))
    now = {n: thing(n, disc(9 * n, 7 * n, 30), look) for n in range(20)}
    now[19] = thing(19, disc(280, 7, 30), look)
    now |= {n: thing(n, None, look, Box(5 * n, 100, 5 * n + 40, 150)) for n in range(20, 25)}
    layer, zoom, left, clock = Layer(), 1.0, 0, Ticks()
    layer.show(now)
    monkeypatch.setattr(overlay, "perf_counter", clock)
    image, done = painted(layer, zoom, clock.n + 5)
    assert not done
    assert layer.n_rendered == 0
    if meanwhile == "moved":
        now[2] = thing(2, disc(60, 5, 30), look)
        layer.update({2: now[2]})
    elif meanwhile == "gone":
        layer.update({3: None})
        del now[3]
    elif meanwhile == "cleared":
        layer.clear()
        now = {1: thing(1, disc(3, 5, 30), look)}
        layer.show(now)
    elif meanwhile == "zoom":
        zoom = 0.7
    elif meanwhile == "panned":
        left = 256
    frames = 0
    while not done:
        image, done = painted(layer, zoom, clock.n + 5, left)
        frames += 1
        assert frames < 60
    assert frames > 4 or meanwhile in ("cleared", "panned")
    other = Layer()
    other.show(now)
    assert image == painted(other, zoom, math.inf, left)[0]


def test_a_tile_that_takes_two_frames_shows_its_former_self_in_the_first(monkeypatch) -> None:
    look = annotated((230, 159, 0))
    layer, clock = Layer(), Ticks()
    layer.show({n: thing(n, disc(9 * n, 7 * n, 30), look) for n in range(9)})
    before, _ = painted(layer, 1.0, math.inf)
    layer.update({n: thing(n, disc(9 * n, 9 * n, 30), look) for n in range(9)})
    monkeypatch.setattr(overlay, "perf_counter", clock)
    image, done = painted(layer, 1.0, 5)
    assert not done
    assert image == before
