"""Predictions into a file: nothing that can be known before is found out after the work."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from seginst_core.errors import DataError, FormatError
from seginst_core.events import Reporter
from seginst_core.jobs import predict_files
from seginst_core.jobs.predict_files import PredictSettings, predict_dataset, predict_paths
from seginst_core.types import Category

from .project_folders import HEIGHT, WIDTH, blob, make_folder

SETTINGS = PredictSettings("model")


class Finder:
    """A model that finds one object in each image."""

    device = "cpu"

    def __init__(self) -> None:
        self.n_seen = 0

    def predict(self, *_: object, **__: object):
        self.n_seen += 1
        return [blob(0)]


@pytest.fixture
def model(monkeypatch):
    finder = Finder()
    card = SimpleNamespace(name="finder", id="1", categories=(Category(1, "plane"),))
    monkeypatch.setattr(predict_files, "resolve", lambda name: name)
    monkeypatch.setattr(predict_files, "read_card", lambda folder: card)
    monkeypatch.setattr(predict_files, "_pipeline", lambda settings: finder)
    monkeypatch.setattr("seginst_core.engines.device.describe_device", str)
    return finder


def listed(path):
    return [image["file_name"] for image in json.loads(path.read_text("utf-8"))["images"]]


def test_a_name_that_is_no_text_is_said_at_the_start_and_left_out(model, tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png", "é.png"])
    odd = os.fsencode(folder) + b"/caf\xe9.png"
    try:
        os.link(folder / "a.png", odd)
    except OSError:
        pytest.skip("this disk takes only names that are text")
    said: list[tuple[object, int]] = []
    reporter = Reporter(lambda event: said.append((event.get("text"), model.n_seen)))
    out = tmp_path / "p.json"
    summary = predict_paths(SETTINGS, [folder], out, reporter)
    sentence = "caf\\xe9.png was left out: its name is not valid text."
    assert (sentence, 0) in said
    assert summary.problems == (sentence,)
    assert listed(out) == ["a.png", "é.png"]
    with pytest.raises(DataError, match="its name is not valid text"):
        predict_paths(SETTINGS, [folder / os.fsdecode(b"caf\xe9.png")], out, Reporter())


def test_a_place_where_no_file_can_be_is_refused_before_the_work(model, tmp_path):
    folder = make_folder(tmp_path / "images")
    data = tmp_path / "data.json"
    data.write_text("{}")
    for out in (folder, data / "p.json", data / "more" / "p.json", folder / "a.png"):
        with pytest.raises(FormatError, match=str(out)):
            predict_paths(SETTINGS, [folder], out, Reporter())
        with pytest.raises(FormatError, match=str(out)):
            predict_dataset(SETTINGS, data, folder, out, Reporter())
    assert model.n_seen == 0


def test_a_place_that_is_closed_to_us_is_refused_before_the_work(model, tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "images")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(FormatError, match="Permission denied"):
        predict_paths(SETTINGS, [folder], tmp_path / "new" / "p.json", Reporter())
    assert model.n_seen == 0


def test_an_image_reached_by_two_ways_is_listed_once_and_below_the_common_folder(
    model, tmp_path, monkeypatch
):
    folder = make_folder(tmp_path / "x", ["a.png", "sub/b.png"])
    monkeypatch.chdir(folder / "sub")
    out = tmp_path / "p.json"
    predict_paths(SETTINGS, [folder, folder / "sub" / ".." / "a.png"], out, Reporter())
    assert listed(out) == ["a.png", "sub/b.png"]
    predict_paths(SETTINGS, [Path("../a.png"), Path()], out, Reporter())
    assert listed(out) == ["a.png", "sub/b.png"]


def test_folders_that_are_links_keep_their_names_and_mean_what_they_point_to(model, tmp_path):
    make_folder(tmp_path / "disk" / "one", ["a.png"])
    make_folder(tmp_path / "disk" / "two", ["a.png"])
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).symlink_to(tmp_path / "disk" / name)
    out = tmp_path / "p.json"
    predict_paths(SETTINGS, [folder / "one", folder / "two"], out, Reporter())
    assert listed(out) == ["one/a.png", "two/a.png"]
    # Here `..` leads to the disk, not back into the folder of links.
    (tmp_path / "disk" / "c.png").write_bytes((folder / "one" / "a.png").read_bytes())
    predict_paths(SETTINGS, [folder / "one" / ".." / "c.png"], out, Reporter())
    assert listed(out) == ["c.png"]


def test_images_of_a_data_set_are_found_however_their_letters_are_spelled(model, tmp_path):
    folder = make_folder(tmp_path / "images", ["caf\u00e9.png"])
    table = {
        "images": [{"id": 7, "file_name": "cafe\u0301.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "plane"}],
    }
    (tmp_path / "data.json").write_text(json.dumps(table))
    out = tmp_path / "p.json"
    summary = predict_dataset(SETTINGS, tmp_path / "data.json", folder, out, Reporter())
    assert (summary.n_images, summary.problems) == (1, ())
