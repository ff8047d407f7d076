"""One layer of objects over the image, as cached tiles at the zoom it is looked at."""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QRegion

from seginst_core.masks.geometry import trim, window
from seginst_core.types import Instance, Mask
from seginst_gui.canvas.render import MARGIN_PX, Drawing, Kept, Thing, extent_of
from seginst_gui.canvas.stamps import Extent, Words

TILE_PX = 256
MAX_TILES = 240
"""At most 60 MB for a layer; a 4K screen shows 135."""

_Key = tuple[int, int]


@dataclass(slots=True)
class _Tile:
    words: Words | None
    fresh: bool = True


class Layer:
    """The objects of one layer and the tiles they are drawn on.

    After a change of zoom the earlier tiles stand in, scaled, until the new ones are there.
    """

    def __init__(self) -> None:
        self.things: dict[int, Thing] = {}
        """By id, in drawing order; changed by ``show`` and ``update`` alone."""
        self._order: list[Thing] = []
        self._places: dict[int, int] = {}
        self._extents: npt.NDArray[np.int64] = np.empty((0, 4), np.int64)
        self._zoom, self._unit_px = 0.0, 1
        self._tiles: OrderedDict[_Key, _Tile] = OrderedDict()
        self._begun: tuple[_Key, Drawing] | None = None
        """The tile that the last frame had no time to finish."""
        self._kept = Kept()
        self._old_zoom = 0.0
        self._old_tiles: dict[_Key, Words] = {}
        self.n_rendered = 0
        """How many tiles were drawn anew so far."""

    def clear(self) -> None:
        """Forget everything: another image is coming."""
        self.show({})
        self._tiles.clear()
        self._begun = None
        self._kept.clear()
        self._old_tiles.clear()

    def show(self, things: Mapping[int, Thing]) -> list[Extent]:
        """Take the objects by id, in drawing order; return the image pixels that look different."""
        changed: list[Extent] = []
        moved: list[tuple[int, Extent]] = []
        added: list[int] = []
        n_stay = 0
        for place, (key, after) in enumerate(things.items()):
            before = self.things.get(key)
            if before is None:
                added.append(place)
                continue
            if before[0] is not after[0] or before[1] is not after[1]:
                changed.extend(changed_extents(before, after))
                moved.append((n_stay, extent_of(after[0])))
            n_stay += 1
        same = n_stay == len(things) == len(self.things)
        if n_stay < len(self.things):
            gone = (self.things[key][0] for key in self.things.keys() - things.keys())
            changed.extend(map(extent_of, gone))
        if same and not moved:
            return []
        self.things = dict(things)
        self._order = list(things.values())
        self._places = {key: place for place, key in enumerate(things)}
        if same:
            for place, extent in moved:
                self._extents[place] = extent
        else:
            extents = [extent_of(instance) for instance, _ in self._order]
            self._extents = np.array(extents, np.int64).reshape(-1, 4)
            changed.extend(extents[place] for place in added)
        self._spoil(changed)
        return changed

    def update(self, things: Mapping[int, Thing | None]) -> list[Extent]:
        """Take what became of some objects, None if they are gone; return as ``show`` does.

        Objects are drawn in the order of their ids. Those that stay cost nothing.
        """
        stay = {key: after for key, after in things.items() if after and key in self.things}
        if len(stay) < len(things):
            merged = {k: t for k, t in {**self.things, **things}.items() if t is not None}
            return self.show({key: merged[key] for key in sorted(merged)})
        changed: list[Extent] = []
        for key, after in stay.items():
            before, place = self.things[key], self._places[key]
            if before[0] is not after[0] or before[1] is not after[1]:
                changed.extend(changed_extents(before, after))
                self.things[key] = self._order[place] = after
                self._extents[place] = extent_of(after[0])
        self._spoil(changed)
        return changed

    def near(self, x: float, y: float) -> list[Instance]:
        """Return the objects whose extent holds an image point."""
        place = math.floor(x), math.floor(y)
        hits = _touching(self._extents, (*place, place[0] + 1, place[1] + 1))
        return [self._order[n][0] for n in hits.tolist()]

    def paint(
        self, painter: QPainter, zoom: float, area: QRect, unit_px: int, until: float
    ) -> QRegion:
        """Paint a part of the zoomed image, in its device pixels; return what is left to do of it.

        Tiles are drawn anew as long as ``perf_counter`` is below ``until``; after that they are
        left as they were, for another frame. One that was begun is gone on with there.
        """
        if (zoom, unit_px) != (self._zoom, self._unit_px):
            self._change_zoom(zoom, unit_px)
        if not self.things:
            return QRegion()
        missing, left = QRegion(), QRegion()
        for row in range(area.top() // TILE_PX, area.bottom() // TILE_PX + 1):
            for column in range(area.left() // TILE_PX, area.right() // TILE_PX + 1):
                key = (column, row)
                where = QRect(column * TILE_PX, row * TILE_PX, TILE_PX, TILE_PX)
                part = where.intersected(area)
                tile = self._tiles.get(key)
                if tile is None or not tile.fresh:
                    drawn = self._render(key, until) if perf_counter() < until else None
                    tile = drawn or tile
                    if drawn is None:
                        left += part
                if tile is None:
                    missing += part
                elif tile.words is not None:
                    self._tiles.move_to_end(key)
                    image = _as_qimage(tile.words)
                    painter.drawImage(part.topLeft(), image, part.translated(-where.topLeft()))
        if not missing.isEmpty():
            self._paint_old(painter, missing)
        return left

    def drop_old(self) -> None:
        """Forget the tiles of the earlier zoom: the whole view is drawn at this one."""
        self._old_tiles = {}

    def _render(self, key: _Key, until: float) -> _Tile | None:
        """Draw a tile, or go on with it; None if that takes longer."""
        begun, self._begun = self._begun, None
        drawing = begun[1] if begun is not None and begun[0] == key else self._draw(key)
        while drawing.go_on():
            if perf_counter() >= until:
                self._begun = key, drawing
                return None
        self.n_rendered += 1
        tile = self._tiles[key] = _Tile(drawing.words())
        self._tiles.move_to_end(key)
        while len(self._tiles) > MAX_TILES:
            self._tiles.popitem(last=False)
        return tile

    def _draw(self, key: _Key) -> Drawing:
        x0, y0 = key[0] * TILE_PX, key[1] * TILE_PX
        reach = MARGIN_PX * self._unit_px + 1
        seen = (
            math.floor((x0 - reach) / self._zoom),
            math.floor((y0 - reach) / self._zoom),
            math.ceil((x0 + TILE_PX + reach) / self._zoom),
            math.ceil((y0 + TILE_PX + reach) / self._zoom),
        )
        things = [self._order[n] for n in _touching(self._extents, seen).tolist()]
        tile_window = (x0, y0, x0 + TILE_PX, y0 + TILE_PX)
        return Drawing(things, self._zoom, tile_window, self._unit_px, self._kept)

    def _paint_old(self, painter: QPainter, missing: QRegion) -> None:
        side = TILE_PX * self._zoom / self._old_zoom if self._old_tiles else 0.0
        painter.save()
        painter.setClipRegion(missing)
        for (column, row), words in self._old_tiles.items():
            target = QRectF(column * side, row * side, side, side)
            if target.intersects(missing.boundingRect()):
                painter.drawImage(target, _as_qimage(words))
        painter.restore()

    def _change_zoom(self, zoom: float, unit_px: int) -> None:
        # While zooming fast, no zoom is ever finished; then the last finished one is kept.
        if not self._old_tiles:
            self._old_zoom = self._zoom
            self._old_tiles = {k: t.words for k, t in self._tiles.items() if t.words is not None}
        self._tiles.clear()
        self._begun = None
        self._kept.clear()
        self._zoom, self._unit_px = zoom, unit_px

    def _spoil(self, changed: Sequence[Extent]) -> None:
        if not changed:
            return
        self._begun = None
        if not self._tiles:
            return
        reach = MARGIN_PX * self._unit_px + 1
        corners = np.array(list(self._tiles), np.float64) * TILE_PX
        starts = np.floor((corners - reach) / self._zoom)
        stops = np.ceil((corners + TILE_PX + reach) / self._zoom)
        extents = np.array(changed, np.int64)
        hit = (extents[:, None, :2] < stops) & (extents[:, None, 2:] > starts)
        spoiled = np.asarray(hit.all(axis=2).any(axis=0), np.bool_)
        for place, tile in enumerate(self._tiles.values()):
            tile.fresh &= not spoiled[place]


def changed_extents(before: Thing, after: Thing) -> list[Extent]:
    """Return the image pixels in which two states of one object look different."""
    a, b = before[0].mask, after[0].mask
    same_look = before[1] is after[1] and before[0].iscrowd == after[0].iscrowd
    if a is None or b is None or not same_look:
        return [extent_of(before[0]), extent_of(after[0])]
    difference = changed_pixels(a, b)
    return [] if difference is None else [difference]


def changed_pixels(a: Mask, b: Mask) -> Extent | None:
    """Return the extent of the pixels in one of two masks only; None if there are none."""
    if a is b:
        return None
    x0, y0, x1, y1 = min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1)
    only = window(a, x0, y0, x1, y1)
    only[b.y0 - y0 : b.y1 - y0, b.x0 - x0 : b.x1 - x0] ^= b.bits
    tight = trim(only, x0, y0)
    return None if tight is None else (tight.x0, tight.y0, tight.x1, tight.y1)


def _touching(extents: npt.NDArray[np.int64], area: Extent) -> npt.NDArray[np.intp]:
    return np.flatnonzero(
        (extents[:, 0] < area[2])
        & (extents[:, 1] < area[3])
        & (extents[:, 2] > area[0])
        & (extents[:, 3] > area[1])
    )


def _as_qimage(words: Words) -> QImage:
    height, width = words.shape
    return QImage(words.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
