"""Pipeline B, end-to-end: a Mask R-CNN finds boxes and masks at once."""

from dataclasses import dataclass

import torch

from seginst_core.engines.base import Network
from seginst_core.engines.batches import Batches
from seginst_core.events import Reporter
from seginst_core.masks.paste import paste_soft
from seginst_core.models.card import ModelCard
from seginst_core.pipelines.detect import choose_tiles, detect_tiles, drafts, drawn
from seginst_core.pipelines.tiling import merge_tiles
from seginst_core.types import ImageArray, Instance, Origin, TileChoice


@dataclass(frozen=True, slots=True, eq=False)
class EndToEnd:
    """A loaded Mask R-CNN; ``tiles`` is how many of them it sees at once."""

    card: ModelCard
    device: torch.device
    network: Network
    tiles: Batches

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
            reporter=reporter or Reporter(),
        ):
            instances = []
            # A Mask R-CNN draws masks; what draws none is a two-stage model's detector.
            soft = found.masks
            assert soft is not None
            for k, proposal in drafts(found, part, self.card.categories, origin):
                mask = paste_soft(soft[k], proposal.box, width, height)
                if mask is None:
                    continue
                sure = drawn(proposal, mask, soft[k])
                if (sure.score or 0.0) >= score:
                    instances.append(sure)
            per_tile.append((part, instances))
        return merge_tiles(per_tile, width, height)
