"""Objects to the pixels of one overlay tile: numpy in, premultiplied ARGB words out.

A tile is a window of the zoomed image: ``zoom`` device pixels to the image pixel, its corner
``(x0, y0)`` in device pixels from the image's corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.types import BoolArray, Box, Instance, Mask
from seginst_gui.canvas.stamps import Extent, Stamp, Words, lay, meet, stamp, touch

Colour = tuple[int, int, int]

MARGIN_PX = 6
"""No line reaches further out of its object than this, in units of the line width."""
_SMALL_PX = 24
_OFTEN_SIDE_PX = 64
"""Windows hold hundreds of objects of this side."""
_KEPT_SIDE_PX = 160
_KEPT_BYTES = 24_000_000
"""Some 700 objects of 100 px, more than a screen shows of them, or all of very many small ones."""
_SMALL_ZOOM = 0.75
_LARGE_CELLS = 1 << 16
_HATCH_PX = 6
_DASH_PX = 6
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))


@dataclass(frozen=True, slots=True)
class Band:
    """A line along the edge, from ``inner`` to ``outer`` units outside it; negative is inside."""

    inner: int
    outer: int
    tint: int


@dataclass(frozen=True, slots=True)
class Look:
    """How an object is drawn: its fill, dark casings below every line, and the lines."""

    fill: int
    lines: tuple[Band, ...]
    casings: tuple[Band, ...] = ()
    rank: int = 0
    """Higher ranks are drawn later."""


Thing = tuple[Instance, Look]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """An object at one zoom, ready to be laid on a window."""

    mask: Mask
    look: Look
    part: Extent
    """Where, in device pixels."""
    fill: tuple[Stamp, ...]
    casings: tuple[Stamp, ...]
    lines: tuple[Stamp, ...]
    whole: bool
    """Whether it is the same for every window."""

    @property
    def n_bytes(self) -> int:
        """What it takes in memory."""
        return sum(s.n_bytes for s in self.fill + self.casings + self.lines)


class Kept:
    """Whole shapes by id, for all windows of one zoom; the oldest go when there is no room."""

    def __init__(self) -> None:
        self._shapes: dict[int, Shape] = {}
        self._n_bytes = 0

    def find(self, instance: Instance, look: Look) -> Shape | None:
        """Return an object's shape if it is here and still looks like that."""
        shape = self._shapes.get(instance.id)
        fits = shape is not None and shape.mask is instance.mask and shape.look is look
        return shape if fits else None

    def keep(self, instance_id: int, shape: Shape) -> None:
        """Keep a shape in the place of an object's former one."""
        self._drop(instance_id)
        self._shapes[instance_id] = shape
        self._n_bytes += shape.n_bytes
        while self._n_bytes > _KEPT_BYTES:
            self._drop(next(iter(self._shapes)))

    def clear(self) -> None:
        """Keep none: another zoom or image is coming."""
        self._shapes.clear()
        self._n_bytes = 0

    def _drop(self, instance_id: int) -> None:
        former = self._shapes.pop(instance_id, None)
        if former is not None:
            self._n_bytes -= former.n_bytes


def tint(colour: Colour, opacity: float) -> int:
    """Return a colour as a premultiplied ARGB word; ``opacity`` 0..1."""
    alpha = round(opacity * 255)
    red, green, blue = (round(c * opacity) for c in colour)
    return alpha << 24 | red << 16 | green << 8 | blue


def extent_of(instance: Instance) -> Extent:
    """Return the image pixels an object may be drawn on, without its lines' width."""
    mask, box = instance.mask, instance.box
    if mask is not None:
        # Asked of thousands at once: one look at the shape, instead of two properties.
        height, width = mask.bits.shape
        return mask.x0, mask.y0, mask.x0 + width, mask.y0 + height
    return math.floor(box.x0), math.floor(box.y0), math.ceil(box.x1), math.ceil(box.y1)


def render(
    things: Sequence[Thing],
    zoom: float,
    window: Extent,
    unit_px: int = 1,
    kept: Kept | None = None,
) -> Words | None:
    """Return the words ``(height, width)`` of a window in device pixels; None if nothing is there.

    ``kept`` has the shapes of earlier windows of this zoom, and gets those that are made.
    """
    drawing = Drawing(things, zoom, window, unit_px, kept)
    while drawing.go_on():
        pass
    return drawing.words()


