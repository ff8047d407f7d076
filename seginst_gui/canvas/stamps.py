"""Pixels of one colour, laid on a window of ARGB words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from seginst_core.types import BoolArray

Words = npt.NDArray[np.uint32]
Extent = tuple[int, int, int, int]
"""x0, y0, x1, y1, half-open."""

_SMALL_SIDE_PX = 128
"""Stamps of at most this side may be laid together."""
_MANY = 50
"""An array operation for each of so many small stamps takes longer than one for all of them."""
_ROW = 512
"""How wide the sheet is that small stamps are laid on together, with a border on either side."""


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """Which pixels of a part of the zoomed image get a colour."""

    bits: BoolArray
    part: Extent
    tint: int
    places: npt.NDArray[np.int32] | None
    """``row * 512 + column`` of each pixel in the part, if they are known."""

    @property
    def n_bytes(self) -> int:
        """What it takes in memory."""
        return self.bits.nbytes + (0 if self.places is None else self.places.nbytes)


def stamp(bits: BoolArray, part: Extent, tint: int, *, often: bool) -> Stamp:
    """Return the stamp of the bits ``(height, width)`` of a part, in device pixels.

    One that is laid ``often`` takes longer to make and less to lay; large ones would not.
    """
    places = None
    if often and max(bits.shape) <= _SMALL_SIDE_PX:
        rows, columns = bits.nonzero()
        places = (rows * _ROW + columns).astype(np.int32)
    return Stamp(bits, part, tint, places)


def lay(window: Extent, stamps: Sequence[Stamp]) -> Words:
    """Return the words ``(height, width)`` of a window with stamps laid on it, the last topmost.

    Each of them must meet the window; what reaches out of it is left out.
    """
    x0, y0, x1, y1 = window
    border, wide, high = _SMALL_SIDE_PX, x1 - x0, y1 - y0
    few = sum([s.places is not None for s in stamps]) < _MANY
    if few or wide > _ROW - 2 * border:
        words = np.zeros((high, wide), np.uint32)
        for one in stamps:
            _lay_one(words, window, one)
        return words
    # With a border that a small stamp cannot reach over, none need be cut to fit.
    sheet = np.zeros((high + 2 * border, _ROW), np.uint32)
    words = sheet[border : border + high, border : border + wide]
    for known, run in groupby(stamps, lambda stamp: stamp.places is not None):
        if known:
            _lay_together(sheet, x0 - border, y0 - border, list(run))
        else:
            for one in run:
                _lay_one(words, window, one)
    return words.copy()


def _lay_together(sheet: Words, left: int, top: int, stamps: Sequence[Stamp]) -> None:
    found = [s.places for s in stamps if s.places is not None]
    counts = [places.size for places in found]
    corners = [(s.part[1] - top) * _ROW + s.part[0] - left for s in stamps]
    flat = np.concatenate(found) + np.repeat(np.array(corners, np.int32), counts)
    # Where several meet, the last one stays.
    sheet.reshape(-1)[flat] = np.repeat(np.array([s.tint for s in stamps], np.uint32), counts)


def _lay_one(words: Words, window: Extent, stamp: Stamp) -> None:
    left, top, right, bottom = window
    x0, y0, x1, y1 = stamp.part
    bits = stamp.bits
    if x0 < left or y0 < top or x1 > right or y1 > bottom:
        x0, y0, x1, y1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
        bits = bits[
            y0 - stamp.part[1] : y1 - stamp.part[1], x0 - stamp.part[0] : x1 - stamp.part[0]
        ]
    np.copyto(words[y0 - top : y1 - top, x0 - left : x1 - left], np.uint32(stamp.tint), where=bits)


def touch(a: Extent, b: Extent) -> bool:
    """Return whether two extents share anything; asked of thousands in a frame."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def meet(a: Extent, b: Extent) -> Extent | None:
    """Return what two extents share; None if nothing."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
