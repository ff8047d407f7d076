"""The grid covers the image; merging its answers gives every object once, and whole."""

import itertools
import random
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seginst_core.pipelines.tiling import Tile, auto_tiles, merge_tiles, tile_grid
from seginst_core.types import Box, Instance, Mask, Origin

Found = list[tuple[Tile, list[Instance]]]


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(50, 900), st.integers(0, 49))
def test_grid_covers_the_image_with_equal_overlapping_tiles(width, height, tile_px, overlap_px):
    tiles = tile_grid(width, height, tile_px, overlap_px)
    assert {(t.width, t.height) for t in tiles} == {(min(width, tile_px), min(height, tile_px))}
    columns = sorted({(t.x0, t.x1) for t in tiles})
    rows = sorted({(t.y0, t.y1) for t in tiles})
    assert len(tiles) == len(columns) * len(rows) == len(set(tiles))
    for spans, side in ((columns, width), (rows, height)):
        assert (spans[0][0], spans[-1][1]) == (0, side)
        assert all(a[1] - b[0] >= overlap_px for a, b in itertools.pairwise(spans))
        # No tile more than needed.
        assert len(spans) == 1 or tile_px + (len(spans) - 2) * (tile_px - overlap_px) < side


def test_grid_of_a_10000_px_image_is_17_by_17():
    assert len(tile_grid(10_000, 10_000)) == 17 * 17
    assert tile_grid(800, 700) == (Tile(0, 0, 800, 700),)


def test_grid_refuses_an_overlap_as_large_as_the_tile():
    with pytest.raises(ValueError, match="overlap"):
        tile_grid(2000, 2000, 200, 200)


def test_auto_takes_one_tile_until_the_grid_is_worth_it():
    assert auto_tiles(1024, 640) == (Tile(0, 0, 1024, 640),)
    assert auto_tiles(1025, 640) == tile_grid(1025, 640)
    assert len(auto_tiles(520, 100, 400, 100)) == 2


def _instance(mask: Mask, score: float, category_id: int = 1) -> Instance:
    box = Box(mask.x0, mask.y0, mask.x1, mask.y1)
    return Instance(0, category_id, box, mask, score=score, origin=Origin("model", score=score))


def _ellipse(x: float, y: float, a: float, b: float, angle: float = 0.0) -> Mask:
    reach = int(max(a, b)) + 2
    x0, y0 = int(x) - reach, int(y) - reach
    yy, xx = np.mgrid[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    u = (xx - x) * np.cos(angle) + (yy - y) * np.sin(angle)
    v = -(xx - x) * np.sin(angle) + (yy - y) * np.cos(angle)
    return _trim((u / a) ** 2 + (v / b) ** 2 <= 1.0, x0, y0)


def _bar(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), bool))


def _trim(bits: np.ndarray, x0: int, y0: int) -> Mask:
    rows, columns = np.flatnonzero(bits.any(1)), np.flatnonzero(bits.any(0))
    top, left = int(rows[0]), int(columns[0])
    return Mask(x0 + left, y0 + top, bits[top : rows[-1] + 1, left : columns[-1] + 1].copy())


def _seen_in(mask: Mask, tile: Tile) -> Mask | None:
    x0, y0 = max(mask.x0, tile.x0), max(mask.y0, tile.y0)
    x1, y1 = min(mask.x1, tile.x1), min(mask.y1, tile.y1)
    if x0 >= x1 or y0 >= y1:
        return None
    bits = mask.bits[y0 - mask.y0 : y1 - mask.y0, x0 - mask.x0 : x1 - mask.x0]
    return _trim(bits, x0, y0) if bits.any() else None


