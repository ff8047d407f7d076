import os
import pickle
from dataclasses import replace
from urllib.error import URLError

import pytest
import torch
from torchvision.models import ResNet18_Weights, resnet18

from seginst_core.engines.torchvision_engine import CLASS_ROWS
from seginst_core.errors import ModelError
from seginst_core.models.card import CARD_NAME, ModelCard, read_card, write_card
from seginst_core.models.config import DETECTORS, NESTED_UNETS
from seginst_core.models.losses import deep_mask_loss, dice_loss
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.pretrained import adapt_weights, encoder_weights
from seginst_core.models.weights import load_weights, save_weights
from seginst_core.types import Category

CARD = ModelCard(
    name="one",
    pipeline="two-stage",
    engine="torchvision",
    preset="tiny",
    categories=(Category(3, "airplane", (1, 2, 3)), Category(7, "Zellkern ü")),
    detector=replace(DETECTORS["tiny"], input_scale=1.5),
    mask=NESTED_UNETS["tiny"],
    description='Two lines\nand a quote: "',
    training={"minutes": 15.0, "data": "a.json", "seed": 3},
    scores={"segm_AP": 0.5},
    files={"detector.safetensors": "00"},
)


def test_card_round_trip(tmp_path):
    write_card(tmp_path, CARD)
    assert read_card(tmp_path) == CARD


def test_card_id_follows_the_weights():
    assert CARD.id == replace(CARD, name="other", scores={}).id
    assert CARD.id != replace(CARD, files={"detector.safetensors": "01"}).id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("format = 1", "format = 2"), "format 2"),
        (('pipeline = "two-stage"', 'pipeline = "three-stage"'), "not complete"),
        (("fpn_channels", "fpn_chanels"), "unknown setting"),
        (('backbone = "resnet10"', 'backbone = "resnet34"'), "unknown setting backbone = resnet34"),
        (("crop_px = 48", 'crop_px = "48"'), "unknown setting crop_px"),
        (("    16,\n", "    16.5,\n"), "unknown setting widths"),
        (("crop_px = 48", "crop_px = -48"), "setting crop_px = -48 cannot be"),
        (("    16,\n", "    0,\n"), "setting widths .* cannot be"),
        (('preset = "tiny"', 'preset = "huge"'), "preset 'huge'"),
        (("segm_AP = 0.5", 'segm_AP = "good"'), "could not convert"),
        (("[files]", "[files"), "cannot be read"),
        (("detector.safetensors", "../detector.safetensors"), "not complete"),
    ],
)
def test_a_card_that_does_not_fit_is_one_sentence(tmp_path, change, words):
    write_card(tmp_path, CARD)
    path = tmp_path / CARD_NAME
    old, new = change
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelError, match=words):
        read_card(tmp_path)
    with pytest.raises(ModelError, match=tmp_path.name):
        read_card(tmp_path)


def test_no_card_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="not a model directory"):
        read_card(tmp_path)
    with pytest.raises(ModelError, match="no model directory"):
        read_card(tmp_path / "absent")


def test_weights_round_trip_and_half(tmp_path):
    state = {"a": torch.rand(3, 4), "n": torch.tensor(5)}
    digest = save_weights(tmp_path / "w.safetensors", state)
    back = load_weights(tmp_path / "w.safetensors", digest)
    assert torch.equal(back["a"], state["a"])
    assert back["n"] == 5
    save_weights(tmp_path / "h.safetensors", state, half=True)
    half = load_weights(tmp_path / "h.safetensors")
    assert half["a"].dtype == torch.float32
    assert torch.allclose(half["a"], state["a"], atol=1e-3)
    assert (tmp_path / "h.safetensors").stat().st_size < (tmp_path / "w.safetensors").stat().st_size


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "it_ran"
    (tmp_path / "w.safetensors").write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_weights(tmp_path / "w.safetensors")
    torch.save(Payload(trace), tmp_path / "t.safetensors")
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_weights(tmp_path / "t.safetensors")
    assert not trace.exists()


def test_changed_weights_are_refused(tmp_path):
    digest = save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(2)})
    save_weights(tmp_path / "w.safetensors", {"a": torch.ones(2)})
    with pytest.raises(ModelError, match="not the one its model card names"):
        load_weights(tmp_path / "w.safetensors", digest)
    with pytest.raises(ModelError, match="missing"):
        load_weights(tmp_path / "absent.safetensors")


