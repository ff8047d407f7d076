"""The jobs of learning: looks of images, fine-tuning with its gate, and the quick refresh."""

import json
from pathlib import Path
from statistics import NormalDist
from threading import Event as Flag

import cv2
import numpy as np
import pytest

from seginst_core.errors import Cancelled, DataError
from seginst_core.events import Reporter
from seginst_core.images.similar import look_of
from seginst_core.jobs import JOBS
from seginst_core.jobs.learning import refresh
from seginst_core.jobs.learning.fine_tune import MASK_PASSES
from seginst_core.jobs.learning.refresh import _interval
from seginst_core.models.card import DETECTOR_FILE, MASK_FILE, file_digest, read_card
from seginst_core.models.config import TRAINING
from seginst_core.training.plan import TrainConfig
from seginst_core.training.run import train
from seginst_core.training.validate import answers

from .test_training import write_discs


def picture(seed, side=160):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def test_copies_look_alike_and_others_do_not(tmp_path):
    original = picture(1)
    brighter = np.clip(original.astype(int) * 1.1 + 12, 0, 255).astype(np.uint8)
    copies = {
        "same.png": original,
        "saved_anew.jpg": original,
        "smaller.png": cv2.resize(original, (90, 90), interpolation=cv2.INTER_AREA),
        "brighter.png": brighter,
        "other.png": picture(2),
        "flat.png": np.full((40, 40, 3), 90, np.uint8),
    }
    for name, pixels in copies.items():
        cv2.imwrite(str(tmp_path / name), pixels)
    looks = {name: look_of(tmp_path / name) for name in copies}
    assert looks.pop("flat.png") == ""
    other = int(looks.pop("other.png"), 16)
    same = int(looks["same.png"], 16)
    assert all((int(look, 16) ^ same).bit_count() <= 8 for look in looks.values())
    assert (other ^ same).bit_count() > 8
    rows = [{"image_id": k, "path": str(tmp_path / n)} for k, n in enumerate(["same.png", "no"])]
    said = []
    assert JOBS["image_looks"]({"images": rows}, Reporter(said.append))["looks"] == [
        [0, looks["same.png"]]
    ]
    assert any(event["event"] == "log" for event in said)


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    """Train and val of discs, and a model that learned the first well enough to be spoiled."""
    folder = tmp_path_factory.mktemp("discs")
    data, images = write_discs(folder, n_images=10)
    coco = json.loads(data.read_text())
    parts = {"train": (1, 2, 3), "val": (4, 5, 6, 7, 8, 9)}
    for name, ids in parts.items():
        rows = [a for a in coco["annotations"] if a["image_id"] in ids]
        part = {**coco, "annotations": rows}
        part["images"] = [i for i in coco["images"] if i["id"] in ids]
        (folder / f"{name}.json").write_text(json.dumps(part))
    train(
        TrainConfig(
            folder / "train.json", images, folder / "good", "two-stage", preset="tiny",
            iterations=70, seed=1,
        )
    )  # fmt: skip
    return folder


def params(discs, out, **changes):
    return {
        "train": str(discs / "train.json"),
        "val": str(discs / "val.json"),
        "images": str(discs / "images"),
        "pipeline": "two-stage",
        "preset": "tiny",
        "out": str(out),
        "start": str(discs / "good"),
        "former": str(discs / "good"),
        "iterations": 40,
        **changes,
    }


def refresh_params(discs, out, **changes):
    return {
        "model": str(discs / "good"),
        "train": str(discs / "train.json"),
        "val": str(discs / "val.json"),
        "images": str(discs / "images"),
        "out": str(out),
        **changes,
    }


def shuffled(discs, folder):
    """The train set with every object's mask taken from somewhere else in its box."""
    coco = json.loads((discs / "train.json").read_text())
    rng = np.random.default_rng(0)
    for annotation in coco["annotations"]:
        x, y, w, h = annotation["bbox"]
        corners = rng.uniform(0, 1, (3, 2)) * (w / 2, h / 2) + (x, y)
        annotation["segmentation"] = [[float(v) for v in corners.ravel()]]
    path = folder / "shuffled.json"
    path.write_text(json.dumps(coco))
    return path