def _iou(a: Mask, b: Mask) -> float:
    x0, y0 = min(a.x0, b.x0), min(a.y0, b.y0)
    canvas = np.zeros((2, max(a.y1, b.y1) - y0, max(a.x1, b.x1) - x0), bool)
    for layer, mask in zip(canvas, (a, b), strict=True):
        layer[mask.y0 - y0 : mask.y1 - y0, mask.x0 - x0 : mask.x1 - x0] = mask.bits
    return float((canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum())


def _detect(
    truth: list[Mask], tiles: tuple[Tile, ...], *, seed: int = 0, jitter_px: int = 1
) -> Found:
    """What a detector a pixel wrong would say: each tile's view of each object, moved a little."""
    chance = random.Random(seed)
    found: Found = []
    for tile in tiles:
        seen = []
        for mask in truth:
            dx, dy = (chance.randint(-jitter_px, jitter_px) for _ in range(2))
            part = _seen_in(Mask(mask.x0 + dx, mask.y0 + dy, mask.bits), tile)
            if part is not None:
                seen.append(_instance(part, round(chance.uniform(0.3, 1.0), 6)))
        found.append((tile, seen))
    return found


def _assert_same_objects(merged: list[Instance], truth: list[Mask], iou: float) -> None:
    assert len(merged) == len(truth)
    left = list(merged)
    for mask in truth:
        near = [
            one
            for one in left
            if one.mask is not None
            and one.mask.x0 < mask.x1 + 3
            and mask.x0 < one.mask.x1 + 3
            and one.mask.y0 < mask.y1 + 3
            and mask.y0 < one.mask.y1 + 3
        ]
        best = max(near, key=lambda one: _iou(one.mask, mask))
        assert _iou(best.mask, mask) >= iou
        left.remove(best)


@pytest.mark.parametrize("radius", [6, 15, 40, 90, 99])
@pytest.mark.parametrize("seed", [0, 1])
def test_objects_of_any_size_come_back_once_and_whole(radius, seed):
    width, height = 1900, 1300
    chance = random.Random(radius + seed)
    step = 2 * radius + 8
    truth = [
        _ellipse(x, y, radius, chance.uniform(0.7, 1.0) * radius, chance.uniform(0, 3.1))
        for x in range(radius + 4, width - radius - 4, max(step, 60))
        for y in range(radius + 4, height - radius - 4, max(step, 60))
    ]
    found = _detect(truth, tile_grid(width, height), seed=seed)
    assert sum(len(seen) for _, seen in found) > len(truth)
    merged = merge_tiles(found, width, height)
    # A pixel's shift costs a small object more of its area than a large one.
    _assert_same_objects(merged, truth, 0.5 if radius < 10 else 0.75)


def test_objects_at_every_place_across_a_seam_come_back_once_and_whole():
    tiles = tile_grid(1400, 800)
    for left in range(540, 860):
        truth = [_bar(left, 300, left + 60, 330)]
        merged = merge_tiles(_detect(truth, tiles, seed=left), 1400, 800)
        _assert_same_objects(merged, truth, 0.85)


def test_an_object_larger_than_the_overlap_is_united():
    truth = [_bar(500, 300, 950, 360), _bar(30, 30, 90, 90)]
    tiles = tile_grid(1400, 800)
    merged = merge_tiles(_detect(truth, tiles, jitter_px=0), 1400, 800)
    assert {(o.mask.x0, o.mask.x1, o.mask.area) for o in merged} == {
        (500, 950, 450 * 60),
        (30, 90, 3600),
    }
    long = next(one for one in merged if one.mask.x0 == 500)
    assert long.box == Box(500, 300, 950, 360)


def test_a_long_object_is_joined_across_many_tiles():
    width, height = 3200, 1400
    truth = [_ellipse(1600, 700, 1550, 40, 0.3), _ellipse(1600, 700, 1550, 40, -0.3)]
    merged = merge_tiles(_detect([truth[0]], tile_grid(width, height)), width, height)
    _assert_same_objects(merged, truth[:1], 0.9)


def test_the_best_score_is_kept_and_written_into_the_origin():
    tiles = tile_grid(1400, 800)
    halves = [_instance(_bar(500, 0, 800, 50), 0.4), _instance(_bar(600, 0, 950, 50), 0.9)]
    (one,) = merge_tiles([(tiles[0], halves[:1]), (tiles[1], halves[1:])], 1400, 800)
    assert (one.score, one.origin.score) == (0.9, 0.9)


def test_a_whole_sighting_replaces_a_cut_one_of_higher_score():
    left, right = tile_grid(1400, 800)
    cut = _instance(_bar(740, 100, 800, 160), 0.95)
    whole = _instance(_bar(742, 101, 860, 159), 0.6)
    (one,) = merge_tiles([(left, [cut]), (right, [whole])], 1400, 800)
    assert one.mask == whole.mask
    assert one.box == whole.box
    assert one.score == 0.95


def test_a_detector_that_stops_short_of_the_edge_does_not_hide_the_rest():
    left, right = tile_grid(1400, 800)
    short = _instance(_bar(500, 100, 785, 160), 0.99)
    rest = _instance(_bar(600, 100, 990, 160), 0.6)
    (one,) = merge_tiles([(left, [short]), (right, [rest])], 1400, 800)
    assert (one.box.x0, one.box.x1) == (500, 990)


def test_touching_neighbours_stay_apart():
    width, height = 1900, 1300
    truth = [
        _bar(x, y, x + 24, y + 18) for y in range(4, height - 22, 18) for x in range(2, 1870, 24)
    ]
    # Detections shifted by up to a pixel overlap their neighbours by up to two.
    merged = merge_tiles(_detect(truth, tile_grid(width, height)), width, height, limit=10_000)
    assert len(merged) == len(truth)
    assert max(one.mask.area for one in merged) <= 24 * 18


@pytest.mark.parametrize(("radius", "step_px", "rows_px"), [(9, 21, 260), (30, 64, 900)])
def test_touching_round_cells_stay_apart_at_all_scales(radius, step_px, rows_px):
    truth = [
        _ellipse(x + (y // step_px % 2) * radius, y, radius + 1, radius + 1)
        for y in range(radius + 3, rows_px - radius, step_px)
        for x in range(radius + 3, 1360 - 2 * radius, step_px)
    ]
    found = _detect(truth, tile_grid(1400, 1000))
    _assert_same_objects(merge_tiles(found, 1400, 1000), truth, 0.7)


def test_a_small_object_on_a_large_one_is_kept_if_both_tiles_saw_both():
    left, right = tile_grid(1400, 800)
    seen = [_instance(_bar(620, 100, 780, 300), 0.8), _instance(_bar(640, 120, 670, 150), 0.9)]
    other = [_instance(_bar(621, 100, 780, 300), 0.7), _instance(_bar(640, 121, 670, 151), 0.95)]
    merged = merge_tiles([(left, seen), (right, other)], 1400, 800)
    assert sorted(one.mask.area for one in merged) == [900, 160 * 200]


def test_one_blob_in_one_tile_and_two_cells_in_the_other_are_not_all_counted():
    left, right = tile_grid(1400, 800)
    blob = _instance(_bar(680, 100, 720, 120), 0.5)
    cells = [_instance(_bar(680, 100, 700, 120), 0.9), _instance(_bar(700, 100, 720, 120), 0.8)]
    for order in ([(left, [blob]), (right, cells)], [(right, cells), (left, [blob])]):
        merged = merge_tiles(order, 1400, 800)
        assert [one.score for one in merged] == [0.9, 0.8]


def test_a_doubtful_fragment_does_not_replace_the_sure_object():
    left, right = tile_grid(1400, 800)
    cut = _instance(_bar(500, 100, 800, 200), 0.95)
    rest = [_instance(_bar(600, 100, 900, 200), 0.9), _instance(_bar(650, 120, 700, 160), 0.06)]
    merged = merge_tiles([(left, [cut]), (right, rest[1:])], 1400, 800)
    assert [one.mask for one in merged] == [cut.mask]
    merged = merge_tiles([(left, [cut]), (right, rest)], 1400, 800)
    assert merged[0].mask.area == 400 * 100


def test_a_doubtful_blob_does_not_swallow_a_sure_cut_object():
    left, right = tile_grid(1400, 800)
    cell = _instance(_bar(770, 100, 800, 130), 0.9)
    blob = _instance(_bar(640, 60, 1000, 400), 0.06)
    merged = merge_tiles([(left, [cell]), (right, [blob])], 1400, 800)
    assert [one.mask for one in merged] == [cell.mask]


def test_two_pieces_of_one_object_in_a_tile_give_way_to_the_whole():
    left, right = tile_grid(1400, 800)
    whole = np.ones((120, 150), bool)
    whole[40:80, :100] = False  # open to the left, where the right tile's edge cuts it
    u = Mask(560, 300, whole)
    pieces = [_bar(600, 300, 660, 340), _bar(600, 380, 660, 420)]
    merged = merge_tiles(
        [(left, [_instance(u, 0.7)]), (right, [_instance(p, 0.9) for p in pieces])], 1400, 800
    )
    assert [one.mask for one in merged] == [u]


def test_other_categories_and_doubles_of_one_tile_are_left_alone():
    left, right = tile_grid(1400, 800)
    bar = _bar(680, 100, 720, 120)
    merged = merge_tiles(
        [(left, [_instance(bar, 0.9, 1), _instance(bar, 0.8, 2)]), (right, [])], 1400, 800
    )
    assert [one.category_id for one in merged] == [1, 2]
    merged = merge_tiles(
        [(left, [_instance(bar, 0.9, 1)]), (right, [_instance(bar, 0.8, 2)])], 1400, 800
    )
    assert len(merged) == 2
    merged = merge_tiles([(left, [_instance(bar, 0.9), _instance(bar, 0.8)])], 1400, 800)
    assert len(merged) == 2


def test_boxes_without_masks_follow_the_same_rules():
    width, height = 1900, 1300
    truth = [_bar(x, y, x + 70, y + 50) for y in range(5, 1240, 60) for x in range(5, 1800, 80)]
    truth[0] = _bar(5, 5, 75, 55)
    found = [
        (tile, [replace(one, mask=None) for one in seen])
        for tile, seen in _detect(truth, tile_grid(width, height))
    ]
    merged = merge_tiles(found, width, height)
    assert all(one.mask is None for one in merged)
    as_masks = [
        replace(one, mask=_bar(int(b.x0), int(b.y0), int(b.x1), int(b.y1)))
        for one in merged
        for b in [one.box]
    ]
    _assert_same_objects(as_masks, truth, 0.85)


def test_the_order_of_tiles_and_instances_does_not_matter():
    truth = [_ellipse(x, y, 45, 20, x) for x in range(60, 1840, 70) for y in range(60, 1240, 50)]
    found = _detect(truth, tile_grid(1900, 1300))
    expected = merge_tiles(found, 1900, 1300)
    for seed in range(3):
        mixed = [(tile, random.Random(seed).sample(seen, len(seen))) for tile, seen in found]
        random.Random(seed).shuffle(mixed)
        assert merge_tiles(mixed, 1900, 1300) == expected


def test_results_are_numbered_by_score_and_capped():
    tile = Tile(0, 0, 500, 500)
    seen = [_instance(_bar(x, 10, x + 5, 15), 1 - x / 1000) for x in range(480, 0, -10)]
    merged = merge_tiles([(tile, seen)], 500, 500, limit=20)
    assert [one.id for one in merged] == list(range(20))
    assert [one.score for one in merged] == sorted((s.score for s in seen), reverse=True)[:20]
    assert merge_tiles([], 500, 500) == []
    assert merge_tiles([(tile, [])], 500, 500) == []


def test_objects_at_the_border_of_the_image_are_whole():
    tiles = tile_grid(1400, 1400)
    truth = [_bar(0, 0, 40, 40), _bar(1360, 690, 1400, 720), _bar(640, 0, 760, 30)]
    merged = merge_tiles(_detect(truth, tiles, jitter_px=0), 1400, 1400)
    assert sorted((o.box.x0, o.box.y0, o.mask.area) for o in merged) == sorted(
        (m.x0, m.y0, m.area) for m in truth
    )


def test_two_thousand_instances_on_169_tiles_take_well_under_a_second():
    side = 800 + 12 * 600
    tiles = tile_grid(side, side)
    assert len(tiles) == 169
    chance = random.Random(5)
    truth = [
        _ellipse(chance.uniform(60, side - 60), chance.uniform(60, side - 60), 45, 30, k)
        for k in range(1400)
    ]
    found = _detect(truth, tiles)
    assert sum(len(seen) for _, seen in found) >= 2000
    seconds = []
    for _ in range(3):
        start = time.process_time()
        merge_tiles(found, side, side)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5
