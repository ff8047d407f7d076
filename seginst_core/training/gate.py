"""Before and after on the frozen hold-out: a new model goes live only if it is better.

Both models are measured by the same code on the same images; where the truth is the former model's
own outline, which nobody corrected, the new one is forgiven what people let stand
(``training.untouched``). With five or more that hold an object to score on, the verdict is that of
a bootstrap over images (Efron and Tibshirani 1993, chapter 13) of the difference in mask AP: better
if its whole 95 % interval is above zero, worse if it is below. With fewer, a resample of images
says nothing; then the objects speak (``training.few_images``).
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np

from seginst_core.events import JsonValue, Reporter
from seginst_core.review.bootstrap import difference_interval, rank
from seginst_core.review.inputs import Item, read_predictions, read_truth, without_images
from seginst_core.review.ious import Group
from seginst_core.review.matching import Indexes, Ious, greedy
from seginst_core.review.metrics import Analysis, analyse
from seginst_core.review.schema import CASE_POOR_IOU, CASE_SCORE
from seginst_core.training import few_images
from seginst_core.training.few_images import Outcome, by_objects
from seginst_core.training.untouched import forgiven
from seginst_core.training.validate import Answers

Word = few_images.Word | Literal["untested"]

N_RESAMPLES = 1000


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
    moved: tuple[Outcome, ...]

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
    objects = outcomes(old, new)
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
        word, reason = by_objects(ap_new - ap_old, objects)
    return Verdict(
        word,
        reason,
        len(items.images),
        len(objects),
        _figures(old),
        _figures(new),
        interval,
        tuple(sorted((o for o in objects if o.is_noticed), key=lambda o: -abs(o.after - o.before))),
    )


def _by_images(gain: float, interval: tuple[float, float]) -> tuple[Word, str]:
    low, high = interval
    sure = f"mask AP {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    if low > 0:
        return "better", f"The whole interval is above zero ({sure})."
    if high < 0:
        return "worse", f"The whole interval is below zero ({sure})."
    return "not better", f"The difference may be chance ({sure})."


def outcomes(old: Analysis, new: Analysis) -> list[Outcome]:
    """Return each true object with the IoUs before and after, at the score that cases look at."""
    before, after = _ious(old), _ious(new)
    return [
        Outcome(item.image_id, index, item.bbox, iou, after[index][1])
        for index, (item, iou) in before.items()
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
