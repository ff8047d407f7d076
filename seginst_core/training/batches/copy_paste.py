"""Copy-paste: objects of the training data on other ground (Ghiasi et al. 2021, section 3)."""

from dataclasses import replace

import cv2
import numpy as np

from seginst_core.masks.geometry import trim
from seginst_core.training.batches.crop import MIN_SEEN, Crop, Seen
from seginst_core.training.scenes import Scenes
from seginst_core.types import BoolArray, ImageArray

MOST_PASTED = 4
# Of the same image: its light and grain fit, which matters where images differ as much as a
# fluorescence and a stained section do.
SAME_IMAGE = 0.7
SCALE = (0.8, 1.25)


def paste_objects(crop: Crop, scenes: Scenes, rng: np.random.Generator) -> Crop:
    """Return ``crop`` with one to four more objects on it; what they cover is cut or left out."""
    own = [(crop.scene, k) for k in scenes.masked_in(crop.scene)]
    pixels, objects = crop.pixels.copy(), list(crop.objects)
    for _ in range(int(rng.integers(1, MOST_PASTED + 1))):
        donors = own if own and rng.random() < SAME_IMAGE else scenes.masked
        scene, k = donors[int(rng.integers(len(donors)))]
        patch, bits = _turned(*_cut_out(scenes, scene, k), rng)
        height, width = bits.shape
        if height >= pixels.shape[0] or width >= pixels.shape[1]:
            continue
        y = int(rng.integers(pixels.shape[0] - height))
        x = int(rng.integers(pixels.shape[1] - width))
        pixels[y : y + height, x : x + width][bits] = patch[bits]
        objects = [left for one in objects if (left := _uncovered(one, bits, x, y)) is not None]
        box = np.array([x, y, x + width, y + height], np.float32)
        label = scenes.labels[scenes.scenes[scene].instances[k].category_id]
        objects.append(Seen(box, label, bits))
    return replace(crop, pixels=pixels, objects=tuple(objects))


def _cut_out(scenes: Scenes, scene: int, k: int) -> tuple[ImageArray, BoolArray]:
    mask = scenes.scenes[scene].instances[k].mask
    assert mask is not None
    image = scenes.image(scene)
    bits = mask.bits[: image.shape[0] - mask.y0, : image.shape[1] - mask.x0]
    height, width = bits.shape
    return image[mask.y0 : mask.y0 + height, mask.x0 : mask.x0 + width], bits


def _turned(
    patch: ImageArray, bits: BoolArray, rng: np.random.Generator
) -> tuple[ImageArray, BoolArray]:
    """Resize, turn and mirror an object."""
    low, high = SCALE
    scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    size = (max(2, round(bits.shape[1] * scale)), max(2, round(bits.shape[0] * scale)))
    pixels = np.asarray(cv2.resize(np.ascontiguousarray(patch), size), np.uint8)
    shape = cv2.resize(bits.astype(np.uint8) * 255, size) >= 128
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    pixels, shape = np.rot90(pixels, turns), np.rot90(shape, turns)
    if mirrored:
        pixels, shape = pixels[:, ::-1], shape[:, ::-1]
    tight = trim(np.ascontiguousarray(shape), 0, 0)
    if tight is None:  # a sliver that vanished when it was made smaller
        return pixels, np.ones(shape.shape, np.bool_)
    return pixels[tight.y0 : tight.y1, tight.x0 : tight.x1], tight.bits


def _uncovered(one: Seen, bits: BoolArray, x: int, y: int) -> Seen | None:
    """Return what is seen of an object under a pasted one at ``x, y``; None if too little."""
    x0, y0 = int(one.box[0]), int(one.box[1])
    height, width = bits.shape
    if one.bits is None:
        seen_width = min(float(one.box[2]), x + width) - max(float(one.box[0]), x)
        seen_height = min(float(one.box[3]), y + height) - max(float(one.box[1]), y)
        covered = max(seen_width, 0.0) * max(seen_height, 0.0)
        whole = float((one.box[2] - one.box[0]) * (one.box[3] - one.box[1]))
        return one if covered <= (1 - MIN_SEEN) * whole else None
    left, top = max(x0, x), max(y0, y)
    right, bottom = min(x0 + one.bits.shape[1], x + width), min(y0 + one.bits.shape[0], y + height)
    if right <= left or bottom <= top:
        return one
    rest = one.bits.copy()
    rest[top - y0 : bottom - y0, left - x0 : right - x0] &= ~bits[
        top - y : bottom - y, left - x : right - x
    ]
    tight = trim(rest, x0, y0)
    if tight is None or tight.area < MIN_SEEN * np.count_nonzero(one.bits):
        return None
    box = np.array([tight.x0, tight.y0, tight.x1, tight.y1], np.float32)
    return Seen(box, one.label, tight.bits)
