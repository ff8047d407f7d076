"""TIFF: any number of bands, any real sample type, through tifffile or else OpenCV."""

import operator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from seginst_core.errors import ImageError
from seginst_core.images import tiff_segments
from seginst_core.images.headers import Header, open_image
from seginst_core.images.tones import Bands, Values, any_below_full, display_bands

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3
_ORIENTATION_TAG = 274
_ALPHA = (1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class TiffValues:
    """Decoded values (H, W, 1 or 3), before orientation and stretching; ``n_bands`` in the file."""

    values: Values
    n_bands: int
    orientation: int
    nodata: float | None
    inverted: bool
    notes: tuple[str, ...]


def read_tiff_header(path: Path) -> Header:
    """Read the size and orientation of a TIFF's first page; ImageError if it is damaged."""
    with _open(path) as tiff:
        return _first_page(tiff, path)[1]


def read_tiff(path: Path, step: int = 1, bands: Bands | None = None) -> TiffValues:
    """Decode the first page of a TIFF, every ``step``-th pixel; ImageError if it cannot be read.

    ``bands`` are the three to show, if the file has them all; else gray or the first three.
    """
    with _open(path) as tiff:
        page, header = _first_page(tiff, path)
        if header.end > tiff.filehandle.size:
            raise ImageError(f"{path.name} is cut short: part of its TIFF data is missing.")
        if page.dtype is not None and page.dtype.kind == "c":
            raise ImageError(f"{path.name} holds complex numbers, which cannot be shown.")
        try:
            return _shown_values(tiff, page, header, path, step, bands)
        except MemoryError:
            raise ImageError(f"{path.name} does not fit into memory.") from None
        except Exception as error:  # whatever damaged data provokes in the decoders
            kind = page.compression.name if hasattr(page.compression, "name") else page.compression
            raise ImageError(
                f"{path.name} cannot be decoded: it is damaged, or its kind of TIFF ({kind}, "
                f"{page.bitspersample} bits, {page.samplesperpixel} bands) is not supported."
            ) from error


def _shown_values(
    tiff: "TiffFile",
    page: "TiffPage",
    header: Header,
    path: Path,
    step: int,
    bands: Bands | None,
) -> TiffValues:
    notes: list[str] = []
    decoded = _decode(tiff, page, path)
    values = decoded.values[::step, ::step]
    if decoded.finished:
        values = values[:, :, :3]  # a fourth band here is libtiff's own alpha
    else:
        values = _without_alpha(_plain_values(values, page), page, notes)
    n_bands = values.shape[2]
    values = display_bands(values, bands, notes)
    n_pages = _n_equal_pages(tiff, page)
    if n_pages > 1:
        notes.append(f"first of {n_pages} pages shown")
    return TiffValues(
        values.astype(values.dtype.newbyteorder("="), copy=False),
        n_bands,
        header.orientation,
        _nodata(page),
        page.photometric == _WHITE_IS_ZERO and not decoded.finished,
        tuple(notes),
    )


def _open(path: Path) -> "TiffFile":
    import tifffile

    open_image(path).close()
    try:
        return tifffile.TiffFile(path)
    except Exception:  # whatever a damaged file provokes
        raise ImageError(f"{path.name} is damaged: its TIFF header makes no sense.") from None


def _first_page(tiff: "TiffFile", path: Path) -> tuple["TiffPage", Header]:
    try:
        page = tiff.pages.first
        header = _header(tiff, page)
    except Exception:  # as above: the directory may be cut off, point anywhere, hold any type
        raise ImageError(f"{path.name} is damaged: its TIFF directory cannot be read.") from None
    if header.width <= 0 or header.height <= 0:
        raise ImageError(f"{path.name} is damaged: its TIFF header gives no size.")
    return page, header


def _header(tiff: "TiffFile", page: "TiffPage") -> Header:
    tag = page.tags.get(_ORIENTATION_TAG)
    orientation = tag.value if tag is not None else 1
    ends = [a + n for a, n in zip(page.dataoffsets, page.databytecounts, strict=False)]
    return Header(
        "TIFF",
        # A damaged tag may hold bytes or several numbers, and either raises here.
        operator.index(page.imagewidth),
        operator.index(page.imagelength),
        orientation if orientation in range(1, 9) else 1,
        end=max(ends, default=0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """Values (H, W, bands); ``finished`` ones are gray or RGB already, not as in the file."""

    values: Values
    finished: bool = False


def _decode(tiff: "TiffFile", page: "TiffPage", path: Path) -> _Decoded:
    if page.photometric > _PALETTE:  # colours other than RGB: libtiff converts them
        return _Decoded(_decode_opencv(tiff, page), finished=True)
    if page.compression == 1 and page.is_memmappable:
        return _Decoded(_mapped(page, path))
    if tiff_segments.can_decode(page):
        return _Decoded(tiff_segments.decode(page, lambda at, n: _read(tiff, at, n)))
    try:
        return _Decoded(_bands_last(page.asarray(), page))
    except ValueError:  # a codec that tifffile lacks
        return _Decoded(_decode_opencv(tiff, page), finished=True)


def _mapped(page: "TiffPage", path: Path) -> Values:
    # Only the pages of the file that hold the wanted bands and rows are ever read.
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    values = np.memmap(path, dtype, "r", page.dataoffsets[0], page.shape)
    return _bands_last(values, page)


def _bands_last(values: Values, page: "TiffPage") -> Values:
    size = page.imagelength, page.imagewidth
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        return values.reshape(page.samplesperpixel, *size).transpose(1, 2, 0)
    return values.reshape(*size, page.samplesperpixel)


def _decode_opencv(tiff: "TiffFile", page: "TiffPage") -> Values:
    data = bytearray(_read(tiff, 0, tiff.filehandle.size))
    tag = page.tags.get(_ORIENTATION_TAG)
    if tag is not None:
        # OpenCV versions differ in which orientations of a TIFF they apply: ask for none.
        upright = (1).to_bytes(2, "little" if tiff.byteorder == "<" else "big")
        data[tag.valueoffset : tag.valueoffset + 2] = upright
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("OpenCV cannot decode it")
    if values.ndim == 2:
        return values[:, :, None]
    return values[:, :, [2, 1, 0, *range(3, values.shape[2])]]


def _read(tiff: "TiffFile", offset: int, n_bytes: int) -> bytes:
    tiff.filehandle.seek(offset)
    return tiff.filehandle.read(n_bytes)


def _plain_values(values: Values, page: "TiffPage") -> Values:
    """Palette indices to colours, values of fewer than 8 bits to the full range of 8."""
    if page.photometric == _PALETTE and page.colormap is not None:
        # Colours have 16 bits, but some writers leave the upper 8 empty.
        shift = 8 if page.colormap.max() > 255 else 0
        table = (page.colormap.T >> shift).astype(np.uint8)
        return table[np.clip(values[:, :, 0].astype(np.intp), 0, len(table) - 1)]
    if page.bitspersample < 8:
        largest = (1 << page.bitspersample) - 1
        return values.astype(np.uint8) * np.uint8(255 // largest)
    return values


def _without_alpha(values: Values, page: "TiffPage", notes: list[str]) -> Values:
    n_bands, extra = values.shape[2], page.extrasamples
    alpha = bool(extra) and extra[-1] in _ALPHA and values.dtype.kind == "u"
    if not (alpha and n_bands in (2, 4)):
        return values
    if any_below_full(values[:, :, -1]):
        notes.append("transparency ignored: hidden pixels are shown")
    return values[:, :, :-1]


def _n_equal_pages(tiff: "TiffFile", page: "TiffPage") -> int:
    # Smaller pages are overviews or thumbnails of the first one.
    n_pages = len(tiff.pages)
    if n_pages == 1:
        return 1
    second = tiff.pages[1].aspage()
    return (
        n_pages
        if (second.imagewidth, second.imagelength) == (page.imagewidth, page.imagelength)
        else 1
    )


def _nodata(page: "TiffPage") -> float | None:
    tag = page.tags.get("GDAL_NODATA")
    if tag is None:
        return None
    try:
        return float(str(tag.value).strip("\0 "))
    except ValueError:
        return None
