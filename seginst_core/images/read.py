"""Image files to pixels, the same way up and in the same colours as a person expects them."""

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.errors import ImageError, is_out_of_memory
from seginst_core.images import tones
from seginst_core.images.headers import Header, codec_of, jpeg_is_whole, open_image, read_header
from seginst_core.images.tiff import read_tiff, read_tiff_header
from seginst_core.images.tones import Bands, Values
from seginst_core.types import ImageArray

MAX_PIXELS = 400_000_000
"""The pixel limit unless told otherwise: 20,000 x 20,000, which takes 1.2 GB."""
_OPENCV_MAX_PIXELS = 1 << 30

# Since OpenCV 4.11 the decoder itself can write RGB; before that the bands are swapped in place.
_DECODES_RGB = hasattr(cv2, "IMREAD_COLOR_RGB")
_COLOUR = cv2.IMREAD_COLOR_RGB if _DECODES_RGB else cv2.IMREAD_COLOR
_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image's pixels and, in a few words each, what was done to show them."""

    pixels: ImageArray
    notes: tuple[str, ...] = ()
    n_bands: int = 3
    """How many bands the file has to choose from, without transparency."""


def read_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels after EXIF orientation, from the header alone; ImageError."""
    return _header(path).size


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> ImageArray:
    """Read an image as ``uint8 (H, W, 3)`` RGB, upright; see ``read_picture``."""
    return read_picture(path, max_pixels=max_pixels).pixels


def read_picture(
    path: Path, *, bands: Bands | None = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Read an image and say what was changed to show it.

    ``bands`` are shown as red, green and blue if the file has them all; else its colours, gray, or
    the first three bands. ImageError if the file is missing, damaged, cut short, not an image,
    does not fit into memory, or has more than ``max_pixels`` pixels.
    """
    header = _header(path)
    _check_limit(path, header, max_pixels)
    if header.codec == "TIFF":
        return _tiff_picture(path, bands=bands)
    data = _read_whole(path, header)
    notes = ["first frame of the animation shown"] if header.animated else []
    if header.deep or header.alpha:
        values = _decode(path, data, cv2.IMREAD_UNCHANGED)
        values = _without_alpha(values, notes, header)
    else:
        values = _decode(path, data, _COLOUR)
    n_bands = values.shape[2] if values.ndim == 3 else 1
    if n_bands > 1:
        values = tones.display_bands(values, bands, notes)
    if values.dtype != np.uint8:
        notes.append(_stretch_note(values.dtype))
    return Picture(_upright(tones.to_rgb8(values), header.orientation), tuple(notes), n_bands)


def read_preview(
    path: Path,
    max_side_px: int,
    *,
    bands: Bands | None = None,
    max_pixels: int = MAX_PIXELS,
) -> ImageArray:
    """Read an image no larger than ``max_side_px`` on its longer side, never enlarged.

    A JPEG is decoded at a half, a quarter or an eighth, several times faster than whole. Whether
    the file is cut short is not checked here. ImageError as in ``read_picture``.
    """
    header = _header(path)
    _check_limit(path, header, max_pixels)
    factor = max(header.width, header.height) / max(1, max_side_px)
    if header.codec == "TIFF":
        small = _tiff_picture(path, max(1, int(factor / 2)), bands)
        return _fit(small.pixels, header, max_side_px)
    if header.codec != "JPEG":
        whole = read_picture(path, bands=bands, max_pixels=max_pixels)
        return _fit(whole.pixels, header, max_side_px)
    reduction = next((n for n in (8, 4, 2) if n <= factor), 1)
    flag = _REDUCED[reduction] if reduction > 1 else cv2.IMREAD_COLOR
    # The reduced flags mean BGR in every version, so the (small) picture is always swapped.
    pixels = _decode(path, np.fromfile(path, np.uint8), flag, swap=True)
    pixels = tones.to_rgb8(tones.display_bands(pixels, bands, []))
    return _fit(_upright(pixels, header.orientation), header, max_side_px)


def halve(image: ImageArray) -> ImageArray:
    """The next pyramid level, ``(ceil(H / 2), ceil(W / 2), 3)``: each pixel the mean of 2 x 2.

    At an odd edge the last row or column is averaged alone, so level n stays exactly 2**n
    image pixels to the pixel and overlays do not drift.
    """
    height, width = image.shape[:2]
    high, wide = height // 2, width // 2
    half = np.empty((high + height % 2, wide + width % 2, 3), np.uint8)
    if high and wide:
        half[:high, :wide] = _shrink(image[: 2 * high, : 2 * wide], wide, high)
    if width % 2 and high:
        half[:high, wide:] = _shrink(image[: 2 * high, -1:], 1, high)
    if height % 2 and wide:
        half[high:, :wide] = _shrink(image[-1:, : 2 * wide], wide, 1)
    if height % 2 and width % 2:
        half[-1, -1] = image[-1, -1]
    return half


