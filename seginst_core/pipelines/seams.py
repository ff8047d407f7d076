"""What overlapping tiles saw of the same objects, compared only where both could see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seginst_core.types import Box, Instance, Mask

MOSTLY = 0.5
"""The part, of an object or of two together, above which what two tiles saw is one."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A window of an image in whole pixels, half-open: ``image[y0:y1, x0:x1]``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One instance as one tile saw it; ``tile_index`` tells tiles apart."""

    tile_index: int
    tile: Tile
    instance: Instance

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The mask's crop, or the box of an instance without a mask."""
        mask, box = self.instance.mask, self.instance.box
        if mask is None:
            return box.x0, box.y0, box.x1, box.y1
        return mask.x0, mask.y0, mask.x1, mask.y1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sightings of different tiles that share pixels, by index.

    ``same``: within the area both tiles saw their IoU exceeds one half. Otherwise only their
    overlap over the smaller does: ``small`` is mostly a part of ``large``.
    """

    small: int
    large: int
    same: bool


def find_pairs(sightings: Sequence[Sighting]) -> list[Pair]:
    """Find the pairs of one category, from tiles that overlap, that may be one object."""
    members = _by_tile(sightings)
    extents = np.array([s.extent for s in sightings], np.float64).reshape(-1, 4)
    categories = np.array([s.instance.category_id for s in sightings], np.int64)
    pairs: list[Pair] = []
    for first, second, shared in _overlapping_tiles(sightings, members):
        inside_a, a = _clipped(extents, members[first], shared)
        inside_b, b = _clipped(extents, members[second], shared)
        if not (len(inside_a) and len(inside_b)):
            continue
        wide = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
        high = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
        near = (wide > 0) & (high > 0)
        near &= categories[inside_a][:, None] == categories[inside_b][None, :]
        for row, column in zip(*np.nonzero(near), strict=True):
            i, j = int(inside_a[row]), int(inside_b[column])
            pair = _compare(sightings, i, j, shared)
            if pair is not None:
                pairs.append(pair)
    return pairs


def is_cut(box: Box, tile: Tile, width: int, height: int, margin_px: float) -> bool:
    """Whether a box reaches an edge of its tile that is not an edge of the image.

    A detector's box of a cut object ends near the edge, not on it: hence the margin.
    """
    return (
        (tile.x0 > 0 and box.x0 - tile.x0 < margin_px)
        or (tile.y0 > 0 and box.y0 - tile.y0 < margin_px)
        or (tile.x1 < width and tile.x1 - box.x1 < margin_px)
        or (tile.y1 < height and tile.y1 - box.y1 < margin_px)
    )


def is_sliver(box: Box, tile: Tile, width: int, height: int, margin_px: float) -> bool:
    """Whether a box is but a thin strip along an inner edge of its tile."""
    along_x = (tile.x0 > 0 and box.x0 - tile.x0 <= 1) or (tile.x1 < width and tile.x1 - box.x1 <= 1)
    along_y = (tile.y0 > 0 and box.y0 - tile.y0 <= 1) or (
        tile.y1 < height and tile.y1 - box.y1 <= 1
    )
    return (along_x and box.width <= margin_px) or (along_y and box.height <= margin_px)


def sees_around(tile: Tile, box: Box, width: int, height: int, margin_px: float) -> bool:
    """Whether a tile shows a box and ``margin_px`` around it, as far as the image goes."""
    return (
        tile.x0 <= max(0.0, box.x0 - margin_px)
        and tile.y0 <= max(0.0, box.y0 - margin_px)
        and tile.x1 >= min(float(width), box.x1 + margin_px)
        and tile.y1 >= min(float(height), box.y1 + margin_px)
    )


def reaches_beyond(box: Box, tile: Tile, margin_px: float) -> bool:
    """Whether a box goes more than ``margin_px`` out of a tile."""
    return (
        box.x0 < tile.x0 - margin_px
        or box.y0 < tile.y0 - margin_px
        or box.x1 > tile.x1 + margin_px
        or box.y1 > tile.y1 + margin_px
    )


def _by_tile(sightings: Sequence[Sighting]) -> dict[int, npt.NDArray[np.intp]]:
    indices: dict[int, list[int]] = {}
    for index, sighting in enumerate(sightings):
        indices.setdefault(sighting.tile_index, []).append(index)
    return {tile: np.array(found, np.intp) for tile, found in indices.items()}


def _overlapping_tiles(
    sightings: Sequence[Sighting], members: dict[int, npt.NDArray[np.intp]]
) -> list[tuple[int, int, Tile]]:
    keys = list(members)
    tiles = [sightings[members[key][0]].tile for key in keys]
    sides = np.array([(t.x0, t.y0, t.x1, t.y1) for t in tiles], np.int64).reshape(-1, 4)
    low = np.maximum(sides[:, None, :2], sides[None, :, :2])
    high = np.minimum(sides[:, None, 2:], sides[None, :, 2:])
    rows, columns = np.nonzero(np.triu((low < high).all(axis=2), k=1))
    return [
        (keys[i], keys[j], Tile(*(int(v) for v in (*low[i, j], *high[i, j]))))
        for i, j in zip(rows, columns, strict=True)
    ]


def _clipped(
    extents: npt.NDArray[np.float64], members: npt.NDArray[np.intp], shared: Tile
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    inside = extents[members].copy()
    np.maximum(inside[:, :2], (shared.x0, shared.y0), out=inside[:, :2])
    np.minimum(inside[:, 2:], (shared.x1, shared.y1), out=inside[:, 2:])
    seen = (inside[:, :2] < inside[:, 2:]).all(axis=1)
    return members[seen], inside[seen]


def _compare(sightings: Sequence[Sighting], i: int, j: int, shared: Tile) -> Pair | None:
    a, b = sightings[i].instance, sightings[j].instance
    if a.mask is None or b.mask is None:
        area_a, area_b, both = _box_areas(a.box, b.box, shared)
    else:
        area_a, area_b, both = _mask_areas(a.mask, b.mask, shared)
    smaller = min(area_a, area_b)
    if smaller <= 0 or both <= MOSTLY * smaller:
        return None
    same = both > MOSTLY * (area_a + area_b - both)
    return Pair(i, j, same) if area_a <= area_b else Pair(j, i, same)


def _mask_areas(a: Mask, b: Mask, shared: Tile) -> tuple[float, float, float]:
    seen_a, seen_b = _seen(a, shared), _seen(b, shared)
    together = Tile(
        max(shared.x0, a.x0, b.x0),
        max(shared.y0, a.y0, b.y0),
        min(shared.x1, a.x1, b.x1),
        min(shared.y1, a.y1, b.y1),
    )
    both = np.count_nonzero(_seen(a, together) & _seen(b, together))
    return float(np.count_nonzero(seen_a)), float(np.count_nonzero(seen_b)), float(both)


def _seen(mask: Mask, shared: Tile) -> npt.NDArray[np.bool_]:
    # A view, never a copy: thousands of pairs are compared.
    rows = slice(max(shared.y0 - mask.y0, 0), max(shared.y1 - mask.y0, 0))
    return mask.bits[rows, max(shared.x0 - mask.x0, 0) : max(shared.x1 - mask.x0, 0)]


def _box_areas(a: Box, b: Box, shared: Tile) -> tuple[float, float, float]:
    both = (max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))
    sides = ((a.x0, a.y0, a.x1, a.y1), (b.x0, b.y0, b.x1, b.y1), both)
    areas = [
        max(0.0, min(x1, shared.x1) - max(x0, shared.x0))
        * max(0.0, min(y1, shared.y1) - max(y0, shared.y0))
        for x0, y0, x1, y1 in sides
    ]
    return areas[0], areas[1], areas[2]
