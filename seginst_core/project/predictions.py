"""Models' answers for images, as rows of the database; they are never changed once stored.

All functions here run inside the caller's ``reading`` or ``writing``.
"""

import sqlite3
from typing import TypeAlias, cast

from seginst_core.project.codec import instances_from_bytes, instances_to_bytes
from seginst_core.project.schema import SHOWN_PREDICTION
from seginst_core.types import PipelineName, Prediction

Row: TypeAlias = tuple[str | float | bytes, ...]


def add(db: sqlite3.Connection, prediction: Prediction, model_name: str) -> None:
    """Store a model's answer as it is."""
    db.execute(
        "INSERT INTO predictions "
        "(image_id, pipeline, model, model_name, seconds, n_instances, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            prediction.image_id,
            prediction.pipeline,
            prediction.model,
            model_name,
            prediction.seconds,
            len(prediction.instances),
            instances_to_bytes(prediction.instances),
        ),
    )


def shown(db: sqlite3.Connection, image_id: int, pipeline: PipelineName) -> Prediction | None:
    """Return the live model's answer for an image, else the newest; None if there is none."""
    row = _shown(db, "model, seconds, body", image_id, pipeline)
    if row is None:
        return None
    model, seconds, body = cast(tuple[str, float, bytes], row)
    return Prediction(image_id, model, pipeline, instances_from_bytes(body), seconds)


def model_id(db: sqlite3.Connection, image_id: int, pipeline: PipelineName) -> str:
    """Return the id of the model behind ``shown``; empty if there is none."""
    row = _shown(db, "model", image_id, pipeline)
    return "" if row is None else str(row[0])


def model_name(db: sqlite3.Connection, image_id: int, pipeline: PipelineName) -> str:
    """Return the name of the model behind ``shown``; empty if there is none."""
    row = _shown(db, "model_name", image_id, pipeline)
    return "" if row is None else str(row[0])


def _shown(
    db: sqlite3.Connection, columns: str, image_id: int, pipeline: PipelineName
) -> Row | None:
    row: Row | None = db.execute(
        f"SELECT {columns} FROM predictions WHERE {SHOWN_PREDICTION}",
        {"image": image_id, "pipeline": pipeline},
    ).fetchone()
    return row
