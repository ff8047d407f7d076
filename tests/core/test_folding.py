"""Folded networks say the same, without a batch normalisation left."""

import pytest
import torch
from torch import nn

from seginst_core.engines.rcnn.build import build_network
from seginst_core.models.config import DetectorConfig
from seginst_core.models.folding import fold_batch_norm
from seginst_core.models.nested_unet import NestedUNet


def with_statistics(network: nn.Module) -> nn.Module:
    """Give each batch normalisation statistics and weights of its own, as after training."""
    chance = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2.0),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.5, 0.5),
            ):
                values.copy_(torch.rand(values.shape, generator=chance) * (high - low) + low)
    return network.eval()


def norms(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize("encoder", ["plain", "resnet18", "resnet50"])
@torch.inference_mode()
def test_a_nested_unet_draws_the_same(encoder):
    torch.manual_seed(0)
    unet = with_statistics(NestedUNet(4, (4, 8, 16, 16), encoder))
    crops = torch.randn(2, 4, 48, 48)
    before = unet(crops)
    fold_batch_norm(unet)
    assert norms(unet) == []
    for old, new in zip(before, unet(crops), strict=True):
        assert torch.allclose(old, new, rtol=1e-3, atol=1e-3 * float(old.abs().max()))


@torch.inference_mode()
def test_a_detectors_backbone_gives_the_same_features():
    torch.manual_seed(0)
    config = DetectorConfig("resnet10", norm="batch", fpn_channels=16, box_features=16)
    net = with_statistics(build_network(config, 1, masks=True))
    image = torch.randn(1, 3, 64, 96)
    before = net.backbone(image)
    fold_batch_norm(net)
    assert norms(net) == []
    for name, level in net.backbone(image).items():
        assert torch.allclose(before[name], level, rtol=1e-3, atol=1e-4 * float(level.abs().max()))


@torch.inference_mode()
def test_what_is_no_batch_norm_after_a_convolution_stays():
    apart = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4), nn.GroupNorm(2, 4))
    network = with_statistics(apart)
    given = torch.randn(1, 3, 5, 5)
    before = network(given)
    fold_batch_norm(network)
    assert len(norms(network)) == 1
    assert torch.equal(before, network(given))