def test_a_better_model_passes_the_gate_and_one_of_shuffled_masks_does_not(discs, tmp_path):
    fresh = params(discs, tmp_path / "first", start="", former="", iterations=70, seed=1)
    better = JOBS["fine_tune"](fresh, Reporter())["verdict"]
    assert better["word"] == "better", "anything is better than nothing"
    worse_params = params(
        discs, tmp_path / "worse", train=str(shuffled(discs, tmp_path)), stage="mask"
    )
    worse = JOBS["fine_tune"](worse_params, Reporter())["verdict"]
    assert worse["word"] == "worse"
    assert worse["before"]["segm_AP"] == pytest.approx(better["after"]["segm_AP"])
    card = read_card(tmp_path / "worse")
    assert card.scores["segm_AP"] == pytest.approx(worse["after"]["segm_AP"], abs=1e-5)
    assert card.training["started_from_id"] == read_card(discs / "good").id


def test_a_run_cut_short_goes_on_and_one_that_is_whole_is_only_judged(discs, tmp_path):
    stop = Flag()

    def send(event):
        if event["event"] == "progress" and "iteration 3" in event["text"]:
            stop.set()

    asked = params(discs, tmp_path / "model", stage="mask", iterations=6)
    with pytest.raises(Cancelled):
        JOBS["fine_tune"](asked, Reporter(send, stop))
    said = []
    result = JOBS["fine_tune"]({**asked, "resume": True}, Reporter(said.append))
    assert any("goes on from iteration" in event.get("text", "") for event in said)
    digest = file_digest(tmp_path / "model" / MASK_FILE)
    again = JOBS["fine_tune"]({**asked, "resume": True}, Reporter())
    for one in (again, result):
        assert one["scores"].pop("seconds_per_image") > 0
    assert again == result
    assert file_digest(tmp_path / "model" / MASK_FILE) == digest


def test_what_the_former_model_drew_first_is_forgiven_in_the_verdict_and_not_in_the_card(
    discs, tmp_path
):
    # Masks that nobody changed: the former model has every pixel right.
    coco = json.loads((discs / "val.json").read_text())
    data = tmp_path / "left.json"
    rows = answers(discs / "good", discs / "val.json", discs / "images", "cpu", Reporter()).results
    left = [{**row, "id": k, "area": 1.0, "iscrowd": 0} for k, row in enumerate(rows, 1)]
    data.write_text(json.dumps({**coco, "annotations": left}))
    asked = params(discs, tmp_path / "model", stage="mask", iterations=20, val=str(data))
    begun = [row["id"] for row in left]
    strict = JOBS["fine_tune"](asked, Reporter())["verdict"]
    fair = JOBS["fine_tune"]({**asked, "begun": begun, "resume": True}, Reporter())
    assert fair["verdict"]["before"] == strict["before"]
    assert fair["verdict"]["after"]["mean_iou"] > strict["after"]["mean_iou"]
    assert fair["scores"]["mean_iou"] == pytest.approx(strict["after"]["mean_iou"], abs=1e-5)


def test_masks_alone_are_not_trained_for_classes_that_the_detector_does_not_know(discs, tmp_path):
    coco = json.loads((discs / "train.json").read_text())
    data = tmp_path / "cells.json"
    (disc,) = coco["categories"]
    data.write_text(json.dumps({**coco, "categories": [{**disc, "name": "cell"}]}))
    asked = params(discs, tmp_path / "model", stage="mask", train=str(data), val=None)
    with pytest.raises(DataError, match=r"^good knows none of the classes of the data, "):
        JOBS["fine_tune"](asked, Reporter())
    data.write_text(json.dumps({**coco, "categories": [{**disc, "name": disc["name"].upper()}]}))
    JOBS["fine_tune"]({**asked, "iterations": 1}, Reporter())


def test_a_class_that_was_renamed_is_the_one_that_models_learned(discs, tmp_path):
    named = {}
    for part in ("train", "val"):
        coco = json.loads((discs / f"{part}.json").read_text())
        (disc,) = coco["categories"]
        named[part] = str(tmp_path / f"{part}.json")
        Path(named[part]).write_text(json.dumps({**coco, "categories": [{**disc, "name": "cell"}]}))
    renamed = {disc["name"]: "cell"}
    asked = params(discs, tmp_path / "model", iterations=1, renamed=renamed, **named)
    verdict = JOBS["fine_tune"](asked, Reporter())["verdict"]
    plain = params(discs, tmp_path / "plain", iterations=1)
    # The class's rows of the detector are kept, and the former model is not taken for blind.
    assert verdict == JOBS["fine_tune"](plain, Reporter())["verdict"]
    assert verdict["before"]["segm_AP"] > 0
    masks = {**asked, "stage": "mask", "out": str(tmp_path / "masks")}
    JOBS["fine_tune"](masks, Reporter())
    assert [c.name for c in read_card(tmp_path / "masks").categories] == ["cell"]
    with pytest.raises(DataError, match="texts by name"):
        JOBS["fine_tune"]({**asked, "renamed": ["cell"]}, Reporter())


