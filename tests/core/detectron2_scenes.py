"""What the detectron2 tests share: whether it is there, networks with decided answers, pictures."""

import importlib.util

import numpy as np
import pytest
import torch

from seginst_core.engines.base import Sample

needs_detectron2 = pytest.mark.skipif(
    importlib.util.find_spec("detectron2") is None, reason="detectron2 is not installed"
)


def decide(network: torch.nn.Module, box_spread: float = 0.05) -> torch.nn.Module:
    """Spread an untrained network's answers, so that rounding does not decide between them."""
    generator = torch.Generator().manual_seed(5)
    heads = network.net.roi_heads
    spread = {heads.box_predictor.cls_score: 0.2, heads.box_predictor.bbox_pred: box_spread}
    if network.has_masks:
        spread[heads.mask_head.predictor] = 3.0
    with torch.no_grad():
        for layer, scale in spread.items():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * scale)
    return network.eval()


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Coarse colour patches: something for features to be different on."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    return np.ascontiguousarray(cells.repeat(16, 0).repeat(16, 1)[:height, :width])


def sample(n_objects: int = 2, *, has_mask: tuple[bool, ...] | None = None) -> Sample:
    boxes = [[8.0 + 40 * k, 12.0, 40.0 + 40 * k, 60.0] for k in range(n_objects)]
    masks = torch.zeros(n_objects, 56, 56, dtype=torch.uint8)
    masks[:, 10:46, 10:46] = 1
    return Sample(
        image=picture(96, 128),
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(n_objects, 4),
        labels=torch.arange(n_objects) % 2,
        masks=masks,
        has_mask=torch.tensor(has_mask or (True,) * n_objects, dtype=torch.bool),
    )
