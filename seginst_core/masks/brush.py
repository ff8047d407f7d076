"""Brush strokes: the union of discs along the pointer's path."""

import math
from collections.abc import Sequence

import numpy as np

from seginst_core.masks.geometry import trim
from seginst_core.types import BoolArray, Mask


def stroke(points: Sequence[tuple[float, float]], radius_px: float) -> Mask:
    """Return the pixels within ``radius_px`` of the path through ``points`` (x, y in pixels).

    A pixel belongs if its centre does; the pixel under each point always belongs, so that a
    radius of half a pixel paints exactly the pixels the path crosses. Nothing is clipped to the
    image: the caller does that.
    """
    if not points:
        raise ValueError("a stroke has at least one point")
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x0, y0 = math.floor(min(xs) - radius_px), math.floor(min(ys) - radius_px)
    x1, y1 = math.ceil(max(xs) + radius_px) + 1, math.ceil(max(ys) + radius_px) + 1
    bits = np.zeros((y1 - y0, x1 - x0), np.bool_)
    segments = list(zip(points[:-1], points[1:], strict=True)) or [(points[0], points[0])]
    for start, end in segments:
        _add_segment(bits, (start[0] - x0, start[1] - y0), (end[0] - x0, end[1] - y0), radius_px)
    mask = trim(bits, x0, y0)
    assert mask is not None
    return mask


def _add_segment(
    bits: BoolArray, start: tuple[float, float], end: tuple[float, float], radius_px: float
) -> None:
    """Set the pixels of one thick segment, looking at no more than its own box."""
    (ax, ay), (bx, by) = start, end
    left = max(math.floor(min(ax, bx) - radius_px), 0)
    top = max(math.floor(min(ay, by) - radius_px), 0)
    right = min(math.ceil(max(ax, bx) + radius_px) + 1, bits.shape[1])
    bottom = min(math.ceil(max(ay, by) + radius_px) + 1, bits.shape[0])
    x = np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    if squared > 0:
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / squared, 0, 1)
        distance = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2
    else:
        distance = (x - ax) ** 2 + (y - ay) ** 2
    bits[top:bottom, left:right] |= distance <= radius_px * radius_px
    if radius_px < 1:
        # A thin brush may miss every pixel centre: walk the pixels that the path crosses.
        n_steps = max(1, math.ceil(4 * math.sqrt(squared)))
        for k in range(n_steps + 1):
            px, py = math.floor(ax + dx * k / n_steps), math.floor(ay + dy * k / n_steps)
            if 0 <= py < bits.shape[0] and 0 <= px < bits.shape[1]:
                bits[py, px] = True
