"""Which stage of a two-stage model is worth training: told by what the person had to mend.

A rule of thumb on what a project knows without running a model: the model's stored predictions
beside the corrected objects of the same images. Each object is matched by box with one prediction.
An object without a box that overlaps it by half, a sure box without an object, and a box of another
class are the detector's faults. A mask below ``GOOD_IOU`` in a box that fits is the nested
U-Net's. In a box that does not fit it is the detector's, and the nested U-Net's as well if the mask
is poor even in that box: it would have been in a better one, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seginst_core.masks.geometry import inside, iou, mask_box
from seginst_core.types import Box, FloatArray, Instance, Mask, Stage

SURE_SCORE = 0.5
FOUND_IOU = 0.5
FITS_IOU = 0.8
"""The box IoU from which a mask that is poor is not the box's fault."""
GOOD_IOU = 0.9
MOSTLY = 2 / 3
"""With so large a part of the faults a stage is trained alone."""
MIN_FAULTS = 10
"""With fewer faults nothing is said, and both stages are trained."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How many faults of each stage were mended."""

    detector: int = 0
    mask: int = 0

    @property
    def stage(self) -> Stage:
        """The stage to train."""
        n = self.detector + self.mask
        if n < MIN_FAULTS:
            return "all"
        if self.detector >= MOSTLY * n:
            return "detector"
        return "mask" if self.mask >= MOSTLY * n else "all"


def faults(images: Iterable[tuple[Sequence[Instance], Sequence[Instance]]]) -> Faults:
    """Count the faults in pairs of an image's true objects and what the model found there."""
    n_detector = n_mask = 0
    for truth, found in images:
        sure = [one for one in found if (one.score or 0.0) >= SURE_SCORE]
        true_boxes = [one.box if one.mask is None else mask_box(one.mask) for one in truth]
        partners = _match(_box_ious(true_boxes, [one.box for one in sure]))
        n_detector += len(sure) - len(partners) + len(truth) - len(partners)
        for t, (p, box_iou) in partners.items():
            if truth[t].category_id != sure[p].category_id:
                n_detector += 1
                continue
            ours, theirs = truth[t].mask, sure[p].mask
            if ours is None or theirs is None or iou(ours, theirs) >= GOOD_IOU:
                continue
            fits = box_iou >= FITS_IOU
            n_detector += not fits
            n_mask += fits or _iou_inside(sure[p].box, ours, theirs) < GOOD_IOU
    return Faults(n_detector, n_mask)


def _iou_inside(box: Box, a: Mask, b: Mask) -> float:
    """Return the IoU of the parts of two masks that lie in a box; 1 if neither has any."""
    ours, theirs = inside(a, box), inside(b, box)
    return iou(ours, theirs) if ours and theirs else float(ours is theirs)


def _match(ious: FloatArray) -> dict[int, tuple[int, float]]:
    """Return each true object's prediction and box IoU, best overlaps first, each used once."""
    taken: dict[int, tuple[int, float]] = {}
    used: set[int] = set()
    rows, columns = np.nonzero(ious >= FOUND_IOU)
    for k in np.argsort(-ious[rows, columns], kind="stable"):
        t, p = int(rows[k]), int(columns[k])
        if t not in taken and p not in used:
            taken[t] = (p, float(ious[t, p]))
            used.add(p)
    return taken


def _box_ious(a: Sequence[Box], b: Sequence[Box]) -> FloatArray:
    """Return the IoU of each box with each, ``(len(a), len(b))``."""
    ones, others = _corners(a), _corners(b)
    low = np.maximum(ones[:, None, :2], others[None, :, :2])
    high = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(c[:, 2:] - c[:, :2], axis=1) for c in (ones, others)]
    either = areas[0][:, None] + areas[1][None, :] - both
    return np.asarray(both / np.maximum(either, 1e-9), np.float32)


def _corners(boxes: Sequence[Box]) -> FloatArray:
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], np.float32).reshape(-1, 4)
