"""The nested U-Net (UNet++) that draws a mask inside a box.

Zhou, Siddiquee, Tajbakhsh, Liang: "UNet++: A Nested U-Net Architecture for Medical Image
Segmentation", DLMIA 2018, section 3: node ``X[i, j]`` takes all earlier nodes of its level and
the upsampled node ``X[i + 1, j - 1]`` below; each ``X[0, j]``, j >= 1, has an output of its own
(deep supervision), so that inference can stop early (pruning, section 3.2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet18, resnet34, resnet50

from seginst_core.models.config import Encoder

RESNETS = {"resnet18": resnet18, "resnet34": resnet34, "resnet50": resnet50}


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
        widths: channels of each level, finest first; sides must divide by 2 ** (levels - 1), and by
            2 ** levels with a ResNet.
        encoder: what makes the backbone nodes ``X[i, 0]``: plain blocks, or below the finest level
            the stages of a ResNet (He et al. 2016), whose strides are 2, 4, 8, 16 and 32.
    """

    def __init__(self, n_in: int, widths: Sequence[int], encoder: Encoder = "plain") -> None:
        super().__init__()
        self.depth = len(widths) - 1
        self.encoder = None if encoder == "plain" else _resnet(encoder, n_in, self.depth)
        backbone = list(widths) if self.encoder is None else _widths(self.encoder, widths)
        self.nodes = nn.ModuleDict()
        for j in range(self.depth + 1):
            for i in range(self.depth + 1 - j):
                if j > 0:
                    below = backbone[i + 1] if j == 1 else widths[i + 1]
                    n_from = backbone[i] + (j - 1) * widths[i] + below
                elif i == 0:
                    n_from = n_in
                elif self.encoder is None:
                    n_from = widths[i - 1]
                else:
                    continue
                self.nodes[f"{i}_{j}"] = conv_block(n_from, widths[i])
        self.outputs = nn.ModuleList(nn.Conv2d(widths[0], 1, 1) for _ in range(self.depth))
        self.pool: nn.Module = nn.MaxPool2d(2)
        self.up: nn.Module = nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)

    def forward(self, crops: Tensor, levels: int | None = None) -> list[Tensor]:
        """Return the logits of outputs 1..levels, each ``(n, 1, H, W)``, the deepest last.

        Args:
            crops: float ``(n, n_in, H, W)``.
            levels: how many decoders to run (the paper's L1..L4); None is all of them.
        """
        depth = self.depth if levels is None else levels
        x = {(i, 0): node for i, node in enumerate(self._backbone(crops, depth))}
        for j in range(1, depth + 1):
            for i in range(depth + 1 - j):
                parts = [*(x[i, k] for k in range(j)), self.up(x[i + 1, j - 1])]
                fed = [_dense_gradient(part) for part in parts]
                x[i, j] = self.nodes[f"{i}_{j}"](torch.cat(fed, dim=1))
        return [self.outputs[j - 1](x[0, j]) for j in range(1, depth + 1)]

    def _backbone(self, crops: Tensor, depth: int) -> list[Tensor]:
        nodes = [self.nodes["0_0"](crops)]
        if self.encoder is None:
            for i in range(1, depth + 1):
                nodes.append(self.nodes[f"{i}_0"](self.pool(nodes[-1])))
            return nodes
        net = self.encoder
        x = net.relu(net.bn1(net.conv1(crops)))
        nodes.append(x)
        for i in range(1, depth):
            x = getattr(net, f"layer{i}")(net.maxpool(x) if i == 1 else x)
            nodes.append(x)
        return nodes


def _dense_gradient(part: Tensor) -> Tensor:
    """Have the gradient of a part of a concatenation copied to memory of its own.

    It would be a strided view of the whole's, on which the backward passes take several times as
    long on a CPU.
    """
    if not part.requires_grad:
        return part
    part = part.view_as(part)
    part.register_hook(  # type: ignore[no-untyped-call]
        lambda grad: grad.contiguous(memory_format=torch.channels_last)
    )
    return part


def _resnet(name: Encoder, n_in: int, depth: int) -> ResNet:
    """Build a ResNet's stem and the stages that ``depth`` levels need."""
    net = RESNETS[name]()
    net.conv1 = nn.Conv2d(n_in, 64, 7, stride=2, padding=3, bias=False)
    for i in range(depth, 5):
        delattr(net, f"layer{i}")
    del net.avgpool, net.fc
    return net


def _widths(net: ResNet, widths: Sequence[int]) -> list[int]:
    """Return the channels of the backbone's nodes: ours at the finest level, the ResNet's below."""
    blocks = [getattr(net, f"layer{i}")[-1] for i in range(1, len(widths) - 1)]
    last = [block.conv3 if hasattr(block, "conv3") else block.conv2 for block in blocks]
    return [widths[0], 64, *(conv.out_channels for conv in last)]