def test_a_model_whose_former_is_gone_is_kept_without_a_verdict(discs, tmp_path):
    asked = params(discs, tmp_path / "model", former=str(tmp_path / "gone"), iterations=1)
    result = JOBS["fine_tune"](asked, Reporter())
    assert result["verdict"] is None
    assert result["scores"] == dict(read_card(tmp_path / "model").scores)


def test_an_image_that_is_gone_is_left_out_of_a_refresh_test(discs, tmp_path, monkeypatch):
    counted = []

    def effect(in_image):
        counted.extend(in_image)
        return 1e6

    monkeypatch.setattr(refresh, "design_effect", effect)
    coco = json.loads((discs / "val.json").read_text())
    gone = [{**image, "file_name": "gone.png"} for image in coco["images"][:1]]
    data = tmp_path / "val.json"
    data.write_text(json.dumps({**coco, "images": [*gone, *coco["images"][1:]]}))
    asked = refresh_params(discs, tmp_path / "out", val=str(data), iterations=1)
    result = JOBS["refresh_masks"](asked, Reporter())
    assert (result["n"], sum(counted), len(counted)) == (20, 20, 5)
    # Were so many objects as one, nothing could be said of them.
    assert result["ci95"][0] < -0.1 < 0.1 < result["ci95"][1]


def test_the_interval_of_a_refresh_is_wider_for_objects_of_one_image():
    gains = np.random.default_rng(0).normal(0.02, 0.05, 40)
    low, high = _interval(gains, 1.0)
    assert 0 < low < gains.mean() < high
    wide = _interval(gains, 4.0)
    assert np.allclose(np.subtract(wide, gains.mean()), 2 * np.subtract((low, high), gains.mean()))


def test_the_interval_of_few_corrections_is_as_wide_as_students():
    gains = np.array([NormalDist(0.02, 0.03).inv_cdf((k + 0.5) / 8) for k in range(8)])
    low, high = _interval(gains, 1.0)
    # Plain percentiles of the resamples reach four fifths of it.
    half = 2.3646 * gains.std(ddof=1) / 8**0.5
    assert high - low == pytest.approx(2 * half, rel=0.1)


def test_a_refresh_keeps_the_detector_and_goes_only_if_better(discs, tmp_path):
    asked = refresh_params(discs, tmp_path / "refreshed", iterations=120)
    result = JOBS["refresh_masks"](asked, Reporter())
    assert result["n"] == 24
    assert result["better"] is True
    assert result["ci95"][0] > 0
    assert (tmp_path / "refreshed").exists()
    assert result["after"] > result["before"]
    files = read_card(tmp_path / "refreshed").files
    assert files[DETECTOR_FILE] == read_card(discs / "good").files[DETECTOR_FILE]
    assert files[DETECTOR_FILE] == file_digest(tmp_path / "refreshed" / DETECTOR_FILE)
    assert files[MASK_FILE] != read_card(discs / "good").files[MASK_FILE]
    spoiled = {**asked, "train": str(shuffled(discs, tmp_path)), "out": str(tmp_path / "spoiled")}
    result = JOBS["refresh_masks"](spoiled, Reporter())
    assert result["better"] is False
    assert result["after"] < result["before"]
    assert not (tmp_path / "spoiled").exists()


def test_a_refresh_needs_something_to_be_tried_on(discs, tmp_path):
    coco = json.loads((discs / "val.json").read_text())
    few = tmp_path / "few.json"
    few.write_text(json.dumps({**coco, "annotations": coco["annotations"][:2]}))
    asked = refresh_params(discs, tmp_path / "out", val=str(few), iterations=1)
    with pytest.raises(DataError, match="tried on 5 corrected objects"):
        JOBS["refresh_masks"](asked, Reporter())


def test_a_fine_tune_does_not_learn_few_masks_by_heart(discs, tmp_path):
    """It ends by what it saw, hours before its minutes are over."""
    events = []
    given = params(discs, tmp_path / "out", stage="mask", minutes=600.0, iterations=None)
    JOBS["fine_tune"](given, Reporter(events.append))
    n_objects = read_card(tmp_path / "out").training["n_objects"]
    last = [e["iteration"] for e in events if e["event"] == "loss"][-1]
    assert last == MASK_PASSES * n_objects // TRAINING["tiny"].mask_batch
    # Who counts iterations gets them.
    events.clear()
    given = params(discs, tmp_path / "more", stage="mask", iterations=last + 3)
    JOBS["fine_tune"](given, Reporter(events.append))
    assert [e["iteration"] for e in events if e["event"] == "loss"][-1] == last + 3
