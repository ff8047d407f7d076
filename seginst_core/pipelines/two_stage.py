"""Pipeline A, two-stage: a Faster R-CNN finds boxes, a nested U-Net draws the mask in each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from seginst_core.engines.base import Network
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.events import Reporter
from seginst_core.masks.geometry import trim, window
from seginst_core.masks.paste import paste_soft
from seginst_core.models.card import ModelCard
from seginst_core.models.config import NestedUNetConfig
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.pipelines.crops import crop_window, crops_of
from seginst_core.pipelines.detect import (
    TileChoice,
    choose_tiles,
    detect_tiles,
    draft,
    shifted_box,
)
from seginst_core.pipelines.tiling import merge_tiles
from seginst_core.types import Box, ImageArray, Instance, Mask, Origin

# Measured: on a CPU large batches outgrow the cache and are half as fast as small ones.
CROPS_AT_ONCE = {"cpu": 8, "cuda": 128, "mps": 32}


@dataclass(frozen=True, slots=True, eq=False)
class TwoStage:
    """A loaded detector and nested U-Net."""

    card: ModelCard
    device: torch.device
    network: Network
    unet: NestedUNet
    config: NestedUNetConfig

    def predict(
        self,
        image: ImageArray,
        *,
        score: float = 0.05,
        tile: TileChoice = "auto",
        reporter: Reporter | None = None,
    ) -> list[Instance]:
        """Find the objects of ``image`` (uint8 RGB), best first, with ids 0..n-1."""
        height, width = image.shape[:2]
        reporter = reporter or Reporter()
        scale = self.card.detector.input_scale
        tiles = choose_tiles(width, height, tile, scale)
        origin = Origin("model", self.card.id, self.card.pipeline, threshold=score)
        per_tile = []
        for part, found in detect_tiles(
            self.network, image, tiles, input_scale=scale, score=score, reporter=reporter
        ):
            proposals = []
            for k, label in enumerate(found.labels):
                box = shifted_box(found, k, part)
                if box is not None:
                    value = float(found.scores[k])
                    category = self.card.categories[label]
                    proposals.append(draft(box, category, value, replace(origin, score=value)))
            per_tile.append((part, proposals))
        # Boxes are merged before any mask is drawn: the crop then comes from the whole image, so an
        # object cut by a tile is drawn once and whole.
        boxes = merge_tiles(per_tile, width, height)
        masks = self.masks_in_boxes(image, [found.box for found in boxes], reporter)
        drawn = [
            replace(found, mask=mask)
            for found, mask in zip(boxes, masks, strict=True)
            if mask is not None
        ]
        return [replace(found, id=k) for k, found in enumerate(drawn)]

    @torch.inference_mode()
    def masks_in_boxes(
        self, image: ImageArray, boxes: Sequence[Box], reporter: Reporter | None = None
    ) -> list[Mask | None]:
        """Draw the mask of the object in each box; None where the network sees none."""
        height, width = image.shape[:2]
        at_once = CROPS_AT_ONCE.get(self.device.type, 8)
        bfloat16 = has_fast_bfloat16(self.device)
        masks: list[Mask | None] = []
        for start in range(0, len(boxes), at_once):
            if reporter is not None:
                reporter.progress(start, len(boxes), "Drawing masks")
            part = boxes[start : start + at_once]
            crops = crops_of(image, part, self.config).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
                logits = self.unet(crops.contiguous(memory_format=torch.channels_last))[-1]
            squares = logits.float().sigmoid().squeeze(1).cpu().numpy()
            for box, square in zip(part, squares, strict=True):
                whole = paste_soft(square, crop_window(box, self.config.margin), width, height)
                masks.append(None if whole is None else _inside(whole, box))
        return masks


def _inside(mask: Mask, box: Box) -> Mask | None:
    """Keep the part of ``mask`` inside its box, to whole pixels."""
    x0, y0 = max(int(box.x0), mask.x0), max(int(box.y0), mask.y0)
    x1, y1 = min(-int(-box.x1 // 1), mask.x1), min(-int(-box.y1 // 1), mask.y1)
    if x1 <= x0 or y1 <= y0:
        return None
    return trim(window(mask, x0, y0, x1, y1), x0, y0)
