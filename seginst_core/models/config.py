"""What a network is made of: the part of a model card that rebuilds it, and the presets."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeVar

from seginst_core.errors import ModelError
from seginst_core.types import Preset

Backbone = Literal["resnet10", "resnet18", "resnet50"]
Norm = Literal["group", "batch"]


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """A Faster R-CNN or Mask R-CNN on a feature pyramid.

    ``input_scale`` multiplies the image before the network sees it, so that objects of any data
    set reach it at about the size its anchors expect. ``norm`` is ``group`` when trained from
    scratch in small batches and ``batch`` (kept frozen) when it began with published weights.
    """

    backbone: Backbone = "resnet18"
    norm: Norm = "group"
    fpn_channels: int = 96
    box_features: int = 256
    mask_channels: int = 96
    mask_pool_px: int = 14
    n_proposals: int = 1000
    input_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class NestedUNetConfig:
    """A nested U-Net and the crops it sees.

    ``widths`` are the channels of each level, finest first; ``crop_px`` is the side of the square
    crop; ``margin`` is how much of the box's side is added on each side of it.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128)
    crop_px: int = 96
    margin: float = 0.15


@dataclass(frozen=True, slots=True)
class TrainingPreset:
    """How a preset is trained: crop side in network pixels, batch sizes and learning rates."""

    crop_px: int
    batch: int
    learning_rate: float
    mask_batch: int
    mask_learning_rate: float


DETECTORS: Mapping[Preset, DetectorConfig] = {
    "tiny": DetectorConfig("resnet10", fpn_channels=32, box_features=64, mask_channels=32),
    "fast": DetectorConfig("resnet18"),
    "accurate": DetectorConfig(
        "resnet50", fpn_channels=256, box_features=1024, mask_channels=256, n_proposals=2000
    ),
}
NESTED_UNETS: Mapping[Preset, NestedUNetConfig] = {
    "tiny": NestedUNetConfig(widths=(8, 16, 32), crop_px=48),
    "fast": NestedUNetConfig(),
    "accurate": NestedUNetConfig(widths=(32, 64, 128, 256, 512), crop_px=128),
}
TRAINING: Mapping[Preset, TrainingPreset] = {
    "tiny": TrainingPreset(192, 2, 1e-3, 16, 2e-3),
    "fast": TrainingPreset(512, 2, 4e-4, 16, 1e-3),
    "accurate": TrainingPreset(800, 2, 1e-4, 16, 5e-4),
}

ConfigT = TypeVar("ConfigT", DetectorConfig, NestedUNetConfig)


def config_from_table(kind: type[ConfigT], table: Mapping[str, object]) -> ConfigT:
    """Rebuild a config from a model card's table; ModelError names a key it does not know."""
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ModelError(
            f"The model card has the unknown setting {unknown[0]!r}; "
            "it was made by another version of SegInst."
        )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    return kind(**values)  # type: ignore[arg-type]
