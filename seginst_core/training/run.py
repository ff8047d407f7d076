"""One training run: from a COCO file to a model directory with its scores."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from seginst_core.engines import load_engine
from seginst_core.engines.base import Network, Sample
from seginst_core.engines.device import describe_device, has_fast_bfloat16, pick_device
from seginst_core.errors import DataError, ModelError
from seginst_core.events import Reporter
from seginst_core.models.card import (
    CARD_NAME,
    CHECKPOINT_FOLDER,
    DETECTOR_FILE,
    MASK_FILE,
    ModelCard,
    Scalar,
    read_card,
    write_card,
)
from seginst_core.models.config import (
    NESTED_UNETS,
    TRAINING,
    AnyDetectorConfig,
    Detectron2Config,
    Encoder,
    NestedUNetConfig,
)
from seginst_core.models.losses import deep_mask_loss
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.pretrained import adapt_weights, encoder_weights
from seginst_core.models.weights import load_weights, save_weights
from seginst_core.training import distributed
from seginst_core.training.batches.detector import detector_batch
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.loop import Budget, fit
from seginst_core.training.recipe import DEFAULTS, Recipe
from seginst_core.training.scenes import Scenes, load_scenes
from seginst_core.training.validate import validate
from seginst_core.types import EngineName, PipelineName, Preset, Stage

# Of a two-stage run's time, the part that goes to the detector.
DETECTOR_SHARE = 0.65
# Weights that already know something are moved more gently.
FINE_TUNE_RATE = 0.5
PUBLISHED_ENCODER: Encoder = "resnet34"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What to train, on what, for how long; exactly one of the three budgets is set.

    ``start`` is the model directory to begin from; ``published`` begins from the engine's
    published weights instead. ``config`` is a configuration of the engine's own, by name or path,
    in the place of the preset's detection network; ``encoder`` is the nested U-Net's backbone in
    the place of the preset's (ResNet-34 with published weights). ``stage`` trains a part of a
    two-stage model and keeps the other part of ``start``. ``half`` stores the weights as float16.
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
    epochs: int | None = None
    iterations: int | None = None
    minutes: float | None = None
    stage: Stage = "all"
    device: str = "auto"
    seed: int = 0
    resume: bool = False
    half: bool = False
    description: str = ""
    command: str = ""
    recipe: Recipe = DEFAULTS


def train(config: TrainConfig, reporter: Reporter | None = None) -> ModelCard:
    """Train a model into ``config.out`` and return its card.

    The directory counts as a model once its card is there, which is written last. Cancelling
    leaves a checkpoint from which ``resume`` goes on. DataError or ModelError says in one
    sentence what is wrong with the data or the model to start from.
    """
    reporter = reporter or Reporter()
    _check(config)
    with distributed.joined():
        return _train(config, reporter if distributed.is_first() else Reporter(stop=reporter.stop))


def _train(config: TrainConfig, reporter: Reporter) -> ModelCard:
    device = distributed.own_device(pick_device(config.device))
    scenes = load_scenes(config.train, config.images, reporter)
    card, begun = _plan(config, scenes)
    reporter.log(f"Training on {describe_device(device)}.")
    if distributed.is_first():
        if not config.resume and (config.out / CHECKPOINT_FOLDER).exists():
            shutil.rmtree(config.out / CHECKPOINT_FOLDER)
        (config.out / CHECKPOINT_FOLDER).mkdir(parents=True, exist_ok=True)
    distributed.wait_for_all()
    torch.manual_seed(config.seed)
    files = {}
    for part in (DETECTOR_FILE, MASK_FILE):
        trained = _parts(config)
        if part == MASK_FILE and card.mask is None:
            continue
        if part not in trained:
            assert config.start is not None
            weights: Mapping[str, Tensor] = load_weights(config.start / part)
        else:
            run = _train_detector if part == DETECTOR_FILE else _train_unet
            weights = run(config, card, begun, scenes, device, reporter)
        if distributed.is_first():
            files[part] = save_weights(config.out / part, weights, half=config.half)
    card = replace(card, files=files)
    if not distributed.is_first():
        return card
    if config.val is not None:
        # Scored before it is shown as finished, but a model whose scoring is cancelled is whole.
        write_card(config.out, card)
        scores = validate(config.out, config.val, config.images, config.device, reporter)
        card = replace(card, scores=scores)
    write_card(config.out, card)
    shutil.rmtree(config.out / CHECKPOINT_FOLDER, ignore_errors=True)
    return card


def _check(config: TrainConfig) -> None:
    budgets = (config.epochs, config.iterations, config.minutes)
    if sum(b is not None for b in budgets) != 1 or any(b is not None and b <= 0 for b in budgets):
        raise DataError("Say how long to train: one of epochs, iterations or minutes, above zero.")
    if config.stage != "all" and config.pipeline != "two-stage":
        raise DataError("Only a two-stage model has stages that can be trained apart.")
    if config.stage != "all" and config.start is None:
        raise DataError(f"Training the {config.stage} stage alone needs a model to start from.")
    if config.start is not None and config.published:
        raise DataError("Start from a model or from published weights, not both.")
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
    if (config.out / CARD_NAME).exists() and not config.resume:
        raise DataError(f"There is a model at {config.out} already; choose another --out.")


def _parts(config: TrainConfig) -> tuple[str, ...]:
    if config.pipeline == "end-to-end":
        return (DETECTOR_FILE,)
    return {
        "all": (DETECTOR_FILE, MASK_FILE),
        "detector": (DETECTOR_FILE,),
        "mask": (MASK_FILE,),
    }[config.stage]


def _plan(config: TrainConfig, scenes: Scenes) -> tuple[ModelCard, ModelCard | None]:
    """Return the card of the model to be and, if there is one, of the model it starts from."""
    begun = read_card(config.start) if config.start is not None else None
    if begun is not None and (begun.pipeline, begun.engine) != (config.pipeline, config.engine):
        raise ModelError(
            f"{begun.name} is {begun.pipeline} on {begun.engine}; it cannot start a "
            f"{config.pipeline} model on {config.engine}."
        )
    mask = _mask_config(config) if config.pipeline == "two-stage" else None
    categories, preset = scenes.categories, str(config.preset)
    if begun is not None:
        detector, mask, preset = begun.detector, begun.mask, begun.preset
        if "detector" not in config.stage and config.stage != "all":
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
        scale = scenes.scale_to(typical_px) if typical_px else 1.0
        detector = _scaled(detector, scale)
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
        name=config.out.name,
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


def _mask_config(config: TrainConfig) -> NestedUNetConfig:
    preset = NESTED_UNETS[config.preset]
    encoder = config.encoder or (PUBLISHED_ENCODER if config.published else preset.encoder)
    return replace(preset, encoder=encoder)


def _scaled(detector: AnyDetectorConfig, input_scale: float) -> AnyDetectorConfig:
    """Return a network's configuration for images that are scaled as in training, and only so."""
    if isinstance(detector, Detectron2Config):
        return replace(detector, input_scale=input_scale, shortest_px=0, longest_px=0)
    return replace(detector, input_scale=input_scale)


