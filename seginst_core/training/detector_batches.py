"""Training batches for the detection networks: crops of large images with what lies in them."""

import cv2
import numpy as np
import torch

from seginst_core.engines.base import Sample
from seginst_core.masks.geometry import window
from seginst_core.training.augment import jitter_colour
from seginst_core.training.scenes import Scenes
from seginst_core.types import BoolArray, ImageArray, Instance

MASK_SIDE = 56
OBJECT_CENTRED = 0.8
SCALE_JITTER = (0.7, 1.4)
# A cut object is kept when at least this part of it is seen.
MIN_SEEN = 0.4
MIN_SIDE_PX = 2.0


def detector_batch(
    scenes: Scenes, rng: np.random.Generator, *, crop_px: int, batch: int, input_scale: float
) -> list[Sample]:
    """Draw ``batch`` crops of ``crop_px`` network pixels.

    Most are placed around a random object; the rest anywhere in a random image, so that images
    without objects serve as negatives.
    """
    return [_sample(scenes, rng, crop_px, input_scale) for _ in range(batch)]


def _sample(
    scenes: Scenes, rng: np.random.Generator, crop_px: int, input_scale: float
) -> Sample:
    low, high = SCALE_JITTER
    scale = input_scale * float(np.exp(rng.uniform(np.log(low), np.log(high))))
    side = crop_px / scale
    if rng.random() < OBJECT_CENTRED:
        index, k = scenes.objects[rng.integers(len(scenes.objects))]
        box = scenes.scenes[index].instances[k].box
        centre = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    else:
        index, centre = int(rng.integers(len(scenes.scenes))), None
    image = scenes.image(index)
    x0, y0 = (
        _place(length, side, None if centre is None else centre[axis], rng)
        for axis, length in enumerate((image.shape[1], image.shape[0]))
    )
    x1, y1 = min(x0 + round(side), image.shape[1]), min(y0 + round(side), image.shape[0])
    pixels = image[y0:y1, x0:x1]
    size = (min(crop_px, round((x1 - x0) * scale)), min(crop_px, round((y1 - y0) * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(pixels, (max(size[0], 1), max(size[1], 1)), interpolation=how)
    factors = (pixels.shape[1] / (x1 - x0), pixels.shape[0] / (y1 - y0))
    boxes, labels, masks = [], [], []
    by_id = scenes.labels
    for instance in scenes.scenes[index].instances:
        seen = _seen(instance, x0, y0, x1, y1)
        if seen is None:
            continue
        box, bits = seen
        box *= np.array([*factors, *factors], np.float32)
        if min(box[2] - box[0], box[3] - box[1]) < MIN_SIDE_PX:
            continue
        boxes.append(box)
        labels.append(by_id[instance.category_id])
        masks.append(_in_box(bits))
    return _augmented(pixels, boxes, labels, masks, rng)


def _place(length: int, side: float, centre: float | None, rng: np.random.Generator) -> int:
    """Choose where a crop of ``side`` begins along an axis of ``length`` pixels."""
    room = max(length - side, 0.0)
    if centre is None:
        return int(rng.uniform(0, room))
    return int(np.clip(centre - rng.uniform(0.2, 0.8) * side, 0, room))


def _seen(
    instance: Instance, x0: int, y0: int, x1: int, y1: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], BoolArray | None] | None:
    """Return the visible part's box, relative to the crop, and its mask bits cut to that box."""
    box, mask = instance.box, instance.mask
    left, top = max(box.x0, x0), max(box.y0, y0)
    right, bottom = min(box.x1, x1), min(box.y1, y1)
    if right <= left or bottom <= top:
        return None
    if mask is None:
        if (right - left) * (bottom - top) < MIN_SEEN * box.width * box.height:
            return None
        return np.array([left - x0, top - y0, right - x0, bottom - y0], np.float32), None
    bits = mask.bits
    if mask.x0 < x0 or mask.y0 < y0 or mask.x1 > x1 or mask.y1 > y1:
        bits = window(
            mask, max(mask.x0, x0), max(mask.y0, y0), min(mask.x1, x1), min(mask.y1, y1)
        )
        if np.count_nonzero(bits) < max(MIN_SEEN * mask.area, 1):
            return None
    rows, columns = np.flatnonzero(bits.any(1)), np.flatnonzero(bits.any(0))
    bits = bits[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    left = max(mask.x0, x0) - x0 + columns[0]
    top = max(mask.y0, y0) - y0 + rows[0]
    return np.array([left, top, left + bits.shape[1], top + bits.shape[0]], np.float32), bits


def _in_box(bits: BoolArray | None) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None:
    if bits is None:
        return None
    how = cv2.INTER_AREA if max(bits.shape) > MASK_SIDE else cv2.INTER_LINEAR
    scaled = cv2.resize(bits.astype(np.uint8) * 255, (MASK_SIDE, MASK_SIDE), interpolation=how)
    return (scaled >= 128).astype(np.uint8)


def _augmented(
    pixels: ImageArray,
    boxes: list[np.ndarray[tuple[int], np.dtype[np.float32]]],
    labels: list[int],
    masks: list[np.ndarray[tuple[int, int], np.dtype[np.uint8]] | None],
    rng: np.random.Generator,
) -> Sample:
    """Flip, turn by right angles and recolour a crop with its objects."""
    n = len(boxes)
    array = np.stack(boxes) if n else np.zeros((0, 4), np.float32)
    stack = np.zeros((n, MASK_SIDE, MASK_SIDE), np.uint8)
    for k, mask in enumerate(masks):
        if mask is not None:
            stack[k] = mask
    for _ in range(int(rng.integers(4))):
        width = pixels.shape[1]
        pixels = np.rot90(pixels)
        x0, y0, x1, y1 = array.T
        array = np.stack([y0, width - x1, y1, width - x0], 1)
        stack = np.rot90(stack, axes=(1, 2))
    if rng.random() < 0.5:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        array = np.stack([width - array[:, 2], array[:, 1], width - array[:, 0], array[:, 3]], 1)
        stack = stack[:, :, ::-1]
    return Sample(
        image=jitter_colour(np.ascontiguousarray(pixels), rng),
        boxes=torch.from_numpy(np.ascontiguousarray(array, np.float32)),
        labels=torch.tensor(labels, dtype=torch.int64),
        masks=torch.from_numpy(np.ascontiguousarray(stack)),
        has_mask=torch.tensor([mask is not None for mask in masks], dtype=torch.bool),
    )
