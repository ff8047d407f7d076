"""How sure a difference is: the bootstrap over images.

Matching is done once. A resample only counts each image as often as it was drawn, so an average
precision costs two cumulative sums over the predictions; both models see the same draws.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from seginst_core.events import Reporter
from seginst_core.review.inputs import Item
from seginst_core.review.ious import Group, Key
from seginst_core.review.matching import Ious, greedy
from seginst_core.types import BoolArray

FEW_IMAGES = 5
"""With fewer that hold an object to find, a resample of the images says nothing."""
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)

Weights = npt.NDArray[np.float64]
"""How often each image counts, ``(n_images,)``."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One category's predictions by falling score, at 10 IoU thresholds.

    ``image`` is each prediction's row in the weights ``(D,)``. ``counted`` says where it is not
    ignored, ``(10, D)`` or ``(1, D)`` if that is the same at all thresholds. ``places`` are the
    predictions that hit at any threshold ``(H,)``, ``hit`` says at which ``(10, H)``: only there
    can precision or recall rise. ``n_truth`` counts the true objects of each image ``(n_images,)``.
    """

    image: npt.NDArray[np.intp]
    counted: BoolArray
    places: npt.NDArray[np.intp]
    hit: BoolArray
    n_truth: Weights


def rank(
    image_ids: Sequence[int], by_key: Mapping[Key, Group], ious: Mapping[Key, Ious]
) -> list[Ranked]:
    """Match every group at every threshold and line up each category's predictions by score."""
    row_of = {image_id: row for row, image_id in enumerate(image_ids)}
    by_category: dict[int, list[Key]] = {}
    for key in sorted(by_key):
        by_category.setdefault(key[1], []).append(key)
    return [_rank_category(keys, by_key, ious, row_of) for keys in by_category.values()]


def average_precision(ranked: Sequence[Ranked], weights: Weights) -> float:
    """Return COCO's AP with each image counted ``weights`` times; NaN without true objects."""
    per_category = [ap for ap in (_category_ap(r, weights) for r in ranked) if ap is not None]
    return float(np.mean(per_category)) if per_category else float("nan")


def mean_precision(runs: Sequence[Sequence[Ranked]], weights: Weights) -> float:
    """Return the mean AP of runs with each image counted ``weights`` times."""
    return float(np.mean([average_precision(ranked, weights) for ranked in runs]))


def difference_interval(
    a: Sequence[Sequence[Ranked]],
    b: Sequence[Sequence[Ranked]],
    n_images: int,
    *,
    n_resamples: int,
    seed: int,
    reporter: Reporter,
) -> tuple[float, float] | None:
    """Return the 95 % interval of AP(b) - AP(a) over resamples of the images (``ends_of_95``).

    Each side is one run or several, whose APs are averaged within each resample. None if fewer
    than ``FEW_IMAGES`` images have a true object.
    """
    n_truth = sum((one.n_truth for one in a[0]), np.zeros(n_images))
    n_with_objects = int(np.count_nonzero(n_truth))
    if n_with_objects < FEW_IMAGES:
        return None
    random = np.random.default_rng(seed)
    gains = np.empty(n_resamples)
    for n in range(n_resamples):
        reporter.progress(n, n_resamples, "Resampling the images")
        drawn = random.integers(0, n_images, n_images)
        weights = np.bincount(drawn, minlength=n_images).astype(np.float64)
        gains[n] = mean_precision(b, weights) - mean_precision(a, weights)
    gains = gains[np.isfinite(gains)]
    low, high = np.percentile(gains, ends_of_95(n_with_objects))
    return float(low), float(high)


def ends_of_95(n: int) -> tuple[float, float]:
    """Return which percentiles of the resamples bound a 95 % interval, given ``n`` observations.

    2.5 and 97.5 make it too narrow where they are few; these are those of the expanded percentile
    interval (Hesterberg 2015, "What Teachers Should Know About the Bootstrap"), with Student's
    quantile by Abramowitz and Stegun 1964, 26.7.5. ``n`` is 3 at least.
    """
    z, nu = NormalDist().inv_cdf(0.975), n - 1
    student = (
        z
        + (z**3 + z) / (4 * nu)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * nu**3)
    )
    low = 100 * NormalDist().cdf(-student * math.sqrt(n / nu))
    return low, 100 - low


def _rank_category(
    keys: Sequence[Key],
    by_key: Mapping[Key, Group],
    ious: Mapping[Key, Ious],
    row_of: Mapping[int, int],
) -> Ranked:
    n_truth = np.zeros(len(row_of))
    images, scores, hits, ignored = [], [], [], []
    for key in keys:
        group = by_key[key]
        row = row_of[key[0]]
        n_truth[row] += sum(not _is_ignored(item) for item in group.truth)
        images += [row] * len(group.found)
        scores += [item.score for item in group.found]
        hit, skip = match(group, ious[key])
        hits.append(hit)
        ignored.append(skip)
    order = np.argsort(-np.array(scores), kind="stable")
    all_hits = np.concatenate(hits, axis=1)[:, order]
    counted = ~np.concatenate(ignored, axis=1)[:, order]
    places = np.flatnonzero(all_hits.any(axis=0))
    return Ranked(
        image=np.array(images, dtype=np.intp)[order],
        counted=counted[:1] if counted.all() else counted,
        places=places,
        hit=all_hits[:, places],
        n_truth=n_truth,
    )


def _is_ignored(item: Item) -> bool:
    return item.iscrowd or item.box_only


def match(group: Group, ious: Ious) -> tuple[BoolArray, BoolArray]:
    """Return which predictions hit and which are ignored, each ``(10, n_found)``."""
    crowd = np.array([_is_ignored(item) for item in group.truth], dtype=bool)
    found_scores = np.array([item.score for item in group.found])
    hit = greedy(ious[:, ~crowd], found_scores, THRESHOLDS) >= 0
    if not crowd.any() or not group.found:
        return hit, np.zeros_like(hit)
    in_crowd = ious[:, crowd].max(axis=1) >= THRESHOLDS[:, None]
    return hit, in_crowd & ~hit


def _category_ap(ranked: Ranked, weights: Weights) -> float | None:
    n_truth = float(weights @ ranked.n_truth)
    if n_truth == 0:
        return None
    counts = weights[ranked.image]
    hits = np.cumsum(ranked.hit * counts[ranked.places], axis=1)
    so_far = np.cumsum(ranked.counted * counts, axis=1)[:, ranked.places]
    precisions = hits / np.maximum(so_far, 1.0)
    # Precision at a recall is the best at that recall or any higher.
    best = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    recalls = hits / n_truth
    total = 0.0
    for threshold in range(len(THRESHOLDS)):
        places = np.searchsorted(recalls[threshold], RECALLS, side="left")
        total += float(best[threshold][places[places < best.shape[1]]].sum())
    return total / (len(THRESHOLDS) * len(RECALLS))
