"""Before and after on the frozen hold-out: a new model goes live only if it is better.

Both models are measured by the same code on the same images; where the truth is the former model's
own outline, which nobody corrected, the new one is forgiven what people let stand
(``training.untouched``). With five or more that hold an object to score on, the verdict is that of
a bootstrap over images (Efron and Tibshirani 1993, chapter 13) of the difference in mask AP: better
if its whole 95 % interval is above zero, worse if it is below. With fewer, a resample of images
says nothing; then the objects speak: the verdict follows the mask AP only if objects that moved its
way outnumber the others by more than chance would (a one-sided sign test over the objects whose IoU
changed by ``NOTICED_IOU`` or more, at ``SIGN_LEVEL``). Objects of one image tend to move together,
so they count as fewer: as many as their number over the design effect (Kish 1965, section 5.4).
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np

from seginst_core.events import JsonValue, Reporter
from seginst_core.review.bootstrap import design_effect, difference_interval, rank
from seginst_core.review.inputs import Item, read_predictions, read_truth, without_images
from seginst_core.review.ious import Group
from seginst_core.review.matching import Indexes, Ious, greedy
from seginst_core.review.metrics import Analysis, analyse
from seginst_core.review.schema import CASE_POOR_IOU, CASE_SCORE
from seginst_core.training.untouched import forgiven
from seginst_core.training.validate import Answers

Word = Literal["better", "not better", "worse", "untested"]

NOTICED_IOU = 0.05
SIGN_LEVEL = 0.05
N_RESAMPLES = 1000
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Moved:
    """One true object that the new model draws better or worse; ``bbox`` is x, y, width, height.

    ``before`` and ``after`` are the mask IoUs of what each model found there, 0 for nothing.
    """

    image_id: int
    truth_id: int
    bbox: tuple[float, float, float, float]
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the hold-out says: a word, why in one sentence, the figures and what moved.

    ``before`` and ``after`` hold mask and box AP, AP50, AP75, mean IoU and the count of false
    objects (``segm_AP``, ..., ``n_false``). ``ci95`` is the interval of the difference in mask AP,
    None with few images. ``moved`` has the largest changes first.
    """

    word: Word
    reason: str
    n_images: int
    n_objects: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    ci95: tuple[float, float] | None
    moved: tuple[Moved, ...]

    def as_json(self) -> dict[str, JsonValue]:
        """Return the verdict as a job's result holds it."""
        return cast(dict[str, JsonValue], asdict(self))


def judge(
    truth: Path,
    before: Answers,
    after: Answers,
    reporter: Reporter | None = None,
    *,
    begun: Collection[int] = (),
) -> Verdict:
    """Return the verdict on the model of ``after`` against that of ``before``.

    ``begun`` are the ids of true objects whose masks began as the drawing of ``before``'s model.
    """
    reporter = reporter or Reporter()
    items = without_images(read_truth(truth), before.unread | after.unread)
    old = analyse(items, read_predictions(before.results, items), reporter)
    found = read_predictions(after.results, items)
    new = analyse(items, forgiven(items, found, old, frozenset(begun)), reporter)
    moved = _moved(old, new)
    scored_on = [i.image_id for i in items.items if not (i.iscrowd or i.box_only)]
    interval = difference_interval(
        [rank(list(items.images), old.by_key, old.ious)],
        [rank(list(items.images), new.by_key, new.ious)],
        len(items.images),
        n_resamples=N_RESAMPLES,
        seed=0,
        reporter=reporter,
    )
    ap_old, ap_new = old.measures["segm"]["AP"], new.measures["segm"]["AP"]
    if ap_old is None or ap_new is None:
        word: Word = "untested"
        reason = "The images kept out of training hold no object with a mask to score on."
    elif interval is not None:
        word, reason = _by_images(ap_new - ap_old, interval)
    else:
        word, reason = _by_objects(ap_new - ap_old, moved, len(set(scored_on)))
    return Verdict(
        word,
        reason,
        len(items.images),
        len(scored_on),
        _figures(old),
        _figures(new),
        interval,
        tuple(sorted(moved, key=lambda m: -abs(m.after - m.before))),
    )


def _by_images(gain: float, interval: tuple[float, float]) -> tuple[Word, str]:
    low, high = interval
    sure = f"mask AP {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    if low > 0:
        return "better", f"The whole interval is above zero ({sure})."
    if high < 0:
        return "worse", f"The whole interval is below zero ({sure})."
    return "not better", f"The difference may be chance ({sure})."


