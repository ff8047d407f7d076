"""Validation images are looked at before training, and what cannot be read is not scored."""

import json
import shutil
import unicodedata

import pytest

from seginst_core.errors import DataError, SegInstError
from seginst_core.events import Reporter
from seginst_core.jobs import JOBS
from seginst_core.jobs.study import StudySettings, study
from seginst_core.models.card import CARD_NAME, read_card
from seginst_core.training import run, validate
from seginst_core.training.gate import judge
from seginst_core.training.plan import TrainConfig
from seginst_core.training.run import train
from seginst_core.training.scenes import load_scenes
from seginst_core.training.validate import Answers, answers, check_held_out, check_validation

from .test_training import write_discs


@pytest.fixture(scope="module")
def discs(tmp_path_factory):
    """A data set, and a model that was trained on it for two steps."""
    folder = tmp_path_factory.mktemp("discs")
    data, images = write_discs(folder)
    train(settings(data, images, folder / "model"))
    return folder


def settings(data, images, out, val=None):
    return TrainConfig(data, images, out, "two-stage", val, preset="tiny", iterations=2)


def changed(discs, folder, **parts):
    coco = json.loads((discs / "train.json").read_text())
    path = folder / "val.json"
    path.write_text(json.dumps({**coco, **parts}))
    return path


def of_other_size(coco):
    """Parts of a data set of boxes that says of an image that it is wider than it is."""
    return {
        "images": [{**row, "width": 200} if row["id"] == 2 else row for row in coco["images"]],
        "annotations": [{**row, "segmentation": []} for row in coco["annotations"]],
    }


def bad_validations(discs):
    """Parts of validation files that cannot be scored on, each with what the sentence says."""
    coco = json.loads((discs / "train.json").read_text())
    absent = [{**row, "file_name": f"gone{row['id']}.png"} for row in coco["images"]]
    return [
        ({"categories": [{"id": 3, "name": "moon"}]}, "share no category"),
        ({"annotations": []}, "no annotated object"),
        ({"images": absent}, "4 of the 4 images of val.json cannot be scored on: gone1.png does"),
        (of_other_size(coco), "1.png has 160 x 160 pixels, not 200 x 160 as stated"),
        ({"images": []}, "no images"),
    ]


@pytest.mark.parametrize("which", range(5))
def test_validation_that_cannot_be_scored_on_is_refused_before_training(discs, tmp_path, which):
    parts, sentence = bad_validations(discs)[which]
    val = changed(discs, tmp_path, **parts)
    out, data = tmp_path / "model", discs / "train.json"
    events = []
    with pytest.raises(DataError) as caught:
        train(settings(data, discs / "images", out, val), Reporter(events.append))
    assert sentence in str(caught.value)
    assert not out.exists()
    assert not any(event["event"] == "loss" for event in events)
    with pytest.raises(DataError) as caught:
        study(
            StudySettings(data, val, discs / "images", tmp_path / "study", 0.01, device="cpu"),
            Reporter(events.append),
        )
    assert sentence in str(caught.value)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("content", [None, "{"])
def test_validation_that_is_no_file_of_coco_is_refused_before_training(discs, tmp_path, content):
    val = tmp_path / "val.json"
    if content is not None:
        val.write_text(content)
    with pytest.raises(SegInstError, match=r"val\.json"):
        train(settings(discs / "train.json", discs / "images", tmp_path / "model", val))
    assert not (tmp_path / "model").exists()


def test_validation_that_is_whole_passes(discs):
    check_validation(
        discs / "train.json", discs / "images", read_card(discs / "model").categories, Reporter()
    )


def test_images_are_found_however_their_letters_are_spelled(discs, tmp_path):
    coco = json.loads((discs / "train.json").read_text())
    images = [{**row, "file_name": f"e\u0301{row['id']}.png"} for row in coco["images"]]
    for old, new in zip(coco["images"], images, strict=True):
        spelled = unicodedata.normalize("NFC", new["file_name"])
        shutil.copy(discs / "images" / old["file_name"], tmp_path / spelled)
    images.append({**images[0], "id": 99, "file_name": f"{'long' * 99}.png"})
    data = changed(discs, tmp_path, images=images)
    scenes = load_scenes(data, tmp_path, Reporter())
    assert len(scenes.scenes) == len(coco["images"])
    assert scenes.image(0).any()
    data = changed(discs, tmp_path, images=images[:-1])
    check_validation(data, tmp_path, read_card(discs / "model").categories, Reporter())
    check_held_out(data, tmp_path, Reporter())


