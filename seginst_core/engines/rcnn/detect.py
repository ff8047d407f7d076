"""What a torchvision detector does in prediction, without the library's detours.

Same mathematics as torchvision's own path (Ren et al. 2015, He et al. 2017), but convolutions run
in bfloat16 where that is fast, boxes are decoded in float32 and only for anchors that get further,
proposals that hardly can be an object cost no second look, RoIAlign is a table look-up on a CPU,
and a mask stays in its box.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList

from seginst_core.engines.base import Detections
from seginst_core.engines.rcnn.propose import ranked, suppressed
from seginst_core.engines.rcnn.roi_align import Pyramid, make_pyramid, roi_align

MASK_BATCH = 64
MIN_OBJECTNESS = 0.05


class Parts(Protocol):
    """The convolutional parts of a detector, which different runtimes can run."""

    def trunk(self, batch: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return of images ``(n, 3, H, W)`` each level's features, objectness and box deltas."""
        ...

    def boxes(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return class logits and box deltas, float32, of pooled features ``(n, C, 7, 7)``."""
        ...

    def masks(self, pooled: Tensor) -> Tensor:
        """Return mask logits ``(n, classes, M, M)``, float32, of pooled features."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class TorchParts:
    """The parts as torch runs them."""

    net: FasterRCNN
    device: torch.device
    in_bfloat16: bool

    def trunk(self, batch: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Run backbone, pyramid and the RPN's head."""
        with self._precision():
            features = list(self.net.backbone(batch).values())
            objectness, deltas = self.net.rpn.head(features)
        return features, objectness, deltas

    def boxes(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Run the box head; its last layer in float32, as box deltas need it."""
        with self._precision():
            hidden = self.net.roi_heads.box_head(pooled)
        logits, deltas = self.net.roi_heads.box_predictor(hidden.float())
        return logits, deltas

    def masks(self, pooled: Tensor) -> Tensor:
        """Run the mask head."""
        heads = self.net.roi_heads
        with self._precision():
            logits: Tensor = heads.mask_predictor(heads.mask_head(pooled))
        return logits.float()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16)


def detect(net: FasterRCNN, parts: Parts, batch: ImageList, score: float) -> list[Detections]:
    """Find objects of at least ``score`` in each image of a batch, best first."""
    features, objectness, deltas = parts.trunk(batch.tensors)
    anchors = net.rpn.anchor_generator(batch, list(objectness))[0]
    found = ranked(net.rpn, anchors, objectness, deltas, batch.image_sizes)
    proposals = suppressed(net.rpn, found, MIN_OBJECTNESS)
    pool = Pool(net, features, batch.image_sizes, as_table=batch.tensors.device.type == "cpu")
    heads = net.roi_heads
    heads.score_thresh = score
    logits, refined = parts.boxes(pool(proposals, heads.box_roi_pool.output_size[0]))
    boxes, scores, labels = heads.postprocess_detections(
        logits, refined, proposals, batch.image_sizes
    )
    masks = _masks(net, parts, pool, boxes, labels) if heads.has_mask() else None
    ends = torch.tensor([len(part) for part in boxes]).cumsum(0).tolist()
    return [
        Detections(
            boxes[k].float().cpu().numpy(),
            scores[k].float().cpu().numpy(),
            (labels[k] - 1).tolist(),
            None if masks is None else masks[ends[k] - len(boxes[k]) : ends[k]].numpy(),
        )
        for k in range(len(boxes))
    ]


class Pool:
    """RoIAlign over one batch's features: as a table on a CPU, else torchvision's own.

    Boxes come image by image, in the images' order.
    """

    def __init__(
        self,
        net: FasterRCNN,
        features: Sequence[Tensor],
        sizes: Sequence[tuple[int, int]],
        *,
        as_table: bool,
    ) -> None:
        self.heads = net.roi_heads
        self.n_samples = net.roi_heads.box_roi_pool.sampling_ratio
        self.sizes = sizes
        self.pyramid: Pyramid | None = None
        self.levels: dict[str, Tensor] = {}
        if as_table:
            self.pyramid = make_pyramid(features)
        else:
            # torchvision's RoIAlign wants features as exact as the boxes.
            names = ("0", "1", "2", "3", "pool")
            self.levels = {n: level.float() for n, level in zip(names, features, strict=True)}

    def __call__(self, boxes: Sequence[Tensor], side: int) -> Tensor:
        """Pool each image's boxes to ``(n, channels, side, side)``."""
        return self.part(torch.cat(list(boxes)), image_of(boxes), side)

    def part(self, rois: Tensor, image: Tensor, side: int) -> Tensor:
        """Pool boxes of which each names its image."""
        if self.pyramid is not None:
            return roi_align(self.pyramid, rois, image, side, self.n_samples)
        heads = self.heads
        whole = heads.box_roi_pool
        pool = whole if whole.output_size[0] == side else heads.mask_roi_pool
        boxes = [rois[image == k] for k in range(len(self.sizes))]
        pooled: Tensor = pool(self.levels, boxes, self.sizes)
        return pooled


def image_of(boxes: Sequence[Tensor]) -> Tensor:
    """Return the number of each box's image, of the boxes one behind the other."""
    numbers = [torch.full((len(part),), k) for k, part in enumerate(boxes)]
    return torch.cat(numbers).to(boxes[0].device)


def _masks(
    net: FasterRCNN,
    parts: Parts,
    pool: Pool,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
) -> Tensor:
    """Return the probabilities ``(n, M, M)`` of all images' objects within their boxes."""
    side = net.roi_heads.mask_roi_pool.output_size[0]
    rois, image, classes = torch.cat(list(boxes)), image_of(boxes), torch.cat(list(labels))
    masks = torch.zeros(len(rois), 2 * side, 2 * side)
    for begin in range(0, len(rois), MASK_BATCH):
        some = slice(begin, begin + MASK_BATCH)
        logits = parts.masks(pool.part(rois[some], image[some], side))
        masks[some] = logits[torch.arange(len(logits)), classes[some]].sigmoid().cpu()
    return masks
