"""``python -m benchmarks.mask_stage``: crop, margin and box jitter of the nested U-Net, measured.

The nested U-Net of the airplane starter learns from the train part of each home data set for
``--iterations``, from the same seed, with one choice changed at a time. It is scored on the val
part in true boxes, and in the boxes that a detector finds there (``--boxes``, a model that has not
learned those images): what only helps in perfect boxes is of no use. Iterations, not minutes, are
the budget, so that a busy machine changes nothing but the wait.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import box_iou

from benchmarks.report import Figure, show
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.images import read_picture
from seginst_core.library import resolve
from seginst_core.masks.geometry import iou, mask_box
from seginst_core.models.card import read_card
from seginst_core.models.config import TRAINING, NestedUNetConfig
from seginst_core.pipelines.drawing import torch_draw
from seginst_core.pipelines.load import load_pipeline, load_unet
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.training.batches.masks import mask_batch
from seginst_core.training.loop import Budget, fit
from seginst_core.training.plan import FINE_TUNE_RATE
from seginst_core.training.recipe import DEFAULTS, Recipe
from seginst_core.training.run import mask_losses
from seginst_core.training.scenes import Scenes, load_scenes
from seginst_core.types import Box, ImageArray, Mask

START = "airplane-two-stage"
BOXES: Mapping[str, str] = {
    "vhr10-airplane": "airplane-two-stage",
    "dsb2018-nuclei": "nuclei-two-stage",
}
"""The data sets, and whose boxes to draw in; no starter has seen an image of these val parts."""
FOUND_IOU = 0.5
SURE = 0.3
LINES = (0.85, 0.9)


@dataclass(frozen=True, slots=True)
class Variant:
    """What is changed of the crops and of the training recipe."""

    crop_px: int | None = None
    margin: float | None = None
    recipe: Recipe = DEFAULTS

    def config(self, given: NestedUNetConfig) -> NestedUNetConfig:
        """Return the crops of ``given`` with the change."""
        return replace(
            given, crop_px=self.crop_px or given.crop_px, margin=self.margin or given.margin
        )


VARIANTS: Mapping[str, Variant] = {
    "base": Variant(),
    "crop_64": Variant(crop_px=64),
    "crop_128": Variant(crop_px=128),
    "margin_30": Variant(margin=0.3),
    "no_box_jitter": Variant(recipe=replace(DEFAULTS, box_jitter=0.0)),
    "box_jitter_halved": Variant(recipe=replace(DEFAULTS, box_jitter=0.5)),
    "box_jitter_doubled": Variant(recipe=replace(DEFAULTS, box_jitter=2.0)),
}


@dataclass(frozen=True, slots=True)
class Look:
    """An image, its true objects, and the box that the detector found for each, if any."""

    pixels: ImageArray
    truths: tuple[Mask, ...]
    found: tuple[Box | None, ...]


def main() -> None:
    """Print the figures of each variant on each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two variants, two iterations")
    parser.add_argument("--iterations", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--boxes", help="a two-stage model whose boxes to draw in: name or folder")
    parser.add_argument("--data", nargs="+", choices=BOXES, default=list(BOXES))
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    given = parser.parse_args()
    home = os.environ.get("SEGINST_DATA")
    if not home:
        sys.exit("Set SEGINST_DATA to the folder that holds the data sets.")
    names = ["base", "crop_64"] if given.quick else ["base", *given.only]
    for data in given.data[:1] if given.quick else given.data:
        folder = Path(home) / data
        looks = _looks(folder, given.boxes or BOXES[data], 2 if given.quick else None)
        notes = folder / "annotations" / "instances_train.json"
        scenes = load_scenes(notes, folder / "images", Reporter())
        for name in dict.fromkeys(names):
            n = 2 if given.quick else given.iterations
            pipeline = _trained(VARIANTS[name], scenes, n, given.seed)
            _show(f"{data}.{name}", pipeline, looks, f"{n} iterations from {START}")


def _looks(folder: Path, model: str, n_images: int | None) -> list[Look]:
    dataset = coco_json.read(folder / "annotations" / "instances_val.json")
    detector = load_pipeline(resolve(model))
    looks = []
    for image_id, annotation in list(dataset.annotations.items())[:n_images]:
        truths = tuple(one.mask for one in annotation.instances if one.mask is not None)
        path = next(ref.path for ref in dataset.images if ref.id == image_id)
        pixels = read_picture(folder / "images" / path).pixels
        boxes = [one.box for one in detector.predict(pixels, score=SURE)]
        looks.append(Look(pixels, truths, _nearest([mask_box(t) for t in truths], boxes)))
    return looks


def _nearest(boxes: Sequence[Box], found: Sequence[Box]) -> tuple[Box | None, ...]:
    """Return for each box the found one with the highest IoU, if that is high enough."""
    if not found:
        return (None,) * len(boxes)
    ious = box_iou(*(torch.tensor([[b.x0, b.y0, b.x1, b.y1] for b in of]) for of in (boxes, found)))
    best = zip(ious.argmax(1).tolist(), ious.amax(1).tolist(), strict=True)
    return tuple(found[k] if value >= FOUND_IOU else None for k, value in best)


def _trained(variant: Variant, scenes: Scenes, iterations: int, seed: int) -> TwoStage:
    """Return the starter with its nested U-Net trained on ``scenes`` as ``variant`` says."""
    start = resolve(START)
    card = read_card(start)
    assert card.mask is not None
    config, device, preset = variant.config(card.mask), torch.device("cpu"), TRAINING["fast"]
    unet = load_unet(start, card).to(memory_format=torch.channels_last)
    torch.manual_seed(seed)
    weights = fit(
        unet,
        mask_losses(unet, device, in_bfloat16=has_fast_bfloat16(device)),
        lambda rng: mask_batch(
            scenes, rng, batch=preset.mask_batch, config=config, recipe=variant.recipe
        ),
        budget=Budget(iterations=iterations),
        learning_rate=preset.mask_learning_rate * FINE_TUNE_RATE,
        recipe=variant.recipe,
        seed=seed,
        part="mask network",
        reporter=Reporter(),
    )
    unet.load_state_dict(weights)
    pipeline = load_pipeline(start)
    assert isinstance(pipeline, TwoStage)
    draw = torch_draw(unet, device, unet.depth)
    return replace(pipeline, draw=draw, config=config)


def _show(name: str, pipeline: TwoStage, looks: Sequence[Look], words: str) -> None:
    in_true: list[float] = []
    in_found: list[float] = []
    for look in looks:
        boxes = [mask_box(truth) for truth in look.truths]
        masks = pipeline.masks_in_boxes(look.pixels, boxes)
        in_true += _ious(look.truths, masks)
        met = [(t, box) for t, box in zip(look.truths, look.found, strict=True) if box is not None]
        masks = pipeline.masks_in_boxes(look.pixels, [box for _, box in met], guessed=True)
        in_found += _ious([truth for truth, _ in met], masks)
    for where, ious in (("true_boxes", in_true), ("found_boxes", in_found)):
        if not ious:
            continue
        show(Figure(f"{name}.{where}", round(float(np.mean(ious)), 4), "mean IoU", words, None))
        for line in LINES:
            part = round(float(np.mean(np.array(ious) >= line)), 3)
            show(Figure(f"{name}.{where}_{line}", part, f"part with IoU {line}", words, None))


def _ious(truths: Sequence[Mask], masks: Sequence[Mask | None]) -> list[float]:
    return [0.0 if m is None else iou(t, m) for t, m in zip(truths, masks, strict=True)]


if __name__ == "__main__":
    main()
