"""The error budget: TIDE's own totals, and each stage's share of them."""

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from seginst_core.review.compare import compare
from seginst_core.review.faults import budget as budget_module
from seginst_core.review.faults.budget import ERROR_KINDS, Budget, error_budget
from seginst_core.review.faults.confusion import confusion
from seginst_core.review.faults.outlines import outline_faults, poor_outlines
from seginst_core.review.faults.stages import iou_in_box, outline_fault
from seginst_core.review.inputs import Truth, read_predictions, read_truth
from seginst_core.review.ious import item_ious
from seginst_core.review.metrics import evaluate
from seginst_core.types import Box, Mask

from .review_scenes import diamond, predictions, random_predictions, random_truth, rectangle, truth

TIDE_NAMES = {"Cls": "class", "Both": "both", "Dupe": "duplicate", "Bkg": "false", "Miss": "missed"}


def box_ious(found, objects, iscrowd):
    if not found or not objects:
        return np.zeros((len(found), len(objects)))
    boxes = [[list(item.bbox) for item in side] for side in (found, objects)]
    return coco_mask.iou(*boxes, [int(c) for c in iscrowd])


def without_crowds(of: dict) -> Truth:
    """The truth without crowds, and without classes that no true object has."""
    read = read_truth(of)
    return replace(read, items=tuple(i for i in read.items if not i.iscrowd))


def theirs(true: Truth, found, mode: str) -> tuple[float, dict[str, float], dict[str, int]]:
    """TIDE's AP, what mending each kind of error gains, and how many of each there are."""
    tidecv = pytest.importorskip("tidecv")
    data, results = tidecv.Data("truth", 1000), tidecv.Data("found", 1000)
    for image_id in true.images:
        data.add_image(image_id, str(image_id))
    for item in true.items:
        data.add_ground_truth(item.image_id, item.category_id, list(item.bbox), item.rle)
    for item in found:
        box, mask = list(item.bbox), item.rle
        results.add_detection(item.image_id, item.category_id, item.score, box, mask)
    run = tidecv.TIDE().evaluate(data, results, mode=mode)
    gains = {kind.short_name: gain for kind, gain in run.fix_main_errors().items()}
    counts = {kind.short_name: n for kind, n in run.count_errors().items()}
    return run.ap, gains, counts


def same_as_tide(budget: Budget, true: Truth, found, mode: str) -> None:
    ap, gains, counts = theirs(true, found, mode)
    assert 100 * budget.ap == pytest.approx(ap, abs=1e-6)
    for short, kind in TIDE_NAMES.items():
        assert 100 * budget.gains[kind] == pytest.approx(gains[short], abs=1e-6), short
        assert budget.counts[kind] == counts[short], short
    assert 100 * budget.outline == pytest.approx(gains["Loc"], abs=1e-6)
    assert budget.counts["box"] + budget.counts["mask"] == counts["Loc"]


