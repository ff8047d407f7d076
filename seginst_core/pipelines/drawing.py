"""What draws the masks of pipeline A: crops in, probabilities out."""

from collections.abc import Callable

import torch
from torch import Tensor

from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.errors import ModelError
from seginst_core.models.fusing import can_fuse
from seginst_core.models.nested_unet import NestedUNet

Draw = Callable[[Tensor], Tensor]
"""From crops float32 ``(n, 4, S, S)`` to the probabilities float32 ``(n, S, S)`` in each."""


def checked_levels(unet: NestedUNet, levels: int) -> int:
    """Return how many decoders to run, 0 meaning all; ModelError if there are not so many."""
    if not 0 <= levels <= unet.depth:
        raise ModelError(
            f"This model's nested U-Net has {unet.depth} levels to draw with, not {levels}."
        )
    return levels or unet.depth


def uses_fusing(device: torch.device) -> bool:
    """Whether this is a CPU where fused convolutions were measured to pay."""
    return device.type == "cpu" and has_fast_bfloat16(device) and can_fuse()


def torch_draw(unet: NestedUNet, device: torch.device, levels: int) -> Draw:
    """Draw with the first ``levels`` decoders: the paper's pruned inference, L1 to L4."""
    bfloat16 = has_fast_bfloat16(device)

    @torch.inference_mode()
    def draw(crops: Tensor) -> Tensor:
        given = crops.to(device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            logits = unet(given, levels)[-1]
        probabilities: Tensor = logits.float().sigmoid().squeeze(1)
        return probabilities.cpu()

    return draw
