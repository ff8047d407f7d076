"""Which stage drew a poor outline, for the predictions of whole files."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seginst_core.masks.geometry import box_iou, iou, mask_box
from seginst_core.masks.rle import decode
from seginst_core.review.faults.budget import OutlineFaults
from seginst_core.review.faults.stages import iou_in_box, outline_fault
from seginst_core.review.inputs import Item, Truth
from seginst_core.review.rles import mask_ious
from seginst_core.review.schema import CASE_IOU, CASE_POOR_IOU
from seginst_core.types import Box, ImageRef, Mask

DrawInBoxes = Callable[[ImageRef, Sequence[Box]], Sequence[Mask | None] | None]
"""An image and boxes in it -> the mask that a pipeline's mask stage draws in each.

None if there is no such image to draw in: it is then judged as for a pipeline without that stage.
"""


@dataclass(frozen=True, slots=True)
class Poor:
    """A prediction that is near a true object of its category, but no hit; ``iou`` of the masks."""

    found: Item
    truth: Item
    iou: float


def poor_outlines(truth: Truth, found: Iterable[Item]) -> list[Poor]:
    """Return the predictions whose nearest object of their category is at an IoU of 0.1 to 0.5.

    These are the localisation errors of TIDE (see ``budget``).
    """
    true_items, found_items = defaultdict(list), defaultdict(list)
    for item in truth.items:
        if not (item.iscrowd or item.box_only):
            true_items[item.image_id, item.category_id].append(item)
    for item in found:
        found_items[item.image_id, item.category_id].append(item)
    poor: list[Poor] = []
    for key, guesses in found_items.items():
        objects = true_items.get(key, [])
        if not objects:
            continue
        masks = [item.rle for item in guesses]
        ious = mask_ious(masks, [item.rle for item in objects], [False] * len(objects))
        best = ious.argmax(axis=1)
        for p, value in enumerate(ious[np.arange(len(guesses)), best].tolist()):
            if CASE_POOR_IOU <= value <= CASE_IOU:
                poor.append(Poor(guesses[p], objects[int(best[p])], value))
    return poor


def outline_faults(truth: Truth, poor: Sequence[Poor], draw: DrawInBoxes | None) -> OutlineFaults:
    """Return for each poor outline the stage at fault (see ``stages``).

    ``draw`` is the mask stage that drew them; None for a pipeline without one of its own.
    """
    faults: dict[tuple[int, int], Literal["box", "mask"]] = {}
    by_image: defaultdict[int, list[Poor]] = defaultdict(list)
    for one in poor:
        by_image[one.truth.image_id].append(one)
    for image_id, here in by_image.items():
        true_masks = {one.truth.index: decode(one.truth.rle) for one in here}
        known = {key: mask for key, mask in true_masks.items() if mask is not None}
        masks: Sequence[Mask | None] | None = None
        if draw is not None:
            masks = draw(truth.images[image_id], [mask_box(mask) for mask in known.values()])
        drawn = None if masks is None else dict(zip(known, masks, strict=True))
        for one in here:
            mask = known.get(one.truth.index)
            if mask is None:
                continue
            x, y, width, height = one.found.bbox
            box = Box(x, y, x + width, y + height)
            with_box = None
            if drawn is not None:
                by_box = drawn[one.truth.index]
                with_box = 0.0 if by_box is None else iou(mask, by_box)
            # TIDE's own threshold counts as wrong here.
            own, overlap = min(one.iou, CASE_IOU - 1e-9), box_iou(box, mask_box(mask))
            fault = outline_fault(own, iou_in_box(mask, box), overlap, with_box)
            faults[one.found.index, one.truth.index] = fault or "mask"
    return faults
