"""Pixels of one colour, laid on a window of ARGB words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from seginst_core.types import BoolArray

Words = npt.NDArray[np.uint32]
Extent = tuple[int, int, int, int]
"""x0, y0, x1, y1, half-open."""

_SMALL_SIDE_PX = 128
_ROW = 256
"""What a row counts in a stamp's ``places``; more than any column."""


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """Which pixels of a part of the zoomed image get a colour."""

    bits: BoolArray
    part: Extent
    tint: int
    places: npt.NDArray[np.int32] | None
    """``row * 256 + column`` of each pixel in the part; None if the part is large."""


def stamp(bits: BoolArray, part: Extent, tint: int) -> Stamp:
    """Return the stamp of the bits ``(height, width)`` of a part, in device pixels."""
    places = None
    if max(bits.shape) <= _SMALL_SIDE_PX:
        rows, columns = bits.nonzero()
        places = (rows * _ROW + columns).astype(np.int32)
    return Stamp(bits, part, tint, places)


def lay(window: Extent, stamps: Iterable[Stamp]) -> Words:
    """Return the words ``(height, width)`` of a window with stamps laid on it, the last topmost.

    Each of them must meet the window; what reaches out of it is left out.
    """
    x0, y0, x1, y1 = window
    # With a border that a small stamp cannot reach over, none need be cut to fit.
    sheet = np.zeros((y1 - y0 + 2 * _SMALL_SIDE_PX, x1 - x0 + 2 * _SMALL_SIDE_PX), np.uint32)
    words = sheet[_SMALL_SIDE_PX:-_SMALL_SIDE_PX, _SMALL_SIDE_PX:-_SMALL_SIDE_PX]
    for small, run in groupby(stamps, lambda stamp: stamp.places is not None):
        if small:
            _lay_small(sheet, x0 - _SMALL_SIDE_PX, y0 - _SMALL_SIDE_PX, list(run))
        else:
            for one in run:
                _lay_large(words, window, one)
    return words.copy()


def _lay_small(sheet: Words, left: int, top: int, stamps: Sequence[Stamp]) -> None:
    # An array operation for each of hundreds of stamps would cost more than this by far.
    wide = sheet.shape[1]
    found = [s.places for s in stamps if s.places is not None]
    counts = [places.size for places in found]
    corners = [(s.part[1] - top) * wide + s.part[0] - left for s in stamps]
    places = np.concatenate(found)
    flat = (places // _ROW) * wide + places % _ROW + np.repeat(np.array(corners), counts)
    # Where several meet, the last one stays.
    sheet.reshape(-1)[flat] = np.repeat(np.array([s.tint for s in stamps], np.uint32), counts)


def _lay_large(words: Words, window: Extent, stamp: Stamp) -> None:
    part = stamp.part
    shared = meet(window, part)
    if shared is None:
        return
    x0, y0, x1, y1 = shared
    bits = stamp.bits[y0 - part[1] : y1 - part[1], x0 - part[0] : x1 - part[0]]
    there = words[y0 - window[1] : y1 - window[1], x0 - window[0] : x1 - window[0]]
    np.copyto(there, np.uint32(stamp.tint), where=bits)


def meet(a: Extent, b: Extent) -> Extent | None:
    """Return what two extents share; None if nothing."""
    x0, y0, x1, y1 = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
