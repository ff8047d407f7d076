"""Training batches for the detection networks: crops of large images with what lies in them."""

import cv2
import numpy as np
import torch

from seginst_core.engines.base import Sample
from seginst_core.training.batches.colour import jitter_colour
from seginst_core.training.batches.copy_paste import paste_objects
from seginst_core.training.batches.crop import Corners, Crop, draw_crop
from seginst_core.training.recipe import Recipe
from seginst_core.training.scenes import Scenes
from seginst_core.types import BoolArray, ImageArray

MASK_SIDE = 56
MIN_SIDE_PX = 2.0


def detector_batch(
    scenes: Scenes,
    rng: np.random.Generator,
    *,
    crop_px: int,
    batch: int,
    input_scale: float,
    recipe: Recipe,
) -> list[Sample]:
    """Draw ``batch`` crops of ``crop_px`` network pixels.

    Most are placed around a random object; the rest anywhere in a random image, so that images
    without objects serve as negatives.
    """
    return [_sample(scenes, rng, crop_px, input_scale, recipe) for _ in range(batch)]


def _sample(
    scenes: Scenes, rng: np.random.Generator, crop_px: int, input_scale: float, recipe: Recipe
) -> Sample:
    crop = draw_crop(scenes, rng, crop_px=crop_px, input_scale=input_scale, recipe=recipe)
    if scenes.masked and rng.random() < recipe.copy_paste:
        crop = paste_objects(crop, scenes, rng)
    pixels = _as_seen(crop, crop_px)
    factor_y, factor_x = (pixels.shape[a] / crop.pixels.shape[a] for a in (0, 1))
    boxes, labels, masks = [], [], []
    for one in crop.objects:
        corners = one.box * np.array([factor_x, factor_y, factor_x, factor_y], np.float32)
        if min(corners[2] - corners[0], corners[3] - corners[1]) < MIN_SIDE_PX:
            continue
        boxes.append(corners)
        labels.append(one.label)
        masks.append(_in_box(one.bits))
    return _augmented(pixels, boxes, labels, masks, rng, recipe)


def _as_seen(crop: Crop, crop_px: int) -> ImageArray:
    """Return a crop's pixels as large as the network sees them."""
    height, width = (max(min(crop_px, round(n * crop.scale)), 1) for n in crop.pixels.shape[:2])
    how = cv2.INTER_AREA if crop.scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop.pixels, (width, height), interpolation=how), np.uint8)


def _in_box(bits: BoolArray | None) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None:
    if bits is None:
        return None
    how = cv2.INTER_AREA if max(bits.shape) > MASK_SIDE else cv2.INTER_LINEAR
    scaled = cv2.resize(bits.astype(np.uint8) * 255, (MASK_SIDE, MASK_SIDE), interpolation=how)
    return (scaled >= 128).astype(np.uint8)


def _augmented(
    pixels: ImageArray,
    boxes: list[Corners],
    labels: list[int],
    masks: list[np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None],
    rng: np.random.Generator,
    recipe: Recipe,
) -> Sample:
    """Flip, turn by right angles and recolour a crop with its objects."""
    n = len(boxes)
    array = np.stack(boxes) if n else np.zeros((0, 4), np.float32)
    stack = np.zeros((n, MASK_SIDE, MASK_SIDE), np.uint8)
    for k, mask in enumerate(masks):
        if mask is not None:
            stack[k] = mask
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    for _ in range(turns if recipe.right_angles else 0):
        width = pixels.shape[1]
        pixels = np.rot90(pixels)
        x0, y0, x1, y1 = array.T
        array = np.stack([y0, width - x1, y1, width - x0], 1)
        stack = np.rot90(stack, axes=(1, 2))
    if mirrored and recipe.right_angles:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        array = np.stack([width - array[:, 2], array[:, 1], width - array[:, 0], array[:, 3]], 1)
        stack = stack[:, :, ::-1]
    pixels = np.ascontiguousarray(pixels)
    return Sample(
        image=jitter_colour(pixels, rng) if recipe.colour else pixels,
        boxes=torch.from_numpy(np.ascontiguousarray(array, np.float32)),
        labels=torch.tensor(labels, dtype=torch.int64),
        masks=torch.from_numpy(np.ascontiguousarray(stack)),
        has_mask=torch.tensor([mask is not None for mask in masks], dtype=torch.bool),
    )
