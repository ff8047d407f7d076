"""The corners of a mask, to be moved one at a time; what lies off the moved sides stays exact."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import trim, union, window
from seginst_core.masks.polygons import from_polygons, outlines
from seginst_core.types import Mask

Point = tuple[float, float]
_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """One outline of a mask, around a part or a hole.

    ``points`` ``(n, 2)`` run along pixel edges and are exact; ``knots`` are the indices, in their
    order, of the few that describe the outline well enough.
    """

    points: _Points
    knots: tuple[int, ...]

    def corners(self) -> tuple[Point, ...]:
        """Return the knots' places, x and y in pixels."""
        return tuple((float(x), float(y)) for x, y in self.points[list(self.knots)])


def rings(mask: Mask, tolerance_px: float) -> list[Ring]:
    """Return a mask's outlines; no point of one is further than the tolerance from its sides.

    Douglas and Peucker 1973. A ring keeps three corners at least, however small it is.
    """
    found = []
    for outline in outlines(mask):
        tolerance, knots = tolerance_px, np.zeros((0, 2), np.float32)
        while len(knots) < 3:
            knots = np.asarray(cv2.approxPolyDP(outline, tolerance, True), np.float32)
            knots, tolerance = knots.reshape(-1, 2), tolerance / 2
        found.append(Ring(outline.astype(np.float64), _places(outline, knots)))
    return found


def with_knot(ring: Ring, x: float, y: float) -> tuple[Ring, float]:
    """Return the ring with one more knot, its nearest point, and how far off that is in pixels."""
    start = ring.points
    along = np.roll(start, -1, axis=0) - start
    here = np.array((x, y))
    part = np.clip(((here - start) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    # Sides run along pixel edges: rounding keeps the new point on its side.
    nearest = np.rint(start + part[:, None] * along)
    distances = np.hypot(*(nearest - here).T)
    k = int(distances.argmin())
    for end in (k, (k + 1) % len(start)):
        if np.array_equal(nearest[k], start[end]):
            return Ring(start, tuple(sorted({*ring.knots, end}))), float(distances[k])
    points = np.insert(start, k + 1, nearest[k], axis=0)
    later = (knot + (knot > k) for knot in ring.knots)
    return Ring(points, tuple(sorted((*later, k + 1)))), float(distances[k])


def sides(ring: Ring, place: int) -> tuple[Point, Point]:
    """Return the knots before and after the one at a place in ``ring.knots``."""
    corners = ring.corners()
    return corners[place - 1], corners[(place + 1) % len(corners)]


def move_knot(
    mask: Mask, ring: Ring, place: int, to: Point | None, width: int, height: int
) -> Mask | None:
    """Return the mask with one knot of a ring elsewhere in the image, or with ``to`` None, gone.

    The two sides at the knot become straight; only pixels between them and the outline they
    replace change. None if nothing is left.
    """
    first, last = ring.knots[place - 1], ring.knots[(place + 1) % len(ring.knots)]
    n = len(ring.points)
    old = ring.points[np.arange(first, first + (last - first) % n + 1) % n]
    swept = old
    if to is not None:
        inside = (min(max(to[0], 0.0), float(width)), min(max(to[1], 0.0), float(height)))
        swept = np.concatenate([old, [inside]])
    between = from_polygons([swept], width, height)
    if between is None:
        return mask
    around = union(mask, between)
    extent = around.x0, around.y0, around.x1, around.y1
    return trim(window(mask, *extent) ^ window(between, *extent), around.x0, around.y0)


def _places(outline: npt.NDArray[np.float32], knots: npt.NDArray[np.float32]) -> tuple[int, ...]:
    """Return where in a ring its knots are; a ring may pass a point twice, so order counts."""
    places, n, last = [], len(outline), -1
    for knot in knots:
        after = (np.arange(n) + last + 1) % n
        last = int(after[np.flatnonzero((outline[after] == knot).all(axis=1))[0]])
        places.append(last)
    return tuple(sorted(set(places)))
