"""Many runs of A, B and C against one truth: means over seeds, and how sure they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypedDict

import numpy as np

from seginst_core.events import JsonValue, Reporter
from seginst_core.review.bootstrap import Ranked, average_precision, can_resample, rank
from seginst_core.review.inputs import Truth, read_predictions, read_truth
from seginst_core.review.ious import LOWEST_IOU, Group, Key
from seginst_core.review.matching import Ious, greedy
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
            _gap(first, second, ranked, truth, reporter)
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
    """Return rows of mean score, part that is right, and number, one for each tenth of scores."""
    scores: list[float] = []
    right: list[bool] = []
    for analysis in analyses:
        for key, group in analysis.by_key.items():
            own = np.array([item.score for item in group.found])
            taken = greedy(analysis.ious[key], own, [LOWEST_IOU])[0]
            scores.extend(own.tolist())
            right.extend(bool(t >= 0) for t in taken)
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
    truth: Truth,
    reporter: Reporter,
) -> Gap:
    n_images = len(truth.images)

    def gained(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        aps = [
            np.mean([average_precision(one, weights) for one in ranked[side]])
            for side in (first, second)
        ]
        return float(aps[1] - aps[0])

    random = np.random.default_rng(0)
    gains = np.empty(N_RESAMPLES)
    for n in range(N_RESAMPLES):
        reporter.progress(n, N_RESAMPLES, f"Resampling the images, {second} against {first}")
        drawn = random.integers(0, n_images, n_images)
        gains[n] = gained(np.bincount(drawn, minlength=n_images).astype(np.float64))
    gains = gains[np.isfinite(gains)]
    whole = gained(np.ones(n_images))
    known = gains.size and can_resample(ranked[first][0])
    low, high = np.percentile(gains, [2.5, 97.5]) if known else (None, None)
    return {
        "of": f"{second} - {first}",
        "segm_AP": whole if np.isfinite(whole) else None,
        "ci95": [None if end is None else float(end) for end in (low, high)],
    }


def _mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    known = [values for values in curves if values]
    return [float(v) for v in np.mean(np.array(known), axis=0)] if known else []