class Drawing:
    """What ``render`` does, one object at a time, so that it need not be done in one go."""

    def __init__(
        self,
        things: Sequence[Thing],
        zoom: float,
        window: Extent,
        unit_px: int = 1,
        kept: Kept | None = None,
    ) -> None:
        self._zoom, self._window, self._unit_px, self._kept = zoom, window, unit_px, kept
        things = sorted(things, key=_rank)
        self._boxes = [thing for thing in things if thing[0].mask is None]
        self._things = [thing for thing in things if thing[0].mask is not None]
        self._shapes: list[Shape | None] = [None] * len(self._things)
        if kept is not None:
            # Most of thousands are here already, and those are no step each.
            self._shapes = [kept.find(*thing) for thing in self._things]
        self._ahead = iter([n for n, shape in enumerate(self._shapes) if shape is None])

    def go_on(self) -> bool:
        """Make the next object ready; return whether there was one."""
        place = next(self._ahead, None)
        if place is None:
            return False
        instance, look = self._things[place]
        assert instance.mask is not None
        kept, window = self._kept, self._window
        shape = _shape(
            instance, instance.mask, look, self._zoom, window, self._unit_px, keeps=kept is not None
        )
        if kept is not None and shape is not None and shape.whole:
            kept.keep(instance.id, shape)
        self._shapes[place] = shape
        return True

    def words(self) -> Words | None:
        """Return the words ``(height, width)`` of the objects made ready; None if none is seen.

        Fills come first, then casings, then lines, so that an object never hides another's outline.
        """
        seen = [s for s in self._shapes if s is not None and touch(s.part, self._window)]
        if not seen and not self._boxes:
            return None
        fills = [stamp for shape in seen for stamp in shape.fill]
        casings = [stamp for shape in seen for stamp in shape.casings]
        lines = [stamp for shape in seen for stamp in shape.lines]
        words = lay(self._window, fills + casings + lines)
        for instance, look in self._boxes:
            _lay_box(words, self._window, instance.box, look, self._zoom, self._unit_px)
        return words if words.any() else None


def device_extent(mask: Mask, zoom: float) -> Extent:
    """Return the device pixels a mask's crop covers."""
    if zoom >= 1.0:
        x0, x1 = math.ceil(zoom * mask.x0 - 0.5), math.ceil(zoom * mask.x1 - 0.5)
        y0, y1 = math.ceil(zoom * mask.y0 - 0.5), math.ceil(zoom * mask.y1 - 0.5)
    else:
        x0, x1 = math.floor((mask.x0 + 0.5) * zoom), math.floor((mask.x1 - 0.5) * zoom) + 1
        y0, y1 = math.floor((mask.y0 + 0.5) * zoom), math.floor((mask.y1 - 0.5) * zoom) + 1
    return x0, y0, x1, y1


def sample(mask: Mask, zoom: float, window: Extent) -> BoolArray:
    """Return a mask as device pixels of a window.

    Enlarged, each device pixel takes the pixel under its centre. Reduced, each is set if any of
    the pixels that fall into it is, so that nothing vanishes however small it becomes.
    """
    x0, y0, x1, y1 = window
    out = np.zeros((y1 - y0, x1 - x0), np.bool_)
    inner = meet(window, device_extent(mask, zoom))
    if inner is None:
        return out
    a0, b0, a1, b1 = inner
    if zoom == 1.0:
        bits = mask.bits[b0 - mask.y0 : b1 - mask.y0, a0 - mask.x0 : a1 - mask.x0]
    elif zoom > 1.0:
        columns = np.floor((np.arange(a0, a1) + 0.5) / zoom).astype(np.intp) - mask.x0
        rows = np.floor((np.arange(b0, b1) + 0.5) / zoom).astype(np.intp) - mask.y0
        # Rounding may point one past the crop.
        bits = mask.bits.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip")
    else:
        columns, last_column = _groups(a0, a1, zoom, mask.x0, mask.bits.shape[1])
        rows, last_row = _groups(b0, b1, zoom, mask.y0, mask.bits.shape[0])
        cells = mask.bits[rows[0] : last_row, columns[0] : last_column]
        bits = _any_row(cells, rows - rows[0])
        bits = np.logical_or.reduceat(bits, columns - columns[0], axis=1)
    out[b0 - y0 : b1 - y0, a0 - x0 : a1 - x0] = bits
    return out


def _groups(
    start: int, stop: int, zoom: float, origin: int, n: int
) -> tuple[npt.NDArray[np.intp], int]:
    """First cell of each device pixel, and the end of the last; a cell goes where its centre is."""
    edges = np.ceil(np.arange(start, stop + 1) / zoom - 0.5).astype(np.intp) - origin
    # np.clip costs three times as much on arrays this short.
    starts: npt.NDArray[np.intp] = np.maximum(np.minimum(edges[:-1], n - 1), 0)
    # Rounding may leave the last group empty at the crop's end; then it repeats the last cell.
    return starts, max(min(int(edges[-1]), n), int(starts[-1]) + 1)


