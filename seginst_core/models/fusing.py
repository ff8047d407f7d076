"""Convolution and ReLU in one pass, for networks that only predict on CPUs made for bfloat16.

oneDNN can do both at once, and take weights laid out for it beforehand; torch lays them out anew at
every call and goes over the result once more, unless it compiles. Measured on a nested U-Net with
AMX: 1.2 times as fast (docs/decisions/0007-prediction-on-a-cpu.md).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn


def can_fuse() -> bool:
    """Whether this torch has what it takes."""
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return there and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def use_fusing(network: nn.Module) -> None:
    """Fuse each convolution with the ReLU that is the next but for placeholders.

    The network can neither be trained, saved nor moved afterwards, and what was fused gives
    bfloat16, whatever it is given.
    """
    for child in network.children():
        use_fusing(child)
    if not isinstance(network, nn.Sequential):
        return
    steps = [(name, step) for name, step in network.named_children() if not _is_nothing(step)]
    for (name, conv), (relu_name, relu) in pairwise(steps):
        if type(conv) is nn.Conv2d and isinstance(relu, nn.ReLU):
            setattr(network, name, ConvReLU(conv))
            setattr(network, relu_name, nn.Identity())


class ConvReLU(nn.Module):
    """A convolution of ``(n, C, H, W)``, channels last, and the ReLU after it; in bfloat16."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        pad = conv.padding
        if isinstance(pad, str) or conv.padding_mode != "zeros":
            raise ValueError(f"a convolution padded by {pad!r}, {conv.padding_mode}")
        self._how = [list(pad), list(conv.stride), list(conv.dilation), conv.groups]
        weight = conv.weight.detach().to(torch.bfloat16)
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self._how, [])
        self._bias = None if conv.bias is None else conv.bias.detach().to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and cut off below zero."""
        given = x.to(torch.bfloat16, memory_format=torch.channels_last)
        done: Tensor = torch.ops.mkldnn._convolution_pointwise(
            given, self._weight, self._bias, *self._how, "relu", [], ""
        )
        return done


def _is_nothing(step: nn.Module) -> bool:
    return isinstance(step, nn.Identity)
