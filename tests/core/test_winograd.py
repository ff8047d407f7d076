"""Winograd's convolutions give what the plain ones give, and stand where they gain."""

import pytest
import torch
from torch import nn

from seginst_core.models.winograd import (
    FEWEST_CHANNELS,
    WinogradConv2d,
    use_winograd,
    uses_winograd,
)

from .detect_scenes import airfield, starter_network

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(
    not torch.backends.nnpack.is_available(), reason="this build of torch has no NNPACK"
)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "shape", [(1, 40, 57), (3, 25, 30), (5, 14, 14), (40, 14, 14), (2, 7, 7), (1, 13, 400)]
)
@torch.inference_mode()
def test_equal_to_the_plain_convolution(shape, bias):
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 72, 3, padding=1, bias=bias)
    n, height, width = shape
    given = torch.randn(n, 64, height, width)
    for x in (given, given.contiguous(memory_format=torch.channels_last)):
        assert torch.allclose(WinogradConv2d(conv)(x), conv(x), atol=1e-3)


def test_what_cannot_gain_stays():
    many, few = FEWEST_CHANNELS, FEWEST_CHANNELS // 2
    network = nn.Sequential(
        nn.Conv2d(many, many, 3, padding=1),
        nn.Conv2d(many, many, 3, padding=1, stride=2),
        nn.Conv2d(many, many, 3),
        nn.Conv2d(many, many, 1),
        nn.Conv2d(many, few, 3, padding=1),
        nn.Conv2d(many, many, 3, padding=1, groups=2),
        nn.Sequential(nn.Conv2d(many, many, 3, padding=1)),
    )
    use_winograd(network)
    replaced = [name for name, m in network.named_modules() if isinstance(m, WinogradConv2d)]
    assert replaced == ["0", "6.0"]


def test_a_detector_finds_the_same():
    images = [airfield(320, 1), airfield(256, 2)[:200]]
    network = starter_network("airplane-end-to-end")
    plain = network.detect(images, 0.1)
    use_winograd(network)
    assert sum(isinstance(module, WinogradConv2d) for module in network.modules()) > 10
    for want, found in zip(plain, network.detect(images, 0.1), strict=True):
        assert torch.allclose(torch.tensor(found.boxes), torch.tensor(want.boxes), atol=0.02)
        assert torch.allclose(torch.tensor(found.scores), torch.tensor(want.scores), atol=1e-3)
        assert torch.allclose(torch.tensor(found.masks), torch.tensor(want.masks), atol=1e-2)


def test_only_where_it_was_measured_to_pay(monkeypatch):
    for capability, pays in (("AVX2", True), ("AVX512", False), ("DEFAULT", False)):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda c=capability: c)
        assert uses_winograd(CPU) == pays
    assert not uses_winograd(torch.device("cuda"))
