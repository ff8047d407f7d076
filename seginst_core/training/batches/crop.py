"""A crop of a training image with what is seen of its objects."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import window
from seginst_core.training.recipe import Recipe
from seginst_core.training.scenes import Scenes
from seginst_core.types import BoolArray, ImageArray, Instance

# A cut object is kept when at least this part of it is seen.
MIN_SEEN = 0.4
Corners = npt.NDArray[np.float32]
"""x0, y0, x1, y1 in the crop's pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a crop shows of an object; ``bits`` fill its box, None for an object without a mask."""

    box: Corners
    label: int
    bits: BoolArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """Pixels ``(h, w, 3)`` of scene number ``scene``; the network sees them ``scale`` times."""

    scene: int
    pixels: ImageArray
    scale: float
    objects: tuple[Seen, ...]


def draw_crop(
    scenes: Scenes, rng: np.random.Generator, *, crop_px: int, input_scale: float, recipe: Recipe
) -> Crop:
    """Draw a crop of ``crop_px`` network pixels a side, or less where the image is smaller."""
    spread = np.log(recipe.scale_jitter)
    scale = input_scale * float(np.exp(rng.uniform(-spread, spread)))
    side = crop_px / scale
    if rng.random() < recipe.object_centred:
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
    labels = scenes.labels
    objects = []
    for instance in scenes.scenes[index].instances:
        seen = _seen(instance, x0, y0, x1, y1)
        if seen is not None:
            objects.append(Seen(seen[0], labels[instance.category_id], seen[1]))
    return Crop(index, image[y0:y1, x0:x1], scale, tuple(objects))


def _place(length: int, side: float, centre: float | None, rng: np.random.Generator) -> int:
    """Choose where a crop of ``side`` begins along an axis of ``length`` pixels."""
    room = max(length - side, 0.0)
    if centre is None:
        return int(rng.uniform(0, room))
    return int(np.clip(centre - rng.uniform(0.2, 0.8) * side, 0, room))


def _seen(
    instance: Instance, x0: int, y0: int, x1: int, y1: int
) -> tuple[Corners, BoolArray | None] | None:
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
        bits = window(mask, max(mask.x0, x0), max(mask.y0, y0), min(mask.x1, x1), min(mask.y1, y1))
        if np.count_nonzero(bits) < max(MIN_SEEN * mask.area, 1):
            return None
    rows, columns = np.flatnonzero(bits.any(1)), np.flatnonzero(bits.any(0))
    bits = bits[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    left = max(mask.x0, x0) - x0 + columns[0]
    top = max(mask.y0, y0) - y0 + rows[0]
    return np.array([left, top, left + bits.shape[1], top + bits.shape[0]], np.float32), bits
