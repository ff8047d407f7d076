"""COCO run-length codes to and from crops, and a compact codec for the database."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from seginst_core.errors import FormatError
from seginst_core.types import Mask

MAX_PIXELS = 1 << 30
"""No image is larger (OpenCV's own limit); a claim of more is a damaged or hostile file."""
_HEADER = struct.Struct("<iiII")
# As many masks at once as keep their arrays in the processor's cache, none that would burst it.
_BATCH = 512
_MAX_BATCH_AREA = 1 << 16
_Whole: TypeAlias = npt.NDArray[np.int64]


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
    """Decode a compressed or uncompressed COCO RLE into a tight crop; None if no pixel is set.

    FormatError if it is malformed: its runs are checked against ``size`` before any pixel is made.
    """
    runs, (height, _) = _checked(segmentation)
    return _crop_of_runs(runs, height)


def decode_many(rles: Sequence[Rle]) -> list[Mask | FormatError | None]:
    """Decode compressed RLEs as ``decode`` does one, several times faster.

    What is damaged comes back as its error, which is not raised.
    """
    found: list[Mask | FormatError | None] = []
    for begin in range(0, len(rles), _BATCH):
        batch = rles[begin : begin + _BATCH]
        crops = _plain_crops(batch)
        found += [crop or _decoded(rle) for crop, rle in zip(crops, batch, strict=True)]
    return found


def _decoded(rle: Rle) -> Mask | FormatError | None:
    try:
        return decode(rle)
    except FormatError as error:
        return error


def compress(segmentation: Mapping[str, object]) -> Rle:
    """Return a compressed or uncompressed COCO RLE as a compressed one that is safe to hand on.

    No pixel is made. FormatError as ``decode``; pycocotools would read past its memory instead.
    """
    runs, size = _checked(segmentation)
    counts = segmentation["counts"]
    return {"size": size, "counts": counts if isinstance(counts, str) else _to_text(runs)}


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
        if len(packed) != (width * height + 7) // 8:
            raise ValueError("size and bits disagree")
        bits = np.unpackbits(packed, count=width * height).reshape(height, width)
    except (struct.error, zlib.error, ValueError) as error:
        raise FormatError("a stored mask is damaged") from error
    return Mask(x0, y0, bits.view(np.bool_))


def _checked(segmentation: Mapping[str, object]) -> tuple[_Whole, list[int]]:
    """Return the runs, background first, and the size [height, width] that they fill."""
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
        runs, _ = _from_texts([counts])
    elif isinstance(counts, bytes):
        runs, _ = _from_texts([counts.decode("latin-1")])
    elif isinstance(counts, list) and all(isinstance(c, int) for c in counts):
        if any(abs(c) > MAX_PIXELS for c in counts):
            raise FormatError("an RLE has a run longer than any image")
        runs = np.array(counts, np.int64)
    else:
        raise FormatError("an RLE's counts are neither text nor a list of whole numbers")
    if runs.size and runs.min() < 0:
        raise FormatError("an RLE has a negative run")
    if runs.size and runs.max() > MAX_PIXELS:
        raise FormatError("an RLE has a run longer than any image")
    if int(runs.sum()) != height * width:
        raise FormatError(
            f"an RLE covers {int(runs.sum())} pixels where its size says {height * width}"
        )
    return runs, [height, width]


def _full_runs(mask: Mask, width: int, height: int) -> _Whole:
    """Return the alternating runs, background first, of the mask in its full image."""
    tall, wide = mask.bits.shape
    # A pixel of background ends each column, so that starts and ends alternate within it.
    columns = np.zeros(wide * (tall + 1) + 1, np.bool_)
    columns[1:].reshape(wide, tall + 1)[:, :-1] = mask.bits.T
    column, row = np.divmod(np.flatnonzero(columns[1:] != columns[:-1]), tall + 1)
    edges = (column + mask.x0) * height + row + mask.y0
    # A run that ends at the bottom of one column and goes on at the top of the next is one run.
    starts, ends = edges[0::2], edges[1::2]
    joined = starts[1:] == ends[:-1]
    starts = np.concatenate([starts[:1], starts[1:][~joined]])
    ends = np.concatenate([ends[:-1][~joined], ends[-1:]])
    bounds = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], bounds, [width * height]]))
    return runs[:-1] if runs[-1] == 0 else runs


