"""What an import says came in is what came in."""

import json
import unicodedata

import pytest

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.jobs.exchange import import_annotations
from seginst_core.project import Project
from seginst_core.types import STATES, Annotation, Category, Dataset, ImageRef

from .project_folders import HEIGHT, WIDTH, blob, make_folder

PLANE = Category(1, "plane")


def written(path, *sizes):
    """Write a COCO file of a.png, b.png, ... with two objects each and return its path."""
    images = tuple(ImageRef(k, f"{'abc'[k - 1]}.png", *size) for k, size in enumerate(sizes, 1))
    found = {k: Annotation(k, (blob(2 * k), blob(2 * k + 1))) for k in range(1, len(sizes) + 1)}
    coco_json.write(Dataset(images, (PLANE,), found), path)
    return path


def brought(folder, file):
    summary = import_annotations(folder, file, "coco", Reporter())
    return summary.n_images, summary.n_objects, summary.notes


def test_only_what_came_in_is_counted(tmp_path):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT), (WIDTH, HEIGHT + 1))
    turned = "b.png was skipped: the file says 60 × 41 pixels, the image has 60 × 40."
    assert brought(folder, file) == (1, 2, (turned,))
    here = "2 objects were skipped because they are here already."
    assert brought(folder, file) == (1, 0, (here, turned))
    more = written(tmp_path / "b.json", (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert brought(folder, more) == (2, 2, (here,))


def test_a_file_whose_images_have_other_sizes_is_refused_and_changes_nothing(tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png"])
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT + 1), (WIDTH, HEIGHT))
    with pytest.raises(DataError, match=r"could be imported: a.png was skipped: the file says 60"):
        brought(folder, file)
    with Project.open(folder) as project:
        dataset = project.dataset(STATES)
    assert dataset.categories == ()
    assert not any(annotation.instances for annotation in dataset.annotations.values())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file_name": ""}, "Image 1 was skipped: it has no file_name"),
        ({"width": None}, "Image 1 was skipped: its width None is not a whole number"),
    ],
)
def test_images_that_cannot_be_used_are_the_reason(tmp_path, change, reason):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT))
    table = json.loads(file.read_text())
    table["images"][0].update(change)
    file.write_text(json.dumps(table))
    with pytest.raises(DataError, match=f"could be used: {reason}"):
        brought(folder, file)
    file.write_text(json.dumps({"images": []}))
    with pytest.raises(DataError, match="There are no images in"):
        brought(folder, file)


def test_an_image_of_lvis_is_named_by_its_address(tmp_path):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT))
    table = json.loads(file.read_text())
    del table["images"][0]["file_name"]
    table["images"][0]["coco_url"] = "http://images.cocodataset.org/train2017/a.png"
    file.write_text(json.dumps(table))
    assert brought(folder, file) == (1, 2, ())


def test_letters_that_another_system_spells_otherwise_are_the_same(tmp_path):
    composed, decomposed, both = "caf\u00e9.png", "cafe\u0301.png", "b\u00e9.png"
    folder = make_folder(tmp_path / "images", [composed, both, unicodedata.normalize("NFD", both)])
    if len(list(folder.iterdir())) < 3:
        pytest.skip("this disk spells names in one way")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    table = json.loads(file.read_text())
    table["images"][0]["file_name"] = decomposed
    table["images"][1]["file_name"] = both
    file.write_text(json.dumps(table))
    assert brought(folder, file)[:2] == (2, 4)
    with Project.open(folder) as project:
        found = {entry.ref.path: entry.n_instances for entry in project.images()}
    assert found == {composed: 2, both: 2, unicodedata.normalize("NFD", both): 0}


def test_categories_that_become_one_are_named(tmp_path):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT))
    table = json.loads(file.read_text())
    names = ["Plane", "plane", "car", "boat", "car"]
    table["categories"] = [{"id": k, "name": name} for k, name in enumerate(names, 1)]
    table["categories"][4]["supercategory"] = "toy"
    file.write_text(json.dumps(table))
    note = (
        "Categories whose names differ in case alone or not at all became one: "
        "Plane and plane, car and car."
    )
    assert brought(folder, file)[:2] == (1, 2)
    assert brought(folder, file)[2][0] == note


def test_images_that_have_another_id_in_the_file_are_told(tmp_path):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert brought(folder, file) == (2, 4, ())
    other = make_folder(tmp_path / "other", ["0.png", "a.png", "b.png"])
    (note,) = brought(other, file)[2]
    assert note.startswith("Images that have another id here than in a.json: 2;")


def test_classes_keep_their_ids_from_0_on_or_are_told(tmp_path):
    folder = make_folder(tmp_path / "images")
    file = written(tmp_path / "a.json", (WIDTH, HEIGHT))
    table = json.loads(file.read_text())
    table["categories"] = [{"id": k, "name": name} for k, name in enumerate(("tree", "plane"))]
    file.write_text(json.dumps(table))
    assert brought(folder, file) == (1, 2, ())
    with Project.open(folder) as project:
        assert [(c.id, c.name) for c in project.categories()] == [(0, "tree"), (1, "plane")]
        assert project.annotation(1).instances[0].category_id == 1
    table["categories"] = [{"id": -1, "name": "car"}, {"id": 1, "name": "boat"}]
    file.write_text(json.dumps(table))
    *_, note = brought(folder, file)[2]
    assert note.startswith("Classes that have another id here than in a.json: 2;")


@pytest.mark.parametrize(
    ("project", "file", "name"),
    [
        ("set/images", "set/result.json", "images/a.png"),  # Label Studio
        ("set/images", "set/result.json", "images\\a.png"),
        ("set", "set/images/_annotations.coco.json", "a.png"),  # Roboflow
    ],
)
def test_names_may_start_at_the_file_instead_of_the_folder(tmp_path, project, file, name):
    make_folder(tmp_path / "set/images", ["a.png"])
    table = json.loads(written(tmp_path / "a.json", (WIDTH, HEIGHT)).read_text())
    table["images"][0]["file_name"] = name
    (tmp_path / file).write_text(json.dumps(table))
    assert brought(tmp_path / project, tmp_path / file) == (1, 2, ())


def test_names_start_at_the_folder_where_one_is_there(tmp_path):
    folder = make_folder(tmp_path / "set", ["a.png", "train/a.png", "train/b.png"])
    file = written(folder / "train/a.json", (WIDTH, HEIGHT), (WIDTH, HEIGHT))
    assert brought(folder, file)[2][0] == "b.png was skipped: it is not in this folder."
    with Project.open(folder) as project:
        found = {e.ref.path: e.n_instances for e in project.images()}
    assert found == {"a.png": 2, "train/a.png": 0, "train/b.png": 0}
