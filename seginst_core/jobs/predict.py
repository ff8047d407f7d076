"""The worker's prediction: one event an image, as soon as it is known."""

from pathlib import Path
from typing import cast

from seginst_core.events import JsonValue, Reporter
from seginst_core.formats import coco_json
from seginst_core.jobs.cached import loaded_pipeline
from seginst_core.jobs.params import Params, number, rows, runtime, text, tile
from seginst_core.jobs.predicting import Answer, Item, predict_each
from seginst_core.models.card import ModelCard


def predict(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Run ``model`` on ``images`` (``[{"image_id", "path"}]``) and send a prediction for each.

    An image that cannot be read becomes a log event. ModelError if the model cannot be used.
    """
    items = [
        Item(int(number(row, "image_id")), Path(text(row, "path")))
        for row in rows(params, "images")
    ]
    reporter.progress(0, len(items), "Loading the model")
    pipeline = loaded_pipeline(text(params, "model"), runtime(params))
    n_objects = n_unreadable = 0
    for answer in predict_each(
        pipeline,
        items,
        score=number(params, "score", 0.05),
        tile=tile(params),
        reporter=reporter,
    ):
        if answer.problem:
            n_unreadable += 1
            reporter.log(answer.problem)
            continue
        n_objects += len(answer.instances)
        reporter.send(prediction_event(answer, pipeline.card))
    return {"images": len(items), "objects": n_objects, "unreadable": n_unreadable}


def prediction_event(answer: Answer, card: ModelCard) -> dict[str, JsonValue]:
    """Write one image's answer as an event; the ids of its categories are the model's own."""
    names = {category.id: category.name for category in card.categories}
    found = coco_json.results(answer.item.image_id, answer.instances, answer.width, answer.height)
    instances = [{**row, "category": names[row["category_id"]]} for row in found]
    return {
        "event": "prediction",
        "image_id": answer.item.image_id,
        "model": card.id,
        "model_name": card.name,
        "pipeline": card.pipeline,
        "seconds": answer.seconds,
        "width": answer.width,
        "height": answer.height,
        "categories": [{"id": c.id, "name": c.name} for c in card.categories],
        "instances": cast(list[JsonValue], instances),
    }
