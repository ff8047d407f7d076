"""What a training run is to do: its settings checked, its model's card, its batches and budget."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch

from seginst_core.engines import load_engine
from seginst_core.errors import DataError, ModelError
from seginst_core.models.card import (
    CARD_NAME,
    DETECTOR_FILE,
    MASK_FILE,
    ModelCard,
    Scalar,
    has_checkpoint,
    named_now,
    read_card,
)
from seginst_core.models.config import (
    NESTED_UNETS,
    TRAINING,
    AnyDetectorConfig,
    Detectron2Config,
    Encoder,
    NestedUNetConfig,
    TrainingPreset,
)
from seginst_core.training import distributed
from seginst_core.training.loop import Budget
from seginst_core.training.recipe import DEFAULTS, Recipe
from seginst_core.training.scenes import Scenes
from seginst_core.types import Category, EngineName, PipelineName, Preset, Stage

# Of a two-stage run's time, the part that goes to the detector.
DETECTOR_SHARE = 0.65
# Weights that already know something are moved more gently.
FINE_TUNE_RATE = 0.5
# They keep the scale they know, unless the objects are so many times smaller or larger.
REFIT_SCALE = 1.5
PUBLISHED_ENCODER: Encoder = "resnet34"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What to train, on what, for how long; exactly one of the three budgets is set.

    ``start`` is the model directory to begin from; ``published`` begins from the engine's
    published weights instead. ``config`` is a configuration of the engine's own, by name or path,
    in the place of the preset's detection network; ``encoder`` is the nested U-Net's backbone in
    the place of the preset's (ResNet-34 with published weights). ``batch`` is how many crops the
    detection network sees a step, in the place of the preset's number for the device. ``stage``
    trains a part of a two-stage model and keeps the other part of ``start``. ``half`` stores the
    weights as float16. ``mask_passes`` ends the training of the nested U-Net once it has seen each
    object so many times, whatever the budget.
    ``renamed`` are the present names of classes that ``start`` may know by a former one
    (casefolded).
    ``description`` and ``command`` (the words that started this run) go into the model card.
    ``recipe`` is for measurements (docs/ablation.md).
    """

    train: Path
    images: Path
    out: Path
    pipeline: PipelineName
    val: Path | None = None
    engine: EngineName = "torchvision"
    preset: Preset = "fast"
    start: Path | None = None
    published: bool = False
    config: str = ""
    encoder: Encoder | None = None
    batch: int | None = None
    epochs: int | None = None
    iterations: int | None = None
    minutes: float | None = None
    mask_passes: int | None = None
    stage: Stage = "all"
    device: str = "auto"
    seed: int = 0
    resume: bool = False
    half: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    command: str = ""
    recipe: Recipe = DEFAULTS


def check(config: TrainConfig) -> None:
    """Raise a DataError that says in one sentence what makes no sense."""
    budgets = (config.epochs, config.iterations, config.minutes)
    if sum(b is not None for b in budgets) != 1 or any(b is not None and b <= 0 for b in budgets):
        raise DataError("Say how long to train: one of epochs, iterations or minutes, above zero.")
    if config.batch is not None and config.batch < 1:
        raise DataError("A batch is of one crop at least.")
    if config.stage != "all" and config.pipeline != "two-stage":
        raise DataError("Only a two-stage model has stages that can be trained apart.")
    if config.stage != "all" and config.start is None:
        raise DataError(f"Training the {config.stage} stage alone needs a model to start from.")
    if config.start is not None and config.published:
        raise DataError("Start from a model or from published weights, not both.")
    if config.encoder and config.pipeline != "two-stage":
        raise DataError("Only a two-stage model has a nested U-Net that an encoder is for.")
    if config.start is not None and config.encoder:
        raise DataError("A model to start from brings its own encoder; leave one of them out.")
    if config.start is not None and config.config:
        raise DataError(
            "A model to start from brings its own configuration; leave one of them out."
        )
    if config.start is not None and config.start.resolve() == config.out.resolve():
        raise DataError("The new model cannot be written over the one it starts from.")
    if config.out.is_file():
        raise DataError(
            f"{config.out} is a file, and a model is a directory; choose another --out."
        )
    # A model whose scoring was cut short still has its checkpoints.
    begun = has_checkpoint(config.out)
    if begun and not config.resume:
        raise DataError(
            f"{config.out} holds a training that was cut short: go on from it with --resume, or "
            "choose another --out."
        )
    if (config.out / CARD_NAME).exists() and not begun:
        raise DataError(
            f"The model at {config.out} is finished, so there is nothing to go on with; "
            "choose another --out."
            if config.resume
            else f"There is a model at {config.out} already; choose another --out."
        )


def parts(config: TrainConfig) -> tuple[str, ...]:
    """Return the weights files that are trained."""
    if config.pipeline == "end-to-end":
        return (DETECTOR_FILE,)
    return {
        "all": (DETECTOR_FILE, MASK_FILE),
        "detector": (DETECTOR_FILE,),
        "mask": (MASK_FILE,),
    }[config.stage]


