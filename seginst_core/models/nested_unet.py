"""The nested U-Net (UNet++) that draws a mask inside a box.

Zhou, Siddiquee, Tajbakhsh, Liang: "UNet++: A Nested U-Net Architecture for Medical Image
Segmentation", DLMIA 2018, section 3: node ``X[i, j]`` takes all earlier nodes of its level and
the upsampled node ``X[i + 1, j - 1]`` below; each ``X[0, j]``, j >= 1, has an output of its own
(deep supervision), so that inference can stop early (pruning, section 3.2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_block(n_in: int, n_out: int) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


class NestedUNet(nn.Module):
    """UNet++ with ``len(widths)`` levels and ``len(widths) - 1`` supervised outputs.

    Args:
        n_in: channels of the input (RGB and the box's own channel make 4).
        widths: channels of each level, finest first; sides must divide by 2 ** (levels - 1).
    """

    def __init__(self, n_in: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.depth = len(widths) - 1
        self.nodes = nn.ModuleDict()
        for j in range(self.depth + 1):
            for i in range(self.depth + 1 - j):
                if j > 0:
                    n_from = j * widths[i] + widths[i + 1]
                else:
                    n_from = n_in if i == 0 else widths[i - 1]
                self.nodes[f"{i}_{j}"] = conv_block(n_from, widths[i])
        self.outputs = nn.ModuleList(nn.Conv2d(widths[0], 1, 1) for _ in range(self.depth))

    def forward(self, crops: Tensor, levels: int | None = None) -> list[Tensor]:
        """Return the logits of outputs 1..levels, each ``(n, 1, H, W)``, the deepest last.

        Args:
            crops: float ``(n, n_in, H, W)``.
            levels: how many decoders to run (the paper's L1..L4); None is all of them.
        """
        depth = self.depth if levels is None else levels
        x: dict[tuple[int, int], Tensor] = {}
        for j in range(depth + 1):
            for i in range(depth + 1 - j):
                if j > 0:
                    below = functional.interpolate(
                        x[i + 1, j - 1], scale_factor=2.0, mode="bilinear", align_corners=False
                    )
                    fed = torch.cat([*(x[i, k] for k in range(j)), below], dim=1)
                else:
                    fed = crops if i == 0 else functional.max_pool2d(x[i - 1, 0], 2)
                x[i, j] = self.nodes[f"{i}_{j}"](fed)
        return [self.outputs[j - 1](x[0, j]) for j in range(1, depth + 1)]
