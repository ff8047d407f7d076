"""Drawing a part of a mask's outline anew, with one line and no choice of adding or erasing.

The line splits regions: the mask, its holes and what lies around it. Each keeps its largest piece
and the others change sides, as in "reshape" of geographic information systems: a line that goes out
of the mask and comes back adds what it encloses, one that goes through the mask takes off what it
cuts off, and one that does both in turn does both. Nothing new comes to lie apart from the mask.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import clip, trim, window
from seginst_core.types import BoolArray, Mask

Point: TypeAlias = tuple[float, float]
MIN_HOLE_PX = 8
"""A wavering line crosses itself; smaller holes are not meant."""
OPEN_SHARE = 0.25
"""A line is closed where it splits nothing and its ends are nearer than this part of its length."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_OFF_CENTRE_PX = (1.7e-6, 2.9e-6)
"""A line through the very centre of a pixel would have it on no side."""


def reshape(
    mask: Mask, line: Sequence[Point], width: int, height: int, *, reach_px: float = 0.0
) -> Mask | None:
    """Return ``mask`` with its outline along ``line`` (points x, y in pixels); None if it is so.

    The line is exact: a pixel belongs to the side of it that its centre is on. Ends that miss the
    outline by up to ``reach_px`` are led there. A line that splits nothing and does not meet the
    outline is closed if it nearly is: a loop in the mask makes a hole. What leaves the image,
    ``width`` x ``height``, is dropped.
    """
    if len(line) < 2:
        return None
    left, right = min(x for x, _ in line) - reach_px, max(x for x, _ in line) + reach_px
    top, bottom = min(y for _, y in line) - reach_px, max(y for _, y in line) + reach_px
    if left > mask.x1 or right < mask.x0 or top > mask.y1 or bottom < mask.y0:
        return None  # before a window is made that holds both
    x0, y0 = math.floor(min(mask.x0, left)) - 2, math.floor(min(mask.y0, top)) - 2
    x1, y1 = math.ceil(max(mask.x1, right)) + 2, math.ceil(max(mask.y1, bottom)) + 2
    bits = window(mask, x0, y0, x1, y1)
    local = np.array(line, float) - (x0, y0)
    for path in (_led(bits, local, reach_px), _closed(bits, local)):
        found = None if path is None else trim(_split(bits, path), x0, y0)
        inside = None if found is None else clip(found, width, height)
        if inside is not None and inside != mask:
            return inside
    return None


def _split(bits: BoolArray, path: npt.NDArray[np.float64]) -> BoolArray:
    """Return the pixels with all but the largest piece of each region on the other side."""
    beside, below = _crossed(bits.shape, path + _OFF_CENTRE_PX)
    after = bits.copy()
    for side in (bits, ~bits):
        n_regions, regions = cv2.connectedComponents(side.view(np.uint8), connectivity=4)
        pieces, n_pieces = _pieces(side, beside, below)
        if n_pieces == n_regions:
            continue
        areas = np.bincount(pieces.ravel(), minlength=n_pieces)
        areas[pieces[0, 0]] = bits.size  # what lies around has no end
        region_of = np.zeros(n_pieces, np.int64)
        region_of[pieces] = regions
        largest = np.zeros(n_regions, np.int64)
        for piece in np.argsort(areas[1:], kind="stable") + 1:
            largest[region_of[piece]] = piece
        turned = ~np.isin(np.arange(n_pieces), largest)
        touching = cv2.dilate((~side).view(np.uint8), _CROSS).view(np.bool_)
        apart = np.isin(np.arange(n_pieces), pieces[touching], invert=True)
        turned &= ~apart | (areas >= MIN_HOLE_PX if side is bits else False)
        after ^= turned[pieces]
    return after


