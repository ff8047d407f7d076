"""Faster R-CNN and Mask R-CNN on detectron2.

The networks, their losses and their boxes are detectron2's. What it does not do with hundreds of
objects is ours: masks are drawn a few at a time and stay squares, to be pasted where they are.
Colours end here (BGR unless the configuration says RGB), and so do labels (background comes last).
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import torch
from detectron2.data.transforms import ResizeShortestEdge
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from detectron2.utils.events import EventStorage
from torch import Tensor, nn

from seginst_core.engines.base import Detections, Sample
from seginst_core.engines.detectron2_config import named_config, node_of, preset_config
from seginst_core.engines.mask_targets import cut_targets
from seginst_core.errors import ModelError
from seginst_core.models.config import AnyDetectorConfig, Detectron2Config
from seginst_core.models.pretrained import Background
from seginst_core.types import FloatArray, ImageArray, Preset

logging.getLogger("torch.fx._symbolic_trace").setLevel(logging.ERROR)

# Measured on a CPU with 100 objects: 16 at once take three quarters of the time of all at once.
MASKS_AT_ONCE: Mapping[str, int] = {"cpu": 16, "cuda": 64}
LOSS_NAMES = {
    "loss_rpn_cls": "objectness",
    "loss_rpn_loc": "rpn_box",
    "loss_cls": "class",
    "loss_box_reg": "box",
    "loss_mask": "mask",
}


class BoxMasks:
    """Objects' masks as squares within their boxes, in the place of detectron2's full-size ones."""

    def __init__(self, boxes: Tensor, squares: Tensor) -> None:
        self.boxes, self.squares = boxes, squares

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: Tensor) -> "BoxMasks":
        return BoxMasks(self.boxes[index], self.squares[index])

    def crop_and_resize(self, rois: Tensor, side: int) -> Tensor:
        """Return the targets ``(n, side, side)`` of as many proposals."""
        return cut_targets(self.boxes, self.squares, rois, side)


class Detectron2Network(nn.Module):
    """A detectron2 detector behind the ``Network`` protocol."""

    def __init__(
        self,
        config: Detectron2Config,
        n_categories: int,
        *,
        masks: bool,
        device: torch.device,
    ) -> None:
        super().__init__()
        node = node_of(config, n_categories, masks=masks, device=device)
        try:
            self.net = build_model(node)
        except (AssertionError, KeyError, ValueError, TypeError) as error:
            raise ModelError(f"detectron2 cannot build this network ({error}).") from error
        self.has_masks = masks
        self.device = device
        self.is_bgr = node.INPUT.FORMAT == "BGR"
        self.resize = (
            ResizeShortestEdge([config.shortest_px] * 2, config.longest_px)
            if config.shortest_px
            else None
        )
        if masks:
            self.net.roi_heads.mask_head.register_forward_pre_hook(_drop_maskless)

    def train(self, mode: bool = True) -> "Detectron2Network":
        """Switch to training; batch normalisation stays frozen, as batches are of two crops."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm):
                module.eval()
        return self

    def losses(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Return the RPN's, the box head's and, with a mask head, the mask loss of a batch."""
        inputs = [{"image": self._pixels(s.image), "instances": self._truth(s)} for s in samples]
        with EventStorage():
            losses: Mapping[str, Tensor] = self.net(inputs)
        return {LOSS_NAMES.get(k, k.removeprefix("loss_")): v for k, v in losses.items()}

    @torch.inference_mode()
    def detect(self, images: Sequence[ImageArray], score: float) -> list[Detections]:
        """Find objects of at least ``score`` in each image (uint8 RGB, any size)."""
        heads = self.net.roi_heads
        self._set_score(score)
        seen = [
            image if self.resize is None else self.resize.get_transform(image).apply_image(image)
            for image in images
        ]
        batch = self.net.preprocess_image([{"image": self._pixels(image)} for image in seen])
        features = self.net.backbone(batch.tensor)
        proposals, _ = self.net.proposal_generator(batch, features, None)
        # Masks are asked for below, a few at a time: all at once they would need a gigabyte.
        heads.mask_on = False
        try:
            found, _ = heads(batch, features, proposals, None)
        finally:
            heads.mask_on = self.has_masks
        detections = []
        for k, (image, instances) in enumerate(zip(images, found, strict=True)):
            one = {name: level[k : k + 1] for name, level in features.items()}
            height, width = instances.image_size
            factors = (image.shape[1] / width, image.shape[0] / height)
            boxes = Boxes(instances.pred_boxes.tensor.clone())
            boxes.scale(*factors)
            boxes.clip((image.shape[0], image.shape[1]))
            detections.append(
                Detections(
                    boxes.tensor.cpu().numpy(),
                    instances.scores.cpu().numpy(),
                    instances.pred_classes.tolist(),
                    self._masks(one, instances),
                )
            )
        return detections

    def _pixels(self, image: ImageArray) -> Tensor:
        # Always a copy: torch does not take arrays that are read-only.
        ordered = np.array(image[..., ::-1] if self.is_bgr else image, order="C")
        pixels = torch.from_numpy(ordered).to(self.device)
        return pixels.permute(2, 0, 1).float().contiguous()

    def _truth(self, sample: Sample) -> Instances:
        boxes = sample.boxes.to(self.device)
        truth = Instances(
            sample.image.shape[:2],
            gt_boxes=Boxes(boxes),
            gt_classes=sample.labels.to(self.device),
        )
        if self.has_masks:
            truth.gt_masks = BoxMasks(boxes, sample.masks.to(self.device))
            truth.gt_has_mask = sample.has_mask.to(self.device)
        return truth

    def _set_score(self, score: float) -> None:
        predictor = self.net.roi_heads.box_predictor
        for stage in predictor if isinstance(predictor, nn.ModuleList) else (predictor,):
            stage.test_score_thresh = score

    def _masks(self, features: Mapping[str, Tensor], found: Instances) -> FloatArray | None:
        if not self.has_masks:
            return None
        if len(found) == 0:
            return np.zeros((0, 1, 1), np.float32)
        parts = []
        at_once = MASKS_AT_ONCE.get(self.device.type, 16)
        for start in range(0, len(found), at_once):
            some = found[start : start + at_once]
            drawn = self.net.roi_heads.forward_with_given_boxes(features, [some])[0]
            parts.append(drawn.pred_masks[:, 0].float().cpu().numpy())
        return np.concatenate(parts)


def _drop_maskless(
    head: nn.Module, inputs: tuple[Tensor, list[Instances]]
) -> tuple[Tensor, list[Instances]]:
    """Leave proposals out of the mask loss whose object is known by its box alone."""
    pooled, proposals = inputs
    if not head.training:
        return pooled, proposals
    # An image without objects has no such field, and no proposal here either.
    drawn = [p.gt_has_mask for p in proposals if len(p)]
    if not drawn:
        return pooled, proposals
    return pooled[torch.cat(drawn)], [p[p.gt_has_mask] if len(p) else p for p in proposals]


class Detectron2Engine:
    """The networks of detectron2, where it is installed."""

    def configure(
        self, preset: Preset, *, masks: bool, published: bool, config: str
    ) -> Detectron2Config:
        """Return what to build for a preset, or for a configuration by its name or path."""
        if config:
            return named_config(config, published=published)
        return preset_config(preset, masks=masks, published=published)

    def class_rows(self, config: AnyDetectorConfig) -> Mapping[str, Background]:
        """Name the weights with rows per category, and where the background stands in them."""
        node = node_of(_own(config), 1, masks=False, device=torch.device("cpu"))
        rows: dict[str, Background] = {"cls_score.": "last"}
        if not node.MODEL.ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG:
            rows["bbox_pred."] = "none"
        if not node.MODEL.ROI_MASK_HEAD.CLS_AGNOSTIC_MASK:
            rows["mask_head.predictor."] = "none"
        return rows

    def build(
        self, config: AnyDetectorConfig, n_categories: int, *, masks: bool, device: torch.device
    ) -> Detectron2Network:
        """Build an untrained network."""
        # detectron2 calls torch in ways that will change; the person can do nothing about it.
        warnings.filterwarnings("ignore", message="torch.meshgrid")
        return Detectron2Network(_own(config), n_categories, masks=masks, device=device)

    def load(self, network: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Load saved weights; ModelError if they do not fit."""
        try:
            network.load_state_dict(dict(state))
        except RuntimeError as error:
            raise ModelError(
                "The weights do not fit the network that the model card names."
            ) from error

    def published(self, config: AnyDetectorConfig, *, masks: bool) -> Mapping[str, Tensor]:
        """Fetch the model zoo's weights, trained on COCO, with detectron2's own checkpointer.

        They are downloaded once, into its own cache. ModelError tells how to do without.
        """
        from detectron2 import model_zoo
        from detectron2.checkpoint import DetectionCheckpointer

        own = _own(config)
        try:
            url = model_zoo.get_checkpoint_url(own.zoo)
        except RuntimeError as error:
            raise ModelError(
                f"detectron2 publishes no weights for {own.zoo or 'this configuration'}."
            ) from error
        # As many categories as the published heads know; their rows are not kept by name.
        network = self.build(own, 80, masks=masks, device=torch.device("cpu"))
        try:
            DetectionCheckpointer(network.net).load(url)
        except (OSError, RuntimeError, AssertionError) as error:
            raise ModelError(
                f"The published weights could not be downloaded from {url}; see that there is a "
                f"network, place them in {_cache_folder(url)}, or train from scratch."
            ) from error
        return dict(network.state_dict())


def _own(config: AnyDetectorConfig) -> Detectron2Config:
    if not isinstance(config, Detectron2Config):
        raise ModelError("The model card describes no network of detectron2.")
    return config


def _cache_folder(url: str) -> Path:
    """Return where its checkpointer looks for a file before it downloads it from ``url``."""
    from iopath.common.file_io import get_cache_dir

    return Path(get_cache_dir(), urlparse(url).path.lstrip("/")).parent


ENGINE = Detectron2Engine()
