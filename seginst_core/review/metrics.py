"""How good predictions are: COCO's average precision of boxes, masks and boundaries."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seginst_core.events import Reporter
from seginst_core.review.inputs import Item, Results, Source, Truth, read_predictions, read_truth
from seginst_core.review.ious import (
    LOWEST_IOU,
    Group,
    Key,
    boundary_ious,
    box_ious,
    group_mask_ious,
    groups,
)
from seginst_core.review.matching import Ious, greedy
from seginst_core.review.precision import Precision, precision, scores
from seginst_core.review.schema import MAX_DETS, Measures


def evaluate(truth: Source, predictions: Results, reporter: Reporter | None = None) -> Measures:
    """Return the measures of predictions (COCO results) against the truth (a COCO data set).

    Average precisions are 0..1 and equal pycocotools' on the same file at 1000 predictions an
    image; None where the truth has no object to find. ``boundary`` is the boundary AP of Cheng et
    al. (CVPR 2021). ``mean_iou`` is the mean, over the true objects that have a mask and are no
    crowd, of the mask IoU with the prediction matched to each (same category, best scores first,
    IoU at least 0.5); an object without a match counts as 0. Bad parts of the truth are left out
    and named in the log. DataError with one sentence if a file is malformed beyond that or the
    predictions name anything the truth does not have.
    """
    reporter = reporter or Reporter()
    true_items = read_truth(truth, reporter)
    found = read_predictions(predictions, true_items)
    return analyse(true_items, found, reporter).measures


@dataclass(frozen=True, slots=True)
class Analysis:
    """The measures and what they were made of: groups, their mask IoUs and mask precisions."""

    measures: Measures
    by_key: Mapping[Key, Group]
    ious: Mapping[Key, Ious]
    precision: Precision


def analyse(truth: Truth, found: tuple[Item, ...], reporter: Reporter) -> Analysis:
    """Return the measures of predictions and what they were made of."""
    by_key = groups(truth, found)
    boxes: dict[Key, Ious] = {}
    masks: dict[Key, Ious] = {}
    boundaries: dict[Key, Ious] = {}
    for done, (key, group) in enumerate(by_key.items()):
        reporter.progress(done, len(by_key), "Measuring the overlaps")
        boxes[key] = box_ious(group)
        masks[key] = group_mask_ious(group)
        boundaries[key] = boundary_ious(group, masks[key])
    mask_precision = precision(truth, by_key, masks, "mask")
    measures: Measures = {
        "images": len(truth.images),
        "bbox": scores(precision(truth, by_key, boxes, "box")),
        "segm": scores(mask_precision),
        "boundary": scores(precision(truth, by_key, boundaries, "mask")),
        "mean_iou": mean_iou(by_key, masks),
        "max_dets": MAX_DETS,
    }
    return Analysis(measures, by_key, masks, mask_precision)


def mean_iou(by_key: Mapping[Key, Group], ious: Mapping[Key, Ious]) -> float | None:
    """Return the mean mask IoU of the true objects (see ``evaluate``); None if there are none."""
    found, n_objects = matched_ious(by_key, ious)
    return sum(found) / n_objects if n_objects else None


def matched_ious(by_key: Mapping[Key, Group], ious: Mapping[Key, Ious]) -> tuple[list[float], int]:
    """Return the mask IoU of every true object that was found, and how many there are to find."""
    found: list[float] = []
    n_objects = 0
    for key, group in by_key.items():
        counted = [not (item.iscrowd or item.box_only) for item in group.truth]
        own = ious[key][:, np.array(counted, dtype=bool)]
        taken = greedy(own, np.array([item.score for item in group.found]), [LOWEST_IOU])[0]
        found.extend(float(own[p, t]) for p, t in enumerate(taken) if t >= 0)
        n_objects += sum(counted)
    return found, n_objects
