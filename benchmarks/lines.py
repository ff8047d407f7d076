"""The lines along which the simulated annotator draws an outline anew.

A line follows the true outline, half of it at most: who draws more in one go draws the object anew.
It mends one wrong region, or several that lie one after the other on its way.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import window
from seginst_core.masks.reshape import Point
from seginst_core.types import BoolArray, Mask

_LONGEST = 0.5
"""Of the true outline."""
_BACK_PX = 20.0
"""How far a line that ends half-way is led back to the outline there is."""
_SIDES = (
    (0, -1, (0, 0), (1, 0)),
    (1, 0, (1, 0), (1, 1)),
    (0, 1, (1, 1), (0, 1)),
    (-1, 0, (0, 1), (0, 0)),
)
"""The sides of a pixel: the way to the pixel beyond, and the corners where they begin and end."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points in pixels; whether it begins within the mask, and how far its ends may be from it."""

    points: Sequence[Point]
    begins_within: bool
    reach_px: float


def lines(mask: Mask, truth: Mask) -> Iterator[Line]:
    """Yield where ``mask``'s outline should run: along its largest wrong regions, and one side."""
    x0, y0 = min(mask.x0, truth.x0) - 1, min(mask.y0, truth.y0) - 1
    x1, y1 = max(mask.x1, truth.x1) + 1, max(mask.y1, truth.y1) + 1
    now, true = window(mask, x0, y0, x1, y1), window(truth, x0, y0, x1, y1)
    found = (*_along_regions(now, true), *_along_a_side(now, true))
    for line in found:
        points = [(float(x + x0), float(y + y0)) for x, y in line.points]
        yield Line(points, line.begins_within, line.reach_px)


def _along_regions(now: BoolArray, true: BoolArray) -> Iterator[Line]:
    """Yield lines along each of the largest wrong regions.

    It is what the region has in common with the rest of its side, the mask or what lies around it,
    or the longest stretch of that, in parts that are no longer than a hand draws in one go.
    """
    edge = np.pad(true, 1)
    outline_px = sum(int(np.count_nonzero(np.diff(edge, axis=axis))) for axis in (0, 1))
    for wrong, side, is_missing in ((true & ~now, ~now, True), (now & ~true, now, False)):
        n, labels, stats, _ = cv2.connectedComponentsWithStats(
            wrong.astype(np.uint8), connectivity=4
        )
        for k in sorted(range(1, n), key=lambda k: -stats[k, cv2.CC_STAT_AREA])[:2]:
            border = _longest_border(labels == k, side & (labels != k))
            n_parts = math.ceil((len(border) - 1) / (_LONGEST * outline_px))
            ends = [
                round(part * (len(border) - 1) / max(n_parts, 1)) for part in range(n_parts + 1)
            ]
            for begin, end in pairwise(ends):
                reach_px = _BACK_PX if n_parts > 1 else 0.0
                yield Line(border[begin : end + 1], is_missing, reach_px)


def _along_a_side(now: BoolArray, true: BoolArray) -> Iterator[Line]:
    """Yield the line along that half of the outline, or less, which mends the most."""
    ring = _longest_border(true, ~true)
    n = len(ring) - 1
    if n < 2 or ring[0] != ring[-1]:
        return
    error = _errors(now, true, ring)
    n_half = int(_LONGEST * n)
    twice = np.concatenate([error, error])
    mended = np.convolve(np.abs(twice), np.ones(n_half), "valid")[:n]
    begin = int(mended.argmax())
    wrong = np.flatnonzero(twice[begin : begin + n_half]) + begin
    if len(wrong) == 0:
        return
    first, last = int(wrong[0]), int(wrong[-1])
    is_cut = bool(twice[first - 1] or twice[(last + 1) % (2 * n)])
    points = [ring[k % n] for k in range(first, last + 2)]
    yield Line(points, bool(error[first % n] > 0), _BACK_PX if is_cut else 0.0)


def _errors(
    now: BoolArray, true: BoolArray, ring: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float64]:
    """Return of each side of a pixel along the true outline how far the mask's is from it.

    0 where it runs there; above 0 where the mask stops short, below where it reaches beyond.
    """
    missing_px, beyond_px = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5) for side in (~now, now)
    )
    walked = np.array(ring)
    begin, step = walked[:-1], np.diff(walked, axis=0)
    # The object is at the right of who walks; x is to the right and y down.
    right = np.stack([-step[:, 1], step[:, 0]], axis=1)
    middle = begin + step / 2
    inside, outside = (np.floor(middle + sign * right / 2).astype(int) for sign in (1, -1))
    short = np.where(now[inside[:, 1], inside[:, 0]], 0, missing_px[inside[:, 1], inside[:, 0]])
    far = np.where(now[outside[:, 1], outside[:, 0]], beyond_px[outside[:, 1], outside[:, 0]], 0)
    return np.asarray(short - far, np.float64)


def _longest_border(region: BoolArray, rest: BoolArray) -> list[tuple[int, int]]:
    """Return the longest line along the sides of pixels between a region and the rest."""
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # Each side of a pixel, walked with the region at its right.
    for dx, dy, begin, end in _SIDES:
        there = np.zeros_like(rest)
        height, width = rest.shape
        there[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)] = rest[
            max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)
        ]
        for y, x in np.argwhere(region & there).tolist():
            after.setdefault((x + begin[0], y + begin[1]), []).append((x + end[0], y + end[1]))
    ends = {end for found in after.values() for end in found}
    longest: list[tuple[int, int]] = []
    # From where a stretch begins; what is left then goes all around.
    for begin in (*sorted(after.keys() - ends), *sorted(after.keys() & ends)):
        line = [begin]
        while after.get(line[-1]):
            line.append(after[line[-1]].pop())
        longest = max(longest, line, key=len)
    return longest if len(longest) > 1 else []
