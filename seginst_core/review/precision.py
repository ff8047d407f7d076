"""Average precision as COCO defines it, by faster-coco-eval."""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from seginst_core.review.inputs import Item, Truth
from seginst_core.review.ious import Group, Key
from seginst_core.review.matching import Ious
from seginst_core.review.schema import MAX_DETS, SCORE_NAMES, Scores

Precision = npt.NDArray[np.float64]
"""``(10 IoU thresholds, 101 recalls, categories, 4 sizes)``; -1 where there is no true object."""
Kind = Literal["box", "mask"]
SIZES = ("all", "small", "medium", "large")


def precision(
    truth: Truth, by_key: Mapping[Key, Group], ious: Mapping[Key, Ious], kind: Kind
) -> Precision:
    """Return interpolated precisions from the IoUs of each group (see ``Precision``).

    For masks, true objects known only by their box are neither hits nor misses.
    """
    from faster_coco_eval.core import COCO, COCOeval_faster

    images = [
        {"id": ref.id, "width": ref.width, "height": ref.height} for ref in truth.images.values()
    ]
    categories = [{"id": number, "name": name} for number, name in truth.categories.items()]

    def data_set(rows: Iterable[dict[str, object]]) -> COCO:
        coco = COCO(print_function=_quiet)
        coco.dataset = {
            "images": images,
            "categories": categories,
            # The library numbers from one, since zero means unmatched to it.
            "annotations": [{**row, "id": n} for n, row in enumerate(rows, start=1)],
        }
        coco.createIndex()
        return coco

    true_rows = data_set(_row(item, kind) for group in by_key.values() for item in group.truth)
    found_rows = data_set(_row(item, kind) for group in by_key.values() for item in group.found)
    # The IoUs are given, so for the library everything is a box: it need not decode a mask.
    evaluation = COCOeval_faster(true_rows, found_rows, "bbox", print_function=_quiet)
    evaluation.params.maxDets = [MAX_DETS]
    nothing = np.zeros((0, 0))
    evaluation.computeIoU = lambda image_id, category_id: ious.get((image_id, category_id), nothing)
    evaluation.evaluate()
    evaluation.accumulate()
    result: Precision = np.asarray(evaluation.eval["precision"])[..., 0]
    return result


def scores(precisions: Precision) -> Scores:
    """Return AP, AP50, AP75 and the AP of small, medium and large objects (by COCO's areas)."""
    cuts = (
        precisions[..., 0],
        precisions[:1, ..., 0],
        precisions[5:6, ..., 0],
        *(precisions[..., size] for size in range(1, len(SIZES))),
    )
    return {name: _mean(cut) for name, cut in zip(SCORE_NAMES, cuts, strict=True)}


def curve(precisions: Precision, threshold: int) -> list[float]:
    """Return precision at 101 recalls for one IoU threshold, the mean of the categories."""
    at_recall = precisions[threshold, :, :, 0]
    known = at_recall[:, (at_recall > -1).all(axis=0)]
    return [float(value) for value in known.mean(axis=1)] if known.size else []


def _mean(values: Precision) -> float | None:
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else None


def _row(item: Item, kind: Kind) -> dict[str, object]:
    crowd = item.iscrowd or (kind == "mask" and item.box_only)
    return {
        "image_id": item.image_id,
        "category_id": item.category_id,
        "bbox": list(item.bbox),
        "area": item.area,
        "iscrowd": int(crowd),
        "score": item.score,
    }


def _quiet(text: object) -> None:
    """Keep the library off the standard output, which belongs to the worker's events."""
    del text
