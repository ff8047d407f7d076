"""Training a model in a worker or for the command line."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from seginst_core.errors import DataError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.params import Params, number, path, text, texts
from seginst_core.library import resolve
from seginst_core.models.config import ENCODERS
from seginst_core.types import ENGINE_NAMES, PIPELINES, PRESETS, STAGES

if TYPE_CHECKING:
    from seginst_core.training.plan import TrainConfig

PUBLISHED = "published"
"""The ``start`` that means the engine's own published weights instead of a model."""

Word = TypeVar("Word", bound=str)


def train(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Train as ``params`` (the fields of TrainConfig) say; progress and loss events on the way.

    Returns ``{"model": directory, "name", "id", "scores"}``. ModelError or DataError if it cannot.
    """
    # Torch's threads spin while they wait for each other, and when the window or another program
    # takes one of the cores they spin in vain. This is read once, when torch is first imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from seginst_core.training.run import train as run

    config = train_config(params)
    card = run(config, reporter)
    scores: dict[str, JsonValue] = dict(card.scores)
    return {"model": str(config.out), "name": card.name, "id": card.id, "scores": scores}


def train_config(params: Params) -> "TrainConfig":
    """Build the training's settings from JSON; DataError names what makes no sense."""
    from seginst_core.training.plan import TrainConfig

    val, start = params.get("val"), text(params, "start", "")
    iterations, epochs = params.get("iterations"), params.get("epochs")
    minutes, batch = params.get("minutes"), params.get("batch")
    return TrainConfig(
        train=path(params, "train"),
        images=path(params, "images"),
        out=path(params, "out"),
        pipeline=_word(params, "pipeline", PIPELINES, None),
        val=Path(str(val)) if val else None,
        engine=_word(params, "engine", ENGINE_NAMES, "torchvision"),
        preset=_word(params, "preset", PRESETS, "fast"),
        start=resolve(start) if start not in ("", PUBLISHED) else None,
        published=start == PUBLISHED,
        config=text(params, "config", ""),
        encoder=_word(params, "encoder", ENCODERS, None) if params.get("encoder") else None,
        batch=None if batch is None else int(number(params, "batch")),
        epochs=None if epochs is None else int(number(params, "epochs")),
        iterations=None if iterations is None else int(number(params, "iterations")),
        minutes=None if minutes is None else number(params, "minutes"),
        stage=_word(params, "stage", STAGES, "all"),
        device=text(params, "device", "auto"),
        seed=int(number(params, "seed", 0)),
        resume=params.get("resume") is True,
        half=params.get("half") is True,
        renamed=texts(params, "renamed"),
        description=text(params, "description", ""),
        command=text(params, "command", ""),
    )


def _word(params: Params, key: str, words: tuple[Word, ...], default: str | None) -> Word:
    value = text(params, key, default)
    for word in words:
        if word == value:
            return word
    raise DataError(f"{key.capitalize()} is one of {', '.join(words)}, not {value!r}.")