def planned(config: TrainConfig, scenes: Scenes) -> tuple[ModelCard, ModelCard | None]:
    """Return the card of the model to be and, if there is one, of the model it starts from."""
    begun = read_card(config.start) if config.start is not None else None
    if begun is not None:
        begun = replace(begun, categories=named_now(begun.categories, config.renamed))
    if begun is not None and (begun.pipeline, begun.engine) != (config.pipeline, config.engine):
        raise ModelError(
            f"{begun.name} is {begun.pipeline} on {begun.engine}; it cannot start a model that is "
            f"{config.pipeline} on {config.engine}."
        )
    mask = _mask_config(config) if config.pipeline == "two-stage" else None
    categories, preset = scenes.categories, str(config.preset)
    if begun is not None:
        detector, mask, preset = begun.detector, begun.mask, begun.preset
        if config.stage == "mask":
            _check_shared(begun, categories)
            categories = begun.categories
    else:
        detector = load_engine(config.engine).configure(
            config.preset,
            masks=config.pipeline == "end-to-end",
            published=config.published,
            config=config.config,
        )
    if config.stage != "mask":
        typical_px = config.recipe.typical_px
        wanted = scenes.scale_to(typical_px) if typical_px else 1.0
        detector = _scaled(detector, kept_scale(begun.detector, wanted) if begun else wanted)
    training: dict[str, Scalar] = {
        "data": config.train.name,
        "n_images": len(scenes.scenes),
        "n_objects": len(scenes.objects),
        "stage": config.stage,
        "seed": config.seed,
        "started_from": begun.name if begun else ("published" if config.published else "scratch"),
    }
    for name in ("epochs", "iterations", "minutes"):
        if (value := getattr(config, name)) is not None:
            training[name] = value
    if distributed.n_processes() > 1:
        training["n_processes"] = distributed.n_processes()
    if config.config:
        training["config"] = (
            Path(config.config).name if Path(config.config).is_file() else config.config
        )
    if begun is not None:
        training["started_from_id"] = begun.id
    if config.val is not None:
        training["val"] = config.val.name
    if config.command:
        training["command"] = config.command
    card = ModelCard(
        name=config.out.resolve().name,
        pipeline=config.pipeline,
        engine=config.engine,
        preset=preset,
        categories=categories,
        detector=detector,
        mask=mask,
        description=config.description,
        training=training,
    )
    return card, begun


def _check_shared(begun: ModelCard, categories: Sequence[Category]) -> None:
    """Refuse to train masks alone for a detector that will never name one of the classes."""
    if len(begun.lacks(c.name for c in categories)) == len(categories):
        raise DataError(
            f"{begun.name} knows none of the classes of the data, and masks alone teach it none; "
            "train its detector too."
        )


def _mask_config(config: TrainConfig) -> NestedUNetConfig:
    preset = NESTED_UNETS[config.preset]
    encoder = config.encoder or (PUBLISHED_ENCODER if config.published else preset.encoder)
    return replace(preset, encoder=encoder)


def kept_scale(begun: AnyDetectorConfig, wanted: float) -> float:
    """Return the input scale that the weights to start from know, unless ``wanted`` is far off.

    A few images with somewhat smaller or larger objects are no reason to leave it. A model made
    elsewhere, for images of any size, knows none.
    """
    if isinstance(begun, Detectron2Config) and begun.shortest_px:
        return wanted
    known = begun.input_scale
    return known if 1 / REFIT_SCALE <= wanted / known <= REFIT_SCALE else wanted


def _scaled(detector: AnyDetectorConfig, input_scale: float) -> AnyDetectorConfig:
    """Return a network's configuration for images that are scaled as in training, and only so."""
    if isinstance(detector, Detectron2Config):
        return replace(detector, input_scale=input_scale, shortest_px=0, longest_px=0)
    return replace(detector, input_scale=input_scale)


def budget_of(config: TrainConfig, n_items: int, batch: int, share: float) -> Budget:
    """Return how long to train a part on so many items; ``share`` is its part of the minutes."""
    if config.minutes is not None:
        return Budget(seconds=config.minutes * 60 * (share if len(parts(config)) > 1 else 1))
    if config.iterations is not None:
        return Budget(iterations=config.iterations)
    assert config.epochs is not None
    return Budget(iterations=config.epochs * -(-n_items // (batch * distributed.n_processes())))


def mask_budget_of(config: TrainConfig, n_objects: int, batch: int) -> Budget:
    """Return how long to train the nested U-Net on so many objects."""
    budget = budget_of(config, n_objects, batch, 1 - DETECTOR_SHARE)
    if config.mask_passes is None:
        return budget
    most = max(1, config.mask_passes * n_objects // (batch * distributed.n_processes()))
    return replace(budget, iterations=min(most, budget.iterations or most))


def preset_of(config: TrainConfig, card: ModelCard, device: torch.device) -> TrainingPreset:
    """Return how to train a model on a device: batches and learning rates.

    Another batch than the preset's, the GPU's or the person's, scales the nested U-Net's likewise,
    and the learning rates by the square root of that, which suits adaptive optimisers
    (Krizhevsky 2014, "One weird trick", section 5; Malladi et al. 2022).
    """
    preset = TRAINING[cast(Preset, card.preset)]
    batch = config.batch or (preset.gpu_batch if device.type == "cuda" else preset.batch)
    factor = batch / preset.batch
    rate = math.sqrt(factor)
    if config.start is not None or config.published:
        rate *= FINE_TUNE_RATE
    return replace(
        preset,
        batch=batch,
        learning_rate=preset.learning_rate * rate,
        mask_batch=max(1, round(preset.mask_batch * factor)),
        mask_learning_rate=preset.mask_learning_rate * rate,
    )