def _budget(config: TrainConfig, n_items: int, batch: int, share: float) -> Budget:
    if config.minutes is not None:
        return Budget(seconds=config.minutes * 60 * (share if len(_parts(config)) > 1 else 1))
    if config.iterations is not None:
        return Budget(iterations=config.iterations)
    assert config.epochs is not None
    return Budget(iterations=config.epochs * -(-n_items // (batch * distributed.n_processes())))


def _rate(config: TrainConfig, rate: float) -> float:
    return rate * (FINE_TUNE_RATE if config.start is not None or config.published else 1.0)


Part = Callable[
    [TrainConfig, ModelCard, ModelCard | None, Scenes, torch.device, Reporter], Mapping[str, Tensor]
]


def _train_detector(
    config: TrainConfig,
    card: ModelCard,
    begun: ModelCard | None,
    scenes: Scenes,
    device: torch.device,
    reporter: Reporter,
) -> Mapping[str, Tensor]:
    engine = load_engine(card.engine)
    masks = card.pipeline == "end-to-end"
    preset = TRAINING[cast(Preset, card.preset)]
    network = engine.build(card.detector, len(card.categories), masks=masks, device=device)
    if masks and not scenes.masked:
        raise DataError("No object of the training data has a mask, only boxes.")
    if config.published or (begun is not None and config.start is not None):
        given = (
            engine.published(card.detector, masks=masks)
            if begun is None or config.start is None
            else load_weights(config.start / DETECTOR_FILE)
        )
        weights, n_fitting = adapt_weights(
            network.state_dict(),
            given,
            categories=[c.name for c in card.categories],
            given_categories=[c.name for c in begun.categories] if begun else [],
            class_rows=engine.class_rows(card.detector),
        )
        if n_fitting == 0:
            raise ModelError("None of the weights to start from fits the network.")
        network.load_state_dict(weights)
    trained = cast(Network, network)

    def losses(samples: Sequence[Sample]) -> Mapping[str, Tensor]:
        return trained.losses(samples)

    return fit(
        network,
        losses,
        lambda rng: detector_batch(
            scenes,
            rng,
            crop_px=preset.crop_px,
            batch=preset.batch,
            input_scale=card.detector.input_scale,
            recipe=config.recipe,
        ),
        budget=_budget(config, len(scenes.scenes), preset.batch, DETECTOR_SHARE),
        learning_rate=_rate(config, preset.learning_rate),
        recipe=config.recipe,
        seed=config.seed,
        part="detector",
        reporter=reporter,
        checkpoint=config.out / CHECKPOINT_FOLDER / "detector.pt",
    )


def _train_unet(
    config: TrainConfig,
    card: ModelCard,
    begun: ModelCard | None,
    scenes: Scenes,
    device: torch.device,
    reporter: Reporter,
) -> Mapping[str, Tensor]:
    del begun
    shape = card.mask
    if shape is None:
        raise ModelError("The model to start from names no mask network.")
    if not scenes.masked:
        raise DataError("No object of the training data has a mask, only boxes.")
    preset = TRAINING[cast(Preset, card.preset)]
    unet = NestedUNet(4, shape.widths, shape.encoder)
    if config.start is not None:
        unet.load_state_dict(load_weights(config.start / MASK_FILE))
    elif config.published and shape.encoder != "plain":
        given = encoder_weights(shape.encoder, 4)
        weights, _ = adapt_weights(
            unet.state_dict(), given, categories=[], given_categories=[], class_rows={}
        )
        unet.load_state_dict(weights)
    unet = unet.to(device).to(memory_format=torch.channels_last)

    def losses(batch: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        crops, targets = (t.to(device, non_blocking=True) for t in batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device)):
            outputs = unet(crops.contiguous(memory_format=torch.channels_last))
        return deep_mask_loss([output.float() for output in outputs], targets)

    return fit(
        unet,
        losses,
        lambda rng: mask_batch(
            scenes, rng, batch=preset.mask_batch, config=shape, recipe=config.recipe
        ),
        budget=_budget(config, len(scenes.masked), preset.mask_batch, 1 - DETECTOR_SHARE),
        learning_rate=_rate(config, preset.mask_learning_rate),
        recipe=config.recipe,
        seed=config.seed,
        part="mask network",
        reporter=reporter,
        checkpoint=config.out / CHECKPOINT_FOLDER / "mask.pt",
    )
