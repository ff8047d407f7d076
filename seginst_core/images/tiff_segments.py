"""LZW and Deflate segments of a TIFF with any number of bands, where tifffile alone cannot.

tifffile leaves LZW and the predictors to a large optional package. Here libtiff inside OpenCV
undoes LZW, a segment at a time, wrapped as a gray picture of bytes; the rest is numpy.
"""

import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.images.tones import Values

if TYPE_CHECKING:
    from tifffile import TiffPage

Bytes = npt.NDArray[np.uint8]
_LZW = 5
_DEFLATE = (8, 32946)
# Deflate packs 1 : 1,032 at best, LZW 1 : 2,730; a claim of more would only cost memory.
_MAX_RATIO = 3000
# OpenCV refuses pictures wider than this many pixels unless told otherwise.
_ROW_BYTES = 1 << 16


def can_decode(page: "TiffPage") -> bool:
    """Whether ``decode`` knows the page's compression, predictor and sample type."""
    return (
        page.compression in (_LZW, *_DEFLATE)
        and page.predictor in (1, 2, 3)
        and page.bitspersample in (8, 16, 32, 64)
        and page.fillorder == 1
        and page.dtype is not None
    )


def decode(page: "TiffPage", read: Callable[[int, int], bytes]) -> Values:
    """Decode a page to (H, W, bands); ``read(offset, n_bytes)`` gives the file's bytes.

    ValueError if a segment is damaged.
    """
    assert page.dtype is not None
    height, width, n_bands = page.imagelength, page.imagewidth, page.samplesperpixel
    separate = page.planarconfig == 2 and n_bands > 1
    n_planes, n_samples = (n_bands, 1) if separate else (1, n_bands)
    high = page.tilelength if page.is_tiled else min(page.rowsperstrip, height)
    wide = page.tilewidth if page.is_tiled else width
    dtype = page.dtype.newbyteorder(page.parent.byteorder)
    values = np.zeros((height, width, n_bands), page.dtype)
    places = [
        (plane, y, x)
        for plane in range(n_planes)
        for y in range(0, height, high)
        for x in range(0, width, wide)
    ]
    for (plane, y, x), offset, length in zip(
        places, page.dataoffsets, page.databytecounts, strict=True
    ):
        if length == 0:
            continue  # a sparse file: the segment was never written and reads as zeros
        rows = high if page.is_tiled else min(high, height - y)
        n_bytes = rows * wide * n_samples * dtype.itemsize
        if n_bytes > _MAX_RATIO * (length + 1):
            raise ValueError("a segment would be larger than its data can tell")
        raw = _unpack(read(offset, length), page.compression, n_bytes)
        segment = _undo_predictor(raw, (rows, wide, n_samples), dtype, page.predictor)
        seen = segment[: height - y, : width - x]
        bands = slice(plane, plane + 1) if separate else slice(None)
        values[y : y + seen.shape[0], x : x + seen.shape[1], bands] = seen
    return values


def _unpack(data: bytes, compression: int, n_bytes: int) -> Bytes:
    if compression == _LZW:
        return _unpack_lzw(data, n_bytes)
    raw = np.frombuffer(zlib.decompress(data), np.uint8)
    if len(raw) < n_bytes:
        raise ValueError("a Deflate segment is too short")
    return raw[:n_bytes]


def _unpack_lzw(data: bytes, n_bytes: int) -> Bytes:
    # One picture of full rows; the rest of the last row is missing from the stream, so the
    # picture is as wide as it takes to have none: a divisor near the cap, or one row.
    wide = next((w for w in range(min(_ROW_BYTES, n_bytes), 255, -1) if n_bytes % w == 0), n_bytes)
    tags = (
        (256, 4, wide),
        (257, 4, n_bytes // wide),
        (258, 3, 8),
        (259, 3, _LZW),
        (262, 3, 1),
        (273, 4, 8 + 2 + 12 * 9 + 4),
        (277, 3, 1),
        (278, 4, n_bytes // wide),
        (279, 4, len(data)),
    )
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0)
    picture = cv2.imdecode(np.frombuffer(head + data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("an LZW segment is damaged")
    return picture.reshape(-1).view(np.uint8)


def _undo_predictor(
    raw: Bytes, shape: tuple[int, int, int], dtype: np.dtype[np.generic], predictor: int
) -> Values:
    rows, wide, n_samples = shape
    if predictor == 3:
        # Bytes are differences along the row; a row holds all first bytes, then all second, ...
        steps = raw.reshape(rows, wide * dtype.itemsize, n_samples)
        summed = np.add.accumulate(steps, axis=1, dtype=np.uint8)
        split = summed.reshape(rows, dtype.itemsize, wide * n_samples).transpose(0, 2, 1)
        return np.ascontiguousarray(split).view(dtype.newbyteorder(">")).reshape(shape)
    values = raw.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    if predictor == 2:
        return np.add.accumulate(values, axis=1, dtype=values.dtype)
    return values
