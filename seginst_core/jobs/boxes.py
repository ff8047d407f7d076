"""The masks that a two-stage model draws in given boxes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from seginst_core.errors import ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.cached import cached_image, loaded_pipeline
from seginst_core.jobs.params import Params, box, listed, path, runtime, text
from seginst_core.masks.rle import encode
from seginst_core.types import Box, ImageArray

if TYPE_CHECKING:
    from seginst_core.pipelines.two_stage import TwoStage


def box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in each of ``boxes`` (``[[x0, y0, x1, y1]]``) of the image at ``path``.

    They end at the boxes, unless these are ``guessed`` (true or false): a detector's. Returns
    ``{"masks": [RLE or null]}`` in the boxes' order. ModelError unless ``model`` is a
    two-stage model, ImageError if the image cannot be read.
    """
    boxes = [box(row) for row in listed(params, "boxes")]
    model = two_stage(params)
    image = cached_image(path(params, "path"))
    reporter.check()
    guessed = params.get("guessed") is True
    return {"masks": draw(model, image, boxes, reporter, guessed=guessed)}


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
    model: "TwoStage",
    image: ImageArray,
    boxes: Sequence[Box],
    reporter: Reporter,
    *,
    guessed: bool = False,
) -> list[JsonValue]:
    """Return the RLE of the mask in each box, None where the model sees nothing."""
    height, width = image.shape[:2]
    masks = model.masks_in_boxes(image, boxes, reporter, guessed=guessed)
    return [None if m is None else cast(JsonValue, encode(m, width, height)) for m in masks]
