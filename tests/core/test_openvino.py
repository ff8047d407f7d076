"""OpenVINO gives what torch gives; without it, or where it cannot run, one sentence says so."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from seginst_core.engines import openvino_backend
from seginst_core.engines.device import has_fast_bfloat16
from seginst_core.engines.openvino_backend import check_usable, openvino_unet, use_openvino
from seginst_core.errors import ModelError
from seginst_core.jobs.params import runtime
from seginst_core.pipelines.drawing import torch_draw
from seginst_core.pipelines.load import load_pipeline
from seginst_core.types import Runtime

from .detect_scenes import STARTERS, airfield, box_ious, starter_network

CPU = torch.device("cpu")
needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="openvino is not installed"
)
# In bfloat16, which OpenVINO uses where the CPU is made for it, two runtimes round apart.
ROUGH = has_fast_bfloat16(CPU)


@needs_openvino
@pytest.mark.parametrize("name", ["airplane-end-to-end", "airplane-two-stage"])
def test_a_detector_finds_the_same(name):
    images = [airfield(320, 1), airfield(256, 2)[:200]]
    network = starter_network(name)
    plain = network.detect(images, 0.3)
    use_openvino(network)
    other = network.detect(images, 0.2)
    assert sum(len(found.scores) for found in plain) > 3
    for want, found in zip(plain, other, strict=True):
        if not len(want.scores):
            continue
        nearest = box_ious(want.boxes, found.boxes).argmax(1)
        assert np.abs(found.boxes[nearest] - want.boxes).max() < (1.5 if ROUGH else 0.05)
        assert np.abs(found.scores[nearest] - want.scores).max() < (0.1 if ROUGH else 1e-3)
        if want.masks is not None:
            drawn = (found.masks[nearest] >= 0.5) == (want.masks >= 0.5)
            assert drawn.mean() > (0.98 if ROUGH else 0.999)


@needs_openvino
def test_a_detector_that_finds_nothing():
    network = starter_network("airplane-end-to-end")
    head = network.net.rpn.head.cls_logits
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, -20.0)
    use_openvino(network)
    (found,) = network.detect([airfield(128)], 0.05)
    assert found.boxes.shape == (0, 4)


@needs_openvino
@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("n", [1, 5])
def test_a_nested_unet_draws_the_same(levels, n):
    from seginst_core.models.nested_unet import NestedUNet

    torch.manual_seed(0)
    unet = NestedUNet(4, (8, 8, 16, 16)).eval()
    crops = torch.randn(n, 4, 48, 48)
    plain = torch_draw(unet, CPU, levels)(crops)
    drawn = openvino_unet(unet, 48, levels)(crops)
    assert drawn.shape == plain.shape == (n, 48, 48)
    assert float((drawn - plain).abs().max()) < (0.05 if ROUGH else 1e-4)


@needs_openvino
def test_a_whole_pipeline_runs_on_it():
    image = airfield(256, 2)
    model = STARTERS / "airplane-two-stage"
    plain = load_pipeline(model).predict(image, score=0.3)
    other = load_pipeline(model, Runtime(backend="openvino")).predict(image, score=0.2)
    assert plain
    for one in plain:
        nearest = max(other, key=lambda found: -abs(found.box.x0 - one.box.x0))
        assert nearest.mask is not None
        assert abs(nearest.box.x0 - one.box.x0) < 1.5
        assert abs(nearest.mask.area - one.mask.area) < 0.1 * one.mask.area + 4


def test_without_openvino_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(openvino_backend, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"OpenVINO is not installed here; `pip install"):
        load_pipeline(STARTERS / "airplane-end-to-end", Runtime(backend="openvino"))


def test_openvino_runs_on_the_cpu_alone(monkeypatch):
    monkeypatch.setattr(openvino_backend, "find_spec", lambda name: object())
    with pytest.raises(ModelError, match=r"runs on the CPU; add --device cpu\.$"):
        check_usable(torch.device("cuda"))
    check_usable(CPU)


def test_openvino_runs_networks_of_torchvision_alone():
    with pytest.raises(ModelError, match="networks of the torchvision engine alone"):
        use_openvino(nn.Linear(1, 1))


def test_a_jobs_backend_has_to_be_known():
    assert runtime({"backend": "openvino", "levels": 2}) == Runtime("auto", "openvino", 2)
    with pytest.raises(Exception, match="A backend is torch or openvino, not 'onnx'"):
        runtime({"backend": "onnx"})
