"""COCO run-length codes to and from crops, and a compact codec for the database."""

import struct
import zlib
from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from seginst_core.errors import FormatError
from seginst_core.masks.geometry import trim
from seginst_core.types import Mask

# A run is at most this long; a claim of more is a damaged or hostile file.
MAX_PIXELS = 1 << 31
_HEADER = struct.Struct("<iiII")


class Rle(TypedDict):
    """A COCO compressed RLE: ``size`` is [height, width]."""

    size: list[int]
    counts: str


def encode(mask: Mask | None, width: int, height: int) -> Rle:
    """Encode a mask as the RLE of the full image, from its crop alone.

    The runs of the crop's columns are shifted to their place, so the cost is the crop's, and the
    text is the same as pycocotools gives for the full-image mask. The mask must lie in the image.
    """
    if mask is None or not mask.bits.any():
        runs = np.array([width * height], np.int64)
    else:
        if mask.x0 < 0 or mask.y0 < 0 or mask.x1 > width or mask.y1 > height:
            raise ValueError("the mask reaches outside its image")
        runs = _full_runs(mask, width, height)
    return {"size": [height, width], "counts": _to_text(runs)}


def decode(segmentation: Mapping[str, object]) -> Mask | None:
    """Decode a compressed or uncompressed COCO RLE into a crop; None if no pixel is set.

    FormatError if it is malformed: its runs are checked against ``size`` before any pixel is made.
    """
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if (
        not isinstance(size, list | tuple)
        or len(size) != 2
        or not all(isinstance(v, int) and v >= 0 for v in size)
        or size[0] * size[1] > MAX_PIXELS
    ):
        raise FormatError(f"an RLE of size {size!r} is not [height, width]")
    height, width = size
    if isinstance(counts, str):
        runs = _from_text(counts)
    elif isinstance(counts, bytes):
        runs = _from_text(counts.decode("latin-1"))
    elif isinstance(counts, list) and all(isinstance(c, int) for c in counts):
        if any(abs(c) > MAX_PIXELS for c in counts):
            raise FormatError("an RLE has a run longer than any image")
        runs = np.array(counts, np.int64)
    else:
        raise FormatError("an RLE's counts are neither text nor a list of whole numbers")
    if runs.size and runs.min() < 0:
        raise FormatError("an RLE has a negative run")
    if int(runs.sum()) != height * width:
        raise FormatError(
            f"an RLE covers {int(runs.sum())} pixels where its size says {height * width}"
        )
    return _crop_of_runs(runs, height)


def pack(mask: Mask) -> bytes:
    """Pack a mask exactly into few bytes: offset, size and deflated bits."""
    height, width = mask.bits.shape
    return _HEADER.pack(mask.x0, mask.y0, width, height) + zlib.compress(
        np.packbits(mask.bits).tobytes(), 1
    )


def unpack(data: bytes) -> Mask:
    """Undo ``pack``; FormatError if the bytes are damaged."""
    try:
        x0, y0, width, height = _HEADER.unpack_from(data)
        packed = np.frombuffer(zlib.decompress(data[_HEADER.size :]), np.uint8)
        bits = np.unpackbits(packed, count=width * height).reshape(height, width)
    except (struct.error, zlib.error, ValueError) as error:
        raise FormatError("a stored mask is damaged") from error
    return Mask(x0, y0, bits.astype(np.bool_))


def _full_runs(mask: Mask, width: int, height: int) -> npt.NDArray[np.int64]:
    """Return the alternating runs, background first, of the mask in its full image."""
    tall, wide = mask.bits.shape
    columns = np.zeros((wide, tall + 2), np.int8)
    columns[:, 1:-1] = mask.bits.T
    # Where a column changes from one pixel to the next; starts and ends alternate within it.
    column, row = np.nonzero(np.diff(columns, axis=1))
    edges = (column + mask.x0) * height + row + mask.y0
    # A run that ends at the bottom of one column and goes on at the top of the next is one run.
    starts, ends = edges[0::2], edges[1::2]
    joined = starts[1:] == ends[:-1]
    starts = np.concatenate([starts[:1], starts[1:][~joined]])
    ends = np.concatenate([ends[:-1][~joined], ends[-1:]])
    bounds = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], bounds, [width * height]]))
    return runs[:-1] if runs[-1] == 0 else runs


def _to_text(runs: npt.NDArray[np.int64]) -> str:
    """Compress runs to COCO's text: differences to the run two before, in base 32 from '0'."""
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]
    symbols = np.zeros((len(values), 13), np.uint8)
    used = np.zeros((len(values), 13), np.bool_)
    going = np.ones(len(values), np.bool_)
    for place in range(13):
        low = values & 31
        values >>= 5
        more = np.where(low & 16, values != -1, values != 0)
        symbols[:, place] = low + np.where(more, 32, 0) + 48
        used[:, place] = going
        going = going & more
        if not going.any():
            break
    return symbols[used].tobytes().decode("ascii")


def _from_text(text: str) -> npt.NDArray[np.int64]:
    """Undo ``_to_text``; FormatError if the text is not COCO's."""
    symbols = np.frombuffer(text.encode("latin-1", "replace"), np.uint8).astype(np.int64) - 48
    if symbols.size == 0:
        return np.zeros(0, np.int64)
    if symbols.min() < 0 or symbols.max() > 63 or symbols[-1] & 32:
        raise FormatError("an RLE's counts are not COCO's compressed text")
    last = np.flatnonzero((symbols & 32) == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    length = last - first + 1
    if length.max() > 7:
        raise FormatError("an RLE has a run longer than any image")
    place = np.arange(symbols.size) - np.repeat(first, length)
    values = np.add.reduceat((symbols & 31) << (5 * place), first)
    negative = (symbols[last] & 16) != 0
    values[negative] -= np.int64(1) << (5 * length[negative])
    # Each value from the fourth on is a difference to the one two before it.
    values[1::2] = np.cumsum(values[1::2])
    even = values[2::2].copy()
    values[2::2] = np.cumsum(even)
    return values


def _crop_of_runs(runs: npt.NDArray[np.int64], height: int) -> Mask | None:
    bounds = np.cumsum(runs)
    starts, ends = bounds[0::2], bounds[1::2]
    starts = starts[: len(ends)]
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    if starts.size == 0:
        return None
    x0, x1 = int(starts[0] // height), int((ends[-1] - 1) // height) + 1
    rle = {
        "size": [height, x1 - x0],
        "counts": _shifted_counts(starts - x0 * height, ends - x0 * height, height * (x1 - x0)),
    }
    strip = coco_mask.decode(rle).astype(np.bool_)
    return trim(strip, x0, 0)


def _shifted_counts(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], n_pixels: int
) -> bytes:
    bounds = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], bounds, [n_pixels]]))
    return _to_text(runs[:-1] if runs[-1] == 0 else runs).encode("ascii")
