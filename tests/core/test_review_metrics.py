"""The measures are pycocotools' own, at 1000 detections."""

import copy
import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from seginst_core.errors import Cancelled
from seginst_core.events import Reporter
from seginst_core.review.metrics import evaluate

from .review_scenes import (
    HEIGHT,
    WIDTH,
    coco_scores,
    predictions,
    random_predictions,
    random_truth,
    rectangle,
    truth,
)

SEEDS = range(12)


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name] == (None if value is None else pytest.approx(value, abs=1e-6)), name


@pytest.mark.parametrize("seed", SEEDS)
def test_box_and_mask_ap_are_those_of_pycocotools(seed):
    scene = random_truth(seed)
    found = random_predictions(seed + 100, scene)
    measures = evaluate(scene, found)
    assert_same(measures["bbox"], coco_scores(scene, found, "bbox"))
    assert_same(measures["segm"], coco_scores(scene, found, "segm"))


def test_the_random_scenes_try_every_size_and_crowds():
    scenes = [random_truth(seed) for seed in SEEDS]
    areas = [row["area"] for scene in scenes for row in scene["annotations"]]
    assert min(areas) < 32**2 < 96**2 < max(areas)
    assert any(32**2 < area < 96**2 for area in areas)
    assert any(row["iscrowd"] for scene in scenes for row in scene["annotations"])


@pytest.mark.parametrize("seed", SEEDS)
def test_boundary_ap_is_that_of_the_definition_on_whole_images(seed):
    scene = random_truth(seed)
    found = random_predictions(seed + 100, scene)
    reach_px = max(1, round(0.02 * float(np.hypot(HEIGHT, WIDTH))))
    bands = {}

    def band(row):
        if id(row) not in bands:
            bands[id(row)] = new_band(row)
        return bands[id(row)]

    def new_band(row):
        bits = coco_mask.decode(row["segmentation"])
        framed = cv2.copyMakeBorder(bits, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        inner = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=reach_px)[1:-1, 1:-1]
        return bits - inner

    def ious(evaluation, image_id, category_id, computed):
        true_rows = evaluation._gts[image_id, category_id]
        found_rows = evaluation._dts[image_id, category_id]
        order = np.argsort([-row["score"] for row in found_rows], kind="mergesort")
        result = np.array(computed, dtype=float, copy=True)
        for p, place in enumerate(order):
            for t, row in enumerate(true_rows):
                if not row["iscrowd"]:
                    a, b = band(originals[found_rows[place]["id"]]), band(row_of[row["id"]])
                    either = np.count_nonzero(a | b)
                    share = np.count_nonzero(a & b) / either if either else 0.0
                    result[p, t] = min(result[p, t], share)
        return result

    # pycocotools numbers results from 1 and rewrites their masks.
    originals = {number: row for number, row in enumerate(found, start=1)}
    row_of = {row["id"]: row for row in copy.deepcopy(scene["annotations"])}
    expected = coco_scores(copy.deepcopy(scene), found, "segm", ious)
    assert_same(evaluate(scene, found)["boundary"], expected)


def test_a_boundary_counts_what_a_mask_forgives():
    scene = truth([(1, 1, rectangle(20, 20, 150, 150), False)])
    found = predictions([(1, 1, rectangle(14, 14, 162, 162), 0.9)])
    measures = evaluate(scene, found)
    assert measures["segm"]["AP75"] == 1.0
    assert measures["boundary"]["AP75"] == 0.0


def test_the_truth_itself_is_perfect():
    scene = truth(
        [(1, 1, rectangle(10, 10, 20, 20), False), (2, 2, rectangle(5, 5, 9, 9), False)], 2
    )
    found = predictions(
        [(1, 1, rectangle(10, 10, 20, 20), 0.3), (2, 2, rectangle(5, 5, 9, 9), 0.1)]
    )
    measures = evaluate(scene, found)
    for kind in ("bbox", "segm", "boundary"):
        assert measures[kind]["AP"] == pytest.approx(1.0)
    assert measures["mean_iou"] == 1.0
    assert (measures["images"], measures["max_dets"]) == (2, 1000)


