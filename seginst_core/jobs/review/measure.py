"""Measuring predictions against the truth, and two predictions against each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import orjson

from seginst_core.errors import DataError, ImageError
from seginst_core.events import JsonValue, Reporter
from seginst_core.files import write_atomic
from seginst_core.images import image_file
from seginst_core.jobs.boxes import two_stage
from seginst_core.jobs.cached import cached_image
from seginst_core.jobs.params import Params, number, path, rows, text, texts
from seginst_core.types import Box, ImageRef, Mask

if TYPE_CHECKING:
    from seginst_core.review.faults.outlines import DrawInBoxes
    from seginst_core.review.schema import Correction


def evaluate(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Return the metrics of ``predictions`` against ``truth``; also written to ``out`` if given."""
    from seginst_core.review.metrics import evaluate as measure

    result = measure(path(params, "truth"), path(params, "predictions"), reporter)
    out = params.get("out")
    if out:
        write_atomic(Path(str(out)), orjson.dumps(result, option=orjson.OPT_INDENT_2))
    return cast(dict[str, JsonValue], result)


def compare(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Compare the predictions ``a`` and ``b``; the report goes into the folder ``out`` if given.

    With ``model_a``, the two-stage model behind ``a``, and the folder ``images``, the report says
    by substitution which of its stages drew the poor outlines. ``corrections`` may say what the
    objects cost that were taken over, as in the report, ``names`` what ``truth``, ``a`` and ``b``
    are called in it.
    """
    from seginst_core.review.compare import compare as measure
    from seginst_core.review.report import write_report

    truth, a, b = (path(params, name) for name in ("truth", "a", "b"))
    draw = _draw_in_boxes(params, reporter) if params.get("model_a") else None
    given = rows(params, "corrections") if "corrections" in params else []
    spent = [_correction(row) for row in given]
    names = texts(params, "names")
    result = measure(truth, a, b, reporter=reporter, draw_a=draw, corrections=spent, names=names)
    out = params.get("out")
    if out:
        write_report(result, Path(str(out)))
    return cast(dict[str, JsonValue], result)


def _correction(row: Params) -> "Correction":
    name = text(row, "side")
    if name not in ("a", "b"):
        raise DataError(f"An object is taken over from a or b, not {name!r}.")
    side: Literal["a", "b"] = "a" if name == "a" else "b"
    n_edits, seconds = int(number(row, "n_edits")), number(row, "seconds")
    return {"side": side, "taken_at": text(row, "taken_at"), "n_edits": n_edits, "seconds": seconds}


def _draw_in_boxes(params: Params, reporter: Reporter) -> "DrawInBoxes":
    """Nothing is drawn in an image that is gone or of another size; a log event says so."""
    model, images = two_stage(params, "model_a"), path(params, "images")

    def draw(image: ImageRef, boxes: Sequence[Box]) -> Sequence[Mask | None] | None:
        reporter.check()
        try:
            pixels = cached_image(image_file(images, image.path))
        except ImageError as error:
            reporter.log(str(error))
            return None
        height, width = pixels.shape[:2]
        if (width, height) != (image.width, image.height):
            reporter.log(
                f"Nothing is drawn in {image.path}: it is {width} x {height} px and not "
                f"{image.width} x {image.height} as the truth says."
            )
            return None
        return model.masks_in_boxes(pixels, boxes, Reporter(stop=reporter.stop))

    return draw
