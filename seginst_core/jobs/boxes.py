"""The masks that a two-stage model draws in given boxes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from seginst_core.errors import DataError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.cached import cached_image, loaded_pipeline
from seginst_core.jobs.params import Params, path, runtime, text
from seginst_core.masks.rle import encode
from seginst_core.types import Box, ImageArray

if TYPE_CHECKING:
    from seginst_core.pipelines.two_stage import TwoStage


def box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in each of ``boxes`` (``[[x0, y0, x1, y1]]``) of the image at ``path``.

    Returns ``{"masks": [RLE or null]}`` in the boxes' order. ModelError unless ``model`` is a
    two-stage model, ImageError if the image cannot be read.
    """
    boxes = [box(row) for row in listed(params, "boxes")]
    model = two_stage(params)
    image = cached_image(path(params, "path"))
    reporter.check()
    return {"masks": draw(model, image, boxes, reporter)}


def two_stage(params: Params, key: str = "model") -> "TwoStage":
    """Load the two-stage model that a job names; ModelError if it is of another kind."""
    pipeline = loaded_pipeline(text(params, key), runtime(params))
    from seginst_core.pipelines.two_stage import TwoStage

    if not isinstance(pipeline, TwoStage):
        raise ModelError(
            f"{pipeline.card.name} is an {pipeline.card.pipeline} model, and only a two-stage "
            "model can draw the mask in a box."
        )
    return pipeline


def draw(
    model: "TwoStage", image: ImageArray, boxes: Sequence[Box], reporter: Reporter
) -> list[JsonValue]:
    """Return the RLE of the mask in each box, None where the model sees nothing."""
    height, width = image.shape[:2]
    masks = model.masks_in_boxes(image, boxes, reporter)
    return [None if m is None else cast(JsonValue, encode(m, width, height)) for m in masks]


def listed(params: Params, key: str) -> list[JsonValue]:
    """Return the list at ``key``; DataError if it is none."""
    value = params.get(key)
    if not isinstance(value, list):
        raise DataError(f"The job's parameter {key!r} has to be a list.")
    return value


def box(row: JsonValue) -> Box:
    """Return the box that a list of its sides is; DataError if it is none."""
    if isinstance(row, list) and len(row) == 4:
        sides = [float(v) for v in row if isinstance(v, int | float)]
        if len(sides) == 4 and sides[0] <= sides[2] and sides[1] <= sides[3]:
            return Box(*sides)
    raise DataError(f"Not a box: {row!r}; a box is [x0, y0, x1, y1].")
