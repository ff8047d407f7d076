"""Whatever the batches and the order of the tiles, a pipeline says the same."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from seginst_core.engines.batches import Batches
from seginst_core.errors import ModelError
from seginst_core.events import Reporter
from seginst_core.masks.geometry import iou
from seginst_core.pipelines import drawing
from seginst_core.pipelines.detect import detect_tiles
from seginst_core.pipelines.load import load_pipeline
from seginst_core.pipelines.tiling import tile_grid
from seginst_core.types import Runtime

from .detect_scenes import STARTERS, airfield

SCORE = 0.3
TILE_PX = 224


@pytest.fixture(scope="module")
def image():
    return airfield(480, 1)


@pytest.fixture(scope="module")
def pipelines():
    """Both, their masks in floats; those in integers have a test of their own."""
    names = ("airplane-end-to-end", "airplane-two-stage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "can_use_int8", lambda: False)
        return {name: load_pipeline(STARTERS / name, "cpu") for name in names}


def assert_same(first, second):
    """The tolerance that ``detect_tiles`` states, and masks that differ by a few edge pixels."""
    assert len(first) == len(second) > 3
    for one in first:
        other = max(second, key=lambda found: iou(found.mask, one.mask))
        assert iou(other.mask, one.mask) > 0.98
        sides = [(b.x0, b.y0, b.x1, b.y1) for b in (one.box, other.box)]
        assert np.abs(np.subtract(*sides)).max() < 0.5
        assert abs(one.score - other.score) < 0.02


@pytest.mark.parametrize("name", ["airplane-end-to-end", "airplane-two-stage"])
def test_any_batch_sizes_give_the_same_objects(name, image, pipelines):
    pipeline = pipelines[name]
    pipeline.tiles.at_once = 1
    alone = pipeline.predict(image, score=SCORE, tile=TILE_PX)
    pipeline.tiles.at_once = 4
    if name == "airplane-two-stage":
        pipeline.crops.at_once = 3
    assert_same(alone, pipeline.predict(image, score=SCORE, tile=TILE_PX))


def test_masks_in_integers_differ_by_a_few_edge_pixels_more():
    """Boxes that differ by hundredths of a pixel move the edges of wings that are 5 px wide."""
    pipeline = load_pipeline(STARTERS / "airplane-two-stage", "cpu")
    ious = []
    for seed in (1, 2, 3, 4):
        picture = airfield(480, seed)
        pipeline.tiles.at_once, pipeline.crops.at_once = 1, 8
        alone = pipeline.predict(picture, score=SCORE, tile=TILE_PX)
        pipeline.tiles.at_once, pipeline.crops.at_once = 4, 3
        batched = pipeline.predict(picture, score=SCORE, tile=TILE_PX)
        assert len(alone) == len(batched)
        ious += [max(iou(other.mask, one.mask) for other in batched) for one in alone]
    assert len(ious) > 10
    assert min(ious) > 0.95
    assert np.mean(ious) > 0.985


def test_any_order_of_the_tiles_gives_the_same_detections(image, pipelines):
    network = pipelines["airplane-end-to-end"].network
    tiles = tile_grid(480, 480, TILE_PX, 56)
    assert len(tiles) > 4

    def detected(order, at_once):
        found = detect_tiles(
            network,
            image,
            order,
            input_scale=1.0,
            score=SCORE,
            batches=Batches(at_once),
            reporter=Reporter(),
        )
        return {tile: (answer.boxes, answer.scores) for tile, answer in found}

    forward = detected(tiles, 1)
    assert sum(len(boxes) for boxes, _ in forward.values()) > 5
    for other in (detected(tiles[::-1], 1), detected(tiles[::-1], 3)):
        for tile, (boxes, scores) in forward.items():
            assert other[tile][0].shape == boxes.shape
            assert np.allclose(other[tile][0], boxes, atol=0.5)
            assert np.allclose(other[tile][1], scores, atol=0.02)


@pytest.mark.parametrize("name", ["airplane-end-to-end", "airplane-two-stage"])
def test_memory_that_runs_out_costs_time_alone_and_is_in_the_log(
    name, image, pipelines, monkeypatch
):
    pipeline = pipelines[name]
    pipeline.tiles.at_once = 1
    plain = pipeline.predict(image, score=SCORE, tile=TILE_PX)
    detect = type(pipeline.network).detect

    def cramped(self, images, score):
        if len(images) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return detect(self, images, score)

    monkeypatch.setattr(type(pipeline.network), "detect", cramped)
    pipeline.tiles.at_once = 4
    events = []
    found = pipeline.predict(image, score=SCORE, tile=TILE_PX, reporter=Reporter(events.append))
    assert_same(plain, found)
    said = [event["text"] for event in events if event["event"] == "log"]
    assert said == [
        "Memory ran out with 4 at once; going on with 2.",
        "Memory ran out with 2 at once; going on with 1.",
    ]
    assert pipeline.tiles.at_once == 1


def test_a_mask_leaves_the_detector_s_box_and_never_a_given_one(image, pipelines):
    def everything(crops):
        return torch.ones(len(crops), *crops.shape[2:])

    sees_all = replace(pipelines["airplane-two-stage"], draw=everything)
    found = [one for one in sees_all.predict(image, score=SCORE, tile=None) if off_edges(one.box)]
    assert len(found) > 3
    for one in found:
        reach = min(one.box.x0 - one.mask.x0, one.mask.x1 - one.box.x1)
        assert reach == pytest.approx(sees_all.config.margin * one.box.width, abs=1.5)
        assert reach > 2
    boxes = [one.box for one in found]
    free = sees_all.masks_in_boxes(image, boxes, guessed=True)
    assert [mask.bits.shape for mask in free] == [one.mask.bits.shape for one in found]
    for box, mask in zip(boxes, sees_all.masks_in_boxes(image, boxes), strict=True):
        assert (mask.x0, mask.y0) == (int(box.x0), int(box.y0))
        assert (mask.x1, mask.y1) == (math.ceil(box.x1), math.ceil(box.y1))


def off_edges(box):
    """Whether the box and its margin lie inside an image of 480 px."""
    return min(box.x0, box.y0) > 40 and max(box.x1, box.y1) < 440


def test_fewer_levels_draw_nearly_the_same_and_too_many_are_refused(image):
    folder = STARTERS / "airplane-two-stage"
    whole = load_pipeline(folder, "cpu")
    boxes = [found.box for found in whole.predict(image, score=SCORE, tile=None)]
    assert len(boxes) > 3
    deepest = len(whole.config.widths) - 1
    drawn = {
        levels: load_pipeline(folder, Runtime("cpu", levels=levels)).masks_in_boxes(image, boxes)
        for levels in (1, deepest)
    }
    full = whole.masks_in_boxes(image, boxes)
    assert min(iou(a, b) for a, b in zip(full, drawn[deepest], strict=True)) > 0.99
    rough = [iou(a, b) for a, b in zip(full, drawn[1], strict=True)]
    assert 0.5 < np.median(rough) < 0.99
    with pytest.raises(ModelError, match=rf"has {deepest} levels to draw with, not {deepest + 1}"):
        load_pipeline(folder, Runtime("cpu", levels=deepest + 1))
    with pytest.raises(ModelError, match="no nested U-Net whose levels"):
        load_pipeline(STARTERS / "airplane-end-to-end", Runtime("cpu", levels=1))
