"""Our prediction and detectron2's own, written fresh with its ``DefaultPredictor``, agree."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from seginst_core.cli import main
from seginst_core.engines import load_engine
from seginst_core.errors import DataError, ModelError
from seginst_core.events import Reporter
from seginst_core.jobs.exchange import add_detectron2, export_detectron2
from seginst_core.masks.geometry import window
from seginst_core.models.card import DETECTOR_FILE, MASK_FILE, ModelCard, read_card, write_card
from seginst_core.models.config import NESTED_UNETS, Detectron2Config
from seginst_core.models.nested_unet import NestedUNet
from seginst_core.models.weights import save_weights
from seginst_core.pipelines.load import load_pipeline
from seginst_core.types import Category, Instance

from .detectron2_scenes import decide, needs_detectron2, picture

pytestmark = needs_detectron2
CPU = torch.device("cpu")
NAMES = ("plane", "ship")
SCORE = 0.05
# What detectron2 keeps of an image's objects unless it is told otherwise.
ITS_LIMIT = 100


def make_model(
    folder: Path, pipeline: str = "end-to-end", config: Detectron2Config | None = None
) -> Path:
    engine = load_engine("detectron2")
    masks = pipeline == "end-to-end"
    config = config or engine.configure("tiny", masks=masks, published=False, config="")
    torch.manual_seed(1)
    network = decide(engine.build(config, len(NAMES), masks=masks, device=CPU))
    folder.mkdir(parents=True)
    files = {DETECTOR_FILE: save_weights(folder / DETECTOR_FILE, network.state_dict())}
    mask = None
    if not masks:
        mask = NESTED_UNETS["tiny"]
        files[MASK_FILE] = save_weights(folder / MASK_FILE, NestedUNet(4, mask.widths).state_dict())
    categories = tuple(Category(k + 1, name) for k, name in enumerate(NAMES))
    card = ModelCard(
        folder.name, pipeline, "detectron2", "tiny", categories, config, mask, files=files
    )
    write_card(folder, card)
    return folder


def plain_predictor(config: Path, **changes: object):
    """Make detectron2's own predictor as its documentation does."""
    from detectron2.config import get_cfg
    from detectron2.engine import DefaultPredictor

    cfg = get_cfg()
    cfg.merge_from_file(str(config))
    for key, value in changes.items():
        cfg.merge_from_list([key.replace("__", "."), value])
    return DefaultPredictor(cfg)


def assert_agreement(found: list[Instance], plain, image: np.ndarray) -> int:
    """Every object of theirs is one of ours: box within 0.01 px, a thousandth of its mask's pixels.

    Of a mask of less than a thousand, one pixel.
    """
    theirs = plain(image[..., ::-1])["instances"]
    boxes = theirs.pred_boxes.tensor.numpy()
    ours = np.array([[f.box.x0, f.box.y0, f.box.x1, f.box.y1] for f in found])
    height, width = image.shape[:2]
    n_compared = 0
    for k, (box, mask) in enumerate(zip(boxes, theirs.pred_masks.numpy(), strict=True)):
        if not mask.any() or min(box[2] - box[0], box[3] - box[1]) < 1:
            continue  # we keep no object without a pixel
        label, score = int(theirs.pred_classes[k]), float(theirs.scores[k])
        same = [i for i, f in enumerate(found) if f.category_id == label + 1]
        nearest = min(same, key=lambda i: np.abs(ours[i] - box).max())
        assert np.abs(ours[nearest] - box).max() < 0.01
        assert found[nearest].score == pytest.approx(score, abs=1e-4)
        own = window(found[nearest].mask, 0, 0, width, height)
        assert own.any()
        # A pixel whose probability is one half to the last digit may fall to either side.
        assert (own ^ mask).sum() <= max(1, 0.001 * (own | mask).sum())
        n_compared += 1
    return n_compared


def drawn_apart(model: Path, image: np.ndarray) -> list[Instance]:
    """Predict without joining what overlaps: what the network says before tiles are merged."""
    from seginst_core.masks.paste import paste_soft
    from seginst_core.pipelines.detect import scale_image
    from seginst_core.types import Box

    pipeline = load_pipeline(model, "cpu")
    scale = pipeline.card.detector.input_scale
    (found,) = pipeline.network.detect([scale_image(image, scale)], SCORE)
    instances = []
    for k, label in enumerate(found.labels):
        box = Box(*(float(v) / scale for v in found.boxes[k]))
        mask = paste_soft(found.masks[k], box, image.shape[1], image.shape[0])
        if mask is not None:
            instances.append(Instance(k, label + 1, box, mask, float(found.scores[k])))
    return instances


