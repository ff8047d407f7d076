"""Small pictures and the files they are kept in, for the tests of reading images."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np


def scene(height: int = 90, width: int = 140) -> np.ndarray:
    """A smooth RGB picture with no symmetry, so every flip shows."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = x * 255 / width, y * 255 / height
    blue = np.where((x < width // 4) & (y < height // 3), 250, 20)
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def encode(suffix: str, image: np.ndarray, *options: int) -> bytes:
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    values = image if image.ndim == 2 else image[:, :, order[image.shape[2]]]
    done, data = cv2.imencode(suffix, values, options)
    assert done
    return data.tobytes()


def save(folder: Path, name: str, image: np.ndarray, *options: int) -> Path:
    path = folder / name
    path.write_bytes(encode(path.suffix, image, *options))
    return path


def exif(orientation: int, order: str = "<") -> bytes:
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4)


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """The picture a person sees, by the EXIF standard's words on row 0 and column 0."""
    return {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.transpose(1, 0, 2),
        6: np.rot90(image, -1),
        7: image[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(image),
    }[orientation]


def jpeg_with(data: bytes, exif_block: bytes) -> bytes:
    segment = b"Exif\0\0" + exif_block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_with(data: bytes, exif_block: bytes, *, at_end: bool) -> bytes:
    at = len(data) - 12 if at_end else 33
    return data[:at] + png_chunk(b"eXIf", exif_block) + data[at:]


def webp_with(data: bytes, exif_block: bytes, width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + sides
    block = b"EXIF" + struct.pack("<I", len(exif_block)) + exif_block
    body = b"WEBP" + extended + data[12:] + block + b"\0" * (len(exif_block) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body
