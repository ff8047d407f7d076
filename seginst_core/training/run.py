"""One training run: from a COCO file to a model directory with its scores."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from seginst_core.engines import load_engine
from seginst_core.engines.base import Network, Sample
from seginst_core.engines.device import describe_device, has_fast_bfloat16, pick_device
from seginst_core.errors import DataError, ModelError, SegInstError
from seginst_core.events import Reporter
from seginst_core.models.card import (
    CHECKPOINT_FOLDER,
    DETECTOR_FILE,
    MASK_FILE,
    ModelCard,
    write_card,
)
from seginst_core.models.config import TRAINING, TrainingPreset
from seginst_core.models.losses import deep_mask_loss
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.pretrained import adapt_weights, encoder_weights
from seginst_core.models.weights import load_part, save_weights
from seginst_core.pipelines.load import load_unet
from seginst_core.training import distributed
from seginst_core.training.batches.detector import detector_batch
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.checkpoint import alone
from seginst_core.training.loop import fit
from seginst_core.training.plan import (
    DETECTOR_SHARE,
    TrainConfig,
    budget_of,
    check,
    mask_budget_of,
    parts,
    planned,
    preset_of,
)
from seginst_core.training.scenes import Scenes, load_scenes
from seginst_core.training.validate import check_validation, validate
from seginst_core.types import Preset


def train(config: TrainConfig, reporter: Reporter | None = None) -> ModelCard:
    """Train a model into ``config.out`` and return its card.

    The directory counts as a model once its card is there, which is written last. Cancelling
    leaves a checkpoint from which ``resume`` goes on. DataError or ModelError says in one
    sentence what is wrong with the data or the model to start from.
    """
    reporter = reporter or Reporter()
    check(config)
    with distributed.joined():
        return _train(config, reporter if distributed.is_first() else Reporter(stop=reporter.stop))


def _train(config: TrainConfig, reporter: Reporter) -> ModelCard:
    device = distributed.own_device(pick_device(config.device))
    scenes = load_scenes(config.train, config.images, reporter)
    card, begun = planned(config, scenes)
    if config.val is not None:
        check_validation(config.val, config.images, card.categories, reporter)
    preset = preset_of(config, card, device)
    if preset.batch != TRAINING[cast(Preset, card.preset)].batch:
        card = replace(card, training={**card.training, "batch": preset.batch})
    reporter.log(f"Training on {describe_device(device)}.")
    # All of them before the first is trained: what one lacks is known before hours are spent.
    weights_of: dict[str, Fitting] = {}
    for part in (DETECTOR_FILE,) if card.mask is None else (DETECTOR_FILE, MASK_FILE):
        if part in parts(config):
            # Before each, so that one that begins after a restart begins the same.
            torch.manual_seed(config.seed)
            prepare = _detector if part == DETECTOR_FILE else _unet
            weights_of[part] = prepare(config, card, begun, preset, scenes, device, reporter)
        else:
            assert config.start is not None
            assert begun is not None
            weights_of[part] = partial(dict, load_part(config.start, begun, part))
    with alone(config.out) if distributed.is_first() else nullcontext():
        distributed.wait_for_all()
        files = {}
        for part, fitted in weights_of.items():
            weights = fitted()
            if distributed.is_first():
                files[part] = save_weights(config.out / part, weights, half=config.half)
        card = replace(card, files=files)
        if not distributed.is_first():
            return card
        if config.val is not None:
            # Scored before it is shown as finished, but if that is cancelled the model is whole.
            write_card(config.out, card)
            card = replace(card, scores=_scores(config, config.val, reporter))
        write_card(config.out, card)
        shutil.rmtree(config.out / CHECKPOINT_FOLDER, ignore_errors=True)
    return card


def _scores(config: TrainConfig, val: Path, reporter: Reporter) -> Mapping[str, float]:
    try:
        return validate(config.out, val, config.images, config.device, reporter)
    except SegInstError as error:
        raise DataError(f"The model at {config.out} is whole but has no scores: {error}") from error


Fitting = Callable[[], Mapping[str, Tensor]]
"""What trains a network, or has it trained already, and returns its weights."""


def _detector(
    config: TrainConfig,
    card: ModelCard,
    begun: ModelCard | None,
    preset: TrainingPreset,
    scenes: Scenes,
    device: torch.device,
    reporter: Reporter,
) -> Fitting:
    engine = load_engine(card.engine)
    masks = card.pipeline == "end-to-end"
    if masks:
        _check_masked(scenes)
    network = engine.build(card.detector, len(card.categories), masks=masks, device=device)
    if config.published or begun is not None:
        given = (
            engine.published(card.detector, masks=masks)
            if begun is None or config.start is None
            else load_part(config.start, begun, DETECTOR_FILE)
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

    return partial(
        fit,
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
        budget=budget_of(config, len(scenes.scenes), preset.batch, DETECTOR_SHARE),
        learning_rate=preset.learning_rate,
        recipe=config.recipe,
        seed=config.seed,
        part="detector",
        reporter=reporter,
        checkpoint=config.out / CHECKPOINT_FOLDER / "detector.pt",
    )


def _unet(
    config: TrainConfig,
    card: ModelCard,
    begun: ModelCard | None,
    preset: TrainingPreset,
    scenes: Scenes,
    device: torch.device,
    reporter: Reporter,
) -> Fitting:
    shape = card.mask
    if shape is None:
        raise ModelError("The model to start from names no mask network.")
    _check_masked(scenes)
    if begun is not None and config.start is not None:
        unet = load_unet(config.start, begun)
    else:
        unet = NestedUNet(4, shape.widths, shape.encoder)
        if config.published and shape.encoder != "plain":
            given = encoder_weights(shape.encoder, 4)
            weights, _ = adapt_weights(
                unet.state_dict(), given, categories=[], given_categories=[], class_rows={}
            )
            unet.load_state_dict(weights)
    unet = unet.to(device).to(memory_format=torch.channels_last)

    return partial(
        fit,
        unet,
        mask_losses(unet, device, in_bfloat16=has_fast_bfloat16(device)),
        lambda rng: mask_batch(
            scenes, rng, batch=preset.mask_batch, config=shape, recipe=config.recipe
        ),
        budget=mask_budget_of(config, len(scenes.masked), preset.mask_batch),
        learning_rate=preset.mask_learning_rate,
        recipe=config.recipe,
        seed=config.seed,
        part="mask network",
        reporter=reporter,
        checkpoint=config.out / CHECKPOINT_FOLDER / "mask.pt",
    )


def _check_masked(scenes: Scenes) -> None:
    if not scenes.masked:
        raise DataError("No object of the training data has a mask, only boxes.")


def mask_losses(
    unet: NestedUNet, device: torch.device, *, in_bfloat16: bool
) -> Callable[[tuple[Tensor, Tensor]], Mapping[str, Tensor]]:
    """Return what makes the nested U-Net's losses of a batch of ``mask_batch``."""

    def losses(batch: tuple[Tensor, Tensor]) -> Mapping[str, Tensor]:
        crops, targets = (t.to(device, non_blocking=True) for t in batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16):
            outputs = unet(crops.contiguous(memory_format=torch.channels_last))
        return deep_mask_loss([output.float() for output in outputs], targets)

    return losses
