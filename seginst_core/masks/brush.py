"""Brush strokes: the union of discs, or of squares, along the pointer's path."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from seginst_core.masks.geometry import trim
from seginst_core.types import BoolArray, Mask

BrushShape = Literal["round", "square"]
_TIE_PX = 1e-4
"""A square takes in one of its two opposite edges, so that 3 pixels are never 4."""


def stroke(
    points: Sequence[tuple[float, float]], radius_px: float, shape: BrushShape = "round"
) -> Mask:
    """Return the pixels within ``radius_px`` of the path through ``points`` (x, y in pixels).

    A square brush reaches ``radius_px`` along both axes, its sides stay upright. A pixel belongs if
    its centre does; the pixel under each point always belongs, so that a radius of half a pixel
    paints exactly the pixels the path crosses. Nothing is clipped to the image: the caller does
    that.
    """
    if not points:
        raise ValueError("a stroke has at least one point")
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    x0, y0 = math.floor(min(xs) - radius_px), math.floor(min(ys) - radius_px)
    x1, y1 = math.ceil(max(xs) + radius_px) + 1, math.ceil(max(ys) + radius_px) + 1
    bits = np.zeros((y1 - y0, x1 - x0), np.bool_)
    segments = list(pairwise(points)) or [(points[0], points[0])]
    for start, end in segments:
        a, b = (start[0] - x0, start[1] - y0), (end[0] - x0, end[1] - y0)
        add = _add_squares if shape == "square" else _add_segment
        if radius_px > 0.5:
            add(bits, a, b, radius_px)
        if radius_px < 1:
            # A thin brush may miss every pixel centre.
            _add_crossed(bits, a, b)
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


def _add_squares(
    bits: BoolArray, start: tuple[float, float], end: tuple[float, float], radius_px: float
) -> None:
    """Set the pixels that a square covers on its way along a segment."""
    first, last = np.zeros((1, 1)), np.ones((1, 1))
    for axis, n in ((1, bits.shape[0]), (0, bits.shape[1])):
        centres = np.arange(n) + 0.5 - start[axis]
        way = end[axis] - start[axis]
        low, high = centres - radius_px + _TIE_PX, centres + radius_px
        # The part of the way, 0 to 1, during which the square covers a row or a column.
        if way:
            low, high = np.minimum(low / way, high / way), np.maximum(low / way, high / way)
        else:
            covers = (low <= 0) & (high >= 0)
            low, high = np.where(covers, 0.0, 2.0), np.where(covers, 1.0, -1.0)
        along = (slice(None), None) if axis else (None, slice(None))
        first, last = np.maximum(first, low[along]), np.minimum(last, high[along])
    bits |= first <= last


def _add_crossed(bits: BoolArray, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Set the pixels that a line from ``start`` to ``end`` crosses, and those of its ends."""
    a, b = np.array(start), np.array(end)
    cuts = [np.array([0.0, 1.0])]
    for axis in (0, 1):
        low, high = sorted((a[axis], b[axis]))
        grid = np.arange(math.ceil(low), math.floor(high) + 1)
        if high > low:
            cuts.append((grid - a[axis]) / (b[axis] - a[axis]))
    along = np.unique(np.clip(np.concatenate(cuts), 0, 1))
    # Between two cuts the line stays in one pixel: the one that holds the middle of the piece.
    pieces = along[1:] - along[:-1] > 1e-9
    middles = ((along[1:] + along[:-1]) / 2)[pieces]
    points = np.concatenate([a[None], b[None], a + middles[:, None] * (b - a)])
    columns, rows = np.floor(points).astype(np.intp).T
    bits[rows, columns] = True
