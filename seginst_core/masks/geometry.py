"""Masks as crops: trimming, set operations, overlap. Nothing here is ever as large as the image."""

import math

import cv2
import numpy as np

from seginst_core.types import BoolArray, Box, Mask

_BLOCK = np.ones((3, 3), np.uint8)


def trim(bits: BoolArray, x0: int, y0: int) -> Mask | None:
    """Crop ``bits`` (whose corner is at ``(x0, y0)``) to the pixels set; None if there are none."""
    left, top, width, height = _bounds(bits)
    if width == 0:
        return None
    # A copy, so that a small mask never keeps a large array alive.
    tight = bits[top : top + height, left : left + width].copy()
    return Mask(int(x0) + left, int(y0) + top, tight)


def mask_box(mask: Mask) -> Box:
    """Return the tight box of a mask that has at least one pixel."""
    left, top, width, height = _bounds(mask.bits)
    if width == 0:
        raise ValueError("an empty mask has no box")
    x0, y0 = float(mask.x0 + left), float(mask.y0 + top)
    return Box(x0, y0, x0 + width, y0 + height)


def _bounds(bits: BoolArray) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the pixels set, a width of 0 if there are none."""
    left, top, width, height = cv2.boundingRect(bits.view(np.uint8))
    return left, top, width, height


def window(mask: Mask, x0: int, y0: int, x1: int, y1: int) -> BoolArray:
    """Return a writable copy of the mask's pixels in a window, False outside the mask."""
    out = np.zeros((max(y1 - y0, 0), max(x1 - x0, 0)), np.bool_)
    left, right = max(x0, mask.x0), min(x1, mask.x1)
    top, bottom = max(y0, mask.y0), min(y1, mask.y1)
    if left < right and top < bottom:
        out[top - y0 : bottom - y0, left - x0 : right - x0] = mask.bits[
            top - mask.y0 : bottom - mask.y0, left - mask.x0 : right - mask.x0
        ]
    return out


def union(a: Mask, b: Mask) -> Mask:
    """Return the pixels in either mask."""
    x0, y0 = min(a.x0, b.x0), min(a.y0, b.y0)
    bits = window(a, x0, y0, max(a.x1, b.x1), max(a.y1, b.y1))
    bits[b.y0 - y0 : b.y1 - y0, b.x0 - x0 : b.x1 - x0] |= b.bits
    return Mask(x0, y0, bits)


def subtract(a: Mask, b: Mask) -> Mask | None:
    """Return the pixels of ``a`` that are not in ``b``; None if there are none."""
    return trim(a.bits & ~window(b, a.x0, a.y0, a.x1, a.y1), a.x0, a.y0)


def intersect(a: Mask, b: Mask) -> Mask | None:
    """Return the pixels in both masks; None if there are none."""
    x0, x1 = max(a.x0, b.x0), min(a.x1, b.x1)
    y0, y1 = max(a.y0, b.y0), min(a.y1, b.y1)
    if x0 >= x1 or y0 >= y1:
        return None
    return trim(window(a, x0, y0, x1, y1) & window(b, x0, y0, x1, y1), x0, y0)


def clip(mask: Mask, width: int, height: int) -> Mask | None:
    """Return the part of a mask inside an image of ``width`` x ``height``; None if none is."""
    return inside(mask, Box(0.0, 0.0, width, height))


def inside(mask: Mask, box: Box) -> Mask | None:
    """Return the part of a mask inside a box, to whole pixels; None if none is."""
    x0, y0 = max(math.floor(box.x0), mask.x0), max(math.floor(box.y0), mask.y0)
    x1, y1 = min(math.ceil(box.x1), mask.x1), min(math.ceil(box.y1), mask.y1)
    if x0 >= x1 or y0 >= y1:
        return None
    return trim(window(mask, x0, y0, x1, y1), x0, y0)


def overlap(a: Mask, b: Mask) -> int:
    """Return the number of pixels in both masks."""
    x0, x1 = max(a.x0, b.x0), min(a.x1, b.x1)
    y0, y1 = max(a.y0, b.y0), min(a.y1, b.y1)
    if x0 >= x1 or y0 >= y1:
        return 0
    ours = a.bits[y0 - a.y0 : y1 - a.y0, x0 - a.x0 : x1 - a.x0]
    theirs = b.bits[y0 - b.y0 : y1 - b.y0, x0 - b.x0 : x1 - b.x0]
    return int(np.count_nonzero(ours & theirs))


def iou(a: Mask, b: Mask) -> float:
    """Return intersection over union, 0..1; 0 for two empty masks."""
    shared = overlap(a, b)
    if shared == 0:
        return 0.0
    return shared / (a.area + b.area - shared)


def box_iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0..1; 0 for two empty boxes."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(width, 0.0) * max(height, 0.0)
    whole = a.width * a.height + b.width * b.height - shared
    return shared / whole if whole else 0.0


def meet(a: Box | Mask, b: Box | Mask) -> bool:
    """Return whether two boxes, or the crops of masks, share more than an edge."""
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


def contains(mask: Mask, x: int, y: int) -> bool:
    """Return whether pixel ``(x, y)`` is set."""
    if not (mask.x0 <= x < mask.x1 and mask.y0 <= y < mask.y1):
        return False
    return bool(mask.bits[y - mask.y0, x - mask.x0])


def distance(mask: Mask, x: float, y: float) -> float:
    """Return how far a place is from the nearest pixel of a mask, in pixels; 0 within one."""
    if contains(mask, math.floor(x), math.floor(y)):
        return 0.0
    inner = cv2.erode(mask.bits.view(np.uint8), _BLOCK, borderValue=0).view(np.bool_)
    rows, columns = np.nonzero(mask.bits & ~inner)
    dx = np.maximum(np.abs(columns + (mask.x0 + 0.5 - x)) - 0.5, 0)
    dy = np.maximum(np.abs(rows + (mask.y0 + 0.5 - y)) - 0.5, 0)
    return float(np.hypot(dx, dy).min())


def from_box(box: Box, width: int, height: int) -> Mask | None:
    """Return the filled box, to the nearest whole pixels and inside the image; None if empty."""
    x0, y0 = max(math.floor(box.x0 + 0.5), 0), max(math.floor(box.y0 + 0.5), 0)
    x1, y1 = min(math.floor(box.x1 + 0.5), width), min(math.floor(box.y1 + 0.5), height)
    if x0 >= x1 or y0 >= y1:
        return None
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))
