"""How much a look at a case is expected to bring, and why.

Each reason has a weight 0..1, the chance that it points at something to mend; together they count
as chances that do not depend on each other: 1 minus the product of what each leaves.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from seginst_core.masks.geometry import window
from seginst_core.review.faults.stages import GOOD_IOU
from seginst_core.types import FloatArray, Instance, Mask

Reason = tuple[float, str]
NEAR = 0.2
"""Scores within this of the threshold might as well have fallen on its other side."""
_EDGE_PX = 2.0


def joint(reasons: Sequence[Reason]) -> tuple[float, tuple[str, ...]]:
    """Return the joint worth, 0..1, and the reasons in words, the weightiest first."""
    left = 1.0
    for weight, _ in reasons:
        left *= 1.0 - min(max(weight, 0.0), 1.0)
    words = [text for weight, text in sorted(reasons, key=lambda r: -r[0]) if weight >= 0.03]
    return 1.0 - left, tuple(words)


def reasons_of(
    a: Instance | None, b: Instance | None, iou_ab: float | None, threshold: float, *, both: bool
) -> list[Reason]:
    """Return why a place where A or B sees an object is worth a look; ``both`` models looked."""
    found: list[Reason] = []
    if both and (a is None) != (b is None):
        score = (a or b).score or 0.0 if (a or b) else 0.0  # type: ignore[union-attr]
        # Where the one is very sure, the other has missed it; where it is not, it is a ghost.
        found.append((0.55 + 0.15 * abs(2 * score - 1), f"only {'A' if a else 'B'} sees it"))
    if a is not None and b is not None:
        if a.category_id != b.category_id:
            found.append((0.8, "A and B call it differently"))
        if iou_ab is not None:
            part = min(1.2 * (1.0 - iou_ab), 0.9)
            found.append((part, f"A and B overlap by {iou_ab:.2f}"))
        apart = edges_apart(a.mask, b.mask)
        if apart is not None:
            found.append((0.4 * apart, f"edges differ on {100 * apart:.0f} % of the outline"))
    for name, one in (("A", a), ("B", b)):
        if one is not None and one.score is not None:
            near = 1.0 - abs(one.score - threshold) / NEAR
            if near > 0:
                text = f"{name} is unsure ({one.score:.2f})"
                found.append((0.5 * near, text))
    return found


def against_truth(iou_a: float | None, iou_b: float | None, *, missing: bool) -> list[Reason]:
    """Return why a true object is worth a look, by what A and B made of it."""
    if missing:
        return [(0.9, "neither A nor B sees it")]
    found: list[Reason] = []
    for name, value in (("A", iou_a), ("B", iou_b)):
        if value is None:
            found.append((0.5, f"{name} does not see it"))
        elif value < GOOD_IOU:
            found.append((0.9 * (1.0 - value), f"{name} reaches IoU {value:.2f}"))
    return found


def edges_apart(a: Mask | None, b: Mask | None) -> float | None:
    """Return the part of two outlines, 0..1, that is over 2 px from the other one."""
    if a is None or b is None:
        return None
    x0, y0 = min(a.x0, b.x0) - 1, min(a.y0, b.y0) - 1
    x1, y1 = max(a.x1, b.x1) + 1, max(a.y1, b.y1) + 1
    edges = [_edge(window(mask, x0, y0, x1, y1)) for mask in (a, b)]
    n_far = n_all = 0
    for own, other in (edges, edges[::-1]):
        distance = np.asarray(cv2.distanceTransform(1 - other, cv2.DIST_L2, 3))
        here = own > 0
        n_far += int(np.count_nonzero(distance[here] > _EDGE_PX))
        n_all += int(np.count_nonzero(here))
    return n_far / n_all if n_all else None


def _edge(bits: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    solid = bits.astype(np.uint8)
    return np.asarray(solid - cv2.erode(solid, np.ones((3, 3), np.uint8)))
