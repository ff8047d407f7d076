"""The mask of the object in a box that a person drew."""

from seginst_core.errors import DataError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.cached import cached_image, loaded_pipeline
from seginst_core.jobs.params import Params, path, text
from seginst_core.types import Box


def box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in each of ``boxes`` (``[[x0, y0, x1, y1]]``) of the image at ``path``.

    Returns ``{"masks": [RLE or null]}`` in the boxes' order. ModelError unless ``model`` is a
    two-stage model, ImageError if the image cannot be read.
    """
    boxes = _boxes(params)
    pipeline = loaded_pipeline(text(params, "model"), text(params, "device", "auto"))
    from seginst_core.masks.rle import encode
    from seginst_core.pipelines.two_stage import TwoStage

    if not isinstance(pipeline, TwoStage):
        raise ModelError(
            f"{pipeline.card.name} is an {pipeline.card.pipeline} model, and only a two-stage "
            "model can draw the mask in a box."
        )
    image = cached_image(path(params, "path"))
    reporter.check()
    height, width = image.shape[:2]
    masks = pipeline.masks_in_boxes(image, boxes, reporter)
    return {"masks": [None if m is None else encode(m, width, height) for m in masks]}


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
