"""Many runs of A, B and C against one truth: means over seeds, and how sure they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypedDict

import numpy as np

from seginst_core.events import JsonValue, Reporter
from seginst_core.review.bootstrap import (
    Ranked,
    difference_interval,
    match,
    mean_precision,
    rank,
)
from seginst_core.review.inputs import read_predictions, read_truth
from seginst_core.review.ious import Group, Key
from seginst_core.review.matching import Ious
from seginst_core.review.metrics import Analysis, analyse, matched_ious
from seginst_core.review.precision import curve
from seginst_core.review.schema import SCORE_NAMES, Measures

N_RESAMPLES = 1000
N_BINS = 10
CURVE_PLACE = 0
"""Of COCO's ten IoU thresholds the one whose curve is drawn: 0.5."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The sum of all losses of the network ``part`` at an iteration."""

    part: str
    iteration: int
    value: float


@dataclass(frozen=True, slots=True)
class SideRun:
    """One side (a, b or c) trained with one seed: its predictions and what they cost.

    ``memory_gb`` is the most memory that predicting took, None if it is not known.
    """

    side: str
    seed: int
    predictions: Path
    losses: Sequence[Loss]
    seconds_per_image: float
    memory_gb: float | None = None


class Spread(TypedDict):
    """A measure over the seeds; the standard deviation is None for a single seed."""

    mean: float | None
    deviation: float | None
    values: list[float | None]


class Gap(TypedDict):
    """What the second side has over the first in mask AP, the mean of the seeds."""

    of: str
    segm_AP: float | None
    ci95: list[float | None]


class RunReport(TypedDict):
    """One side and seed."""

    side: str
    seed: int
    measures: Measures
    dice: float | None
    seconds_per_image: float
    memory_gb: float | None


class StudyReport(TypedDict):
    """``study.json``."""

    settings: Mapping[str, JsonValue]
    sides: dict[str, dict[str, Spread]]
    gaps: list[Gap]
    runs: list[RunReport]
    curves: dict[str, list[float]]
    calibration: dict[str, list[list[float]]]
    losses: dict[str, list[list[float]]]


def summarise(val: Path, runs: Sequence[SideRun], reporter: Reporter) -> StudyReport:
    """Measure every run against the COCO file ``val``; DataError as ``metrics.evaluate``.

    ``gaps`` resample the images (bootstrap, 95 % percentile interval) and average the mask AP
    over the seeds within each draw, so the interval speaks of the images, not of the seeds.
    ``calibration`` holds, for each tenth of scores that has predictions, their mean score, the
    part of them that is right (mask IoU at least 0.5) and their number.
    """
    truth = read_truth(val)
    image_ids = list(truth.images)
    reports: list[RunReport] = []
    ranked: dict[str, list[list[Ranked]]] = {}
    analyses: dict[str, list[Analysis]] = {}
    for run in runs:
        analysis = analyse(truth, read_predictions(run.predictions, truth), reporter)
        analyses.setdefault(run.side, []).append(analysis)
        ranked.setdefault(run.side, []).append(rank(image_ids, analysis.by_key, analysis.ious))
        reports.append(
            {
                "side": run.side,
                "seed": run.seed,
                "measures": analysis.measures,
                "dice": mean_dice(analysis.by_key, analysis.ious),
                "seconds_per_image": run.seconds_per_image,
                "memory_gb": run.memory_gb,
            }
        )
    return {
        "settings": {},
        "sides": {side: _side([r for r in reports if r["side"] == side]) for side in ranked},
        "gaps": [
            _gap(first, second, ranked, len(truth.images), reporter)
            for first, second in combinations(ranked, 2)
        ],
        "runs": reports,
        "curves": {
            side: _mean_curve([curve(a.precision, CURVE_PLACE) for a in some])
            for side, some in analyses.items()
        },
        "calibration": {side: calibration(some) for side, some in analyses.items()},
        "losses": {
            f"{run.side} {run.seed} {part}": [
                [loss.iteration, loss.value] for loss in run.losses if loss.part == part
            ]
            for run in runs
            for part in dict.fromkeys(loss.part for loss in run.losses)
        },
    }


def mean_dice(by_key: Mapping[Key, Group], ious: Mapping[Key, Ious]) -> float | None:
    """Return the mean Dice coefficient of the true objects, 0 for those nobody found."""
    found, n_objects = matched_ious(by_key, ious)
    return sum(2 * iou / (1 + iou) for iou in found) / n_objects if n_objects else None


def calibration(analyses: Sequence[Analysis]) -> list[list[float]]:
    """Return rows of mean score, part that is right, and number, one for each tenth of scores.

    What lies in a crowd is neither right nor wrong.
    """
    scores: list[float] = []
    right: list[bool] = []
    for analysis in analyses:
        for key, group in analysis.by_key.items():
            hit, ignored = (at_each[0] for at_each in match(group, analysis.ious[key]))
            scores += [item.score for item, no in zip(group.found, ignored, strict=True) if not no]
            right += hit[~ignored].tolist()
    bins = np.minimum((np.array(scores) * N_BINS).astype(int), N_BINS - 1)
    rows = []
    for place in range(N_BINS):
        inside = np.flatnonzero(bins == place)
        if inside.size:
            mean = float(np.mean(np.array(scores)[inside]))
            part = float(np.mean(np.array(right)[inside]))
            rows.append([mean, part, float(inside.size)])
    return rows


def _side(reports: Sequence[RunReport]) -> dict[str, Spread]:
    measures = [report["measures"] for report in reports]
    found = {
        f"{kind}_{name}": _spread([values[name] for values in by_kind])
        for kind, by_kind in (
            ("bbox", [m["bbox"] for m in measures]),
            ("segm", [m["segm"] for m in measures]),
            ("boundary", [m["boundary"] for m in measures]),
        )
        for name in SCORE_NAMES
    }
    found["mean_iou"] = _spread([m["mean_iou"] for m in measures])
    found["dice"] = _spread([report["dice"] for report in reports])
    found["seconds_per_image"] = _spread([report["seconds_per_image"] for report in reports])
    found["memory_gb"] = _spread([report["memory_gb"] for report in reports])
    return found


def _spread(values: list[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    return {
        "mean": float(np.mean(known)) if known else None,
        "deviation": float(np.std(known, ddof=1)) if len(known) > 1 else None,
        "values": values,
    }


def _gap(
    first: str,
    second: str,
    ranked: Mapping[str, Sequence[Sequence[Ranked]]],
    n_images: int,
    reporter: Reporter,
) -> Gap:
    a, b, once = ranked[first], ranked[second], np.ones(n_images)
    gained = mean_precision(b, once) - mean_precision(a, once)
    interval = difference_interval(
        a, b, n_images, n_resamples=N_RESAMPLES, seed=0, reporter=reporter
    )
    return {
        "of": f"{second} - {first}",
        "segm_AP": gained if np.isfinite(gained) else None,
        "ci95": list(interval) if interval else [None, None],
    }


def _mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    known = [values for values in curves if values]
    return [float(v) for v in np.mean(np.array(known), axis=0)] if known else []
