"""What a person left as the former model drew it must not speak for that model.

Who corrects a mask stops where it is good enough. From there on the true outline is the former
model's own, to the pixel, and every other model is off by a little, the right one too. So a new
model is forgiven there what people let stand, and nothing where the outline was corrected.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import cv2
import numpy as np

from seginst_core.masks.geometry import trim, window
from seginst_core.masks.rle import decode, encode
from seginst_core.review.inputs import Item, Truth
from seginst_core.review.ious import LOWEST_IOU, Group, group_mask_ious, groups
from seginst_core.review.matching import Ious
from seginst_core.review.metrics import Analysis
from seginst_core.types import BoolArray, Mask

LET_STAND = 0.05
"""Of the square root of an object's area. In a disc whose outline is off by that much all around,
the IoU is 0.83; where it is off by half as much it is 0.91."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def forgiven(
    truth: Truth, found: Sequence[Item], former: Analysis, begun: Collection[int]
) -> tuple[Item, ...]:
    """Return what a new model found, forgiven where the former one's outlines were left alone.

    ``former`` is the analysis of the former model's answers; ``begun`` are the indices of true
    objects whose masks began as its own.
    """
    better: dict[int, Item] = {}
    some = [item for item in truth.items if item.index in begun]
    for key, group in groups(replace(truth, items=tuple(some)), found).items():
        if not group.truth or key not in former.by_key:
            continue
        ours = _partners(group, group_mask_ious(group))
        theirs = _partners(former.by_key[key], former.ious[key])
        for item in group.truth:
            if item.index in ours and item.index in theirs:
                one = ours[item.index]
                better[one.index] = _forgiven_item(one, item, theirs[item.index])
    return tuple(better.get(item.index, item) for item in found)


def forgive(mask: Mask, truth: Mask, former: Mask) -> Mask:
    """Return ``mask`` with the truth's pixels near outlines that truth and ``former`` share.

    Near is up to LET_STAND times the square root of the truth's area, a pixel at least. Pixels in
    which truth and former differ were corrected, and stay as they are.
    """
    reach_px = max(1, round(LET_STAND * math.sqrt(truth.area)))
    three, beyond = (mask, truth, former), reach_px + 1
    x0, y0 = min(m.x0 for m in three) - beyond, min(m.y0 for m in three) - beyond
    x1, y1 = max(m.x1 for m in three) + beyond, max(m.y1 for m in three) + beyond
    true, old = window(truth, x0, y0, x1, y1), window(former, x0, y0, x1, y1)
    shared = _inner(true) & _inner(old) | _inner(~true) & _inner(~old)
    side = 2 * reach_px - 1  # the pixels beside the outline are within one pixel of it
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    near = cv2.dilate(shared.view(np.uint8), disc).view(np.bool_)
    after = np.where(near & (true == old), true, window(mask, x0, y0, x1, y1))
    return trim(after, x0, y0) or mask


def _inner(bits: BoolArray) -> BoolArray:
    """Return the pixels set that have a neighbour which is not."""
    within = cv2.erode(bits.view(np.uint8), _CROSS, borderValue=1)
    return bits & ~within.view(np.bool_)


def _partners(group: Group, ious: Ious) -> dict[int, Item]:
    """Return what was found of each true object, by the object's index."""
    if not ious.size:
        return {}
    best = enumerate(ious.argmax(axis=0).tolist())
    return {group.truth[t].index: group.found[p] for t, p in best if ious[p, t] >= LOWEST_IOU}


def _forgiven_item(item: Item, truth: Item, former: Item) -> Item:
    masks = [decode(one.rle) for one in (item, truth, former)]
    if None in masks:
        return item
    mask, true, old = (one for one in masks if one is not None)
    height, width = item.rle["size"]
    after = forgive(mask, true, old)
    return replace(item, rle=encode(after, width, height), area=float(after.area))
