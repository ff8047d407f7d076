"""Objects of one image and category side by side, and how much they overlap."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from seginst_core.masks.geometry import iou
from seginst_core.masks.rle import Rle, decode
from seginst_core.review.inputs import Item, Truth
from seginst_core.review.matching import Ious
from seginst_core.review.rles import box_of, mask_ious
from seginst_core.review.schema import MAX_DETS
from seginst_core.types import BoolArray, Mask

Key = tuple[int, int]
"""Image id, category id."""

DILATION_RATIO = 0.02
"""How much of the image's diagonal belongs to an object's boundary."""
LOWEST_IOU = 0.5
"""The lowest IoU at which COCO calls a prediction right."""


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one category in one image; ``found`` by falling score, at most MAX_DETS."""

    truth: tuple[Item, ...]
    found: tuple[Item, ...]


def groups(truth: Truth, found: Sequence[Item]) -> dict[Key, Group]:
    """Return the groups that have any object, in the order of their keys."""
    true_items: defaultdict[Key, list[Item]] = defaultdict(list)
    found_items: defaultdict[Key, list[Item]] = defaultdict(list)
    for item in truth.items:
        true_items[item.image_id, item.category_id].append(item)
    for item in found:
        found_items[item.image_id, item.category_id].append(item)
    return {
        key: Group(
            tuple(true_items.get(key, ())),
            tuple(sorted(found_items.get(key, ()), key=lambda item: -item.score)[:MAX_DETS]),
        )
        for key in sorted(true_items.keys() | found_items.keys())
    }


def box_ious(group: Group) -> Ious:
    """Return the IoUs ``(n_found, n_truth)`` of the boxes, as COCO counts them."""
    from pycocotools import mask as coco_mask

    if not group.found or not group.truth:
        return np.zeros((len(group.found), len(group.truth)))
    ious: Ious = coco_mask.iou(
        [list(item.bbox) for item in group.found],
        [list(item.bbox) for item in group.truth],
        [int(item.iscrowd) for item in group.truth],
    )
    return ious


def item_ious(found: Sequence[Item], truth: Sequence[Item], iscrowd: Sequence[bool]) -> Ious:
    """Return the IoUs ``(n_found, n_truth)`` of the masks; see ``mask_ious``."""
    return mask_ious([item.rle for item in found], [item.rle for item in truth], iscrowd)


def same_category(
    a: Sequence[Item], b: Sequence[Item]
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which of ``a`` (rows) are of the category of which of ``b`` (columns)."""
    first = np.array([item.category_id for item in a], dtype=np.int64)
    second = np.array([item.category_id for item in b], dtype=np.int64)
    return np.asarray(first[:, None] == second[None, :], dtype=np.bool_)


def group_mask_ious(group: Group) -> Ious:
    """Return the IoUs ``(n_found, n_truth)`` of the masks; an object known by its box is a crowd.

    COCO neither counts a crowd as missed nor a prediction inside it as false, which is the fair
    answer where nobody knows the true mask.
    """
    return mask_ious(
        [item.rle for item in group.found],
        [item.rle for item in group.truth],
        [item.iscrowd or item.box_only for item in group.truth],
    )


def boundary_ious(group: Group, ious: Ious) -> Ious:
    """Return the lesser of mask IoU and boundary IoU (Cheng et al., CVPR 2021, section 4).

    Pairs below an IoU of 0.5 keep their mask IoU: no threshold of the AP can tell the difference.
    """
    result = ious.copy()
    bands: dict[int, Mask | None] = {}

    def band(item: Item) -> Mask | None:
        if id(item) not in bands:
            bands[id(item)] = boundary(item.rle)
        return bands[id(item)]

    for p, t in zip(*np.nonzero(ious >= LOWEST_IOU), strict=True):
        found, true_item = group.found[p], group.truth[t]
        if true_item.iscrowd or true_item.box_only:
            continue
        if _is_all_boundary(found.rle) and _is_all_boundary(true_item.rle):
            continue
        a, b = band(found), band(true_item)
        result[p, t] = min(ious[p, t], iou(a, b) if a is not None and b is not None else 0.0)
    return result


def boundary(rle: Rle) -> Mask | None:
    """Return the pixels of a mask within 2 % of the image's diagonal of its outline.

    The image's border is outline, distance is that of a 3 x 3 erosion repeated, and all work is
    done in the mask's crop. None for an empty mask.
    """
    mask = decode(rle)
    if mask is None or _is_all_boundary(rle):
        return mask
    framed = np.pad(mask.bits, 1).astype(np.uint8)
    depth = cv2.distanceTransform(framed, cv2.DIST_C, 3)[1:-1, 1:-1]
    near: BoolArray = depth <= _reach_px(rle)
    return Mask(mask.x0, mask.y0, mask.bits & near)


def _is_all_boundary(rle: Rle) -> bool:
    """Whether the object is so thin that no pixel is further from its outline than the reach."""
    return 2 * _reach_px(rle) >= min(box_of(rle)[2:])


def _reach_px(rle: Rle) -> int:
    height, width = rle["size"]
    return max(1, round(DILATION_RATIO * float(np.hypot(height, width))))
