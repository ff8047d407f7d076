"""The networks of the torchvision engine: backbones, feature pyramid and heads by config."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN, _resnet_fpn_extractor
from torchvision.models.detection.faster_rcnn import (
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.resnet import BasicBlock, ResNet, resnet50
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from seginst_core.models.config import DetectorConfig

DETECTIONS_PER_IMAGE = 1000
ANCHORS_PX = ((16,), (32,), (64,), (128,), (256,))
PUBLISHED_ANCHORS_PX = ((32,), (64,), (128,), (256,), (512,))


class CoarseLevels(ExtraFPNBlock):  # type: ignore[misc]
    """Two coarser pyramid levels by strided convolution, for backbones cut after stride 16.

    The last stage of a ResNet holds three quarters of its weights and serves objects far larger
    than these levels' anchors (Lin et al. 2017, section 4, adds its coarsest level likewise).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.p5 = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.p6 = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(
        self, results: list[Tensor], x: list[Tensor], names: list[str]
    ) -> tuple[list[Tensor], list[str]]:
        """Append the two levels to the pyramid."""
        p5 = self.p5(functional.relu(results[-1]))
        p6 = self.p6(functional.relu(p5))
        return [*results, p5, p6], [*names, "3", "pool"]


def build_network(config: DetectorConfig, n_categories: int, *, masks: bool) -> FasterRCNN:
    """Build a Faster R-CNN (Ren et al. 2015), or with ``masks`` a Mask R-CNN (He et al. 2017)."""
    wide = config.backbone == "resnet50"
    norm = partial(nn.GroupNorm, 8) if config.norm == "group" else nn.BatchNorm2d
    backbone = _wide_backbone(norm) if wide else _narrow_backbone(config, norm)
    anchors = AnchorGenerator(
        PUBLISHED_ANCHORS_PX if wide else ANCHORS_PX, ((0.5, 1.0, 2.0),) * len(ANCHORS_PX)
    )
    n_classes = n_categories + 1
    channels = config.fpn_channels
    box_head = (
        FastRCNNConvFCHead((channels, 7, 7), [256] * 4, [1024], norm_layer=norm)
        if wide
        else TwoMLPHead(channels * 49, config.box_features)
    )
    common = {
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(channels, 3, conv_depth=2 if wide else 1),
        "rpn_pre_nms_top_n_train": 1000 if wide else 400,
        "rpn_post_nms_top_n_train": 1000 if wide else 400,
        "rpn_pre_nms_top_n_test": config.n_proposals,
        "rpn_post_nms_top_n_test": config.n_proposals,
        "box_roi_pool": _roi_align(7, config.roi_samples),
        "box_head": box_head,
        "box_predictor": FastRCNNPredictor(1024 if wide else config.box_features, n_classes),
        "box_batch_size_per_image": 512 if wide else 128,
        "box_detections_per_img": DETECTIONS_PER_IMAGE,
        "box_score_thresh": 0.0,
    }
    if not masks:
        return FasterRCNN(backbone, **common)
    layers = [config.mask_channels] * 4
    return MaskRCNN(
        backbone,
        mask_roi_pool=_roi_align(config.mask_pool_px, config.roi_samples),
        mask_head=MaskRCNNHeads(channels, layers, 1, norm_layer=norm),
        mask_predictor=MaskRCNNPredictor(layers[-1], layers[-1], n_classes),
        **common,
    )


def _roi_align(side: int, n_samples: int) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=side, sampling_ratio=n_samples)


def _wide_backbone(norm: partial[nn.GroupNorm] | type[nn.BatchNorm2d]) -> BackboneWithFPN:
    return _resnet_fpn_extractor(resnet50(norm_layer=norm), 5, norm_layer=norm)


def _narrow_backbone(
    config: DetectorConfig, norm: partial[nn.GroupNorm] | type[nn.BatchNorm2d]
) -> BackboneWithFPN:
    depth = {"resnet10": [1, 1, 1, 1], "resnet18": [2, 2, 2, 2]}[config.backbone]
    resnet = ResNet(BasicBlock, depth, norm_layer=norm)
    del resnet.layer4, resnet.fc, resnet.avgpool
    return BackboneWithFPN(
        resnet,
        {"layer1": "0", "layer2": "1", "layer3": "2"},
        [64, 128, 256],
        config.fpn_channels,
        extra_blocks=CoarseLevels(config.fpn_channels),
        norm_layer=norm,
    )