@pytest.mark.parametrize("size", [(200, 280), (161, 97)])
def test_an_exported_model_gives_the_same_answers(tmp_path, size):
    model = make_model(tmp_path / "model")
    result = export_detectron2({"model": str(model), "out": str(tmp_path / "out")}, Reporter())
    assert result["notes"] == []
    plain = plain_predictor(tmp_path / "out" / "config.yaml")
    image = picture(*size)
    assert assert_agreement(drawn_apart(model, image), plain, image) > 20


@pytest.mark.parametrize("scale", [0.7, 1.5])
def test_an_exported_model_that_sees_images_scaled_gives_the_same_answers(tmp_path, scale):
    """As docs/models.md shows it: the image goes in scaled, with the size of the masks to be."""
    engine = load_engine("detectron2")
    config = engine.configure("tiny", masks=True, published=False, config="")
    model = make_model(tmp_path / "model", config=replace(config, input_scale=scale))
    result = export_detectron2({"model": str(model), "out": str(tmp_path / "out")}, Reporter())
    assert f"multiplied by {scale}" in result["notes"][0]
    written = tmp_path / "out" / "config.yaml"
    assert f"# Multiply their sides by {scale} before" in written.read_text()
    predictor = plain_predictor(written)

    def plain(bgr: np.ndarray):
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=how)
        pixels = torch.from_numpy(seen.transpose(2, 0, 1).astype("float32"))
        with torch.no_grad():
            (found,) = predictor.model([{"image": pixels, "height": 160, "width": 200}])
        return found

    image = picture(160, 200)
    assert assert_agreement(drawn_apart(model, image), plain, image) > 20


def test_a_model_made_elsewhere_gives_the_same_answers(tmp_path):
    """Its images are resized as detectron2 does, and its hundred best objects are among ours."""
    from detectron2.checkpoint import DetectionCheckpointer
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model

    text = (
        "VERSION: 2\nMODEL:\n  META_ARCHITECTURE: GeneralizedRCNN\n  MASK_ON: true\n"
        "  PIXEL_STD: [57.4, 57.1, 58.4]\n"
        "  BACKBONE: {NAME: build_resnet_fpn_backbone}\n"
        "  RESNETS: {DEPTH: 18, RES2_OUT_CHANNELS: 64, OUT_FEATURES: [res2, res3, res4, res5]}\n"
        "  FPN: {IN_FEATURES: [res2, res3, res4, res5], OUT_CHANNELS: 64}\n"
        "  ANCHOR_GENERATOR: {SIZES: [[16], [32], [64], [128], [256]]}\n"
        "  RPN: {IN_FEATURES: [p2, p3, p4, p5, p6]}\n"
        "  ROI_HEADS: {NAME: StandardROIHeads, IN_FEATURES: [p2, p3, p4, p5], NUM_CLASSES: 2}\n"
        "  ROI_BOX_HEAD: {NAME: FastRCNNConvFCHead, NUM_FC: 2, FC_DIM: 64, POOLER_RESOLUTION: 7}\n"
        "  ROI_MASK_HEAD: {NUM_CONV: 2, CONV_DIM: 32}\n"
        "INPUT: {MIN_SIZE_TEST: 240, MAX_SIZE_TEST: 300, FORMAT: RGB}\n"
    )
    config = tmp_path / "their config.yaml"
    config.write_text(text)
    cfg = get_cfg()
    cfg.merge_from_file(str(config))
    cfg.MODEL.DEVICE = "cpu"
    torch.manual_seed(2)
    network = build_model(cfg)
    holder = torch.nn.Module()
    holder.net, holder.has_masks = network, True
    decide(holder, box_spread=0.005)
    with torch.no_grad():
        # As trained ones have them: we fold these into the convolutions before them.
        for name, value in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                value.add_(torch.rand_like(value) * 0.2)
    DetectionCheckpointer(network, str(tmp_path)).save("model_final")
    weights = tmp_path / "model_final.pth"
    params = {"config": str(config), "weights": str(weights), "categories": list(NAMES)}
    added = add_detectron2(params, Reporter())
    assert added["name"] == "their config"
    model = Path(str(added["folder"]))
    card = read_card(model)
    assert card.pipeline == "end-to-end"
    assert [category.name for category in card.categories] == list(NAMES)
    plain = plain_predictor(config, MODEL__WEIGHTS=str(weights), MODEL__DEVICE="cpu")
    for size in ((120, 100), (220, 400)):
        image = picture(*size, seed=size[0])
        found = drawn_apart(model, image)
        assert len(found) > ITS_LIMIT
        assert assert_agreement(found, plain, image) > ITS_LIMIT / 2
    export_detectron2({"model": str(model), "out": str(tmp_path / "back")}, Reporter())
    back = plain_predictor(tmp_path / "back" / "config.yaml")
    assert assert_agreement(found, back, image) > ITS_LIMIT