def test_nested_unet_has_the_papers_nodes_and_outputs():
    unet = NestedUNet(4, (4, 8, 16))
    assert set(unet.nodes) == {"0_0", "1_0", "2_0", "0_1", "1_1", "0_2"}
    # X[0, 2] takes X[0, 0], X[0, 1] and the upsampled X[1, 1].
    assert unet.nodes["0_2"][0].in_channels == 2 * 4 + 8
    outputs = unet(torch.rand(2, 4, 32, 32))
    assert [tuple(o.shape) for o in outputs] == [(2, 1, 32, 32)] * 2


def test_pruned_inference_equals_the_first_output_of_the_whole():
    unet = NestedUNet(4, (4, 8, 16)).eval()
    crops = torch.rand(1, 4, 32, 32)
    pruned = unet(crops, levels=1)
    assert len(pruned) == 1
    assert torch.allclose(pruned[0], unet(crops)[0], atol=1e-6)


@pytest.mark.parametrize("encoder", ["resnet18", "resnet34", "resnet50"])
def test_a_resnet_makes_the_lower_nodes_of_the_backbone(encoder):
    unet = NestedUNet(4, (4, 8, 8, 8), encoder).eval()
    assert set(unet.nodes) == {"0_0", "0_1", "1_1", "2_1", "0_2", "1_2", "0_3"}
    crops = torch.rand(1, 4, 48, 48)
    assert [tuple(o.shape) for o in unet(crops)] == [(1, 1, 48, 48)] * 3
    assert torch.allclose(unet(crops, levels=1)[0], unet(crops)[0], atol=1e-6)


def test_published_encoder_weights_are_read_from_torchs_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    state = resnet18().state_dict()
    torch.save(state, folder / ResNet18_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[-1])
    given = encoder_weights("resnet18", 4)
    unet = NestedUNet(4, (4, 8, 8, 8), "resnet18")
    weights, n_fitting = adapt_weights(
        unet.state_dict(), given, categories=[], given_categories=[], class_rows={}
    )
    unet.load_state_dict(weights)
    assert n_fitting > 40
    assert torch.equal(unet.encoder.conv1.weight[:, :3], state["conv1.weight"])
    assert not unet.encoder.conv1.weight[:, 3].any()
    assert torch.equal(unet.encoder.layer2[0].conv1.weight, state["layer2.0.conv1.weight"])


def test_without_a_network_published_weights_say_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    how = r"place resnet34-\S+\.pth in .*checkpoints, or leave --from out"
    with pytest.raises(ModelError, match=how):
        encoder_weights("resnet34", 4)
    with pytest.raises(ModelError, match="no published weights for the plain encoder"):
        encoder_weights("plain", 4)


def test_mask_losses_reward_the_truth():
    target = torch.zeros(2, 1, 8, 8)
    target[:, :, 2:6, 2:6] = 1
    good, bad = (target * 2 - 1) * 20, (1 - target * 2) * 20
    assert dice_loss(good, target) < 0.01
    assert dice_loss(bad, target) > 0.9
    losses = deep_mask_loss([good, bad], target)
    assert float(losses["mask_bce"]) == pytest.approx(10.0, rel=1e-3)


def test_adapt_weights_keeps_class_rows_by_name():
    fresh = {
        "roi.box_predictor.cls_score.weight": torch.zeros(3, 2),
        "roi.box_predictor.bbox_pred.bias": torch.zeros(12),
        "body.weight": torch.zeros(4, 4),
        "odd.weight": torch.zeros(5),
    }
    given = {
        "roi.box_predictor.cls_score.weight": torch.arange(8.0).reshape(4, 2),
        "roi.box_predictor.bbox_pred.bias": torch.arange(16.0),
        "body.weight": torch.ones(4, 4),
        "odd.weight": torch.ones(6),
    }
    adapted, n_fitting = adapt_weights(
        fresh,
        given,
        categories=["ship", "new"],
        given_categories=["plane", "car", "ship"],
        class_rows=CLASS_ROWS,
    )
    assert n_fitting == 3
    rows = adapted["roi.box_predictor.cls_score.weight"]
    assert rows.tolist() == [[0, 1], [6, 7], [0, 0]]
    assert (
        adapted["roi.box_predictor.bbox_pred.bias"].tolist()
        == [0, 1, 2, 3, 12, 13, 14, 15] + [0] * 4
    )
    assert torch.equal(adapted["body.weight"], torch.ones(4, 4))
    assert torch.equal(adapted["odd.weight"], torch.zeros(5))