def _pieces(
    side: BoolArray, beside: BoolArray, below: BoolArray
) -> tuple[npt.NDArray[np.int32], int]:
    """Number the pieces of ``side`` that hang together by sides of pixels; 0 is what is not in it.

    ``beside`` and ``below`` tell where the line runs between a pixel and the one to its right, and
    the one below it. Also returns how many numbers there are. Pixels away from the line are joined
    by OpenCV, and those at it, which are few, one by one.
    """
    at_line = np.zeros_like(side)
    for cut, first, second in (
        (beside, at_line[:, :-1], at_line[:, 1:]),
        (below, at_line[:-1], at_line[1:]),
    ):
        first |= cut
        second |= cut
    n_away, numbers = cv2.connectedComponents((side & ~at_line).view(np.uint8), connectivity=4)
    own = side & at_line
    n_own = int(np.count_nonzero(own))
    numbers[own] = np.arange(n_away, n_away + n_own)
    into = list(range(n_away + n_own))
    left, top, width, height = cv2.boundingRect(at_line.view(np.uint8))
    rows, columns = (slice(max(k - 1, 0), k + n + 1) for k, n in ((top, height), (left, width)))
    near, beside, below = numbers[rows, columns], beside[rows, columns], below[rows, columns]
    for one, other, cut in (
        (near[:, :-1], near[:, 1:], beside[:, : near.shape[1] - 1]),
        (near[:-1], near[1:], below[: near.shape[0] - 1]),
    ):
        joined = ~cut & (one != other) & (one > 0) & (other > 0)
        for a, b in np.unique(np.stack([one[joined], other[joined]]), axis=1).T.tolist():
            into[_root(into, a)] = _root(into, b)
    roots = np.array([_root(into, k) for k in range(len(into))])
    kept, again = np.unique(roots, return_inverse=True)
    return again.astype(np.int32)[numbers], len(kept)


def _root(into: list[int], k: int) -> int:
    while into[k] != k:
        into[k] = into[into[k]]
        k = into[k]
    return k


def _crossed(shape: tuple[int, ...], path: npt.NDArray[np.float64]) -> tuple[BoolArray, BoolArray]:
    """Return where a path runs between neighbours: ``(H, W - 1)`` and ``(H - 1, W)``."""
    height, width = shape
    below = np.zeros((height - 1, width), np.bool_)
    beside = np.zeros((height, width - 1), np.bool_)
    # Centres lie at halves: a path that passes x = k + 0.5 runs between two pixels of column k.
    for along, crossed in ((0, below), (1, beside.T)):
        for column, at in _passings(path[:, along].tolist(), path[:, 1 - along].tolist()):
            row = math.floor(at - 0.5)
            if 0 <= row < crossed.shape[0] and 0 <= column < crossed.shape[1]:
                crossed[row, column] = True
    return beside, below


def _passings(u: Sequence[float], v: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Yield each ``k`` whose line u = k + 0.5 a path passes, and v there."""
    for (u0, v0), (u1, v1) in pairwise(zip(u, v, strict=True)):
        low, high = min(u0, u1), max(u0, u1)
        for k in range(math.ceil(low - 0.5), math.ceil(high - 0.5)):
            yield k, v0 + (k + 0.5 - u0) * (v1 - v0) / (u1 - u0)


def _led(
    bits: BoolArray, path: npt.NDArray[np.float64], reach_px: float
) -> npt.NDArray[np.float64]:
    """Lengthen a path at both ends to the nearest pixel of the other side, if that is in reach."""
    if reach_px <= 0:
        return path
    first, last = (_across(bits, end, reach_px) for end in (path[0], path[-1]))
    return np.concatenate([first, path, last])


def _across(
    bits: BoolArray, end: npt.NDArray[np.float64], reach_px: float
) -> npt.NDArray[np.float64]:
    """Return the centre of the nearest pixel that is not on the side of ``end``; (0, 2) if none."""
    x, y = (math.floor(v) for v in end)
    r = math.ceil(reach_px) + 1
    left, top = max(x - r, 0), max(y - r, 0)
    near = bits[top : y + r + 1, left : x + r + 1]
    inside = 0 <= y < bits.shape[0] and 0 <= x < bits.shape[1] and bool(bits[y, x])
    centres = np.argwhere(near != inside)[:, ::-1] + (left + 0.5, top + 0.5)
    distances = np.hypot(*(centres - end).T)
    if len(centres) == 0 or distances.min() > reach_px:
        return np.empty((0, 2))
    return np.asarray(centres[int(distances.argmin())][None])


def _closed(bits: BoolArray, path: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return a path led back to its beginning; None if that is far, or on both sides of a mask."""
    columns, rows = np.floor(path).astype(int).T
    length = float(np.hypot(*np.diff(path, axis=0).T).sum())
    gap = float(np.hypot(*(path[-1] - path[0])))
    if gap > OPEN_SHARE * length or len(np.unique(bits[rows, columns])) > 1:
        return None
    return np.concatenate([path, path[:1]])