def test_no_predictions_score_zero_and_sizes_without_objects_nothing():
    measures = evaluate(truth([(1, 1, rectangle(10, 10, 20, 20), False)]), [])
    assert measures["segm"] == {
        "AP": 0.0, "AP50": 0.0, "AP75": 0.0, "APs": 0.0, "APm": None, "APl": None
    }  # fmt: skip
    assert measures["mean_iou"] == 0.0


def test_a_truth_without_objects_has_no_scores():
    measures = evaluate(truth([]), predictions([(1, 1, rectangle(0, 0, 9, 9), 0.9)]))
    for kind in ("bbox", "segm", "boundary"):
        assert set(measures[kind].values()) == {None}
    assert measures["mean_iou"] is None


def test_mean_iou_counts_what_was_not_found_as_zero():
    scene = truth(
        [
            (1, 1, rectangle(0, 0, 10, 10), False),
            (1, 1, rectangle(50, 50, 10, 10), False),
            (1, 1, rectangle(100, 100, 60, 60), True),
        ]
    )
    found = predictions([(1, 1, rectangle(0, 0, 10, 8), 0.9), (1, 1, rectangle(0, 0, 10, 10), 0.8)])
    # The better score has the object, though the worse one fits it better.
    assert evaluate(scene, found)["mean_iou"] == pytest.approx((0.8 + 0.0) / 2)


def test_a_prediction_of_another_category_finds_nothing():
    scene = truth([(1, 1, rectangle(0, 0, 10, 10), False)])
    measures = evaluate(scene, predictions([(1, 2, rectangle(0, 0, 10, 10), 0.9)]))
    assert measures["segm"]["AP"] == 0.0
    assert measures["mean_iou"] == 0.0


def test_more_than_a_hundred_objects_in_an_image_count_and_no_more_than_a_thousand():
    places = [(x, y) for x in range(0, WIDTH, 5) for y in range(0, HEIGHT, 5)][:1200]
    scene = truth([(1, 1, rectangle(x, y, 4, 4), False) for x, y in places])
    found = predictions([(1, 1, rectangle(x, y, 4, 4), 0.9) for x, y in places])
    measures = evaluate(scene, found)
    # A recall of 1000 / 1200 reaches 84 of the 101 recalls.
    assert measures["segm"]["AP"] == pytest.approx(84 / 101)
    assert measures["mean_iou"] == pytest.approx(1000 / 1200)


def test_measuring_can_be_cancelled():
    reporter = Reporter()
    reporter.stop.set()
    scene = random_truth(0)
    with pytest.raises(Cancelled):
        evaluate(scene, random_predictions(0, scene), reporter)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["vhr10-airplane", "dsb2018-nuclei"])
def test_real_data_score_as_in_pycocotools(data, name):
    path = data / name / "annotations" / "instances_val.json"
    scene = json.loads(path.read_text(encoding="utf-8"))
    sizes = {row["id"]: (row["height"], row["width"]) for row in scene["images"]}
    random = np.random.default_rng(0)
    found = []
    for row in scene["annotations"]:
        rle = row["segmentation"]
        if isinstance(rle, list):
            rle = coco_mask.merge(coco_mask.frPyObjects(rle, *sizes[row["image_id"]]))
        elif isinstance(rle["counts"], list):
            rle = coco_mask.frPyObjects(rle, *sizes[row["image_id"]])
        shift = (int(random.integers(-2, 3)), int(random.integers(-2, 3)))
        moved = coco_mask.encode(np.asfortranarray(np.roll(coco_mask.decode(rle), shift, (0, 1))))
        found.append(
            {
                "image_id": row["image_id"],
                "category_id": row["category_id"],
                "bbox": coco_mask.toBbox(moved).tolist(),
                "score": float(random.random()),
                "segmentation": {"size": moved["size"], "counts": moved["counts"].decode()},
            }
        )
    measures = evaluate(path, found)
    assert_same(measures["bbox"], coco_scores(scene, found, "bbox"))
    assert_same(measures["segm"], coco_scores(scene, found, "segm"))
