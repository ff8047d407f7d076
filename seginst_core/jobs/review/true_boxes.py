"""What a two-stage model would have drawn, had its detector found the true boxes."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from seginst_core.errors import DataError, ImageError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.cached import cached_image, loaded_pipeline
from seginst_core.jobs.params import Params, number, rows, runtime, text
from seginst_core.masks.rle import encode
from seginst_core.types import Box, Runtime

if TYPE_CHECKING:
    from seginst_core.pipelines.two_stage import TwoStage


def true_box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in the true box of each object of ``images``, image by image.

    ``images`` is ``[{"image_id", "path", "objects": [[id, x0, y0, x1, y1]]}]``. Sends an event
    ``{"event": "drawn", "image_id", "model", "masks": [[id, RLE or null]]}`` for each image and
    returns ``{"n_objects"}``. An image that cannot be read is left out, and a log event says so.
    ModelError unless ``model`` is a two-stage model.
    """
    model = two_stage(text(params, "model"), runtime(params))
    images = rows(params, "images")
    n_objects = 0
    for done, row in enumerate(images):
        path = Path(text(row, "path"))
        reporter.progress(done, len(images), f"Drawing in true boxes: {path.name}")
        ids, boxes = _objects(row)
        try:
            image = cached_image(path)
        except ImageError as error:
            reporter.log(str(error))
            continue
        height, width = image.shape[:2]
        masks = model.masks_in_boxes(image, boxes, Reporter(stop=reporter.stop))
        rles = [None if m is None else encode(m, width, height) for m in masks]
        reporter.send(
            {
                "event": "drawn",
                "image_id": int(number(row, "image_id")),
                "model": model.card.id,
                "masks": [[key, cast(JsonValue, rle)] for key, rle in zip(ids, rles, strict=True)],
            }
        )
        n_objects += len(ids)
    return {"n_objects": n_objects}


def two_stage(model: str, how: Runtime) -> "TwoStage":
    """Load a two-stage model; ModelError if it is of another kind."""
    pipeline = loaded_pipeline(model, how)
    from seginst_core.pipelines.two_stage import TwoStage

    if not isinstance(pipeline, TwoStage):
        raise ModelError(
            f"{pipeline.card.name} is an {pipeline.card.pipeline} model, and only a two-stage "
            "model can draw the mask in a box."
        )
    return pipeline


def _objects(row: Params) -> tuple[list[int], list[Box]]:
    values = row.get("objects")
    found = values if isinstance(values, list) else None
    ids: list[int] = []
    boxes: list[Box] = []
    for one in found or ():
        sides = (
            [float(v) for v in one if isinstance(v, int | float)] if isinstance(one, list) else []
        )
        if len(sides) != 5 or sides[1] > sides[3] or sides[2] > sides[4]:
            raise DataError(f"Not an object's box: {one!r}; it is [id, x0, y0, x1, y1].")
        ids.append(int(sides[0]))
        boxes.append(Box(*sides[1:]))
    if found is None:
        raise DataError("The job's parameter 'objects' has to be a list.")
    return ids, boxes