def test_weights_that_do_not_fit_are_one_sentence(tmp_path):
    model = make_model(tmp_path / "model")
    out = tmp_path / "out"
    export_detectron2({"model": str(model), "out": str(out)}, Reporter())
    config, weights = out / "config.yaml", out / "model_final.pth"
    params = {"config": str(config), "weights": str(weights), "categories": list(NAMES)}
    with pytest.raises(ModelError, match="for 2 categories, and 3 were named"):
        add_detectron2({**params, "categories": ["a", "b", "c"]}, Reporter())
    with pytest.raises(DataError, match="a name of its own"):
        add_detectron2({**params, "categories": ["a", "a"]}, Reporter())
    state = torch.load(weights, weights_only=True)["model"]
    name = "roi_heads.box_predictor.cls_score.weight"
    changes = (
        ({k: v for k, v in state.items() if k != name}, f"they lack {name}"),
        ({**state, "more": torch.zeros(1)}, "they have more"),
        ({**state, name: state[name][:1]}, r"is \(1, 64\) instead of \(3, 64\)"),
    )
    for changed, words in changes:
        torch.save({"model": changed}, weights)
        with pytest.raises(ModelError, match=words):
            add_detectron2(params, Reporter())
    weights.unlink()
    with pytest.raises(ModelError, match=r"already is a config\.yaml"):
        export_detectron2({"model": str(model), "out": str(out)}, Reporter())
    config.write_text("MODEL: {META_ARCHITECTURE: RetinaNet}\n")
    torch.save({"model": state}, weights)
    with pytest.raises(ModelError, match="asks for RetinaNet"):
        add_detectron2(params, Reporter())
    with pytest.raises(ModelError, match="no file absent"):
        add_detectron2({**params, "config": "absent.yaml"}, Reporter())


def test_a_faster_rcnn_takes_its_masks_from_a_two_stage_model(tmp_path, monkeypatch, capsys):
    model = make_model(tmp_path / "boxes", "two-stage")
    out = tmp_path / "out"
    monkeypatch.setattr(
        "sys.argv", ["seginst", "models", "export", str(model), "--to-detectron2", str(out)]
    )
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert "Only the detector was written" in capsys.readouterr().err
    words = ["seginst", "models", "add", "--from-detectron2", str(out / "config.yaml")]
    words += [str(out / "model_final.pth"), "--categories", "plane, ship", "--name", "theirs"]
    monkeypatch.setattr("sys.argv", [*words, "--yes"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "draws no masks" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*words, "--yes", "--json", "--masks-from", str(model)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    added = json.loads(capsys.readouterr().out)
    assert (added["name"], added["pipeline"]) == ("theirs", "two-stage")
    image = picture(160, 200)
    old, new = (
        load_pipeline(Path(folder), "cpu").predict(image, score=SCORE)
        for folder in (model, added["folder"])
    )
    assert old
    assert [f.box for f in old] == [f.box for f in new]
    assert [f.mask for f in old] == [f.mask for f in new]


def test_only_its_own_models_go_out(tmp_path):
    engine = load_engine("torchvision")
    config = engine.configure("tiny", masks=True, published=False, config="")
    card = ModelCard("ours", "end-to-end", "torchvision", "tiny", (Category(1, "a"),), config, None)
    (tmp_path / "ours").mkdir()
    write_card(tmp_path / "ours", card)
    params = {"model": str(tmp_path / "ours"), "out": str(tmp_path / "out")}
    with pytest.raises(ModelError, match="only models of the engine detectron2"):
        export_detectron2(params, Reporter())
    assert not (tmp_path / "out").exists()
