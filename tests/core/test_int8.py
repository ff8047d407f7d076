"""The nested U-Net in integers: the same masks, and only where the CPU and the network allow it."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import resources
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.masks.geometry import window
from seginst_core.models import int8
from seginst_core.models.int8 import (
    Int8ConvReLU,
    Int8MaxPool,
    Int8Upsample,
    can_use_int8,
    use_int8,
)
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.pipelines import drawing
from seginst_core.pipelines.drawing import torch_draw
from seginst_core.pipelines.load import load_pipeline
from seginst_core.sample.draw import draw_sample

CPU = torch.device("cpu")
STARTERS = Path(str(resources.__file__)).parent / "models"


@pytest.fixture(autouse=True)
def cpu_with_avx2() -> None:
    if not can_use_int8():
        pytest.skip("this CPU is not an x86 one with AVX2")


def trained_looking(widths: tuple[int, ...] = (8, 16, 32, 32)) -> tuple[NestedUNet, Tensor]:
    """A network whose normalisation knows its inputs and whose outputs say yes and no; crops."""
    torch.manual_seed(0)
    unet, crops = NestedUNet(4, widths), torch.randn(6, 4, 64, 64)
    crops = functional.avg_pool2d(crops, 5, 1, 2) * 4
    norms = [module for module in unet.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(-0.5, 1.5)
            norm.bias.normal_(0, 0.3)
            norm.momentum = None
        unet.train()(crops)
        for logits, last in zip(unet.eval()(crops), unet.outputs, strict=True):
            last.weight.mul_(3 / logits.std())
            last.bias.copy_((last.bias - logits.mean()) * 3 / logits.std())
    return unet, crops


def in_floats(unet: NestedUNet, levels: int, crops: Tensor) -> Tensor:
    with torch.inference_mode():
        return unet(crops, levels)[-1].sigmoid().squeeze(1)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_nested_unet_in_integers_draws_the_same(levels) -> None:
    unet, crops = trained_looking()
    before = in_floats(unet, levels, crops)
    drawn = torch_draw(unet, CPU, levels)(crops)
    assert drawn.dtype == torch.float32
    assert drawn.shape == before.shape
    assert before.std() > 0.2
    # A network of random weights adds up its roundings, which a trained one does not.
    assert 0 < float((before - drawn).abs().mean()) < 0.05
    assert float(((before > 0.5) == (drawn > 0.5)).float().mean()) > 0.95
    # What was given is as it was.
    assert torch.equal(in_floats(unet, levels, crops), before)


def test_each_crop_is_drawn_alike_alone_and_among_others() -> None:
    unet, crops = trained_looking()
    draw = torch_draw(unet, CPU, unet.depth)
    together = draw(crops)
    for k in range(len(crops)):
        assert torch.equal(draw(crops[k : k + 1])[0], together[k])


def test_channels_that_do_nothing_or_are_very_unlike_lose_nothing() -> None:
    unet, crops = trained_looking()
    with torch.no_grad():
        for node in unet.nodes.values():
            norm = node[1]
            norm.weight[0], norm.bias[0] = 0.0, -1.0  # never anything
            norm.weight[1], norm.bias[1] = 0.0, 0.5  # always the same
            # A thousand times as far as the others, and read a thousandth of what they are.
            norm.weight[2] *= 1000
            norm.bias[2] *= 1000
            node[3].weight[:, 2] /= 1000
    before = in_floats(unet, 3, crops)
    drawn = torch_draw(unet, CPU, 3)(crops)
    assert torch.isfinite(drawn).all()
    assert before.std() > 0.05
    assert float((before - drawn).abs().mean()) < 0.05


@torch.inference_mode()
def test_a_convolution_of_integers_is_one_its_relu_and_rounding() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 8, (3, 5), stride=2, padding=(1, 2))
    conv.weight.div_(conv.weight.abs().amax((1, 2, 3), keepdim=True)).mul_(127).round_().div_(127)
    given = torch.randint(0, 256, (2, 6, 20, 24), dtype=torch.uint8)
    exact = conv(given.float()).clamp(0, 255)
    made = Int8ConvReLU(conv)(given.contiguous(memory_format=torch.channels_last))
    assert made.dtype == torch.uint8
    assert (made == 0).any()
    assert (made == 255).any()
    assert float((made.float() - exact).abs().max()) <= 0.51


@pytest.mark.parametrize("side", [2, 8, 14])
def test_integers_are_pooled_and_doubled_as_floats_are(side) -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 256, (2, 5, side, side), dtype=torch.uint8)
    x = x.contiguous(memory_format=torch.channels_last)
    assert torch.equal(Int8MaxPool()(x), functional.max_pool2d(x.float(), 2).to(torch.uint8))
    exact = functional.interpolate(x.float(), scale_factor=2.0, mode="bilinear")
    doubled = Int8Upsample()(x)
    assert doubled.shape == exact.shape
    assert float((doubled.float() - exact).abs().max()) <= 0.5
    assert int(Int8Upsample()(torch.full_like(x, 255)).min()) == 255


def test_a_resnet_is_left_in_floats() -> None:
    torch.manual_seed(0)
    unet, crops = NestedUNet(4, (8, 16, 32, 32), "resnet18").eval(), torch.rand(2, 4, 64, 64)
    with pytest.raises(ValueError, match="plain"):
        use_int8(deepcopy(unet))
    before = in_floats(unet, 3, crops)
    close = 0.02 if has_fast_bfloat16(CPU) else 1e-5
    assert float((torch_draw(unet, CPU, 3)(crops) - before).abs().mean()) < close


def test_a_cpu_without_avx2_stays_in_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert not int8.can_use_int8()
    unet, crops = trained_looking()
    before = in_floats(unet, 3, crops)
    close = 0.02 if has_fast_bfloat16(CPU) else 1e-5
    assert float((torch_draw(unet, CPU, 3)(crops) - before).abs().mean()) < close


@pytest.mark.parametrize("name", ["airplane-two-stage", "nuclei-two-stage"])
def test_a_starter_finds_the_same_masks(name, monkeypatch: pytest.MonkeyPatch) -> None:
    image = draw_sample(0, 1, 256).image
    made: list[NestedUNet] = []
    monkeypatch.setattr(drawing, "use_int8", lambda unet: made.append(unet) or use_int8(unet))
    pipeline = load_pipeline(STARTERS / name, "cpu")
    boxes = [
        one.box for one in load_pipeline(STARTERS / "airplane-two-stage", "cpu").predict(image)
    ]
    assert len(made) == 2
    drawn = pipeline.masks_in_boxes(image, boxes)
    monkeypatch.setattr(drawing, "can_use_int8", lambda: False)
    floats = load_pipeline(STARTERS / name, "cpu").masks_in_boxes(image, boxes)
    assert len(made) == 2
    assert len(boxes) >= 3
    ious = []
    for one, other in zip(drawn, floats, strict=True):
        if one is not None and other is not None:
            a, b = window(one, 0, 0, 256, 256), window(other, 0, 0, 256, 256)
            ious.append((a & b).sum() / (a | b).sum())
    assert len(ious) >= 3
    assert np.mean(ious) > 0.97
