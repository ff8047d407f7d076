"""3 x 3 convolutions with fewer multiplications, for networks that predict on older CPUs.

Winograd's minimal filtering (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural
Networks") makes 6 x 6 outputs of 64 multiplications a channel where the plain way takes 324. Torch
brings it in NNPACK but does not choose it by itself. Measured on a CPU with AVX2, in float32: 3.0
times as fast with 256 channels, 1.4 to 2.2 times with 64 to 128; no gain below 64 channels or on
maps of a few pixels (docs/decisions/0007-prediction-on-a-cpu.md).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

FEWEST_CHANNELS = 64
SMALLEST_SIDE_PX = 14
FEWEST_PIXELS = 600


def uses_winograd(device: torch.device) -> bool:
    """Whether this is a CPU where it was measured to pay: AVX2 and nothing newer."""
    if device.type != "cpu" or torch.backends.cpu.get_cpu_capability() != "AVX2":
        return False
    # The question is also what sets NNPACK up; without it every call fails.
    return bool(torch.backends.nnpack.is_available())  # type: ignore[no-untyped-call]


def use_winograd(network: nn.Module) -> None:
    """Replace the convolutions of ``network`` that gain; it cannot be trained afterwards."""
    for name, child in network.named_children():
        if type(child) is nn.Conv2d and _gains(child):
            setattr(network, name, WinogradConv2d(child))
        else:
            use_winograd(child)


class WinogradConv2d(nn.Module):
    """A 3 x 3 convolution of stride 1 that keeps the size of its input ``(n, C, H, W)``."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight = conv.weight
        # Named as in the plain convolution; NNPACK wants one even where that has none.
        self.bias = nn.Parameter(torch.zeros(conv.out_channels)) if conv.bias is None else conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; what is too small to gain goes the plain way."""
        n, _, height, width = x.shape
        if min(height, width) < SMALLEST_SIDE_PX or n * height * width < FEWEST_PIXELS:
            return functional.conv2d(x, self.weight, self.bias, padding=1)
        # One large image at a time: NNPACK's way for batches is the slower one.
        at_once = torch.split(x, 1 if height * width >= FEWEST_PIXELS else n)
        done = [
            torch._nnpack_spatial_convolution(part.contiguous(), self.weight, self.bias, (1, 1))
            for part in at_once
        ]
        return done[0] if len(done) == 1 else torch.cat(done)


def _gains(conv: nn.Conv2d) -> bool:
    plain = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups)
    return (
        plain == ((3, 3), (1, 1), (1, 1), (1, 1), 1)
        and conv.padding_mode == "zeros"
        and min(conv.in_channels, conv.out_channels) >= FEWEST_CHANNELS
    )
