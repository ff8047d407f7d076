"""From a model directory to a pipeline that predicts."""

from pathlib import Path
from typing import Protocol, cast

import torch

from seginst_core.engines import load_engine
from seginst_core.engines.base import Network
from seginst_core.engines.device import pick_device
from seginst_core.errors import ModelError
from seginst_core.events import Reporter
from seginst_core.models.card import DETECTOR_FILE, MASK_FILE, ModelCard, read_card
from seginst_core.models.config import NestedUNetConfig
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.weights import load_weights
from seginst_core.pipelines.detect import TileChoice
from seginst_core.pipelines.end_to_end import EndToEnd
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.types import ImageArray, Instance


class Pipeline(Protocol):
    """What both pipelines can do."""

    @property
    def card(self) -> ModelCard:
        """The loaded model's card."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        ...

    def predict(
        self,
        image: ImageArray,
        *,
        score: float = 0.05,
        tile: TileChoice = "auto",
        reporter: Reporter | None = None,
    ) -> list[Instance]:
        """Find the objects of ``image`` (uint8 RGB), best first, with ids 0..n-1."""
        ...


def load_pipeline(model: Path, device: str = "auto") -> EndToEnd | TwoStage:
    """Load the model in directory ``model``; ModelError says in one sentence why it cannot."""
    card = read_card(model)
    place = pick_device(device)
    network = load_detector(model, card, place)
    if card.pipeline == "end-to-end":
        return EndToEnd(card, place, network)
    return TwoStage(card, place, network, load_unet(model, card, place), _mask_config(card))


def load_detector(model: Path, card: ModelCard, device: torch.device) -> Network:
    """Load a model's detection network, ready to predict."""
    engine = load_engine(card.engine)
    masks = card.pipeline == "end-to-end"
    network = engine.build(card.detector, len(card.categories), masks=masks, device=device)
    engine.load(network, load_weights(model / DETECTOR_FILE, _digest(card, DETECTOR_FILE)))
    network.eval()
    return cast(Network, network)


def load_unet(model: Path, card: ModelCard, device: torch.device) -> NestedUNet:
    """Load a two-stage model's nested U-Net, ready to predict."""
    unet = NestedUNet(4, _mask_config(card).widths)
    try:
        unet.load_state_dict(load_weights(model / MASK_FILE, _digest(card, MASK_FILE)))
    except RuntimeError as error:
        raise ModelError(f"The mask network of {card.name} does not fit its model card.") from error
    return unet.to(device, memory_format=torch.channels_last).eval()


def _mask_config(card: ModelCard) -> NestedUNetConfig:
    if card.mask is None:
        raise ModelError(f"The two-stage model {card.name} names no mask network in its card.")
    return card.mask


def _digest(card: ModelCard, name: str) -> str:
    if name not in card.files:
        raise ModelError(f"The model card of {card.name} names no file {name}.")
    return card.files[name]
