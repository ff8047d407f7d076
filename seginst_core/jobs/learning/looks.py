"""What images look like, so that near-duplicates are not split between training and scoring."""

from pathlib import Path

from seginst_core.errors import ImageError
from seginst_core.events import JsonValue, Reporter
from seginst_core.images.similar import look_of
from seginst_core.jobs.params import Params, number, rows, text


def image_looks(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Hash each of ``images`` (``[{"image_id", "path"}]``); ``{"looks": [[image_id, hex]]}``.

    An image that cannot be read is left out, and a log event says so.
    """
    looks: list[JsonValue] = []
    images = rows(params, "images")
    for done, row in enumerate(images):
        reporter.progress(done, len(images), "Looking for near-duplicates")
        try:
            looks.append([int(number(row, "image_id")), look_of(Path(text(row, "path")))])
        except ImageError as error:
            reporter.log(str(error))
    return {"looks": looks}
