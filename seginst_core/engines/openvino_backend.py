"""OpenVINO as another runtime of the torchvision networks and the nested U-Net, on CPUs.

The convolutional parts are converted from torch in memory when a model is loaded; proposals,
RoIAlign and suppression stay in torch. It fuses normalisation and activation into convolutions,
which torch does only when compiled.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.engines.torchvision_engine import TorchvisionNetwork
from seginst_core.errors import ModelError
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.nested_unet import NestedUNet

CPU = torch.device("cpu")
EXAMPLE_PX = 256
Run = Callable[[Tensor], Sequence[Tensor]]


def check_usable(device: torch.device) -> None:
    """ModelError unless OpenVINO is installed and the device is a CPU."""
    if find_spec("openvino") is None:
        raise ModelError(
            "OpenVINO is not installed here; `pip install 'seginst[openvino]'` brings it, "
            "or leave --backend out."
        )
    if device.type != "cpu":
        raise ModelError("The OpenVINO backend runs on the CPU; add --device cpu.")


def use_openvino(network: nn.Module) -> None:
    """Let OpenVINO run the parts of a loaded network; ModelError if it is not torchvision's."""
    if not isinstance(network, TorchvisionNetwork):
        raise ModelError(
            "The OpenVINO backend runs networks of the torchvision engine alone; leave it out."
        )
    network.parts = OpenVinoParts(network.net)


class OpenVinoParts:
    """A detector's parts as OpenVINO runs them; in bfloat16 where the CPU is made for it."""

    def __init__(self, net: FasterRCNN) -> None:
        heads = net.roi_heads
        channels = net.backbone.out_channels
        self._predictor = heads.box_predictor
        self._trunk = _compiled(_Trunk(net), (EXAMPLE_PX, EXAMPLE_PX, 3), any_side=True)
        side = heads.box_roi_pool.output_size[0]
        self._boxes = _compiled(_Part(heads.box_head), (side, side, channels))
        self._masks: Run | None = None
        if heads.has_mask():
            side = heads.mask_roi_pool.output_size[0]
            both = nn.Sequential(heads.mask_head, heads.mask_predictor)
            self._masks = _compiled(_Part(both), (side, side, channels))

    def trunk(self, batch: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Run backbone, pyramid and the RPN's head."""
        found = [level.permute(0, 3, 1, 2) for level in self._trunk(batch)]
        n_levels = len(found) // 3
        features = found[:n_levels]
        if has_fast_bfloat16(CPU):
            # They were computed in bfloat16, and RoIAlign reads half as much.
            features = [level.bfloat16() for level in features]
        return features, found[n_levels : 2 * n_levels], found[2 * n_levels :]

    def boxes(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Run the box head; its last layer by torch in float32, as box deltas need it."""
        (hidden,) = self._boxes(pooled)
        logits, deltas = self._predictor(hidden)
        return logits, deltas

    def masks(self, pooled: Tensor) -> Tensor:
        """Run the mask head."""
        if self._masks is None:
            raise ValueError("this network has no mask head")
        return self._masks(pooled)[0].permute(0, 3, 1, 2)


def openvino_unet(unet: NestedUNet, crop_px: int, levels: int) -> Callable[[Tensor], Tensor]:
    """Return what draws: crops ``(n, 4, S, S)`` to float32 probabilities ``(n, S, S)``."""
    unet = deepcopy(unet).eval()
    fold_batch_norm(unet)
    run = _compiled(_Drawing(unet, levels), (crop_px, crop_px, 4))

    def draw(crops: Tensor) -> Tensor:
        return run(crops)[0]

    return draw


class _Part(nn.Module):
    """A module between channels-last arrays, which is how both runtimes hold features."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.part(x.permute(0, 3, 1, 2))
        return found if found.ndim == 2 else found.permute(0, 2, 3, 1)


class _Trunk(nn.Module):
    def __init__(self, net: FasterRCNN) -> None:
        super().__init__()
        self.backbone, self.head = net.backbone, net.rpn.head

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = list(self.backbone(x.permute(0, 3, 1, 2)).values())
        objectness, deltas = self.head(features)
        return tuple(part.permute(0, 2, 3, 1) for part in (*features, *objectness, *deltas))


class _Drawing(nn.Module):
    def __init__(self, unet: NestedUNet, levels: int) -> None:
        super().__init__()
        self.unet, self.levels = unet, levels

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.unet(x.permute(0, 3, 1, 2), self.levels)[-1]
        return logits.sigmoid().squeeze(1)


def _compiled(module: nn.Module, shape: tuple[int, int, int], *, any_side: bool = False) -> Run:
    """Convert ``module`` for inputs ``(n, *shape)`` of any ``n``, and of any height and width."""
    os.environ.setdefault("OPENVINO_TELEMETRY", "0")
    import openvino

    with warnings.catch_warnings(), torch.no_grad():
        # Tracing warns of each shape that becomes a constant; none here does that matters.
        warnings.simplefilter("ignore")
        model = openvino.convert_model(module.eval(), example_input=torch.rand(2, *shape))
    sides = (-1, -1) if any_side else shape[:2]
    model.reshape([-1, *sides, shape[2]])
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if has_fast_bfloat16(CPU) else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    network = openvino.Core().compile_model(model, "CPU", settings)

    def run(x: Tensor) -> list[Tensor]:
        found = network(x.float().permute(0, 2, 3, 1).contiguous().numpy())
        return [torch.from_numpy(found[k]) for k in range(len(network.outputs))]

    return run
