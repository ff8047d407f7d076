"""Configurations of the model zoo by name, one's own YAML, and the zoo's published weights."""

import pickle
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from seginst_core.engines import load_engine
from seginst_core.errors import ModelError
from seginst_core.models.config import Detectron2Config
from seginst_core.models.pretrained import adapt_weights

from .detectron2_scenes import needs_detectron2

pytestmark = needs_detectron2
CPU = torch.device("cpu")
R50 = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"
R101 = "COCO-InstanceSegmentation/mask_rcnn_R_101_FPN_3x.yaml"
ZOO = {
    f"{kind}_{body}_FPN_{schedule}.yaml": depth
    for kind in ("COCO-InstanceSegmentation/mask_rcnn", "COCO-Detection/faster_rcnn")
    for body, schedule, depth in (
        ("R_50", "1x", 50),
        ("R_50", "3x", 50),
        ("R_101", "3x", 101),
        ("X_101_32x8d", "3x", 101),
    )
}


@pytest.mark.parametrize("published", [True, False], ids=["published", "scratch"])
@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_known_by_name(name, published):
    engine, masks = load_engine("detectron2"), "mask_rcnn" in name
    config = engine.configure("accurate", masks=masks, published=published, config=name)
    # Without memory for the weights: what is asked is which network it is.
    with torch.device("meta"):
        network = engine.build(config, 2, masks=masks, device=torch.device("meta"))
    n_third_stage = sum("res4." in key and "conv1.weight" in key for key in network.state_dict())
    assert n_third_stage == {50: 6, 101: 23}[ZOO[name]]
    stem = network.state_dict()["net.backbone.bottom_up.res2.0.conv2.weight"]
    assert tuple(stem.shape[:2]) == ((256, 8) if "X_101" in name else (64, 64))
    assert ("mask_head" in str(list(network.state_dict()))) == masks
    normed = [key for key in network.state_dict() if key.endswith("res2.0.conv1.norm.running_var")]
    assert bool(normed) == published, "group norm from scratch, frozen batch norm otherwise"


def test_a_configuration_of_the_zoo_or_of_ones_own(tmp_path):
    engine = load_engine("detectron2")
    zoo = "COCO-InstanceSegmentation/mask_rcnn_X_101_32x8d_FPN_3x.yaml"
    scratch = engine.configure("accurate", masks=True, published=False, config=zoo)
    assert "DEPTH: 101" in scratch.yaml
    assert "NUM_GROUPS: 32" in scratch.yaml
    assert "GN" in scratch.yaml
    assert scratch.zoo == ""
    begun = engine.configure("accurate", masks=True, published=True, config=zoo)
    assert begun.zoo == zoo
    assert "GN" not in begun.yaml
    plain = engine.configure("accurate", masks=True, published=True, config="")
    assert plain.zoo == "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"
    own = tmp_path / "own.yaml"
    tiny = engine.configure("tiny", masks=True, published=False, config="")
    own.write_text(tiny.yaml)
    assert engine.configure("accurate", masks=True, published=False, config=str(own)) == tiny
    with pytest.raises(ModelError, match="publishes no weights"):
        engine.configure("fast", masks=True, published=True, config="")
    own.write_text("MODEL: {NO_SUCH_KEY: 1}\n")
    with pytest.raises(ModelError, match="Non-existent config key"):
        engine.configure("fast", masks=True, published=False, config=str(own))
    with pytest.raises(ModelError, match="no configuration of that name"):
        engine.configure("fast", masks=True, published=False, config="COCO/none.yaml")


OTHERS = {
    "COCO-Detection/fast_rcnn_R_50_FPN_1x.yaml": "proposals made elsewhere",
    "COCO-Detection/rpn_R_50_FPN_1x.yaml": "ProposalNetwork",
    "COCO-Keypoints/keypoint_rcnn_R_50_FPN_1x.yaml": "keypoints",
    "COCO-PanopticSegmentation/panoptic_fpn_R_50_1x.yaml": "PanopticFPN",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_zoo_has_besides_is_refused_by_what_it_is(name):
    with pytest.raises(ModelError, match=f"only Faster R-CNN .* asks for {OTHERS[name]}"):
        load_engine("detectron2").configure("fast", masks=False, published=False, config=name)


class Shelf:
    """Stands in for the network: hands out one file, or has none."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.asked = file, []

    def download(self, url: str, folder: str, *, filename: str | None = None, **_: object) -> str:
        self.asked.append(url)
        if self.file is None:
            raise URLError("Name or service not known")
        place = Path(folder) / (filename or url.rsplit("/", 1)[-1])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.file.read_bytes())
        return str(place)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    shelf = Shelf(None)
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("iopath.common.file_io.download", shelf.download)
    return shelf


def zoo_file(path: Path, zoo: str) -> tuple[Detectron2Config, dict[str, torch.Tensor]]:
    """Write what the zoo's address would give: for a small network, lest the test take long."""
    engine = load_engine("detectron2")
    tiny = engine.configure("tiny", masks=True, published=False, config="")
    config = Detectron2Config(tiny.yaml, zoo=zoo)
    state = engine.build(config, 80, masks=True, device=CPU).state_dict()
    plain = {name.removeprefix("net."): value.numpy() for name, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps({"model": plain, "__author__": "the zoo"}))
    return config, state


def test_published_weights_come_through_its_own_checkpointer(tmp_path, shelf):
    """A network for other categories begins with what the zoo's address gives."""
    engine = load_engine("detectron2")
    shelf.file = tmp_path / "model_final.pkl"
    config, theirs = zoo_file(shelf.file, R50)
    state = engine.published(config, masks=True)
    assert len(shelf.asked) == 1
    assert "mask_rcnn_R_50_FPN_3x" in shelf.asked[0]
    assert state.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[key]) for key, value in state.items())
    ours = engine.build(config, 1, masks=True, device=CPU)
    adapted, _ = adapt_weights(
        ours.state_dict(),
        state,
        categories=["plane"],
        given_categories=[],
        class_rows=engine.class_rows(config),
    )
    engine.load(ours, adapted)
    body = "net.backbone.bottom_up.stem.conv1.weight"
    assert torch.equal(ours.state_dict()[body], theirs[body])


def test_without_a_network_it_says_where_the_weights_may_be_placed(tmp_path, shelf):
    engine = load_engine("detectron2")
    config, theirs = zoo_file(tmp_path / "made.pkl", R101)
    with pytest.raises(ModelError) as refusal:
        engine.published(config, masks=True)
    sentence = str(refusal.value)
    (url,) = shelf.asked
    assert f"could not be downloaded from {url}" in sentence
    assert url.startswith("https://dl.fbaipublicfiles.com/detectron2/")
    assert "train from scratch" in sentence
    folder = Path(sentence.partition("place them in ")[2].partition(",")[0])
    assert folder.is_relative_to(tmp_path / "cache")
    zoo_file(folder / url.rsplit("/", 1)[-1], R101)
    assert engine.published(config, masks=True).keys() == theirs.keys()
    assert len(shelf.asked) == 1, "the file that was placed there is used"
    with pytest.raises(ModelError, match="publishes no weights for this configuration"):
        engine.published(Detectron2Config(config.yaml), masks=True)
