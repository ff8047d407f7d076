"""What every engine promises, so that pipelines and training need not know which one it is.

Colour order, scaling to the network's range, label offsets and box conventions end inside an
engine's own file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seginst_core.models.config import AnyDetectorConfig
from seginst_core.models.pretrained import Background
from seginst_core.types import FloatArray, ImageArray, Preset


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One training image: uint8 RGB ``(H, W, 3)`` and its ``n`` objects.

    ``boxes`` are float32 ``(n, 4)`` as x0, y0, x1, y1 in pixels; ``labels`` int64 ``(n,)``,
    0-based into the model's categories; ``masks`` uint8 ``(n, M, M)``, each mask resampled into
    its own box, so that no full-size mask is ever made; ``has_mask`` bool ``(n,)`` is false for
    an object known by its box alone.
    """

    image: ImageArray
    boxes: Tensor
    labels: Tensor
    masks: Tensor
    has_mask: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a network found in one image, best first.

    ``boxes`` float32 ``(n, 4)`` as x0, y0, x1, y1 in the given image's pixels; ``scores``
    ``(n,)`` in 0..1; ``labels`` 0-based; ``masks`` probabilities ``(n, M, M)`` within each box,
    or None from a network without a mask head.
    """

    boxes: FloatArray
    scores: FloatArray
    labels: Sequence[int]
    masks: FloatArray | None


class Network(Protocol):
    """A detection network on a device."""

    def losses(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Return named losses of one training batch."""
        ...

    def detect(self, images: Sequence[ImageArray], score: float) -> list[Detections]:
        """Find objects of at least ``score`` in each image (uint8 RGB, any size)."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """Return the trainable parameters."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return all weights by name."""
        ...

    def train(self, mode: bool = True) -> object:
        """Switch between training and prediction."""
        ...


class Engine(Protocol):
    """A library that builds detection networks."""

    def configure(
        self, preset: Preset, *, masks: bool, published: bool, config: str
    ) -> AnyDetectorConfig:
        """Return what to build for a preset, or for the engine's own ``config`` if that is given.

        ``published`` says that training will begin with the library's own weights. ModelError if
        there is no such configuration.
        """
        ...

    def class_rows(self, config: AnyDetectorConfig) -> Mapping[str, Background]:
        """Name, by a part of their names, the weights with rows per category."""
        ...

    def build(
        self, config: AnyDetectorConfig, n_categories: int, *, masks: bool, device: torch.device
    ) -> torch.nn.Module:
        """Build an untrained network, which is also a ``Network``."""
        ...

    def load(self, network: torch.nn.Module, state: Mapping[str, Tensor]) -> None:
        """Load saved weights; ModelError if they do not fit."""
        ...

    def published(self, config: AnyDetectorConfig, *, masks: bool) -> Mapping[str, Tensor]:
        """Fetch the weights the library publishes for this network; ModelError when offline."""
        ...
