"""What an image file says about itself in its first bytes, without decoding a pixel."""

import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from seginst_core.errors import ImageError

Codec: TypeAlias = Literal["JPEG", "PNG", "BMP", "WebP", "TIFF"]

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 0x0112
# Every marker in 0xC0..0xCF starts a frame but these: DHT, JPG and DAC.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
# In coded data 0xFF is followed by 0x00 (a data byte) or a restart marker; all else is a marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True, slots=True)
class Header:
    """Format and stored size in pixels; ``orientation`` is EXIF's 1..8, applied after decoding.

    ``deep`` means more than 8 bits a value, ``end`` is the least length in bytes of a whole file,
    0 where the format does not tell.
    """

    codec: Codec
    width: int
    height: int
    orientation: int = 1
    alpha: bool = False
    deep: bool = False
    animated: bool = False
    end: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as shown, after the orientation."""
        return upright_size(self.width, self.height, self.orientation)


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height of an image once its EXIF orientation is applied."""
    return (height, width) if orientation >= 5 else (width, height)


def open_image(path: Path) -> BinaryIO:
    """Open an image file for reading; ImageError if it is missing, a folder or not allowed."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"{path.name} does not exist in {path.parent}.") from None
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ImageError(f"{path.name} cannot be opened: {reason}.") from None


def codec_of(path: Path) -> Codec:
    """Tell the format by the first bytes, whatever the file is called; ImageError if unknown."""
    with open_image(path) as file:
        try:
            start = file.read(12)
        except OSError as error:
            raise ImageError(f"{path.name} cannot be read: {error.strerror}.") from None
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(_PNG_START):
        return "PNG"
    if start.startswith(b"BM"):
        return "BMP"
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return "WebP"
    if start.startswith(_TIFF_STARTS):
        return "TIFF"
    if not start:
        raise ImageError(f"{path.name} is empty.")
    raise ImageError(f"{path.name} is not a JPEG, PNG, BMP, WebP or TIFF image.")


def read_header(path: Path, codec: Codec) -> Header:
    """Read the header of a JPEG, PNG, BMP or WebP file; ImageError if it makes no sense."""
    readers = {"JPEG": _jpeg, "PNG": _png, "BMP": _bmp, "WebP": _webp}
    with open_image(path) as file:
        try:
            header = readers[codec](file)
        except (struct.error, IndexError):
            raise ImageError(
                f"{path.name} is cut short: its {codec} header is not whole."
            ) from None
    if header is None or header.width <= 0 or header.height <= 0:
        raise ImageError(f"{path.name} is damaged: its {codec} header gives no size.")
    return header


def jpeg_is_whole(data: memoryview) -> bool:
    """Whether a JPEG's scans end with an end marker; decoders pad what is missing in silence."""
    scan = _jpeg_scan_start(data)
    if scan is None:
        return False
    # Nearly every file ends in the marker itself, some in zero padding after it.
    tail = bytes(data[max(scan, len(data) - 4096) :]).rstrip(b"\0")
    if tail.endswith(b"\xff\xd9"):
        return True
    while (marker := _JPEG_MARKER.search(data, scan)) is not None:
        if data[marker.start() + 1] == 0xD9:
            return True
        length = bytes(data[marker.end() : marker.end() + 2])
        if len(length) < 2:
            return False
        scan = marker.end() + max(2, int.from_bytes(length, "big"))
    return False


def _jpeg_scan_start(data: memoryview) -> int | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return at
    return None


def _jpeg(file: BinaryIO) -> Header | None:
    header: Header | None = None
    orientation = 1
    file.seek(2)
    while True:
        start = file.read(1)
        if start != b"\xff":
            break
        marker = file.read(1)[0]
        while marker == 0xFF:
            marker = file.read(1)[0]
        if marker in _JPEG_BARE:
            continue
        if marker in (0xDA, 0xD9):
            break
        (length,) = struct.unpack(">H", file.read(2))
        if marker in _JPEG_FRAMES:
            bits, height, width = struct.unpack(">BHH", file.read(5))
            header = Header("JPEG", width, height, deep=bits > 8)
            file.seek(length - 7, 1)
        elif marker == 0xE1:
            content = file.read(length - 2)
            if content.startswith(b"Exif\0"):
                orientation = exif_orientation(content[6:])
        else:
            file.seek(length - 2, 1)
    return replace(header, orientation=orientation) if header is not None else None


def _png(file: BinaryIO) -> Header | None:
    file.seek(8)
    header: Header | None = None
    at = 8
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", file.read(10))
            header = Header("PNG", width, height, alpha=colour in (4, 6), deep=bits == 16)
        if header is None:
            return None
        if kind == b"tRNS":
            header = replace(header, alpha=True)
        elif kind == b"acTL":
            header = replace(header, animated=True)
        elif kind == b"eXIf":
            header = replace(header, orientation=exif_orientation(file.read(length)))
        at += 12 + length
        header = replace(header, end=at)
        if kind == b"IEND":
            return header
        file.seek(at)
    # No end chunk: whatever follows is missing.
    return replace(header, end=at + 12) if header is not None else None


def _bmp(file: BinaryIO) -> Header | None:
    data = file.read(54)
    (pixels_at,) = struct.unpack_from("<I", data, 10)
    (length,) = struct.unpack_from("<I", data, 14)
    compression = 0
    if length == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)
    packed = compression in (0, 3, 6)
    end = pixels_at + (width * bits + 31) // 32 * 4 * height if packed else 0
    return Header("BMP", width, height, alpha=bits == 32, end=end)


def _webp(file: BinaryIO) -> Header | None:
    (length,) = struct.unpack("<I", file.read(12)[4:8])
    header: Header | None = None
    at = 12
    while at < 8 + length and len(start := file.read(8)) == 8:
        kind, chunk = struct.unpack("<4sI", start)
        if header is None:
            header = _webp_size(kind, file.read(10))
            if header is None:
                return None
        elif kind == b"EXIF":
            content = file.read(chunk)
            content = content[6:] if content.startswith(b"Exif\0") else content
            header = replace(header, orientation=exif_orientation(content))
        at += 8 + chunk + chunk % 2
        file.seek(at)
    return replace(header, end=8 + length) if header is not None else None


def _webp_size(kind: bytes, content: bytes) -> Header | None:
    if kind == b"VP8X":
        width = int.from_bytes(content[4:7], "little") + 1
        height = int.from_bytes(content[7:10], "little") + 1
        flags = content[0]
        return Header("WebP", width, height, alpha=bool(flags & 16), animated=bool(flags & 2))
    if kind == b"VP8L" and content[0] == 0x2F:
        bits = int.from_bytes(content[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return Header("WebP", width, height, alpha=bool(bits >> 28 & 1))
    if kind == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[6:10])
        return Header("WebP", width & 0x3FFF, height & 0x3FFF)
    return None


def exif_orientation(exif: bytes) -> int:
    """The orientation 1..8 in an EXIF block (a small TIFF); 1 if it has none or is damaged."""
    order: Literal["<", ">"] = "<" if exif.startswith(b"II") else ">"
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (n_entries,) = struct.unpack_from(f"{order}H", exif, at)
        for i in range(n_entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * i)
            if tag == _ORIENTATION_TAG and kind == 3:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
