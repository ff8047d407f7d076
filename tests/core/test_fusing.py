"""Convolution and ReLU in one: the same masks, and only where it pays."""

from pathlib import Path

import pytest
import torch
from torch import nn

import resources
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.fusing import ConvReLU, can_fuse, use_fusing
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.pipelines import drawing, load
from seginst_core.pipelines.drawing import torch_draw, uses_fusing
from seginst_core.pipelines.load import load_pipeline
from seginst_core.sample.draw import draw_sample

CPU = torch.device("cpu")
STARTERS = Path(str(resources.__file__)).parent / "models"


@pytest.fixture(autouse=True)
def cpu_with_bfloat16() -> None:
    if not has_fast_bfloat16(CPU):
        pytest.skip("this CPU is not made for bfloat16")


@pytest.mark.parametrize("encoder", ["plain", "resnet18"])
@pytest.mark.parametrize("levels", [1, 3])
def test_a_fused_nested_unet_draws_the_same(encoder, levels) -> None:
    torch.manual_seed(0)
    unet = NestedUNet(4, (8, 16, 32, 32), encoder).eval().to(memory_format=torch.channels_last)
    fold_batch_norm(unet)
    crops = torch.rand(3, 4, 64, 64)
    # So that what is drawn differs from pixel to pixel, as after training.
    with torch.no_grad():
        logits, last = unet(crops)[levels - 1], unet.outputs[levels - 1]
        last.weight.mul_(3 / logits.std())
        last.bias.copy_((last.bias - logits.mean()) * 3 / logits.std())
    before = torch_draw(unet, CPU, levels)(crops)
    use_fusing(unet)
    n_fused = sum(isinstance(module, ConvReLU) for module in unet.modules())
    assert n_fused == 2 * (10 if encoder == "plain" else 7)
    after = torch_draw(unet, CPU, levels)(crops)
    assert after.dtype == torch.float32
    assert before.std() > 0.2
    assert float((before - after).abs().max()) < 0.05
    assert float((before - after).abs().mean()) < 0.005


@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_fused_convolution_is_one_and_its_relu(bias) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 8, (3, 5), stride=2, padding=(1, 2), dilation=1, groups=2, bias=bias)
    both = nn.Sequential(conv, nn.Identity(), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1))
    given = torch.randn(2, 6, 20, 24)
    before = both[:3](given)
    use_fusing(both)
    assert [type(step) for step in both] == [ConvReLU, nn.Identity, nn.Identity, nn.Conv2d]
    after = both[0](given)
    assert after.dtype == torch.bfloat16
    assert (after == 0).any()
    assert torch.allclose(before, after.float(), atol=0.02, rtol=0.02)


@torch.inference_mode()
def test_what_no_relu_follows_at_once_stays() -> None:
    given = torch.randn(1, 3, 8, 8)
    steps = [nn.Conv2d(3, 3, 1), nn.Sigmoid(), nn.ReLU()]
    # Outside a sequence nothing says what follows what.
    network = nn.ModuleDict({"a": nn.Sequential(*steps), "b": nn.Conv2d(3, 3, 1), "c": nn.ReLU()})
    before = network["a"](given)
    use_fusing(network)
    assert not any(isinstance(module, ConvReLU) for module in network.modules())
    assert torch.equal(before, network["a"](given))


def test_padding_that_is_not_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match="reflect"):
        ConvReLU(nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"))
    with pytest.raises(ValueError, match="same"):
        ConvReLU(nn.Conv2d(3, 3, 3, padding="same"))


def test_it_is_for_cpus_made_for_bfloat16_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_fuse()
    assert uses_fusing(CPU)
    assert not uses_fusing(torch.device("meta"))
    monkeypatch.setattr(drawing, "has_fast_bfloat16", lambda device: True)
    assert not uses_fusing(torch.device("cuda"))
    monkeypatch.setattr(drawing, "has_fast_bfloat16", lambda device: False)
    assert not uses_fusing(CPU)


def test_a_loaded_model_is_fused_and_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model, image = STARTERS / "airplane-two-stage", draw_sample(0, 1, 256).image
    fused: list[nn.Module] = []
    monkeypatch.setattr(load, "use_fusing", lambda unet: fused.append(unet) or use_fusing(unet))
    found = load_pipeline(model, "cpu").predict(image, score=0.3)
    monkeypatch.setattr(load, "uses_fusing", lambda device: False)
    plain = load_pipeline(model, "cpu").predict(image, score=0.3)
    assert len(fused) == 1
    assert len(found) == len(plain) > 0
    for a, b in zip(found, plain, strict=True):
        assert a.box == b.box
        assert a.mask is not None
        assert b.mask is not None
        assert abs(a.mask.area - b.mask.area) <= 0.01 * b.mask.area + 1
