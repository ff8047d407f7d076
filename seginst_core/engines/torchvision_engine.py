"""Faster R-CNN and Mask R-CNN on torchvision.

The networks are torchvision's; what runs around them is ours, because the library's own path
resizes every image, keeps 100 objects and pastes each mask into a full-size float image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights
from torchvision.models.detection import (
    FasterRCNN_ResNet50_FPN_V2_Weights,
    MaskRCNN_ResNet50_FPN_V2_Weights,
)
from torchvision.models.detection.image_list import ImageList

from seginst_core.engines.base import Detections, Sample
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.engines.rcnn.build import build_network
from seginst_core.engines.rcnn.detect import Parts, TorchParts, detect
from seginst_core.engines.rcnn.losses import box_losses, draw_rois, mask_loss, rpn_losses
from seginst_core.engines.rcnn.propose import ranked
from seginst_core.engines.rcnn.truths import truths_of
from seginst_core.errors import ModelError
from seginst_core.models.config import DETECTORS, AnyDetectorConfig, DetectorConfig
from seginst_core.models.pretrained import Background, fetch
from seginst_core.models.winograd import uses_winograd
from seginst_core.types import ImageArray, Preset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRIDE_PX = 32
CLASS_ROWS: Mapping[str, Background] = {
    "box_predictor.cls_score.": "first",
    "box_predictor.bbox_pred.": "first",
    "mask_fcn_logits.": "first",
}


class TorchvisionNetwork(nn.Module):
    """A torchvision detector behind the ``Network`` protocol."""

    def __init__(
        self, config: DetectorConfig, n_categories: int, *, masks: bool, device: torch.device
    ) -> None:
        super().__init__()
        self.net = build_network(config, n_categories, masks=masks)
        self.has_masks = masks
        self.frozen_norm = config.norm == "batch"
        self.device = device
        self.in_bfloat16 = has_fast_bfloat16(device)
        self.parts: Parts = TorchParts(self.net, device, self.in_bfloat16)
        self.mean = 255 * torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
        self.std = 255 * torch.tensor(STD, device=device).view(1, 3, 1, 1)
        self.to(device)

    def train(self, mode: bool = True) -> "TorchvisionNetwork":
        """Switch to training; batch normalisation stays frozen at its published statistics."""
        super().train(mode)
        self.net.to(memory_format=self._memory_format())
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def _memory_format(self) -> torch.memory_format:
        # Measured on a CPU with AVX2: channels last makes prediction 1.3 times as fast and the
        # backward pass of 3 x 3 convolutions 2 to 3 times as slow. Winograd's way, which gains
        # more, knows planes only.
        if self.device.type == "cpu" and (self.training or uses_winograd(self.device)):
            return torch.contiguous_format
        return torch.channels_last

    def losses(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Return the RPN's, the box head's and, with a mask head, the mask loss of a batch."""
        images = self._batch([s.image for s in samples])
        truths = truths_of(samples, self.device)
        features = self._features(images.tensors)
        rpn = self.net.rpn
        objectness, deltas = rpn.head(list(features.values()))
        anchors = rpn.anchor_generator(images, objectness)[0]
        losses: dict[str, Tensor] = {}
        losses["objectness"], losses["rpn_box"] = rpn_losses(
            rpn, anchors, objectness, deltas, truths
        )
        found = ranked(rpn, anchors, objectness, deltas, images.image_sizes)
        rois = draw_rois(self.net, found, truths)
        logits, changes = self._box_head(features, rois.of_images(), images.image_sizes)
        losses["class"], losses["box"] = box_losses(self.net, logits, changes, rois)
        if self.has_masks:
            losses["mask"] = mask_loss(
                rois,
                lambda boxes: self._mask_logits(features, boxes, images.image_sizes),
                2 * self.net.roi_heads.mask_roi_pool.output_size[0],
            )
        return losses

    @torch.inference_mode()
    def detect(self, images: Sequence[ImageArray], score: float) -> list[Detections]:
        """Find objects of at least ``score`` in each image (uint8 RGB, any size)."""
        return detect(self.net, self.parts, self._batch(images), score)

    def _batch(self, images: Sequence[ImageArray]) -> ImageList:
        """Normalise images and pad them, at the right and bottom, to one size."""
        height = max(image.shape[0] for image in images)
        width = max(image.shape[1] for image in images)
        height, width = (-(-side // STRIDE_PX) * STRIDE_PX for side in (height, width))
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        pixels = np.zeros((len(images), height, width, 3), np.uint8)
        for k, image in enumerate(images):
            pixels[k, : sizes[k][0], : sizes[k][1]] = image
        # One transfer, and of bytes: a GPU waits for each.
        given = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float()
        batch = given.sub_(self.mean).div_(self.std)
        for k, (own_height, own_width) in enumerate(sizes):
            if (own_height, own_width) != (height, width):
                batch[k, :, own_height:] = 0
                batch[k, :, :, own_width:] = 0
        return ImageList(batch.contiguous(memory_format=self._memory_format()), sizes)

    def _features(self, batch: Tensor) -> dict[str, Tensor]:
        """Run backbone and pyramid; box arithmetic after it stays in float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            features = self.net.backbone(batch)
        return {name: level.float() for name, level in features.items()}

    def _box_head(
        self, features: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        heads = self.net.roi_heads
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            hidden = heads.box_head(heads.box_roi_pool(features, boxes, sizes))
        logits, deltas = heads.box_predictor(hidden.float())
        return logits, deltas

    def _mask_logits(
        self, features: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> Tensor:
        heads = self.net.roi_heads
        pooled = heads.mask_roi_pool(features, boxes, sizes)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            logits: Tensor = heads.mask_predictor(heads.mask_head(pooled))
        return logits.float()


class TorchvisionEngine:
    """The default engine."""

    def configure(
        self, preset: Preset, *, masks: bool, published: bool, config: str
    ) -> DetectorConfig:
        """Return a preset's network; its batch norm is frozen if published weights come with it."""
        del masks
        if config:
            raise ModelError("Only the detectron2 engine takes a configuration; leave it out.")
        return replace(DETECTORS[preset], norm="batch") if published else DETECTORS[preset]

    def class_rows(self, config: AnyDetectorConfig) -> Mapping[str, Background]:
        """Name the weights with rows per category; torchvision has the background first."""
        del config
        return CLASS_ROWS

    def build(
        self, config: AnyDetectorConfig, n_categories: int, *, masks: bool, device: torch.device
    ) -> TorchvisionNetwork:
        """Build an untrained network."""
        return TorchvisionNetwork(_own(config), n_categories, masks=masks, device=device)

    def load(self, network: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Load saved weights; ModelError if they do not fit."""
        try:
            network.load_state_dict(dict(state))
        except RuntimeError as error:
            raise ModelError(
                "The weights do not fit the network that the model card names."
            ) from error

    def published(self, config: AnyDetectorConfig, *, masks: bool) -> Mapping[str, Tensor]:
        """Fetch torchvision's COCO weights (ResNet-50) or ImageNet backbone (ResNet-18).

        They are downloaded once, with a progress bar, into torch's own cache. ModelError tells how
        to do without when there is no network.
        """
        config = _own(config)
        if config.backbone == "resnet50":
            weights = (
                MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1
                if masks
                else FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1
            )
            prefix = "net."
        elif config.backbone == "resnet18":
            weights, prefix = ResNet18_Weights.IMAGENET1K_V1, "net.backbone.body."
        else:
            raise ModelError(f"There are no published weights for {config.backbone}.")
        return {prefix + name: tensor for name, tensor in fetch(weights).items()}


def _own(config: AnyDetectorConfig) -> DetectorConfig:
    if not isinstance(config, DetectorConfig):
        raise ModelError("The model card describes no network of torchvision.")
    return config


ENGINE = TorchvisionEngine()
