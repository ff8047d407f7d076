"""A starter model's network and pictures of the synthetic airfield for it to look at."""

from pathlib import Path

import numpy as np
import torch

import resources
from seginst_core.engines.torchvision_engine import ENGINE, TorchvisionNetwork
from seginst_core.models.card import DETECTOR_FILE, read_card
from seginst_core.models.weights import load_weights
from seginst_core.sample.draw import draw_sample

STARTERS = Path(resources.__file__).parent / "models"


def airfield(side_px: int, number: int = 1) -> np.ndarray:
    return np.ascontiguousarray(draw_sample(0, number, side_px).image)


def starter_network(name: str, *, in_bfloat16: bool = False) -> TorchvisionNetwork:
    card = read_card(STARTERS / name)
    masks = card.pipeline == "end-to-end"
    network = ENGINE.build(
        card.detector, len(card.categories), masks=masks, device=torch.device("cpu")
    )
    ENGINE.load(network, load_weights(STARTERS / name / DETECTOR_FILE))
    network.in_bfloat16 = in_bfloat16
    network.parts = type(network.parts)(network.net, network.device, in_bfloat16)
    network.eval()
    return network


def box_ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The IoU of each of the boxes ``a`` with each of ``b``."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return both / (areas[0][:, None] + areas[1][None] - both)
