"""Faster R-CNN and Mask R-CNN on torchvision.

The networks are torchvision's; what runs around them is ours, because the library's own path
resizes every image, keeps 100 objects and pastes each mask into a full-size float image.
"""

from collections.abc import Mapping, Sequence
from urllib.error import URLError

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import ResNet18_Weights
from torchvision.models.detection import (
    FasterRCNN_ResNet50_FPN_V2_Weights,
    MaskRCNN_ResNet50_FPN_V2_Weights,
)
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.ops import roi_align

from seginst_core.engines.base import Detections, Sample
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.engines.torchvision_build import build_network
from seginst_core.errors import ModelError
from seginst_core.models.config import DetectorConfig
from seginst_core.types import ImageArray

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRIDE_PX = 64
MASK_ROIS_PER_IMAGE = 32
MASK_BATCH = 64


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
        self.bfloat16 = has_fast_bfloat16(device)
        mean = torch.tensor(MEAN).view(1, 3, 1, 1)
        std = torch.tensor(STD).view(1, 3, 1, 1)
        self.register_buffer("mean", mean * 255, persistent=False)
        self.register_buffer("std", std * 255, persistent=False)
        self.to(device)

    def train(self, mode: bool = True) -> "TorchvisionNetwork":
        """Switch to training; batch normalisation stays frozen at its published statistics."""
        super().train(mode)
        self.net.backbone.to(memory_format=self._memory_format())
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def _memory_format(self) -> torch.memory_format:
        # Measured on a CPU with AVX2: channels last makes prediction 1.3 times as fast and the
        # backward pass of 3 x 3 convolutions 2 to 3 times as slow.
        if self.training and self.device.type == "cpu":
            return torch.contiguous_format
        return torch.channels_last

    def losses(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Return the RPN's, the box head's and, with a mask head, the mask loss of a batch."""
        images = self._batch([s.image for s in samples])
        targets = [
            {
                "boxes": s.boxes.to(self.device),
                "labels": s.labels.to(self.device) + 1,
                "masks": s.masks,  # torchvision only asks that the key is there
            }
            for s in samples
        ]
        features = self._features(images.tensors)
        proposals, losses = self.net.rpn(images, features, targets)
        heads = self.net.roi_heads
        proposals, matched, labels, regression = heads.select_training_samples(proposals, targets)
        logits, deltas = self._box_head(features, proposals, images.image_sizes)
        losses = {"objectness": losses["loss_objectness"], "rpn_box": losses["loss_rpn_box_reg"]}
        losses["class"], losses["box"] = fastrcnn_loss(logits, deltas, labels, regression)
        if self.has_masks:
            losses["mask"] = self._mask_loss(
                features, images.image_sizes, samples, proposals, matched, labels
            )
        return dict(losses)

    @torch.inference_mode()
    def detect(self, images: Sequence[ImageArray], score: float) -> list[Detections]:
        """Find objects of at least ``score`` in each image (uint8 RGB, any size)."""
        batch = self._batch(images)
        features = self._features(batch.tensors)
        proposals, _ = self.net.rpn(batch, features)
        heads = self.net.roi_heads
        logits, deltas = self._box_head(features, proposals, batch.image_sizes)
        heads.score_thresh = score
        boxes, scores, labels = heads.postprocess_detections(
            logits, deltas, proposals, batch.image_sizes
        )
        found = []
        for k in range(len(images)):
            one = {name: level[k : k + 1] for name, level in features.items()}
            masks = self._masks(one, boxes[k], labels[k], batch.image_sizes[k])
            found.append(
                Detections(
                    boxes[k].float().cpu().numpy(),
                    scores[k].float().cpu().numpy(),
                    (labels[k] - 1).tolist(),
                    masks,
                )
            )
        return found

    def _batch(self, images: Sequence[ImageArray]) -> ImageList:
        """Normalise images and pad them, at the right and bottom, to one size."""
        height = max(image.shape[0] for image in images)
        width = max(image.shape[1] for image in images)
        height, width = (-(-side // STRIDE_PX) * STRIDE_PX for side in (height, width))
        batch = torch.zeros(len(images), 3, height, width, device=self.device)
        for k, image in enumerate(images):
            pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
            pixels = pixels.permute(2, 0, 1).float().unsqueeze(0)
            batch[k, :, : image.shape[0], : image.shape[1]] = (
                (pixels - self.mean) / self.std
            ).squeeze(0)
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        return ImageList(batch.contiguous(memory_format=self._memory_format()), sizes)

    def _features(self, batch: Tensor) -> dict[str, Tensor]:
        """Run backbone and pyramid; box arithmetic after it stays in float32."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            features = self.net.backbone(batch)
        return {name: level.float() for name, level in features.items()}

    def _box_head(
        self, features: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        heads = self.net.roi_heads
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            hidden = heads.box_head(heads.box_roi_pool(features, boxes, sizes))
        logits, deltas = heads.box_predictor(hidden.float())
        return logits, deltas

    def _mask_logits(
        self, features: dict[str, Tensor], boxes: list[Tensor], sizes: list[tuple[int, int]]
    ) -> Tensor:
        heads = self.net.roi_heads
        pooled = heads.mask_roi_pool(features, boxes, sizes)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            logits: Tensor = heads.mask_predictor(heads.mask_head(pooled))
        return logits.float()

    def _mask_loss(
        self,
        features: dict[str, Tensor],
        sizes: list[tuple[int, int]],
        samples: Sequence[Sample],
        proposals: list[Tensor],
        matched: list[Tensor],
        labels: list[Tensor],
    ) -> Tensor:
        """Binary cross-entropy on the true class's mask of positive proposals (He 2017, sec. 3)."""
        rois, truths, classes = [], [], []
        for sample, boxes, match, label in zip(samples, proposals, matched, labels, strict=True):
            drawn = sample.has_mask.to(label.device)
            positive = torch.where(label > 0)[0]
            positive = positive[drawn[match[positive]]]
            positive = positive[torch.randperm(len(positive))[:MASK_ROIS_PER_IMAGE]]
            rois.append(boxes[positive])
            classes.append(label[positive])
            side = 2 * self.net.roi_heads.mask_roi_pool.output_size[0]
            truths.append(_mask_targets(sample, boxes[positive], match[positive], side))
        logits = self._mask_logits(features, rois, sizes)
        if len(logits) == 0:
            return logits.sum() * 0
        own = logits[torch.arange(len(logits)), torch.cat(classes)]
        return functional.binary_cross_entropy_with_logits(own, torch.cat(truths))

    def _masks(
        self, features: dict[str, Tensor], boxes: Tensor, labels: Tensor, size: tuple[int, int]
    ) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]] | None:
        if not self.has_masks:
            return None
        side = 2 * self.net.roi_heads.mask_roi_pool.output_size[0]
        masks = np.zeros((len(boxes), side, side), np.float32)
        for start in range(0, len(boxes), MASK_BATCH):
            part = slice(start, start + MASK_BATCH)
            logits = self._mask_logits(features, [boxes[part]], [size])
            own = logits[torch.arange(len(logits)), labels[part]]
            masks[part] = own.sigmoid().cpu().numpy()
        return masks