def test_validation_with_a_bad_annotation_passes_and_names_it(discs, tmp_path):
    coco = json.loads((discs / "train.json").read_text())
    images = [{**row, "id": str(row["id"])} for row in coco["images"]]
    rows = [*coco["annotations"], {**coco["annotations"][0], "id": 99, "image_id": 77}]
    val = changed(discs, tmp_path, images=images, annotations=rows)
    events = []
    categories = read_card(discs / "model").categories
    check_validation(val, discs / "images", categories, Reporter(events.append))
    assert [e["text"].startswith("Annotation 99 of the truth") for e in events] == [True]
    exact = tuple({**row, "score": 0.9} for row in coco["annotations"])
    assert validate.scores_of(val, Answers(exact, 0.1), Reporter())["mean_iou"] == 1.0


def test_held_out_images_may_be_empty_and_some_may_be_gone_but_not_all(discs, tmp_path):
    val = changed(discs, tmp_path, annotations=[])
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(DataError, match=r"None of the images of val\.json can be read"):
        check_held_out(val, images, Reporter())
    asked = {"train": str(discs / "train.json"), "val": str(val), "images": str(images)}
    asked |= {"out": str(tmp_path / "out"), "pipeline": "two-stage", "preset": "tiny"}
    with pytest.raises(DataError, match="None of the images"):
        JOBS["fine_tune"]({**asked, "iterations": 2}, Reporter())
    shutil.copy(discs / "images" / "1.png", images)
    check_held_out(val, images, Reporter())


def damaged(discs, folder, *names):
    """The images, of which some end in the middle: their headers are whole."""
    images = folder / "images"
    shutil.copytree(discs / "images", images)
    for name in names:
        whole = (images / name).read_bytes()
        (images / name).write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    return images


def test_an_image_that_cannot_be_read_is_left_out_of_the_score(discs, tmp_path):
    val, said = discs / "train.json", []
    found = answers(
        discs / "model", val, damaged(discs, tmp_path, "1.png"), "cpu", Reporter(said.append)
    )
    assert found.unread == {2}
    assert any(
        "1.png" in e["text"] and "left out" in e["text"] for e in said if e["event"] == "log"
    )
    rows = [row for row in json.loads(val.read_text())["annotations"] if row["image_id"] != 2]
    exact = tuple({**row, "score": 0.9} for row in rows)
    scores = validate.scores_of(val, Answers(exact, 0.1, found.unread), Reporter())
    assert scores["segm_AP"] == pytest.approx(1.0)
    assert scores["mean_iou"] == 1.0
    verdict = judge(val, Answers((), 0.0), Answers(exact, 0.1, found.unread))
    assert verdict.after["segm_AP"] == pytest.approx(1.0)
    assert verdict.n_images == 3


def test_images_of_which_none_can_be_read_give_no_score(discs, tmp_path):
    images = damaged(discs, tmp_path, *(f"{k}.png" for k in range(4)))
    with pytest.raises(DataError, match=r"None of the images of train\.json can be read"):
        answers(discs / "model", discs / "train.json", images, "cpu", Reporter())


def test_a_model_whose_scoring_fails_is_there_and_that_is_said(discs, tmp_path, monkeypatch):
    def fails(*given):
        raise DataError("The images went away.")

    monkeypatch.setattr(run, "validate", fails)
    data, out = discs / "train.json", tmp_path / "model"
    with pytest.raises(DataError) as caught:
        train(settings(data, discs / "images", out, data))
    assert (
        str(caught.value) == f"The model at {out} is whole but has no scores: The images went away."
    )
    assert (out / CARD_NAME).is_file()
    assert not read_card(out).scores
