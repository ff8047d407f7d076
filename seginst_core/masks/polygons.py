"""Polygons to masks, as COCO rasterises them, and masks to polygons and outlines."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from seginst_core.masks.geometry import trim
from seginst_core.types import FloatArray, Mask


def from_polygons(
    polygons: Sequence[npt.NDArray[np.floating]], width: int, height: int
) -> Mask | None:
    """Rasterise polygons ``(n, 2)`` of x, y into one mask, with the pixels pycocotools sets.

    Only the polygons' own box is rasterised: COCO's rule depends on a point's place within its
    pixel, so whole-pixel shifts change nothing. Points beyond the image are cut off with it.
    None if no pixel is set.
    """
    points = [np.asarray(p, np.float64).reshape(-1, 2) for p in polygons if len(p) >= 3]
    if not points:
        return None
    everything = np.concatenate(points)
    low, high = everything.min(axis=0), everything.max(axis=0)
    x0, y0 = max(math.floor(low[0]) - 1, 0), max(math.floor(low[1]) - 1, 0)
    x1, y1 = min(math.ceil(high[0]) + 2, width), min(math.ceil(high[1]) + 2, height)
    if x0 >= x1 or y0 >= y1:
        return None
    shifted = [(p - (x0, y0)).ravel().tolist() for p in points]
    rles = coco_mask.frPyObjects(shifted, y1 - y0, x1 - x0)
    bits = coco_mask.decode(coco_mask.merge(rles)).astype(np.bool_)
    return trim(bits, x0, y0)


def to_polygons(mask: Mask) -> list[FloatArray]:
    """Return the outer ring of each part as ``(n, 2)`` float32 x, y; holes are lost.

    The rings run along pixel edges, so ``from_polygons`` gives back a mask without holes exactly.
    """
    solid = mask.bits.astype(np.uint8)
    parts, _ = cv2.findContours(np.pad(solid, 1), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros((solid.shape[0] + 2, solid.shape[1] + 2), np.uint8)
    rings = []
    for part in parts:
        filled[:] = 0
        cv2.drawContours(filled, [part], -1, 1, cv2.FILLED)
        rings.extend(outlines(Mask(mask.x0, mask.y0, filled[1:-1, 1:-1].astype(np.bool_))))
    return rings


def outlines(mask: Mask) -> list[FloatArray]:
    """Return every ring, holes included, along pixel edges: exact, for drawing.

    Each ring is ``(n, 2)`` float32 x, y with its corners only; outer rings run clockwise on the
    screen, holes the other way.
    """
    bits = np.pad(mask.bits, 1)
    # Edges keep the mask on their right hand: along the top of a pixel to the right, and so on.
    step: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def add(rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], a: _Point, b: _Point) -> None:
        starts = zip((columns + a[0]).tolist(), (rows + a[1]).tolist(), strict=True)
        ends = zip((columns + b[0]).tolist(), (rows + b[1]).tolist(), strict=True)
        for start, end in zip(starts, ends, strict=True):
            step.setdefault(start, []).append(end)

    inner = bits[1:-1, 1:-1]
    add(*np.nonzero(inner & ~bits[:-2, 1:-1]), (0, 0), (1, 0))
    add(*np.nonzero(inner & ~bits[1:-1, 2:]), (1, 0), (1, 1))
    add(*np.nonzero(inner & ~bits[2:, 1:-1]), (1, 1), (0, 1))
    add(*np.nonzero(inner & ~bits[1:-1, :-2]), (0, 1), (0, 0))
    rings = []
    while step:
        start = next(iter(step))
        ring, here, came = [start], start, (0, 0)
        while True:
            choices = step[here]
            chosen = _turn(here, came, choices)
            choices.remove(chosen)
            if not choices:
                del step[here]
            heading = (chosen[0] - here[0], chosen[1] - here[1])
            if heading == came:
                ring.pop()
            here, came = chosen, heading
            if here == start:
                break
            ring.append(here)
        rings.append(np.array(ring, np.float32) + np.array((mask.x0, mask.y0), np.float32))
    return rings


_Point = tuple[int, int]


def _turn(here: _Point, came: _Point, choices: Sequence[_Point]) -> _Point:
    """Where two pixels touch at a corner, turn right, so that each part keeps its own ring."""
    if len(choices) == 1:
        return choices[0]
    right = (here[0] - came[1], here[1] + came[0])
    return right if right in choices else choices[0]
