"""Two sets of predictions measured against one truth, and how sure their difference is."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from seginst_core.events import Reporter
from seginst_core.review.bootstrap import difference_interval, rank
from seginst_core.review.cases import list_cases
from seginst_core.review.faults.budget import error_budget
from seginst_core.review.faults.confusion import confusion
from seginst_core.review.faults.outlines import DrawInBoxes, outline_faults, poor_outlines
from seginst_core.review.inputs import (
    Item,
    Results,
    Source,
    Truth,
    read_predictions,
    read_truth,
)
from seginst_core.review.ious import item_ious
from seginst_core.review.metrics import Analysis, analyse
from seginst_core.review.precision import curve
from seginst_core.review.schema import (
    CASE_IOU,
    CASE_SCORE,
    Correction,
    Curve,
    ErrorBudget,
    Report,
)

CURVE_THRESHOLDS = {0.5: 0, 0.75: 5}
"""IoU threshold of a drawn curve -> its place among COCO's ten."""

METHOD = (
    "The images are drawn again with replacement, as many as there are, and the mask AP of A and "
    "of B is computed anew on the same draw; the interval holds the middle 95 % of the differences."
)


def compare(
    truth: Source,
    a: Results,
    b: Results,
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    reporter: Reporter | None = None,
    draw_a: DrawInBoxes | None = None,
    corrections: Sequence[Correction] = (),
    names: Mapping[str, str] | None = None,
) -> Report:
    """Return ``report.json`` of predictions A and B: measures, difference, curves and cases.

    The difference is mask AP of B minus that of A, with the 95 % percentile interval of a
    bootstrap over images. Both are None where the truth has no objects, the interval also where
    too few images have any. With ``draw_a``, the mask stage of A, its poor outlines are told apart
    by drawing in the true boxes. ``corrections`` are what objects cost that were taken over before;
    ``names`` what "truth", "a" and "b" are called, by default as their files. DataError as
    ``evaluate``.
    """
    reporter, names = reporter or Reporter(), names or {}
    true_items = read_truth(truth, reporter)
    found_a, found_b = read_predictions(a, true_items), read_predictions(b, true_items)
    analysis_a = analyse(true_items, found_a, reporter)
    analysis_b = analyse(true_items, found_b, reporter)
    image_ids = list(true_items.images)
    interval = difference_interval(
        [rank(image_ids, analysis_a.by_key, analysis_a.ious)],
        [rank(image_ids, analysis_b.by_key, analysis_b.ious)],
        len(image_ids),
        n_resamples=n_resamples,
        seed=seed,
        reporter=reporter,
    )
    ap_a, ap_b = analysis_a.measures["segm"]["AP"], analysis_b.measures["segm"]["AP"]
    return {
        "names": {
            "truth": names.get("truth") or _name(truth, "the truth"),
            "a": names.get("a") or _name(a, "predictions A"),
            "b": names.get("b") or _name(b, "predictions B"),
        },
        "a": analysis_a.measures,
        "b": analysis_b.measures,
        "difference": {
            "segm_AP": None if ap_a is None or ap_b is None else ap_b - ap_a,
            "ci95": list(interval) if interval else [None, None],
            "of": "b - a",
            "method": METHOD,
            "resamples": n_resamples,
            "seed": seed,
        },
        "cases": list_cases(true_items, found_a, found_b, reporter),
        "curves": _curves(analysis_a, analysis_b),
        "budget": {
            "a": _budget(true_items, found_a, draw_a, reporter),
            "b": _budget(true_items, found_b, None, reporter),
        },
        "confusion": {
            "a": confusion(true_items, found_a),
            "b": confusion(true_items, found_b),
        },
        "images": [
            {"id": ref.id, "file_name": ref.path or f"image {ref.id}"}
            for ref in true_items.images.values()
        ],
        "box_only": [item.index for item in true_items.items if item.box_only],
        "corrections": list(corrections),
        "case_iou": CASE_IOU,
        "case_score": CASE_SCORE,
    }


def _budget(
    truth: Truth, found: tuple[Item, ...], draw: DrawInBoxes | None, reporter: Reporter
) -> ErrorBudget:
    reporter.progress(0, 1, "Finding the stage at fault")
    faults = outline_faults(truth, poor_outlines(truth, found), draw)
    budget = error_budget(truth, found, item_ious, faults=faults)
    return {
        "iou": CASE_IOU,
        "ap": budget.ap,
        "gains": {str(kind): gain for kind, gain in budget.gains.items()},
        "counts": {str(kind): n for kind, n in budget.counts.items()},
        "outline": budget.outline,
        "by_substitution": draw is not None,
    }


def _name(source: Source | Results, otherwise: str) -> str:
    if not isinstance(source, Path):
        return otherwise
    # A file's name may be any bytes, but JSON and HTML are UTF-8.
    return os.fsencode(source.name).decode("utf-8", "replace")


def _curves(a: Analysis, b: Analysis) -> list[Curve]:
    return [
        {"iou": iou, "a": curve(a.precision, place), "b": curve(b.precision, place)}
        for iou, place in CURVE_THRESHOLDS.items()
    ]