def _header(path: Path) -> Header:
    codec = codec_of(path)
    return read_tiff_header(path) if codec == "TIFF" else read_header(path, codec)


def _check_limit(path: Path, header: Header, max_pixels: int) -> None:
    allowed = os.environ.get("OPENCV_IO_MAX_IMAGE_PIXELS", "")
    limit = min(max_pixels, int(allowed) if allowed.isdecimal() else _OPENCV_MAX_PIXELS)
    if header.width * header.height > limit:
        raise ImageError(
            f"{path.name} has {header.width:,} × {header.height:,} pixels, "
            f"more than the limit of {limit:,} pixels."
        )


def _read_whole(path: Path, header: Header) -> npt.NDArray[np.uint8]:
    with open_image(path) as file:
        data = np.fromfile(file, np.uint8)
    whole = jpeg_is_whole(data.data) if header.codec == "JPEG" else len(data) >= header.end
    if not whole:
        raise ImageError(f"{path.name} is cut short: part of its {header.codec} data is missing.")
    return data


def _decode(
    path: Path, data: npt.NDArray[np.uint8], flag: int, *, swap: bool = not _DECODES_RGB
) -> Values:
    """Decode without orientation; colours come out as RGB, or BGR(A) under IMREAD_UNCHANGED."""
    unchanged = flag == cv2.IMREAD_UNCHANGED
    try:
        values = cv2.imdecode(data, flag if unchanged else flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except (cv2.error, MemoryError) as error:
        if is_out_of_memory(error):
            raise ImageError(f"{path.name} does not fit into memory.") from None
        values = None
    if values is None:
        raise ImageError(f"{path.name} is damaged: it cannot be decoded.")
    if swap and not unchanged:
        cv2.cvtColor(values, cv2.COLOR_BGR2RGB, dst=values)
    return values


def _without_alpha(values: Values, notes: list[str], header: Header) -> Values:
    if values.ndim == 2:
        return values
    if values.shape[2] == 3:
        return cv2.cvtColor(values, cv2.COLOR_BGR2RGB, dst=values)
    alpha = values[:, :, 3]
    # Many 32-bit BMP writers leave the fourth byte at 0 and mean no transparency.
    unused = header.codec == "BMP" and not alpha.any()
    if not unused and tones.any_below_full(alpha):
        notes.append("transparency ignored: hidden pixels are shown")
    return cv2.cvtColor(values, cv2.COLOR_BGRA2RGB)


def _tiff_picture(path: Path, step: int = 1, bands: Bands | None = None) -> Picture:
    tiff = read_tiff(path, step, bands)
    notes, nodata = list(tiff.notes), tiff.nodata
    if nodata is None and (nodata := tones.fill_value(tiff.values)) is not None:
        notes.append(f"{nodata:g} taken for no data")
    if tiff.values.dtype not in (np.uint8, np.bool_):
        notes.append(_stretch_note(tiff.values.dtype))
    pixels = tones.to_rgb8(tiff.values, nodata)
    if tiff.inverted:
        pixels = np.bitwise_not(pixels)
    return Picture(_upright(pixels, tiff.orientation), tuple(notes), tiff.n_bands)


def _stretch_note(dtype: np.dtype[np.generic]) -> str:
    kind = "float" if dtype.kind == "f" else f"{dtype.itemsize * 8}-bit"
    low, high = tones.LOW_PERCENT, tones.HIGH_PERCENT
    return f"{kind} values shown from the {low}th to the {high}th percentile"


def _upright(image: Values, orientation: int) -> ImageArray:
    turns = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
    if orientation in turns:
        return np.asarray(cv2.rotate(image, turns[orientation]), np.uint8)
    if orientation in (2, 4):
        return np.asarray(cv2.flip(image, 1 if orientation == 2 else 0), np.uint8)
    if orientation in (5, 7):
        turned = cv2.transpose(image)
        return np.asarray(cv2.flip(turned, -1) if orientation == 7 else turned, np.uint8)
    return np.asarray(image, np.uint8)


def _fit(image: ImageArray, header: Header, max_side_px: int) -> ImageArray:
    width, height = header.size
    scale = min(1.0, max_side_px / max(width, height))
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    return image if image.shape[:2] == (high, wide) else _shrink(image, wide, high)


def _shrink(image: ImageArray, width: int, height: int) -> ImageArray:
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
