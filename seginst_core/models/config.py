"""What a network is made of: the part of a model card that rebuilds it, and the presets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from seginst_core.errors import ModelError
from seginst_core.lenient import shown
from seginst_core.types import EngineName, Preset

Backbone = Literal["resnet10", "resnet18", "resnet50"]
Norm = Literal["group", "batch"]
Encoder = Literal["plain", "resnet18", "resnet34", "resnet50"]
ENCODERS: tuple[Encoder, ...] = get_args(Encoder)


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """A Faster R-CNN or Mask R-CNN on a feature pyramid.

    ``input_scale`` multiplies the image before the network sees it, so that objects of any data
    set reach it at about the size its anchors expect. ``norm`` is ``group`` when trained from
    scratch in small batches and ``batch`` (kept frozen) when it began with published weights.
    ``roi_samples`` are the points a side that RoIAlign takes in each bin (He et al. 2017, section
    3: the result is not sensitive to it).
    """

    backbone: Backbone = "resnet18"
    norm: Norm = "group"
    fpn_channels: int = 96
    box_features: int = 256
    mask_channels: int = 96
    mask_pool_px: int = 14
    n_proposals: int = 1000
    roi_samples: int = 2
    input_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Detectron2Config:
    """A detection network of detectron2.

    ``yaml`` is what its configuration changes in detectron2's defaults, and ``zoo`` the name of the
    model zoo's configuration it came from, if any. ``input_scale`` multiplies the image as above.
    A model made elsewhere has ``shortest_px`` above zero: the network sees every image with its
    shorter side at so many pixels, unless its longer side would then exceed ``longest_px``.
    """

    yaml: str
    zoo: str = ""
    input_scale: float = 1.0
    shortest_px: int = 0
    longest_px: int = 0


AnyDetectorConfig: TypeAlias = DetectorConfig | Detectron2Config


@dataclass(frozen=True, slots=True)
class NestedUNetConfig:
    """A nested U-Net and the crops it sees.

    ``widths`` are the channels of each level, finest first; ``crop_px`` is the side of the square
    crop; ``margin`` is how much of the box's side is added on each side of it; ``encoder`` makes
    the backbone.
    """

    widths: tuple[int, ...] = (16, 32, 64, 128)
    crop_px: int = 96
    margin: float = 0.15
    encoder: Encoder = "plain"


@dataclass(frozen=True, slots=True)
class TrainingPreset:
    """How a preset is trained: crop side in network pixels, batch sizes and learning rates.

    ``gpu_batch`` takes the place of ``batch`` on a GPU; the rates are those of ``batch``.
    """

    crop_px: int
    batch: int
    gpu_batch: int
    learning_rate: float
    mask_batch: int
    mask_learning_rate: float


DETECTORS: Mapping[Preset, DetectorConfig] = {
    "tiny": DetectorConfig(
        "resnet10", fpn_channels=32, box_features=64, mask_channels=32, roi_samples=1
    ),
    # One point a bin: RoIAlign's backward pass was a fifth of a training step with two.
    "fast": DetectorConfig("resnet18", roi_samples=1),
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
    "tiny": TrainingPreset(192, 2, 16, 1e-3, 16, 2e-3),
    # Measured on a CPU: in the same minutes many small crops beat few large ones. A GPU idles
    # most of a step of two; of the large ones no more fit into many a GPU.
    "fast": TrainingPreset(320, 2, 16, 2e-3, 16, 2e-3),
    "accurate": TrainingPreset(800, 2, 2, 1e-4, 16, 5e-4),
}

DETECTOR_KINDS: Mapping[EngineName, type[DetectorConfig] | type[Detectron2Config]] = {
    "torchvision": DetectorConfig,
    "detectron2": Detectron2Config,
}
"""The table a model card's ``detector`` is, by engine."""

MAY_BE_ZERO = ("margin", "shortest_px", "longest_px")

ConfigT = TypeVar("ConfigT", DetectorConfig, Detectron2Config, NestedUNetConfig)


def config_from_table(kind: type[ConfigT], table: Mapping[str, object]) -> ConfigT:
    """Rebuild a config from a model card's table; ModelError says of it what is not known."""
    kinds = get_type_hints(kind)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}
    for name, value in sorted(values.items()):
        if name not in kinds or not _is_one(value, kinds[name]):
            raise ModelError(
                f"it has the unknown setting {name} = {shown(table[name])} and was made by another "
                "version of SegInst"
            )
        if not all(
            _is_possible(name, one) for one in (value if isinstance(value, tuple) else (value,))
        ):
            raise ModelError(f"its setting {name} = {shown(table[name])} cannot be")
    return kind(**values)  # type: ignore[arg-type]


def _is_one(value: object, kind: object) -> bool:
    """Whether a value read from TOML, its lists made tuples, is of the type of a config's field."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_one(v, get_args(kind)[0]) for v in value)
    return type(value) is kind or (kind is float and type(value) is int)


def _is_possible(name: str, value: object) -> bool:
    """Whether a setting is above zero, or zero where that says something, if it is a number."""
    if not isinstance(value, int | float):
        return True
    return math.isfinite(value) and (value > 0 or (value == 0 and name in MAY_BE_ZERO))