def _mask_targets(sample: Sample, rois: Tensor, match: Tensor, side: int) -> Tensor:
    """Cut each proposal's target ``(n, side, side)`` out of its object's box-aligned mask."""
    if len(rois) == 0:
        return rois.new_zeros(0, side, side)
    boxes = sample.boxes.to(rois.device)[match]
    resolution = sample.masks.shape[-1]
    scale = resolution / (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
    local = torch.cat([(rois[:, :2] - boxes[:, :2]) * scale, (rois[:, 2:] - boxes[:, :2]) * scale], 1)
    index = torch.arange(len(rois), device=rois.device, dtype=rois.dtype)[:, None]
    masks = sample.masks.to(rois.device)[match].float().unsqueeze(1)
    # A pixel ring of zeros: roi_align would otherwise repeat the border outside the object's box.
    ringed = functional.pad(masks, (1, 1, 1, 1))
    cut = roi_align(ringed, torch.cat([index, local + 1], 1), side, aligned=True)
    return (cut.squeeze(1) >= 0.5).float()


class TorchvisionEngine:
    """The default engine."""

    def build(
        self, config: DetectorConfig, n_categories: int, *, masks: bool, device: torch.device
    ) -> TorchvisionNetwork:
        """Build an untrained network."""
        return TorchvisionNetwork(config, n_categories, masks=masks, device=device)

    def load(self, network: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Load saved weights; ModelError if they do not fit."""
        try:
            network.load_state_dict(dict(state))
        except RuntimeError as error:
            raise ModelError("The weights do not fit the network that the model card names.") from error

    def published(self, config: DetectorConfig, *, masks: bool) -> Mapping[str, Tensor]:
        """Fetch torchvision's COCO weights (ResNet-50) or ImageNet backbone (ResNet-18).

        They are downloaded once, with a progress bar, into torch's own cache. ModelError tells how
        to do without when there is no network.
        """
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
        try:
            state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        except (URLError, OSError) as error:
            name = weights.url.rsplit("/", 1)[-1]
            raise ModelError(
                f"The published weights could not be downloaded ({error}); place {name} in "
                f"{torch.hub.get_dir()}/checkpoints, or train from scratch with --from scratch."
            ) from error
        return {prefix + name: tensor for name, tensor in state.items()}


ENGINE = TorchvisionEngine()