def _to_text(runs: _Whole) -> str:
    """Compress runs to COCO's text: differences to the run two before, in base 32 from '0'."""
    # Imported here: the window starts without it.
    from pycocotools import mask as coco_mask

    whole = {"size": [1, int(runs.sum())], "counts": runs.tolist()}
    return str(coco_mask.frPyObjects(whole, 1, whole["size"][1])["counts"].decode("ascii"))


def _from_texts(texts: Sequence[str]) -> tuple[_Whole, _Whole]:
    """Undo ``_to_text`` for all texts at once: their runs, and how many runs each of them has.

    Of several texts none is empty. FormatError if any of them is not COCO's.
    """
    symbols = np.frombuffer("".join(texts).encode("latin-1", "replace"), np.uint8).astype(np.int64)
    symbols -= 48
    last = np.flatnonzero(symbols < 32)
    ends = np.array([len(text) for text in texts]).cumsum()
    n_runs = np.searchsorted(last, ends)
    n_runs[1:] -= n_runs[:-1].copy()
    if symbols.size == 0:
        return symbols, n_runs
    if symbols.min() < 0 or symbols.max() > 63 or (symbols[ends - 1] & 32).any():
        raise FormatError("an RLE's counts are not COCO's compressed text")
    first = np.zeros_like(last)
    first[1:] = last[:-1] + 1
    length = last - first + 1
    if length.max() > 7:
        raise FormatError("an RLE has a run longer than any image")
    place = np.arange(symbols.size) - first.repeat(length)
    values = np.add.reduceat((symbols & 31) << (5 * place), first)
    values -= np.where(symbols[last] & 16, np.int64(1) << (5 * length), 0)
    # Each value from a text's fourth on is a difference to the one two before it.
    if len(texts) == 1:
        values[1::2] = values[1::2].cumsum()
        values[2::2] = values[2::2].cumsum()
        return values, n_runs
    nth = np.arange(len(values)) - (n_runs.cumsum() - n_runs).repeat(n_runs)
    odd, even = np.flatnonzero(nth & 1), np.flatnonzero((nth > 0) & (nth & 1 == 0))
    values[odd] = _sums(values[odd], n_runs // 2)
    values[even] = _sums(values[even], (n_runs - 1) // 2)
    return values, n_runs


def _sums(values: _Whole, n_each: _Whole) -> _Whole:
    """Return running sums that start anew after every ``n_each`` values."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    before = sums[n_each.cumsum() - n_each]
    sums[1:] -= before.repeat(n_each)
    return sums[1:]


def _crop_of_runs(runs: _Whole, height: int) -> Mask | None:
    """Return the pixels that the runs set, in a crop as small as can be; None if there are none."""
    bounds = runs.cumsum()
    starts, lasts = bounds[:-1:2], bounds[1::2] - 1
    filled = starts <= lasts
    if not filled.all():
        starts, lasts = starts[filled], lasts[filled]
    if starts.size == 0:
        return None
    first_column, top = np.divmod(starts, height)
    last_column, bottom = np.divmod(lasts, height)
    x0, x1 = int(first_column[0]), int(last_column[-1]) + 1
    if (first_column == last_column).all():
        y0, y1 = int(top.min()), int(bottom.max()) + 1
    else:
        # A run that goes on in the next column covers the bottom row and the top row.
        y0, y1 = 0, height
    tall, wide = y1 - y0, x1 - x0
    changes = np.zeros(2 * len(starts) + 2, np.int64)
    changes[1:-1:2] = (first_column - x0) * tall + top - y0
    changes[2:-1:2] = (last_column - x0) * tall + bottom - y0 + 1
    changes[-1] = tall * wide
    in_mask = np.arange(len(changes) - 1) % 2 == 1
    columns = in_mask.repeat(changes[1:] - changes[:-1]).reshape(wide, tall)
    return Mask(x0, y0, np.ascontiguousarray(columns.T))


def _plain_crops(rles: Sequence[Rle]) -> list[Mask | None]:
    """Decode what is small and in order; None for the rest, which takes more care."""
    height, width = np.array([rle["size"] for rle in rles]).T
    texts = [rle["counts"] for rle in rles]
    if not all(texts):
        return [None] * len(rles)
    try:
        runs, n_runs = _from_texts(texts)
    except FormatError:
        return [None] * len(rles)
    first = n_runs.cumsum() - n_runs
    bounds = _sums(runs, n_runs)
    disorder = runs <= 0
    disorder[first] = runs[first] < 0  # a mask may begin with the very first pixel
    plain = (n_runs > 1) & (height * width <= MAX_PIXELS)
    plain &= ~np.logical_or.reduceat(disorder, first)
    plain &= bounds[first + n_runs - 1] == height * width
    chosen = np.flatnonzero(plain)
    kept = np.flatnonzero(plain.repeat(n_runs))
    crops = _crops_of_runs(runs[kept], bounds[kept], n_runs[chosen], height[chosen])
    found: list[Mask | None] = [None] * len(rles)
    for k, crop in zip(chosen.tolist(), crops, strict=True):
        found[k] = crop
    return found


def _crops_of_runs(
    runs: _Whole, bounds: _Whole, n_runs: _Whole, height: _Whole
) -> list[Mask | None]:
    """Do as ``_crop_of_runs`` for many masks, each with a run at least; None for large ones."""
    if not n_runs.size:
        return []
    nth = np.arange(len(runs)) - (n_runs.cumsum() - n_runs).repeat(n_runs)
    filled = np.flatnonzero(nth & 1)
    ends = bounds[filled]
    n_each = n_runs // 2
    first = n_each.cumsum() - n_each
    first_column, top = np.divmod(ends - runs[filled], height.repeat(n_each))
    last_column, bottom = np.divmod(ends - 1, height.repeat(n_each))
    x0, x1 = first_column[first], last_column[first + n_each - 1] + 1
    y0, y1 = np.minimum.reduceat(top, first), np.maximum.reduceat(bottom, first) + 1
    wraps = np.logical_or.reduceat(first_column != last_column, first)
    y0[wraps], y1[wraps] = 0, height[wraps]
    tall, wide = y1 - y0, x1 - x0
    small = tall * wide <= _MAX_BATCH_AREA
    # All crops lie one behind the other, column by column; a large one takes no place.
    area = np.where(small, tall * wide, 0)
    corner = area.cumsum() - area - x0 * tall - y0
    begins = first_column * tall.repeat(n_each) + top + corner.repeat(n_each)
    stops = last_column * tall.repeat(n_each) + bottom + 1 + corner.repeat(n_each)
    changes = np.stack([begins, stops], axis=1)[small.repeat(n_each)].ravel()
    changes = np.concatenate([[0], changes, [area.sum()]])
    pixels = (np.arange(len(changes) - 1) % 2 == 1).repeat(changes[1:] - changes[:-1])
    crops: list[Mask | None] = []
    at = 0
    for x, y, w, h, fits in zip(*(v.tolist() for v in (x0, y0, wide, tall, small)), strict=True):
        if not fits:
            crops.append(None)
            continue
        columns = pixels[at : at + w * h].reshape(w, h)
        crops.append(Mask(x, y, np.ascontiguousarray(columns.T)))
        at += w * h
    return crops
