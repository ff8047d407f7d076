"""Worker events back into nouns; no torch, so the window can use it."""

from collections.abc import Mapping, Sequence
from typing import cast, get_args

from seginst_core.masks.rle import decode
from seginst_core.types import Box, Instance, Origin, PipelineName, Prediction


def prediction_from_event(
    event: Mapping[str, object], category_ids: Mapping[str, int]
) -> Prediction:
    """Decode a ``prediction`` event; ``category_ids`` maps a category's name to the project's id.

    Instances get the ids 1..n in the event's order; those of a category that the mapping lacks
    are left out.
    Raises ValueError or KeyError for an event that the worker does not write.
    """
    pipeline = event["pipeline"]
    if pipeline not in get_args(PipelineName):
        raise ValueError(f"not a pipeline: {pipeline!r}")
    name = cast(PipelineName, pipeline)
    model = str(event["model"])
    rows = cast(Sequence[Mapping[str, object]], event["instances"])
    instances = tuple(
        _instance(number, row, category_ids[str(row["category"])], model, name)
        for number, row in enumerate(rows, 1)
        if str(row["category"]) in category_ids
    )
    return Prediction(
        image_id=cast(int, event["image_id"]),
        model=model,
        pipeline=name,
        instances=instances,
        seconds=float(cast(float, event["seconds"])),
    )


def _instance(
    number: int, row: Mapping[str, object], category_id: int, model: str, pipeline: PipelineName
) -> Instance:
    x, y, width, height = cast(Sequence[float], row["bbox"])
    score = float(cast(float, row["score"]))
    segmentation = cast(Mapping[str, object] | None, row.get("segmentation"))
    return Instance(
        id=number,
        category_id=category_id,
        box=Box(x, y, x + width, y + height),
        mask=decode(segmentation) if segmentation else None,
        score=score,
        origin=Origin("model", model=model, pipeline=pipeline, score=score),
    )
