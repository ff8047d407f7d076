"""The nested U-Net in integers of 8 bits, for CPUs: half the bytes of bfloat16, twice the speed.

Quantised after training and without data. Each convolution ends in batch normalisation, whose shift
and scale tell how far the values of a channel reach (Nagel et al. 2019, "Data-Free Quantization
Through Weight Equalization and Bias Correction", section 5), and ReLU, so zero stays zero. Every
channel has a step of its own: the weights of the convolution that reads it hold it, as a ReLU does
not mind a positive factor (section 4.1). Weights are whole numbers of a step for each channel that
they make (Jacob et al. 2018, section 2). Measured: docs/decisions/0007-prediction-on-a-cpu.md.
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from seginst_core.models.nested_unet import NestedUNet

SPREAD = 8.0
"""Deviations above its mean that a channel's 255 stands for; nothing was lost from 6 to 10."""
WEIGHT_LIMIT = 127


def can_use_int8() -> bool:
    """Whether this is an x86 CPU with AVX2 or more, and a torch that has what it takes."""
    return (
        torch.backends.cpu.get_cpu_capability().startswith("AVX")
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.onednn, "qconv2d_pointwise")
    )


@torch.no_grad()
def use_int8(unet: NestedUNet) -> None:
    """Turn a network in eval mode, its batch normalisation still there, into one of integers.

    It has to have the plain encoder; it can neither be trained, saved nor moved afterwards.
    """
    if unet.encoder is not None:
        raise ValueError("only a plain encoder ends each block in batch normalisation and ReLU")
    steps: dict[tuple[int, int], Tensor] = {}
    for j in range(unet.depth + 1):
        for i in range(unet.depth + 1 - j):
            parts = [(i, k) for k in range(j)] + [(i + 1, j - 1)] if j else [(i - 1, 0)]
            read = None if i == j == 0 else torch.cat([steps[part] for part in parts])
            block, steps[i, j] = _int8_block(unet.nodes[f"{i}_{j}"], read)
            unet.nodes[f"{i}_{j}"] = block
    for j, output in enumerate(unet.outputs, 1):
        cast(nn.Conv2d, output).weight.mul_(steps[0, j][None, :, None, None])
        unet.outputs[j - 1] = nn.Sequential(Floats(), output)
    unet.pool, unet.up = Int8MaxPool(), Int8Upsample()


def _int8_block(block: nn.Module, read: Tensor | None) -> tuple[nn.Sequential, Tensor]:
    """Return a node's convolutions in integers, and the steps of the channels that it makes.

    ``read`` are those of the channels that it reads; None if it reads the crops, in floats.
    """
    layers: list[nn.Module] = []
    for conv, norm in pairwise(block.children()):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            made = (norm.bias.clamp(min=0) + SPREAD * norm.weight.abs()).clamp(min=1e-6) / 255
            conv = fuse_conv_bn_eval(conv, norm)
            conv.weight.div_(made[:, None, None, None])
            cast(Tensor, conv.bias).div_(made)
            if read is None:
                layers += [conv, Quantise()]
            else:
                conv.weight.mul_(read[None, :, None, None])
                layers.append(Int8ConvReLU(conv))
            read = made
    return nn.Sequential(*layers), cast(Tensor, read)


class Int8ConvReLU(nn.Module):
    """A convolution of integers 0..255 ``(n, C, H, W)``, channels last, its ReLU and rounding."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        weight, self._bias = conv.weight.detach(), cast(Tensor, conv.bias).detach()
        self._steps = weight.abs().amax((1, 2, 3)).clamp(min=1e-12) / WEIGHT_LIMIT
        whole = (weight / self._steps[:, None, None, None]).round().to(torch.int8)
        self._how = [list(conv.stride), list(cast(tuple[int, int], conv.padding)), [1, 1], 1]
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        packed = torch.ops.onednn.qconv_prepack(whole, self._steps, 1.0, 0, *self._how, None)
        self._weight: Tensor = packed

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, cut off below 0 and above 255."""
        given = x, 1.0, 0
        weight = self._weight, self._steps, self._zeros, self._bias
        made = 1.0, 0, torch.uint8
        done: Tensor = torch.ops.onednn.qconv2d_pointwise(
            *given, *weight, *self._how, *made, "relu", [], ""
        )
        return done


class Quantise(nn.Module):
    """Floats to the nearest integers 0..255, which takes a ReLU with it."""

    def forward(self, x: Tensor) -> Tensor:
        """Round ``x``."""
        return x.float().add_(0.5).clamp_(0, 255).to(torch.uint8)


class Floats(nn.Module):
    """Integers to floats."""

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` as floats."""
        return x.float()


class Int8MaxPool(nn.Module):
    """The largest of each 2 x 2 integers; torch's own takes no integers of 8 bits."""

    def forward(self, x: Tensor) -> Tensor:
        """Halve the sides of ``x``."""
        rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
        return torch.maximum(rows[..., ::2], rows[..., 1::2])


class Int8Upsample(nn.Module):
    """Twice the sides, bilinear; torch's own takes five times as long for integers as for floats.

    Weights add up to one, so the half that rounds the result may be added before.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Double the sides of ``x``."""
        floats = x.float().add_(0.5)
        twice = functional.interpolate(
            floats, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        return twice.to(torch.uint8)
