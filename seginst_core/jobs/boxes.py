"""The mask of the object in a box that a person drew."""

from typing import cast

from seginst_core.errors import DataError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.cached import cached_image
from seginst_core.jobs.params import Params, path, runtime, text
from seginst_core.jobs.review.true_boxes import two_stage
from seginst_core.masks.rle import encode
from seginst_core.types import Box


def box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in each of ``boxes`` (``[[x0, y0, x1, y1]]``) of the image at ``path``.

    Returns ``{"masks": [RLE or null]}`` in the boxes' order. ModelError unless ``model`` is a
    two-stage model, ImageError if the image cannot be read.
    """
    boxes = _boxes(params)
    pipeline = two_stage(text(params, "model"), runtime(params))
    image = cached_image(path(params, "path"))
    reporter.check()
    height, width = image.shape[:2]
    masks = pipeline.masks_in_boxes(image, boxes, reporter)
    rles = [None if m is None else encode(m, width, height) for m in masks]
    return {"masks": cast(list[JsonValue], rles)}


def _boxes(params: Params) -> list[Box]:
    rows = params.get("boxes")
    if not isinstance(rows, list):
        raise DataError("The job's parameter 'boxes' has to be a list.")
    return [_box(row) for row in rows]


def _box(row: JsonValue) -> Box:
    if isinstance(row, list) and len(row) == 4:
        sides = [float(v) for v in row if isinstance(v, int | float)]
        if len(sides) == 4 and sides[0] <= sides[2] and sides[1] <= sides[3]:
            return Box(*sides)
    raise DataError(f"Not a box: {row!r}; a box is [x0, y0, x1, y1].")