@pytest.mark.parametrize("seed", range(6))
def test_the_totals_are_tides(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # TIDE's recalls are k / 100, which is a rounding error away from COCO's.
    monkeypatch.setattr(budget_module, "RECALLS", np.array([k / 100 for k in range(101)]))
    of = random_truth(seed)
    true = without_crowds(of)
    rows = [row for row in random_predictions(seed + 50, of) if row["category_id"] != 3]
    # TIDE puts equal scores in another order once something is mended.
    rng = np.random.default_rng(seed)
    rows = [{**row, "score": float(rng.random())} for row in rows]
    found = read_predictions(rows, true)
    same_as_tide(error_budget(true, found, item_ious), true, found, "mask")
    same_as_tide(error_budget(true, found, box_ious), true, found, "bbox")


def test_mending_everything_makes_it_perfect() -> None:
    true = read_truth(truth([(1, 1, rectangle(10, 10, 40, 40), False)]))
    found = read_predictions(predictions([(1, 1, rectangle(30, 10, 40, 40), 0.9)]), true)
    for stage in ("box", "mask"):
        poor = poor_outlines(true, found)
        budget = error_budget(true, found, item_ious, faults={(0, 1): stage})
        assert [(p.found.index, p.truth.index) for p in poor] == [(0, 1)]
        assert budget.ap == 0
        assert {k: g for k, g in budget.gains.items() if g} == {stage: 1.0}
        assert budget.outline == 1.0


def test_with_nothing_predicted_everything_is_missed() -> None:
    true = read_truth(truth([(1, 1, rectangle(10, 10, 40, 40), False)]))
    budget = error_budget(true, (), item_ious)
    assert budget.ap == 0
    assert budget.gains["missed"] == 1.0


def test_without_true_objects_there_is_no_budget() -> None:
    true = read_truth(truth([]))
    found = read_predictions(predictions([(1, 1, rectangle(30, 10, 40, 40), 0.9)]), true)
    budget = error_budget(true, found, item_ious)
    assert budget.ap is None
    assert set(budget.gains) == set(ERROR_KINDS)
    assert not any(budget.gains.values())


@pytest.mark.parametrize("listed", [1, -1])
def test_the_ap_is_the_one_that_evaluate_reports(listed: int) -> None:
    """Also where scores are equal and images are listed in any order."""
    of = random_truth(3)
    of["images"] = of["images"][::listed]
    rows = [{**row, "score": round(row["score"], 1)} for row in random_predictions(4, of)]
    true = read_truth(of)
    budget = error_budget(true, read_predictions(rows, true), item_ious)
    assert budget.ap == pytest.approx(evaluate(of, rows)["segm"]["AP50"], abs=1e-9)


def test_iou_in_box_is_what_a_perfect_mask_stage_could_reach() -> None:
    mask = Mask(10, 20, np.ones((10, 10), np.bool_))
    assert iou_in_box(mask, Box(0, 0, 100, 100)) == 1.0
    assert iou_in_box(mask, Box(10, 20, 15, 30)) == 0.5
    assert iou_in_box(mask, Box(10.4, 20, 14.6, 30)) == 0.5
    assert iou_in_box(mask, Box(50, 50, 60, 60)) == 0.0


@pytest.mark.parametrize(
    ("own", "with_true_mask", "box_overlap", "with_true_box", "fault"),
    [
        (0.6, 0.9, 0.6, 0.9, None),
        (0.3, 0.4, 0.4, 0.9, "box"),
        (0.3, 0.4, 0.4, 0.2, "box"),
        (0.3, 0.9, 0.6, 0.3, "mask"),
        (0.3, 0.9, 0.6, 0.7, "box"),
        (0.3, 1.0, 0.9, 0.9, "mask"),
        (0.3, 0.4, 0.4, None, "box"),
        (0.3, 0.9, 0.6, None, "mask"),
        (0.3, 0.9, 0.4, None, "box"),
    ],
)
def test_the_stage_at_fault(own, with_true_mask, box_overlap, with_true_box, fault) -> None:
    assert outline_fault(own, with_true_mask, box_overlap, with_true_box) == fault


def test_the_mask_stage_is_asked_once_an_image_with_the_true_boxes() -> None:
    objects = [(1, 1, rectangle(10, 10, 40, 40), False), (2, 1, rectangle(60, 60, 40, 40), False)]
    true = read_truth(truth(objects, n_images=2))
    rows = [(1, 1, rectangle(25, 10, 40, 40), 0.9), (2, 1, rectangle(60, 60, 40, 10), 0.8)]
    found = read_predictions(predictions(rows), true)
    asked = []

    def draw(image, boxes):
        asked.append((image.id, boxes))
        return [Mask(10, 10, np.ones((40, 40), np.bool_)) for _ in boxes]

    faults = outline_faults(true, poor_outlines(true, found), draw)
    assert asked == [(1, [Box(10, 10, 50, 50)]), (2, [Box(60, 60, 100, 100)])]
    assert faults == {(0, 1): "box", (1, 2): "box"}
    # The second box lets a quarter through, so it is at fault whatever the mask stage draws.


def test_confusion_counts_every_object_and_every_prediction_once() -> None:
    objects = [
        (1, 1, rectangle(10, 10, 40, 40), False),
        (1, 2, rectangle(60, 10, 40, 40), False),
        (1, 2, rectangle(110, 10, 40, 40), False),
    ]
    rows = [
        (1, 1, rectangle(10, 10, 40, 40), 0.9),
        (1, 1, rectangle(60, 10, 40, 40), 0.9),
        (1, 2, rectangle(10, 100, 40, 40), 0.9),
        (1, 2, rectangle(110, 10, 40, 40), 0.3),
    ]
    true = read_truth(truth(objects))
    table = confusion(true, read_predictions(predictions(rows), true))
    assert table["names"] == ["plane", "ship"]
    assert table["counts"] == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]


def test_confusion_leaves_out_objects_known_only_by_their_box() -> None:
    """A diamond, which covers half of its box, and a square beside it."""
    objects = [(1, 1, rectangle(10, 10, 41, 41), False), (1, 2, rectangle(60, 10, 40, 40), False)]
    rows = [(1, 1, diamond(30, 30, 20), 0.9), (1, 2, rectangle(60, 10, 40, 40), 0.9)]
    scene = truth(objects)
    del scene["annotations"][0]["segmentation"]
    true = read_truth(scene)
    table = confusion(true, read_predictions(predictions(rows), true))
    assert table["counts"] == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_the_comparison_holds_budgets_and_confusions() -> None:
    of = random_truth(1)
    report = compare(of, random_predictions(2, of), random_predictions(3, of), n_resamples=10)
    for side in ("a", "b"):
        assert report["budget"][side]["by_substitution"] is False
        assert report["budget"][side]["ap"] == pytest.approx(report[side]["segm"]["AP50"])
        n_true = sum(sum(row) for row in report["confusion"][side]["counts"][:-1])
        assert n_true == sum(not row["iscrowd"] for row in of["annotations"])