def _by_objects(gain: float, moved: Sequence[Moved], n_images: int) -> tuple[Word, str]:
    n_up = sum(m.after > m.before for m in moved)
    n_down = len(moved) - n_up
    images = "1 image with objects is" if n_images == 1 else f"{n_images} images with objects are"
    counted = (
        f"{images} too few for an interval, so objects are counted: {n_up} got better, "
        f"{n_down} got worse; mask AP {gain:+.3f}"
    )
    effect = design_effect(Counter(m.image_id for m in moved).values())
    if gain > 0 and _chance(n_up, n_down, effect) < SIGN_LEVEL:
        return "better", f"{counted}."
    if gain < 0 and _chance(n_down, n_up, effect) < SIGN_LEVEL:
        return "worse", f"{counted}."
    most, least = max(n_up, n_down), min(n_up, n_down)
    why = ", as objects of one image change together" if _chance(most, least) < SIGN_LEVEL else ""
    return "not better", f"{counted}, which may be chance{why}."


def _chance(n_for: int, n_against: int, effect: float = 1.0) -> float:
    """Return how likely a fair coin shows ``n_for`` heads or more in as many throws.

    Both numbers are divided by the design effect first. Between whole numbers the tail of the
    binomial distribution is that of the incomplete beta function (Abramowitz and Stegun 1964,
    26.5.24).
    """
    a, b = n_for / effect, n_against / effect + 1
    if a < 1:
        return 1.0
    t = (np.arange(_STEPS) + 0.5) / (2 * _STEPS)
    whole = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return float(np.exp((a - 1) * np.log(t) + (b - 1) * np.log1p(-t) - whole).mean() / 2)


def _moved(old: Analysis, new: Analysis) -> list[Moved]:
    """Return the true objects whose IoU changed noticeably, at the score that cases look at."""
    before, after = _ious(old), _ious(new)
    return [
        Moved(item.image_id, index, item.bbox, before[index][1], after[index][1])
        for index, (item, _) in before.items()
        if abs(after[index][1] - before[index][1]) >= NOTICED_IOU
    ]


def _ious(analysis: Analysis) -> dict[int, tuple[Item, float]]:
    """Return each true object with the IoU of the prediction that is matched to it."""
    found: dict[int, tuple[Item, float]] = {}
    for key, group in analysis.by_key.items():
        ious, _, taken = _matched(group, analysis.ious[key])
        objects = [item for item in group.truth if not item.iscrowd]
        best = np.zeros(len(objects))
        for p, t in enumerate(taken):
            if t >= 0:
                best[t] = ious[p, t]
        for item, iou in zip(objects, best, strict=True):
            if not item.box_only:
                found[item.index] = (item, round(float(iou), 4))
    return found


def _matched(group: Group, ious: Ious) -> tuple[Ious, Ious, Indexes]:
    """Match the predictions that are shown with the true objects, not with regions of a crowd.

    Returns their IoUs with the objects and with the crowds, and the object that each takes, or -1.
    """
    shown = np.array([item.score >= CASE_SCORE for item in group.found], dtype=bool)
    scores = np.array([item.score for item in group.found])[shown]
    crowds = np.array([item.iscrowd for item in group.truth], dtype=bool)
    with_objects = ious[shown][:, ~crowds]
    taken: Indexes = greedy(with_objects, scores, [CASE_POOR_IOU])[0]
    return with_objects, ious[shown][:, crowds], taken


def _figures(analysis: Analysis) -> dict[str, float]:
    measures = analysis.measures
    named = {f"segm_{name}": measures["segm"][name] for name in ("AP", "AP50", "AP75")}
    named |= {f"bbox_{name}": measures["bbox"][name] for name in ("AP", "AP50", "AP75")}
    named["mean_iou"] = measures["mean_iou"]
    figures = {name: round(value, 5) for name, value in named.items() if value is not None}
    n_false = 0
    for key, group in analysis.by_key.items():
        _, with_crowds, taken = _matched(group, analysis.ious[key])
        # A region of a crowd may hold any number of objects.
        n_false += int(((taken < 0) & ~(with_crowds >= CASE_POOR_IOU).any(axis=1)).sum())
    return {**figures, "n_false": float(n_false)}
