"""TIFF files of kinds that no library at hand writes, put together by the specification."""

import io
import struct
import zlib

import cv2
import numpy as np
import tifffile

HEIGHT, WIDTH = 70, 90


def bands(n_bands: int, dtype: type = np.uint8) -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    layers = [(x * (1 + k) + y * (3 - k % 3)) % 251 for k in range(n_bands)]
    return np.stack(layers, axis=2).astype(dtype)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with one short tag added: its directory moves to the end."""
    (at,) = struct.unpack_from("<I", data, 4)
    (n_tags,) = struct.unpack_from("<H", data, at)
    entries = [data[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(n_tags)]
    entries = [entry for entry in entries if entry[:2] != struct.pack("<H", tag)]
    entries.append(struct.pack("<HHII", tag, 3, 1, value))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


def lzw(data: bytes) -> bytes:
    """LZW as libtiff writes it, taken out of a one-row picture."""
    options = (cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, 1)
    done, packed = cv2.imencode(".tif", np.frombuffer(data, np.uint8)[None], options)
    assert done
    with tifffile.TiffFile(io.BytesIO(packed.tobytes())) as tiff:
        page = tiff.pages.first
        assert (page.compression, page.predictor, len(page.dataoffsets)) == (5, 1, 1)
        at, n_bytes = page.dataoffsets[0], page.databytecounts[0]
    return packed.tobytes()[at : at + n_bytes]


def predicted(segment: np.ndarray, predictor: int, order: str) -> bytes:
    """A segment (rows, width, bands) as bytes of differences, by the TIFF specification."""
    if predictor == 3:
        rows, width, n_bands = segment.shape
        size = segment.dtype.itemsize
        big = segment.astype(segment.dtype.newbyteorder(">")).view(np.uint8)
        steps = big.reshape(rows, width * n_bands, size).transpose(0, 2, 1).reshape(rows, -1)
        split = steps.reshape(rows, width * size, n_bands).copy()
        split[:, 1:] -= steps.reshape(rows, width * size, n_bands)[:, :-1]
        return split.tobytes()
    stored = segment.copy()
    if predictor == 2:
        stored[:, 1:] -= segment[:, :-1]
    return stored.astype(stored.dtype.newbyteorder(order)).tobytes()


def packed_tiff(
    values: np.ndarray, *, compression: int, predictor: int, planar: int, tiled: bool, order: str
) -> bytes:
    """A TIFF of any number of bands in strips of 32 rows or tiles of 32 x 48 pixels."""
    height, width, n_bands = values.shape
    high, wide = (32, 48) if tiled else (32, width)
    layers = [values] if planar == 1 else [values[:, :, k : k + 1] for k in range(n_bands)]
    segments = []
    for layer in layers:
        for y in range(0, height, high):
            for x in range(0, width, wide):
                part = layer[y : y + high, x : x + wide]
                if tiled:
                    spare = ((0, high - part.shape[0]), (0, wide - part.shape[1]), (0, 0))
                    part = np.pad(part, spare)
                raw = predicted(part, predictor, order)
                segments.append(lzw(raw) if compression == 5 else zlib.compress(raw))
    n_segments, bits = len(segments), values.dtype.itemsize * 8
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    ends = np.cumsum([0, *map(len, segments)])
    offsets = [8 + int(end) for end in ends[:-1]]
    where = (324, 325) if tiled else (273, 279)
    sides = [(322, [wide]), (323, [high])] if tiled else [(278, [high])]
    tags: list[tuple[int, list[int]]] = [
        (256, [width]), (257, [height]), (258, [bits] * n_bands), (259, [compression]),
        (262, [1]), (277, [n_bands]), (284, [planar]), (317, [predictor]),
        (338, [0] * (n_bands - 1)), (339, [kind] * n_bands), (where[0], offsets),
        (where[1], list(map(len, segments))), *sides,
    ]  # fmt: skip
    body = b"".join(segments)
    body += b"\0" * (len(body) % 2)
    entries, extra = [], b""
    extra_at = 8 + len(body) + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags):
        short = tag in (258, 259, 262, 277, 284, 317, 338, 339)
        content = struct.pack(f"{order}{len(numbers)}{'H' if short else 'I'}", *numbers)
        head = struct.pack(f"{order}HHI", tag, 3 if short else 4, len(numbers))
        if len(content) <= 4:
            entries.append(head + content.ljust(4, b"\0"))
        else:
            entries.append(head + struct.pack(f"{order}I", extra_at + len(extra)))
            extra += content
    assert n_segments > 1
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    directory = struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4)
    return start + body + directory + extra
