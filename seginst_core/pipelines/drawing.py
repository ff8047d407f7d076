"""What draws the masks of pipeline A: crops in, probabilities out."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor

from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.errors import ModelError
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.int8 import can_use_int8, use_int8
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


def torch_draw(unet: NestedUNet, device: torch.device, levels: int) -> Draw:
    """Draw with the first ``levels`` decoders: the paper's pruned inference, L1 to L4.

    It is a copy of ``unet`` that becomes what ``device`` is fastest with: integers on a CPU,
    else batch normalisation folded, and bfloat16 where that is fast.
    """
    unet = deepcopy(unet).to(device).to(memory_format=torch.channels_last).eval()
    int8 = device.type == "cpu" and unet.encoder is None and can_use_int8()
    if int8:
        use_int8(unet)
    else:
        fold_batch_norm(unet)
    bfloat16 = has_fast_bfloat16(device) and not int8

    @torch.inference_mode()
    def draw(crops: Tensor) -> Tensor:
        given = crops.to(device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            logits = unet(given, levels)[-1]
        probabilities: Tensor = logits.float().sigmoid().squeeze(1)
        return probabilities.cpu()

    return draw
