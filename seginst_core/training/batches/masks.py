"""Training batches for the nested U-Net: one crop per object, its box jittered."""

import cv2
import numpy as np
import torch
from torch import Tensor

from seginst_core.models.config import NestedUNetConfig
from seginst_core.pipelines.crops import (
    box_channel,
    crop_tensor,
    crop_window,
    resample,
    resample_mask,
)
from seginst_core.training.batches.colour import jitter_colour
from seginst_core.training.recipe import Recipe
from seginst_core.training.scenes import Scenes
from seginst_core.types import Box

# A detector's boxes are never exact: spread of their centre and side, as parts of the side.
CENTRE_JITTER = 0.05
SIDE_JITTER = 0.07


def mask_batch(
    scenes: Scenes,
    rng: np.random.Generator,
    *,
    batch: int,
    config: NestedUNetConfig,
    recipe: Recipe,
) -> tuple[Tensor, Tensor]:
    """Draw ``batch`` objects; crops ``(n, 4, S, S)`` and targets ``(n, 1, S, S)``, both float."""
    squares, channels, targets = [], [], []
    side = config.crop_px
    for _ in range(batch):
        index, k = scenes.masked[rng.integers(len(scenes.masked))]
        instance = scenes.scenes[index].instances[k]
        assert instance.mask is not None
        box = _jittered(instance.box, rng, recipe.box_jitter)
        view = crop_window(box, config.margin)
        square = resample(scenes.image(index), view, side, outside=cv2.BORDER_REPLICATE)
        target = resample_mask(instance.mask, view, side)
        channel = box_channel(box, view, side)
        turns, flip = int(rng.integers(4)), rng.random() < 0.5
        if not recipe.right_angles:
            turns, flip = 0, False
        square, target, channel = (
            np.rot90(square, turns),
            np.rot90(target, turns),
            np.rot90(channel, turns),
        )
        if flip:
            square, target, channel = square[:, ::-1], target[:, ::-1], channel[:, ::-1]
        square = np.ascontiguousarray(square)
        squares.append(jitter_colour(square, rng) if recipe.colour else square)
        channels.append(channel)
        targets.append(target)
    return crop_tensor(squares, channels), torch.from_numpy(np.stack(targets)[:, None])


def _jittered(box: Box, rng: np.random.Generator, spread: float) -> Box:
    width = box.width * np.exp(rng.normal(0, SIDE_JITTER * spread))
    height = box.height * np.exp(rng.normal(0, SIDE_JITTER * spread))
    x = (box.x0 + box.x1) / 2 + rng.normal(0, CENTRE_JITTER * spread) * box.width
    y = (box.y0 + box.y1) / 2 + rng.normal(0, CENTRE_JITTER * spread) * box.height
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
