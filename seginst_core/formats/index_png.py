"""PNG files whose pixels are numbers: 0 nothing, 1 and up objects or classes.

OpenCV neither writes palettes nor gives the numbers behind one; but such a file differs from a
grey one in its header and palette alone, so these are changed around it.
"""

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.errors import FormatError
from seginst_core.types import Mask

Indices = npt.NDArray[np.uint16 | np.uint32]

_START = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _RGBA = 0, 2, 3, 6
_BITS = 8


def encode(
    values: Indices | npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None = None
) -> bytes:
    """Return a PNG of ``values (H, W)``: grey of their depth, or with ``palette (256, 3)`` 8-bit.

    FormatError, as a clause, if it is larger than any PNG.
    """
    try:
        _, data = cv2.imencode(".png", values if palette is None else values.astype(np.uint8))
    except cv2.error as error:
        raise FormatError("a PNG of its masks cannot be made") from error
    png = data.tobytes()
    return png if palette is None else _recoloured(png, _PALETTE, palette.tobytes())


def decode(png: bytes, width: int, height: int) -> Indices:
    """Return the numbers ``(H, W)`` of a grey or palette PNG of exactly that size.

    FormatError, as a clause, if it is damaged, of another size or in colour.
    """
    depth, colour = _kind(png, width, height)
    if colour not in (_GREY, _PALETTE):
        raise FormatError("it is a picture in colours, not of numbers")
    try:
        grey = np.frombuffer(_recoloured(png, _GREY), np.uint8)
        values = cv2.imdecode(grey, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise FormatError("it is damaged") from error
    if values is None or values.shape != (height, width):
        raise FormatError("it is damaged")
    # Grey of fewer bits is spread over 0..255 in reading.
    step = {1: 255, 2: 85, 4: 17}.get(depth, 1)
    return (values // step).astype(np.uint16)


def decode_colours(png: bytes, width: int, height: int, *, palettes: bool = False) -> Indices:
    """Return the numbers as ``decode``, and of a picture in colours the VOC number of each colour.

    With ``palettes`` the colours count where the picture has a palette, too. FormatError, as a
    clause, if it is damaged or of another size.
    """
    depth, colour = _kind(png, width, height)
    in_colours = (_RGB, _RGBA, _PALETTE) if palettes else (_RGB, _RGBA)
    if colour not in in_colours or depth > _BITS:
        return decode(png, width, height)
    try:
        bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise FormatError("it is damaged") from error
    if bgr is None or bgr.shape != (height, width, 3):
        raise FormatError("it is damaged")
    return voc_numbers(np.asarray(bgr[..., ::-1], np.uint8))


def is_grey(png: bytes) -> bool:
    """Whether a PNG that could be decoded is of plain numbers, without colours or a palette."""
    return png[25] == _GREY


def masks_of(values: Indices) -> Iterator[tuple[int, Mask]]:
    """Give each number above 0 and the tight mask of its pixels, in order."""
    width = values.shape[1]
    flat = values.ravel()
    change = np.empty(flat.size, np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=change[1:])
    change[::width] = True
    starts = np.flatnonzero(change)
    ends = np.append(starts[1:], flat.size)
    numbers = flat[starts]
    order = np.argsort(numbers, kind="stable")
    order = order[np.searchsorted(numbers[order], 1) :]
    if order.size == 0:
        return
    top, left = np.divmod(starts[order], width)
    right = (ends[order] - 1) % width + 1
    numbers = numbers[order]
    firsts = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    x0, x1 = np.minimum.reduceat(left, firsts), np.maximum.reduceat(right, firsts)
    y0, y1 = np.minimum.reduceat(top, firsts), np.maximum.reduceat(top, firsts) + 1
    for k, number in enumerate(numbers[firsts].tolist()):
        crop = values[y0[k] : y1[k], x0[k] : x1[k]] == number
        yield number, Mask(int(x0[k]), int(y0[k]), crop)


def paint(values: Indices | npt.NDArray[np.uint8], mask: Mask, number: int) -> None:
    """Set the pixels of a mask, which lies in the picture, to a number."""
    values[mask.y0 : mask.y1, mask.x0 : mask.x1][mask.bits] = number


def voc_palette() -> npt.NDArray[np.uint8]:
    """Return the colours ``(256, 3)`` of Pascal VOC: the bits of a number, spread over RGB."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(_BITS):
        for channel in range(3):
            spread = (numbers >> (3 * bit + channel)) & 1
            colours[:, channel] |= (spread << (_BITS - 1 - bit)).astype(np.uint8)
    return colours


def voc_numbers(colours: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return the numbers ``(...)`` of RGB colours ``(..., 3)``, as ``voc_palette`` goes on."""
    values = np.arange(256, dtype=np.uint32)
    spread = np.zeros(256, np.uint32)
    for bit in range(_BITS):
        spread |= ((values >> (_BITS - 1 - bit)) & 1) << (3 * bit)
    red, green, blue = (spread[colours[..., channel]] for channel in range(3))
    return np.asarray(red | green << 1 | blue << 2, np.uint32)


def _kind(png: bytes, width: int, height: int) -> tuple[int, int]:
    """Return the depth and colour type of a PNG that has this size."""
    if png[:8] != _START or png[12:16] != b"IHDR" or len(png) < 33:
        raise FormatError("it is not a PNG")
    wide, high, depth, colour = struct.unpack(">IIBB", png[16:26])
    if (wide, high) != (width, height):
        raise FormatError(f"it has {wide} × {high} pixels where its image has {width} × {height}")
    return depth, colour


def _recoloured(png: bytes, colour: int, palette: bytes = b"") -> bytes:
    """Return a PNG with another colour type: the same numbers, meant otherwise."""
    chunks = list(_chunks(png))
    header = chunks[0][1]
    parts = [_START, _chunk(b"IHDR", header[:9] + bytes([colour]) + header[10:])]
    if palette:
        parts.append(_chunk(b"PLTE", palette))
    parts += [_chunk(kind, body) for kind, body in chunks if kind in (b"IDAT", b"IEND")]
    return b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give each chunk's kind and body; FormatError, as a clause, if one is cut or damaged."""
    at, kind = 8, b""
    while kind != b"IEND":
        (length,) = struct.unpack(">I", png[at : at + 4].ljust(4, b"\0"))
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if png[at : at + length + 12] != _chunk(kind, body):
            raise FormatError("it is damaged")
        yield kind, body
        at += length + 12
