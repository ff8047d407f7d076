"""From a model directory to a pipeline that predicts."""

from pathlib import Path
from typing import Protocol, cast

import torch

from seginst_core.engines import load_engine
from seginst_core.engines.base import Network
from seginst_core.engines.batches import CROPS_AT_ONCE, TILES_AT_ONCE, batches_for
from seginst_core.engines.device import pick_device
from seginst_core.engines.openvino_backend import check_usable, openvino_unet, use_openvino
from seginst_core.errors import ModelError
from seginst_core.events import Reporter
from seginst_core.models.card import DETECTOR_FILE, MASK_FILE, ModelCard, read_card
from seginst_core.models.config import NestedUNetConfig
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.weights import load_part
from seginst_core.models.winograd import use_winograd, uses_winograd
from seginst_core.pipelines.drawing import Draw, checked_levels, torch_draw
from seginst_core.pipelines.end_to_end import EndToEnd
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.types import ImageArray, Instance, Runtime, TileChoice


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


def load_pipeline(model: Path, runtime: Runtime | str = "auto") -> EndToEnd | TwoStage:
    """Load the model in directory ``model``; a text as ``runtime`` names the device.

    ModelError says in one sentence why it cannot.
    """
    how = Runtime(runtime) if isinstance(runtime, str) else runtime
    card = read_card(model)
    if card.pipeline == "two-stage":
        return _two_stage(model, card, model, card, how)
    if how.levels:
        raise ModelError(f"{card.name} has no nested U-Net whose levels could be chosen.")
    place = _device(how)
    return EndToEnd(
        card, place, _detector(model, card, place, how), batches_for(place, TILES_AT_ONCE)
    )


def load_unet(model: Path, card: ModelCard) -> NestedUNet:
    """Load a two-stage model's nested U-Net; ModelError says in one sentence why it cannot."""
    shape = _mask_config(card)
    unet = NestedUNet(4, shape.widths, shape.encoder)
    try:
        unet.load_state_dict(load_part(model, card, MASK_FILE))
    except RuntimeError as error:
        raise ModelError(f"The mask network of {card.name} does not fit its model card.") from error
    return unet


def load_refined(boxes: Path, masks: Path, runtime: Runtime | str = "auto") -> TwoStage:
    """Load the recombination C: one model's detector, another one's nested U-Net.

    ``boxes`` is a model of either pipeline, ``masks`` a two-stage one; ModelError if not.
    """
    how = Runtime(runtime) if isinstance(runtime, str) else runtime
    return _two_stage(boxes, read_card(boxes), masks, read_card(masks), how)


def _two_stage(
    boxes: Path, card: ModelCard, masks: Path, refiner: ModelCard, how: Runtime
) -> TwoStage:
    place = _device(how)
    return TwoStage(
        card,
        place,
        _detector(boxes, card, place, how),
        _draw(masks, refiner, place, how),
        _mask_config(refiner),
        batches_for(place, TILES_AT_ONCE),
        batches_for(place, CROPS_AT_ONCE),
    )


def _device(how: Runtime) -> torch.device:
    place = pick_device(how.device)
    if how.backend == "openvino":
        check_usable(place)
    return place


def _detector(model: Path, card: ModelCard, device: torch.device, how: Runtime) -> Network:
    """Load a model's detection network, ready to predict."""
    engine = load_engine(card.engine)
    masks = card.pipeline == "end-to-end"
    network = engine.build(card.detector, len(card.categories), masks=masks, device=device)
    engine.load(network, load_part(model, card, DETECTOR_FILE))
    network.eval()
    fold_batch_norm(network)
    if how.backend == "openvino":
        use_openvino(network)
    elif uses_winograd(device):
        use_winograd(network)
    return cast(Network, network)


def _draw(model: Path, card: ModelCard, device: torch.device, how: Runtime) -> Draw:
    """Return what draws with a two-stage model's nested U-Net."""
    unet = load_unet(model, card)
    levels = checked_levels(unet, how.levels)
    if how.backend == "openvino":
        return openvino_unet(unet, _mask_config(card).crop_px, levels)
    return torch_draw(unet, device, levels)


def _mask_config(card: ModelCard) -> NestedUNetConfig:
    if card.mask is None:
        raise ModelError(f"{card.name} has no nested U-Net to draw masks with.")
    return card.mask
