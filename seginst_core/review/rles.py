"""Segmentations of COCO files as checked run-length encodings, and their overlaps."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from seginst_core.errors import DataError, FormatError
from seginst_core.masks.geometry import from_box
from seginst_core.masks.polygons import rings_of, to_runs
from seginst_core.masks.rle import Rle, compress, encode
from seginst_core.types import Box, ImageRef

BoxTuple = tuple[float, float, float, float]


def to_rle(segmentation: object, image: ImageRef, name: str) -> Rle:
    """Return polygons, compressed or plain RLE of ``image`` as compressed RLE.

    DataError, beginning with ``name``, if the segmentation is malformed or of another size.
    """
    if isinstance(segmentation, Sequence) and not isinstance(segmentation, str | bytes):
        is_flat = all(isinstance(value, int | float) for value in segmentation)
        for polygon in [segmentation] if is_flat else segmentation:
            _check_ring(polygon, name)
    return drawn_rle(segmentation, image, name) or encode(None, image.width, image.height)


def drawn_rle(segmentation: object, image: ImageRef, name: str) -> Rle | None:
    """Do as ``to_rle``, but pass over rings of one or two points; None if there are no others."""
    size = [image.height, image.width]
    try:
        if isinstance(segmentation, Mapping):
            if segmentation.get("size") == size:  # which may be spelled 200.0
                segmentation = {"size": size, "counts": segmentation.get("counts")}
            rle = compress(segmentation)
        elif isinstance(segmentation, Sequence) and not isinstance(segmentation, str | bytes):
            return to_runs(rings_of(segmentation), image.width, image.height)
        else:
            raise DataError(f"{name} has a segmentation that is neither polygons nor RLE.")
    except FormatError as error:
        raise DataError(f"{name} has a damaged mask: {error}.") from error
    height, width = rle["size"]
    if rle["size"] != size:
        raise DataError(
            f"{name} has a mask of {width} x {height} pixels, but its image has "
            f"{image.width} x {image.height}."
        )
    return rle


def rectangle(bbox: BoxTuple, image: ImageRef) -> Rle:
    """Return the box (x, y, width, height, pixels) as a mask of ``image``, cut off at its edges."""
    x, y, width, height = bbox
    mask = from_box(Box(x, y, x + width, y + height), image.width, image.height)
    return encode(mask, image.width, image.height)


def box_of(rle: Rle) -> BoxTuple:
    """Return the tight box (x, y, width, height, pixels) of an RLE."""
    x, y, width, height = (float(value) for value in coco_mask.toBbox(rle))
    return x, y, width, height


def area_of(rle: Rle) -> float:
    """Return the number of pixels set in an RLE."""
    return float(coco_mask.area(rle))


def mask_ious(
    found: Sequence[Rle], truth: Sequence[Rle], iscrowd: Sequence[bool]
) -> npt.NDArray[np.float64]:
    """Return the IoUs ``(n_found, n_truth)``; with a crowd, the part of ``found`` inside it."""
    if not found or not truth:
        return np.zeros((len(found), len(truth)))
    ious: npt.NDArray[np.float64] = coco_mask.iou(
        list(found), list(truth), [int(crowd) for crowd in iscrowd]
    )
    return ious


def _check_ring(polygon: object, name: str) -> None:
    """Refuse what is not COCO's x, y, x, y, ... of three points or more."""
    values = list(polygon) if isinstance(polygon, Sequence) else []
    if len(values) < 6 or len(values) % 2 or not all(isinstance(v, int | float) for v in values):
        raise DataError(f"{name} has a polygon that is not a list of at least three points.")
