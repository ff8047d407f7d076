"""Pipeline A, two-stage: a Faster R-CNN finds boxes, a nested U-Net draws the mask in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from seginst_core.engines.base import Network
from seginst_core.engines.batches import Batches
from seginst_core.events import Reporter
from seginst_core.masks.geometry import inside
from seginst_core.masks.paste import paste_soft
from seginst_core.models.card import ModelCard
from seginst_core.models.config import NestedUNetConfig
from seginst_core.pipelines.crops import crop_window, crops_of
from seginst_core.pipelines.detect import choose_tiles, detect_tiles, drafts, drawn
from seginst_core.pipelines.drawing import Draw
from seginst_core.pipelines.tiling import merge_tiles
from seginst_core.types import (
    Box,
    FloatArray,
    ImageArray,
    Instance,
    Mask,
    Origin,
    TileChoice,
)


@dataclass(frozen=True, slots=True, eq=False)
class TwoStage:
    """A loaded detector and nested U-Net; ``tiles`` and ``crops`` are their batches."""

    card: ModelCard
    device: torch.device
    network: Network
    draw: Draw
    config: NestedUNetConfig
    tiles: Batches
    crops: Batches

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
            self.network,
            image,
            tiles,
            input_scale=scale,
            score=score,
            batches=self.tiles,
            reporter=reporter,
        ):
            proposals = drafts(found, part, self.card.categories, origin)
            per_tile.append((part, [proposal for _, proposal in proposals]))
        # Boxes are merged before any mask is drawn: the crop then comes from the whole image, so an
        # object cut by a tile is drawn once and whole.
        boxes = merge_tiles(per_tile, width, height)
        soft = self.soft_masks(image, [found.box for found in boxes], reporter)
        objects, margin = [], self.config.margin
        for proposal, square in zip(boxes, soft, strict=True):
            # The detector's box is a guess: what is seen in its margin belongs to the object too.
            mask = paste_soft(square, crop_window(proposal.box, margin), width, height)
            if mask is not None:
                objects.append(drawn(proposal, mask, square))
        sure = [one for one in objects if (one.score or 0.0) >= score]
        sure.sort(key=lambda one: -(one.score or 0.0))
        return [replace(one, id=k) for k, one in enumerate(sure)]

    def masks_in_boxes(
        self,
        image: ImageArray,
        boxes: Sequence[Box],
        reporter: Reporter | None = None,
        *,
        guessed: bool = False,
    ) -> list[Mask | None]:
        """Draw the mask of the object in each box; None where the network sees none.

        It does not leave the box, unless that is ``guessed``: a detector's, as in ``predict``.
        """
        height, width = image.shape[:2]
        masks: list[Mask | None] = []
        for box, square in zip(boxes, self.soft_masks(image, boxes, reporter), strict=True):
            mask = paste_soft(square, crop_window(box, self.config.margin), width, height)
            masks.append(mask if mask is None or guessed else inside(mask, box))
        return masks

    def soft_masks(
        self, image: ImageArray, boxes: Sequence[Box], reporter: Reporter | None = None
    ) -> Iterator[FloatArray]:
        """Yield the probabilities ``(crop_px, crop_px)`` of each box's crop, margin and all."""
        reporter = reporter or Reporter()
        numbered = list(enumerate(boxes))

        def draw(some: Sequence[tuple[int, Box]]) -> Sequence[FloatArray]:
            reporter.progress(some[0][0], len(boxes), "Drawing masks")
            crops = crops_of(image, [box for _, box in some], self.config)
            return list(self.draw(crops).numpy())

        return self.crops.run(draw, numbered, reporter.log)
