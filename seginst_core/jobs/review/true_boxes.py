"""What a two-stage model would have drawn, had its detector found the true boxes."""

from pathlib import Path

from seginst_core.errors import DataError, ImageError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.boxes import draw, two_stage
from seginst_core.jobs.cached import cached_image
from seginst_core.jobs.params import Params, box, listed, number, rows, text
from seginst_core.types import Box


def true_box_masks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Draw the mask in the true box of each object of ``images``, image by image.

    ``images`` is ``[{"image_id", "path", "objects": [[id, x0, y0, x1, y1]]}]``. Sends an event
    ``{"event": "drawn", "image_id", "model", "masks": [[id, RLE or null]]}`` for each image and
    returns ``{"n_objects"}``. An image that cannot be read is left out, and a log event says so.
    ModelError unless ``model`` is a two-stage model.
    """
    model = two_stage(params)
    images = rows(params, "images")
    n_objects = 0
    for done, row in enumerate(images):
        path = Path(text(row, "path"))
        reporter.progress(done, len(images), f"Drawing in true boxes: {path.name}")
        objects = [_object(one) for one in listed(row, "objects")]
        try:
            image = cached_image(path)
        except ImageError as error:
            reporter.log(str(error))
            continue
        rles = draw(model, image, [place for _, place in objects], Reporter(stop=reporter.stop))
        reporter.send(
            {
                "event": "drawn",
                "image_id": int(number(row, "image_id")),
                "model": model.card.id,
                "masks": [[key, rle] for (key, _), rle in zip(objects, rles, strict=True)],
            }
        )
        n_objects += len(objects)
    return {"n_objects": n_objects}


def _object(row: JsonValue) -> tuple[int, Box]:
    key = row[0] if isinstance(row, list) and len(row) == 5 else None
    if not isinstance(row, list) or not isinstance(key, int):
        raise DataError(f"Not an object's box: {row!r}; it is [id, x0, y0, x1, y1].")
    return key, box(row[1:])
