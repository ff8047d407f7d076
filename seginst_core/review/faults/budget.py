"""What each kind of mistake costs: the AP to gain if it were never made.

Follows TIDE (Bolya et al., ECCV 2020): every wrong prediction has one kind, each kind is mended in
turn, and what the AP rises by is its share of the budget. TIDE's localisation errors are told
apart by the stage that made them (``stages``); their sum is TIDE's own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from seginst_core.review.inputs import Item, Truth
from seginst_core.review.ious import same_category
from seginst_core.review.matching import Ious
from seginst_core.review.schema import CASE_IOU, CASE_POOR_IOU, MAX_DETS

RECALLS = np.linspace(0.0, 1.0, 101)
ErrorKind = Literal["class", "box", "mask", "both", "duplicate", "false", "missed"]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
Overlaps = Callable[[Sequence[Item], Sequence[Item], Sequence[bool]], Ious]
"""Predictions, true objects, whether each is a crowd -> IoUs ``(n_found, n_truth)``."""
OutlineFaults = Mapping[tuple[int, int], Literal["box", "mask"]]
"""By a prediction's index and a true object's, which stage drew it wrong."""


@dataclass(frozen=True, slots=True)
class Budget:
    """AP at one IoU, 0..1; what it would gain without each kind, and how many there are.

    ``outline`` is the gain if boxes and masks were right, which is less than the sum of both where
    they stand in each other's way.
    """

    ap: float | None
    gains: Mapping[ErrorKind, float]
    counts: Mapping[ErrorKind, int]
    outline: float


_Key = tuple[int, int]
"""A true object: its image's id and its own."""
_Rank = tuple[float, int]
"""What predictions are put in order by: minus the score, then the order they came in."""


@dataclass(slots=True)
class _Wrong:
    """A prediction that is no hit: its kind, and the true object that mending it would hit."""

    kind: ErrorKind
    category_id: int
    rank: _Rank
    mends: _Key | None = None
    mended_category: int = 0


@dataclass(slots=True)
class _Tally:
    """All images: hits as (category, rank), what is wrong, and the true objects."""

    hits: list[tuple[int, _Rank]]
    wrong: list[_Wrong]
    missed: list[int]
    n_truth: defaultdict[int, int]
    best: dict[_Key, _Wrong]


def error_budget(
    truth: Truth,
    found: Iterable[Item],
    overlaps: Overlaps,
    *,
    faults: OutlineFaults | None = None,
) -> Budget:
    """Return what predictions lose by each kind of mistake, at a mask or box IoU of CASE_IOU.

    Without an answer in ``faults`` an outline that is wrong counts as the mask stage's. Categories
    without a true object do not count, as in COCO's AP; in TIDE they count as 0. Objects known
    only by their box are crowds: neither to be found nor falsely found.
    """
    tally = _Tally([], [], [], defaultdict(int), {})
    true_items, found_items = defaultdict(list), defaultdict(list)
    for item in truth.items:
        true_items[item.image_id].append(item)
    for item in found:
        found_items[item.image_id].append(item)
    for image_id in sorted(truth.images):
        _look(tally, true_items[image_id], found_items[image_id], overlaps, faults or {})
    ap = _ap(tally, frozenset())

    def gain(*kinds: ErrorKind) -> float:
        mended = _ap(tally, frozenset(kinds))
        if ap is None:
            return 0.0
        return max((1.0 if mended is None else mended) - ap, 0.0)

    counts = {kind: sum(w.kind == kind for w in tally.wrong) for kind in ERROR_KINDS}
    counts["missed"] = len(tally.missed)
    return Budget(ap, {kind: gain(kind) for kind in ERROR_KINDS}, counts, gain("box", "mask"))


