"""Which stage of a pipeline failed at an object: found by substitution, not by guess.

Each stage is replaced by a perfect one in turn. With the true box in place of the detector's, the
nested U-Net shows what it would have drawn; with the true mask inside the detector's box, the box
shows what it would have let through.
"""

import math
from typing import Literal, get_args

import numpy as np

from seginst_core.review.schema import CASE_IOU
from seginst_core.types import Box, Mask

Fault = Literal["missed", "class", "box", "mask", "duplicate", "false"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
FAULT_NAMES: dict[Fault, str] = {
    "missed": "Missed",
    "class": "Wrong class",
    "box": "Poor box",
    "mask": "Poor mask",
    "duplicate": "Duplicate",
    "false": "False",
}
FAULT_TEXTS: dict[Fault, str] = {
    "missed": "The detector found no box for an object.",
    "class": "The outline is right, but the class is another.",
    "box": "With the true box, the mask stage would have drawn the object.",
    "mask": "The box let the whole object through, but the mask stage drew it wrong.",
    "duplicate": "A second prediction of an object that was found already.",
    "false": "There is no object.",
}
GOOD_IOU = 0.75
"""A mask below this is worth a look even where it counts as found."""


def iou_in_box(truth: Mask, box: Box) -> float:
    """Return the mask IoU, 0..1, of a true mask with the part of it inside a box.

    This is the most that a perfect mask stage could reach with this box.
    """
    x0, y0 = max(int(box.x0), truth.x0), max(int(box.y0), truth.y0)
    x1, y1 = min(math.ceil(box.x1), truth.x1), min(math.ceil(box.y1), truth.y1)
    if x0 >= x1 or y0 >= y1:
        return 0.0
    # What is inside is a part of the whole, so their union is the whole.
    inside = truth.bits[y0 - truth.y0 : y1 - truth.y0, x0 - truth.x0 : x1 - truth.x0]
    return int(np.count_nonzero(inside)) / max(truth.area, 1)


def outline_fault(
    own: float,
    with_true_mask: float,
    box_overlap: float,
    with_true_box: float | None,
    at: float = CASE_IOU,
) -> Literal["box", "mask"] | None:
    """Return which stage is at fault for an outline below the IoU ``at``; None if it is not.

    ``own`` is the prediction's mask IoU, ``with_true_mask`` what its box would allow
    (``iou_in_box``), ``box_overlap`` the IoU of the boxes, ``with_true_box`` what the mask stage
    draws in the true box, None for a pipeline without such a stage. A box that even a perfect mask
    cannot save is at fault; one that is as good as the true box is not. In between, it is if the
    mask stage draws the object in the true box, and the mask stage is if it does not even then.
    """
    if own >= at:
        return None
    if with_true_mask < at:
        return "box"
    if box_overlap >= GOOD_IOU:
        return "mask"
    saved = box_overlap < at if with_true_box is None else with_true_box >= at
    return "box" if saved else "mask"
