"""Which class was taken for which: true objects and predictions at the same place, counted."""

from collections.abc import Mapping, Sequence

import numpy as np

from seginst_core.review.inputs import Item, Truth
from seginst_core.review.matching import greedy
from seginst_core.review.rles import mask_ious
from seginst_core.review.schema import CASE_IOU, CASE_SCORE, Confusion


def confusion(truth: Truth, found: Sequence[Item]) -> Confusion:
    """Return how often each true class was predicted as each, at an IoU of 0.5 whatever the class.

    Predictions below a score of 0.5 are left out. The last row holds predictions without a true
    object, the last column true objects without a prediction. Crowds are left out, and so are
    objects known only by their box, as in the AP: nobody knows which outline is theirs.
    """
    names = list(truth.categories.values())
    place = {category_id: k for k, category_id in enumerate(truth.categories)}
    counts = np.zeros((len(names) + 1, len(names) + 1), dtype=np.int64)
    by_image = _by_image([item for item in found if item.score >= CASE_SCORE])
    true_by_image = _by_image(truth.items)
    nothing = len(names)
    for image_id in truth.images:
        all_true, guesses = true_by_image.get(image_id, []), by_image.get(image_id, [])
        objects = [item for item in all_true if not (item.iscrowd or item.box_only)]
        crowds = [item.rle for item in all_true if item.iscrowd or item.box_only]
        masks = [item.rle for item in guesses]
        ious = mask_ious(masks, [item.rle for item in objects], [False] * len(objects))
        scores = np.array([item.score for item in guesses])
        taken = greedy(ious, scores, [CASE_IOU])[0]
        inside = mask_ious(masks, crowds, [True] * len(crowds))
        for p, item in enumerate(guesses):
            if taken[p] >= 0:
                counts[place[objects[taken[p]].category_id], place[item.category_id]] += 1
            elif not crowds or inside[p].max() < CASE_IOU:
                counts[nothing, place[item.category_id]] += 1
        met = set(taken[taken >= 0].tolist())
        for t, item in enumerate(objects):
            if t not in met:
                counts[place[item.category_id], nothing] += 1
    return {"names": names, "counts": counts.tolist()}


def _by_image(items: Sequence[Item]) -> Mapping[int, list[Item]]:
    rows: dict[int, list[Item]] = {}
    for item in items:
        rows.setdefault(item.image_id, []).append(item)
    return rows
