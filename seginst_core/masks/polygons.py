"""Polygons to masks, as COCO rasterises them, and masks to polygons and outlines."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from seginst_core.errors import FormatError
from seginst_core.masks.rle import MAX_PIXELS, Rle, decode
from seginst_core.types import BoolArray, FloatArray, Mask

_Point = tuple[int, int]
# COCO's rasteriser counts fifths of a pixel in 32 bits and keeps 16 bytes for each of the outline.
_MAX_REACH_PX = 1e8
_MAX_OUTLINE_PX = 1e7
# The four sides of a pixel, each with the mask on its right hand: the window onto the padded
# bits that holds the neighbour across the side, then the side's start and end.
_SIDES = (
    ((slice(None, -2), slice(1, -1)), (0, 0), (1, 0)),
    ((slice(1, -1), slice(2, None)), (1, 0), (1, 1)),
    ((slice(2, None), slice(1, -1)), (1, 1), (0, 1)),
    ((slice(1, -1), slice(None, -2)), (0, 1), (0, 0)),
)


def from_polygons(
    polygons: Sequence[npt.NDArray[np.floating]], width: int, height: int
) -> Mask | None:
    """Rasterise polygons ``(n, 2)`` of x, y into one mask, with the pixels pycocotools sets.

    Only runs are made for the whole image, pixels for the mask's crop alone. Shifting the points
    first would be cheaper still, but the rasteriser's floats then fall to other sides of its ties.
    None if no pixel is set; FormatError if an outline or the image is larger than any real one.
    """
    rle = to_runs(polygons, width, height)
    return None if rle is None else decode(rle)


def to_runs(polygons: Sequence[npt.NDArray[np.floating]], width: int, height: int) -> Rle | None:
    """Do as ``from_polygons``, but return run lengths; None if no polygon has three points."""
    if width * height > MAX_PIXELS:
        raise FormatError(f"an image of {width} × {height} pixels is larger than any real one")
    points = [np.asarray(p, np.float64).reshape(-1, 2) for p in polygons if len(p) >= 3]
    if not points:
        return None
    if not all(_is_bounded(p) for p in points):
        raise FormatError("a polygon reaches further than any image")
    rles = coco_mask.frPyObjects([p.ravel().tolist() for p in points], height, width)
    merged = coco_mask.merge(rles) if len(rles) > 1 else rles[0]
    return {"size": [height, width], "counts": merged["counts"].decode("ascii")}


def rings_of(segmentation: Sequence[object]) -> list[npt.NDArray[np.float64]]:
    """Return the rings ``(n, 2)`` of COCO's polygons: lists of x, y, x, y, ..., or one such list.

    A ring of one or two points covers nothing, and COCO's own files hold some. FormatError if one
    is no list of finite pairs.
    """
    if all(isinstance(value, int | float) for value in segmentation):
        segmentation = [segmentation]
    return [_ring(values) for values in segmentation]


def _ring(values: object) -> npt.NDArray[np.float64]:
    try:
        points = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.full(1, np.nan)
    if points.ndim != 1 or points.size % 2 or not np.isfinite(points).all():
        raise FormatError("one of its polygons is not a list of x, y pairs")
    return points.reshape(-1, 2)


def _is_bounded(points: npt.NDArray[np.float64]) -> bool:
    reach_px = float(np.abs(points).max())
    if reach_px * 2 * len(points) < _MAX_OUTLINE_PX:
        return True
    sides = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)
    return bool(reach_px < _MAX_REACH_PX and sides.sum() < _MAX_OUTLINE_PX)


def to_polygons(mask: Mask) -> list[FloatArray]:
    """Return the outer ring of each part as ``(n, 2)`` float32 x, y; holes are lost.

    The rings run along pixel edges, so ``from_polygons`` gives back a mask without holes exactly.
    Parts that touch only at a corner have a ring each, and what they enclose together is no hole.
    """
    return [ring for ring in outlines(mask) if _is_outer(ring)]


def outlines(mask: Mask) -> list[FloatArray]:
    """Return every ring, holes included, along pixel edges: exact, for drawing.

    Each ring is ``(n, 2)`` float32 x, y with its corners only; outer rings run clockwise on the
    screen, holes the other way.
    """
    ends = _edges(mask.bits)
    offset = np.array((mask.x0, mask.y0), np.float32)
    rings = []
    while ends:
        rings.append(np.array(_take_ring(ends), np.float32) + offset)
    return rings


def _edges(bits: BoolArray) -> dict[_Point, list[_Point]]:
    """Return the pixel sides between mask and background, from start corner to end corners."""
    padded = np.pad(bits, 1)
    ends: dict[_Point, list[_Point]] = {}
    for across, start, end in _SIDES:
        rows, columns = np.nonzero(bits & ~padded[across])
        for x, y in zip(columns.tolist(), rows.tolist(), strict=True):
            ends.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    return ends


def _take_ring(ends: dict[_Point, list[_Point]]) -> list[_Point]:
    """Follow one ring's edges back to where it began, and take them out of ``ends``."""
    start = next(iter(ends))
    ring, here, came = [start], start, (0, 0)
    while True:
        choices = ends[here]
        right = (here[0] - came[1], here[1] + came[0])
        # Where two pixels touch at a corner, turn right, so that each part keeps its own ring.
        chosen = right if right in choices else choices[0]
        choices.remove(chosen)
        if not choices:
            del ends[here]
        heading = (chosen[0] - here[0], chosen[1] - here[1])
        if heading == came:
            ring.pop()
        here, came = chosen, heading
        if here == start and (here[0] - came[1], here[1] + came[0]) not in ends.get(here, ()):
            return ring
        ring.append(here)


def _is_outer(ring: FloatArray) -> bool:
    """Whether a ring runs clockwise on the screen, by the sign of its area."""
    x, y = (ring - ring[0]).astype(np.float64).T
    return bool(np.dot(x, np.roll(y, -1)) > np.dot(y, np.roll(x, -1)))