def _any_row(cells: BoolArray, starts: npt.NDArray[np.intp]) -> BoolArray:
    """Return for groups of rows, by the first of each, where any of its rows is set."""
    if cells.size < _LARGE_CELLS:
        return np.logical_or.reduceat(cells, starts, axis=0)
    # NumPy goes down the columns one by one for that, which takes ten times as long.
    stops = [*starts[1:].tolist(), len(cells)]
    # As there, a group that begins where the next one does is its own first row.
    groups = (cells[a : max(b, a + 1)] for a, b in zip(starts.tolist(), stops, strict=True))
    return np.array([group.any(axis=0) for group in groups])


def _rank(thing: Thing) -> int:
    return thing[1].rank


def _shape(
    instance: Instance,
    mask: Mask,
    look: Look,
    zoom: float,
    window: Extent,
    unit_px: int,
    *,
    keeps: bool,
) -> Shape | None:
    extent = device_extent(mask, zoom)
    wide, high = extent[2] - extent[0], extent[3] - extent[1]
    small = zoom < _SMALL_ZOOM * unit_px or min(wide, high) < _SMALL_PX * unit_px
    whole = keeps and max(wide, high) <= _KEPT_SIDE_PX
    often = whole and max(wide, high) <= _OFTEN_SIDE_PX
    margin = MARGIN_PX * unit_px
    if whole:
        reach = max((band.outer for band in look.casings + look.lines), default=0)
        part: Extent | None = _grown(extent, max(reach, 1) * unit_px)
    else:
        # Only what is seen of a large object is made, and as much around it as lines need.
        part = meet(_grown(extent, margin), _grown(window, margin))
    if part is None:
        return None
    bits = sample(mask, zoom, part)
    grown = {0: bits}
    casings, lines = (
        tuple(
            stamp(_ring(grown, band, unit_px, small=small), part, band.tint, often=often)
            for band in bands
        )
        for bands in (look.casings, look.lines)
    )
    filled = bits & _stripes(part) if instance.iscrowd else bits
    fill = (stamp(filled, part, look.fill, often=often),) if look.fill else ()
    return Shape(mask, look, part, fill, casings, lines, whole)


def _ring(grown: dict[int, BoolArray], band: Band, unit_px: int, *, small: bool) -> BoolArray:
    inner, outer = band.inner, band.outer
    if small:
        # Lines half as wide leave the fill of a small object to be seen.
        inner, outer = (int(math.copysign((abs(n) + 1) // 2, n)) for n in (inner, outer))
    return _grow(grown, outer * unit_px) & ~_grow(grown, inner * unit_px)


def _grow(grown: dict[int, BoolArray], n: int) -> BoolArray:
    """Return the bits grown by so many pixels, from what was asked for before if it was."""
    if n not in grown:
        kernel = _CROSS if abs(n) == 1 else _SQUARE
        change = cv2.dilate if n > 0 else cv2.erode
        bits = change(grown[0].view(np.uint8), kernel, iterations=abs(n))
        grown[n] = np.asarray(bits, np.uint8).view(np.bool_)
    return grown[n]


def _stripes(part: Extent) -> BoolArray:
    x0, y0, x1, y1 = part
    sums = np.arange(x0, x1) + np.arange(y0, y1)[:, None]
    return np.asarray(sums % (2 * _HATCH_PX) < _HATCH_PX, np.bool_)


def _lay_box(words: Words, window: Extent, box: Box, look: Look, zoom: float, unit_px: int) -> None:
    """Draw a dashed rectangle, two lines wide, inside the box."""
    x0, y0 = math.floor(box.x0 * zoom + 0.5), math.floor(box.y0 * zoom + 0.5)
    x1 = max(math.floor(box.x1 * zoom + 0.5), x0 + 1)
    y1 = max(math.floor(box.y1 * zoom + 0.5), y0 + 1)
    wide = 2 * unit_px
    if not look.lines:
        return
    between = look.lines[0].tint if len(look.lines) > 1 else tint((0, 0, 0), 0.5)
    for side in (
        (x0, y0, x1, min(y0 + wide, y1)),
        (x0, max(y1 - wide, y0), x1, y1),
        (x0, y0, min(x0 + wide, x1), y1),
        (max(x1 - wide, x0), y0, x1, y1),
    ):
        _lay_dashes(words, window, side, between, 0)
        _lay_dashes(words, window, side, look.lines[-1].tint, _DASH_PX * unit_px)


def _lay_dashes(words: Words, window: Extent, side: Extent, value: int, dash_px: int) -> None:
    shared = meet(window, side)
    if shared is None:
        return
    x0, y0, x1, y1 = shared
    along = np.arange(x0, x1) - side[0] + (np.arange(y0, y1) - side[1])[:, None]
    seen = along % (2 * dash_px) < dash_px if dash_px else np.ones(along.shape, np.bool_)
    there = words[y0 - window[1] : y1 - window[1], x0 - window[0] : x1 - window[0]]
    np.copyto(there, np.uint32(value), where=seen)


def _grown(extent: Extent, by: int) -> Extent:
    return extent[0] - by, extent[1] - by, extent[2] + by, extent[3] + by
