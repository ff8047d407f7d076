"""One contract, two engines: what a pipeline or the training loop may count on."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from seginst_core.cli import main
from seginst_core.engines import ENGINES, load_engine
from seginst_core.engines.base import Sample
from seginst_core.errors import DataError, ModelError
from seginst_core.events import Reporter
from seginst_core.models.card import read_card
from seginst_core.models.config import DetectorConfig, Detectron2Config
from seginst_core.models.pretrained import adapt_weights
from seginst_core.pipelines.load import load_pipeline
from seginst_core.training.plan import TrainConfig
from seginst_core.training.run import train

from .detectron2_scenes import needs_detectron2, picture, sample
from .test_training import as_dict, config_for

CPU = torch.device("cpu")
BOTH = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=needs_detectron2 if n == "detectron2" else ()) for n in ENGINES],
)
KINDS = pytest.mark.parametrize("masks", [True, False], ids=["masks", "boxes"])
RED, BLUE = (230, 20, 30), (20, 30, 230)


def make(name, *, masks=True, n_categories=2, **changes):
    torch.manual_seed(3)
    engine = load_engine(name)
    config = engine.configure("tiny", masks=masks, published=False, config="")
    config = replace(config, **changes)
    return engine, config, engine.build(config, n_categories, masks=masks, device=CPU)


@BOTH
@KINDS
def test_losses_are_finite_named_alike_and_move_every_trained_weight(name, masks):
    _, _, network = make(name, masks=masks)
    network.train()
    losses = network.losses([sample(2), sample(0)])
    names = {"objectness", "rpn_box", "class", "box"} | ({"mask"} if masks else set())
    assert set(losses) == names
    total = torch.stack(list(losses.values())).sum()
    assert torch.isfinite(total)
    total.backward()
    trained = [p for p in network.parameters() if p.requires_grad]
    assert all(p.grad is not None for p in trained)
    assert all(torch.isfinite(p.grad).all() for p in trained)


@BOTH
def test_objects_without_masks_teach_boxes_only(name):
    _, _, network = make(name)
    network.train()
    for given in (sample(2, has_mask=(False, False)), sample(0)):
        torch.manual_seed(0)
        losses = network.losses([given])
        assert float(losses["mask"].detach()) == 0
        sum(losses.values()).backward()
    # With one of two masks withheld, what that mask shows makes no difference.
    seen = []
    for other in (0, 1):
        given = sample(2, has_mask=(True, False))
        given.masks[1] = other
        torch.manual_seed(0)
        seen.append(float(network.losses([given])["mask"].detach()))
    assert seen[0] == pytest.approx(seen[1], abs=1e-7)
    assert seen[0] > 0


@BOTH
@KINDS
def test_detections_keep_their_promises(name, masks):
    _, _, network = make(name, masks=masks)
    network.eval()
    images = [picture(96, 130), picture(71, 64, seed=1)]
    images[1].flags.writeable = False
    for image, found in zip(images, network.detect(images, 0.0), strict=True):
        n = len(found.labels)
        assert 0 < n <= 1000
        assert found.boxes.shape == (n, 4)
        assert found.boxes.dtype == found.scores.dtype == np.float32
        x0, y0, x1, y1 = found.boxes.T
        assert (x0 >= 0).all()
        assert (y0 >= 0).all()
        assert (x1 <= image.shape[1]).all()
        assert (y1 <= image.shape[0]).all()
        assert (x0 <= x1).all()
        assert (y0 <= y1).all()
        assert (np.diff(found.scores) <= 0).all()
        assert set(found.labels) <= {0, 1}
        if masks:
            assert found.masks.shape[0] == n
            assert found.masks.shape[1] == found.masks.shape[2] > 1
            assert ((found.masks >= 0) & (found.masks <= 1)).all()
        else:
            assert found.masks is None
    (nothing,) = network.detect(images[:1], 1.0)
    assert nothing.boxes.shape == (0, 4)
    assert len(nothing.labels) == len(nothing.scores) == 0
    assert nothing.masks is None or len(nothing.masks) == 0


@BOTH
def test_the_score_is_a_lower_bound(name):
    _, _, network = make(name)
    network.eval()
    (every,) = network.detect([picture(96, 130)], 0.0)
    middle = float(np.median(every.scores))
    (some,) = network.detect([picture(96, 130)], middle)
    assert 0 < len(some.scores) < len(every.scores)
    assert some.scores.min() >= middle


@BOTH
def test_the_network_sees_colours_in_its_own_order_and_range(name):
    """Red as the ImageNet statistics have it, first for torchvision and last for detectron2."""
    _, _, network = make(name)
    network.eval()
    seen = []
    network.net.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    image = np.full((64, 64, 3), RED, np.uint8)
    network.detect([image], 0.5)
    expected = (np.array(RED) - (123.675, 116.28, 103.53)) / (58.395, 57.12, 57.375)
    order = expected[::-1] if name == "detectron2" else expected
    assert seen[0][0, :, 30, 30].tolist() == pytest.approx(order.tolist(), abs=1e-3)


@BOTH
@pytest.mark.parametrize("label", [0, 1])
def test_labels_are_counted_from_the_first_category(name, label):
    engine, config, network = make(name)
    network.eval()
    backgrounds = engine.class_rows(config)
    (part,) = (part for part in backgrounds if "cls_score." in part)
    row = label + (1 if backgrounds[part] == "first" else 0)
    with torch.no_grad():
        network.state_dict()[_only(network, part, "bias")][row] += 20.0
    (found,) = network.detect([picture(96, 130)], 0.5)
    assert set(found.labels) == {label}
    # A sample's labels are counted alike: the class that is certain costs nothing, others much.
    losses = []
    for taught in (label, 1 - label):
        given = sample(1)
        given.labels[:] = taught
        network.train()
        torch.manual_seed(0)
        losses.append(float(network.losses([given])["class"].detach()))
    assert losses[0] < losses[1]


def _only(network, part, ending):
    (name,) = (key for key in network.state_dict() if part in key and key.endswith(ending))
    return name


@BOTH
def test_no_box_is_lost_to_a_limit_of_a_hundred_and_each_is_in_pixels(name):
    """The limit is a thousand; a box that the network gives back is where its object is drawn."""
    _, _, network = make(name)
    network.eval()
    (found,) = network.detect([picture(256, 256)], 0.0)
    assert len(found.labels) > 500
    # Boxes are half-open: those that touch the border end at the image's sides, not a pixel short.
    assert found.boxes[:, 2].max() == 256
    assert found.boxes[:, 3].max() == 256


def coloured_scene(rng):
    """A red square (label 0) and a blue one (label 1), each with a corner cut out of its mask."""
    image = np.full((96, 96, 3), 90, np.uint8)
    boxes, masks = [], []
    for k, colour in enumerate((RED, BLUE)):
        x, y = 6 + 46 * k + int(rng.integers(10)), 10 + int(rng.integers(40))
        side = 26 + int(rng.integers(6))
        mask = np.ones((56, 56), np.uint8)
        mask[:28, :28] = 0
        image[y : y + side, x : x + side] = colour
        image[y : y + side // 2, x : x + side // 2] = 90
        boxes.append([x, y, x + side, y + side])
        masks.append(mask)
    return Sample(
        image,
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor([0, 1]),
        torch.from_numpy(np.stack(masks)),
        torch.ones(2, dtype=torch.bool),
    )


@BOTH
@pytest.mark.slow
def test_it_learns_colours_places_and_shapes(name):
    """Red from blue, left corner from right: what a swapped axis or channel would spoil."""
    _, _, network = make(name)
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    rng = np.random.default_rng(0)
    for _ in range(90):
        total = sum(network.losses([coloured_scene(rng), coloured_scene(rng)]).values())
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
    network.eval()
    scene = coloured_scene(rng)
    (found,) = network.detect([scene.image], 0.3)
    for label in (0, 1):
        best = found.labels.index(label)
        truth = scene.boxes[label].numpy()
        assert np.abs(found.boxes[best] - truth).max() < 6
        mask = found.masks[best]
        half = mask.shape[0] // 2
        corner = mask[: half - 2, : half - 2].mean()
        assert corner < mask[half + 2 : -2, half + 2 : -2].mean() - 0.2


@BOTH
def test_weights_go_round_and_others_are_refused(name):
    engine, config, network = make(name)
    state = {k: v.clone() for k, v in network.state_dict().items()}
    torch.manual_seed(9)
    other = engine.build(config, 2, masks=True, device=CPU)
    engine.load(other, state)
    network.eval()
    other.eval()
    image = picture(64, 80)
    (first,), (second,) = network.detect([image], 0.0), other.detect([image], 0.0)
    assert np.array_equal(first.boxes, second.boxes)
    with pytest.raises(ModelError, match="do not fit"):
        engine.load(engine.build(config, 3, masks=True, device=CPU), state)
    wrong = DetectorConfig() if name == "detectron2" else Detectron2Config("")
    with pytest.raises(ModelError, match=f"no network of {name}"):
        engine.build(wrong, 2, masks=True, device=CPU)


@BOTH
@KINDS
def test_categories_keep_their_rows_by_name(name, masks):
    """A network for (b, new) begun with one for (a, b) knows what it did of b and background."""
    engine, config, old = make(name, masks=masks)
    torch.manual_seed(4)
    new = engine.build(config, 2, masks=masks, device=CPU)
    adapted, _ = adapt_weights(
        new.state_dict(),
        old.state_dict(),
        categories=["b", "new"],
        given_categories=["a", "b"],
        class_rows=engine.class_rows(config),
    )
    class_rows = engine.class_rows(config)
    for part, background in class_rows.items():
        held = [key for key in old.state_dict() if part in key]
        assert bool(held) == (masks or "mask" not in part)
        for key in held:
            was, now = (
                state[key].reshape(2 if background == "none" else 3, -1)
                for state in (old.state_dict(), adapted)
            )
            first = 1 if background == "first" else 0
            assert torch.equal(now[first], was[first + 1])
            if background != "none":
                place = 0 if background == "first" else 2
                assert torch.equal(now[place], was[place])


@BOTH
@pytest.mark.parametrize("pipeline", ["two-stage", "end-to-end"])
def test_training_predicting_and_going_on(tmp_path, name, pipeline):
    base = config_for(tmp_path, engine=name, pipeline=pipeline)
    card = train(TrainConfig(**{**as_dict(base), "val": base.train}))
    assert card.engine == name
    assert read_card(base.out) == card
    assert "segm_AP" in card.scores
    found = load_pipeline(base.out, "cpu").predict(picture(120, 160), score=0.01)
    assert all(0 <= f.box.x0 < f.box.x1 <= 160 for f in found)
    further = {**as_dict(base), "start": base.out, "out": tmp_path / "further"}
    assert train(TrainConfig(**further)).training["started_from_id"] == card.id
    other = {"torchvision": "detectron2", "detectron2": "torchvision"}[name]
    with pytest.raises(ModelError, match="cannot start"):
        train(TrainConfig(**{**further, "engine": other, "out": tmp_path / "other"}))


@needs_detectron2
def test_the_command_line_trains_by_a_configuration(tmp_path, monkeypatch, capsys):
    base = config_for(tmp_path)
    tiny = load_engine("detectron2").configure("tiny", masks=False, published=False, config="")
    own = tmp_path / "own.yaml"
    own.write_text(tiny.yaml)
    words = ["train", "--data", str(base.train), "--images", str(base.images)]
    words += ["--pipeline", "end-to-end", "--engine", "detectron2", "--config", str(own)]
    words += ["--preset", "tiny", "--iterations", "1", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["seginst", *words, "--out", str(tmp_path / "model")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0, capsys.readouterr().err
    card = read_card(tmp_path / "model")
    assert card.training["config"] == "own.yaml"
    assert card.detector.yaml == tiny.yaml


@needs_detectron2
@pytest.mark.slow
def test_what_detectron2_has_to_mend_in_itself_is_not_said_to_the_person():
    program = (
        "import numpy, torch; from seginst_core.engines import load_engine\n"
        "engine = load_engine('detectron2')\n"
        "config = engine.configure('tiny', masks=True, published=False, config='')\n"
        "network = engine.build(config, 1, masks=True, device=torch.device('cpu')).eval()\n"
        "network.detect([numpy.zeros((64, 64, 3), numpy.uint8)], 0.9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_configuration_is_for_detectron2_only(tmp_path):
    base = config_for(tmp_path, config="COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml")
    with pytest.raises(ModelError, match="Only the detectron2 engine"):
        train(base)
    with pytest.raises(DataError, match="brings its own configuration"):
        train(TrainConfig(**{**as_dict(base), "start": tmp_path}), Reporter())