def _look(
    tally: _Tally,
    truth: Sequence[Item],
    found: Sequence[Item],
    overlaps: Overlaps,
    faults: OutlineFaults,
) -> None:
    """Sort the predictions of one image."""
    objects = [item for item in truth if not (item.iscrowd or item.box_only)]
    crowds = [item for item in truth if item.iscrowd or item.box_only]
    ranked = sorted(found, key=lambda item: -item.score)[:MAX_DETS]
    for item in objects:
        tally.n_truth[item.category_id] += 1
    ious = overlaps(ranked, objects, [False] * len(objects))
    same = same_category(ranked, objects)
    own, other = ious * same, ious * ~same
    taken = _match(own)
    used = np.zeros(len(objects), dtype=bool)
    used[taken[taken >= 0]] = True
    in_crowd = overlaps(ranked, crowds, [True] * len(crowds)) * same_category(ranked, crowds)
    mendable: set[_Key] = set()
    for p, item in enumerate(ranked):
        rank = -item.score, len(tally.hits) + len(tally.wrong)
        if taken[p] >= 0:
            tally.hits.append((item.category_id, rank))
        elif not (crowds and in_crowd[p].max() > CASE_IOU):
            wrong = _sort(p, item, rank, objects, ious, own, other, used, faults)
            tally.wrong.append(wrong)
            if wrong.mends is not None:
                mendable.add(wrong.mends)
                best = tally.best.get(wrong.mends)
                # Only one prediction can become an object's hit: the surest one.
                if best is None or wrong.rank < best.rank:
                    tally.best[wrong.mends] = wrong
    tally.missed += [
        item.category_id
        for t, item in enumerate(objects)
        if not used[t] and _key(item) not in mendable
    ]


def _sort(
    p: int,
    item: Item,
    rank: _Rank,
    objects: Sequence[Item],
    ious: Ious,
    own: Ious,
    other: Ious,
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
    faults: OutlineFaults,
) -> _Wrong:
    """Return what kind of mistake a prediction is, in TIDE's order of questions."""
    category = item.category_id
    if not objects:
        return _Wrong("false", category, rank)
    nearest = int(own[p].argmax())
    if CASE_POOR_IOU <= own[p, nearest] <= CASE_IOU:
        stage = faults.get((item.index, objects[nearest].index), "mask")
        mends = None if used[nearest] else _key(objects[nearest])
        return _Wrong(stage, category, rank, mends, category)
    stranger = int(other[p].argmax())
    if other[p, stranger] >= CASE_IOU:
        mends = None if used[stranger] else _key(objects[stranger])
        return _Wrong("class", category, rank, mends, objects[stranger].category_id)
    if (own[p] * used).max() >= CASE_IOU:
        return _Wrong("duplicate", category, rank)
    return _Wrong("false" if ious[p].max() <= CASE_POOR_IOU else "both", category, rank)


def _key(item: Item) -> _Key:
    return item.image_id, item.index


def _match(own: Ious) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return which object each prediction takes, best scores first; -1 for none."""
    taken = np.full(len(own), -1, dtype=np.intp)
    if own.size:
        left = own.copy()
        for p in np.flatnonzero(own.max(axis=1) >= CASE_IOU):
            t = int(left[p].argmax())
            if left[p, t] >= CASE_IOU:
                taken[p] = t
                left[:, t] = 0.0
    return taken


def _ap(tally: _Tally, mended: frozenset[ErrorKind]) -> float | None:
    """Return the AP with some kinds of mistakes mended; None without a true object."""
    points: defaultdict[int, list[tuple[_Rank, bool]]] = defaultdict(list)
    for category, rank in tally.hits:
        points[category].append((rank, True))
    for wrong in tally.wrong:
        if wrong.kind not in mended:
            points[wrong.category_id].append((wrong.rank, False))
        elif wrong.mends is not None and tally.best[wrong.mends] is wrong:
            points[wrong.mended_category].append((wrong.rank, True))
    n_truth = dict(tally.n_truth)
    if "missed" in mended:
        for category in tally.missed:
            n_truth[category] -= 1
    # A category of which nothing is left to find and nothing was found does not count.
    values = [_category_ap(points[c], n) for c, n in n_truth.items() if n or points[c]]
    return float(np.mean(values)) if values else None


def _category_ap(points: Sequence[tuple[_Rank, bool]], n_truth: int) -> float:
    """Return the mean of the interpolated precision at 101 recalls, as COCO takes it."""
    if not n_truth or not points:
        return 0.0
    hits = np.cumsum([hit for _, hit in sorted(points)])
    precisions = hits / np.arange(1, len(points) + 1)
    best = np.maximum.accumulate(precisions[::-1])[::-1]
    places = np.searchsorted(hits / n_truth, RECALLS, side="left")
    return float(best[places[places < len(best)]].sum() / 101)
