"""A truth is read as an import reads it: spelled otherwise or bad in parts, and that is said."""

import json

import pytest

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.review.compare import compare
from seginst_core.review.inputs import read_truth
from seginst_core.review.metrics import evaluate

from .review_scenes import HEIGHT, WIDTH, predictions, rectangle, truth

BITS, OTHER = rectangle(20, 30, 40, 25), rectangle(120, 90, 50, 60)
FOUND = predictions([(1, 1, BITS, 0.9), (2, 2, OTHER, 0.8)])
RING = [20, 30, 60, 30, 60, 55, 20, 55]


def scene():
    return truth([(1, 1, BITS, False), (2, 2, OTHER, False)], n_images=2)


def read(of, folder):
    """The truth of a file, what the log says of it, and the notes of an import of the same file."""
    path = folder / "truth.json"
    path.write_text(json.dumps(of))
    events = []
    found = read_truth(path, Reporter(events.append))
    return found, [event["text"] for event in events], coco_json.read(path).notes


def respelled(how):
    whole, found = scene(), [dict(row) for row in FOUND]
    for row in (*whole["images"], *whole["categories"], *whole["annotations"], *found):
        row.update({key: how(row[key]) for key in row if key == "id" or key.endswith("_id")})
    for row in whole["images"]:
        row.update(width=how(row["width"]), height=how(row["height"]))
    return whole, found


@pytest.mark.parametrize("how", [str, float])
def test_numbers_may_be_text_or_have_a_point(tmp_path, how):
    whole, found = respelled(how)
    assert evaluate(whole, found) == evaluate(scene(), FOUND)
    data_set = {**whole, "annotations": found}
    assert evaluate(scene(), data_set) == evaluate(scene(), FOUND)
    read_as, said, notes = read(whole, tmp_path)
    assert [item.index for item in read_as.items] == [1, 2]
    assert said == []
    assert notes == ()


def test_what_python_and_windows_write_beyond_the_standard_is_read(tmp_path):
    path, found = tmp_path / "truth.json", tmp_path / "found.json"
    text = json.dumps(scene()).replace('"area": 1000.0', '"area": NaN')
    assert "NaN" in text
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(text, encoding=encoding)
        found.write_text(json.dumps(FOUND), encoding=encoding)
        assert evaluate(path, found) == evaluate(scene(), FOUND)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_id": 9}, "Annotation 3 of the truth names the image 9"),
        ({"category_id": None}, 'Annotation 3 of the truth has no whole number "category_id"'),
        ({"segmentation": 7}, "Annotation 3 of the truth has a segmentation that is neither"),
        ({"segmentation": {"size": [5, 5], "counts": [25]}}, "has a mask of 5 x 5 pixels"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "~~~~"}}, "has a damaged mask"),
        ({"segmentation": [[0, 0, None, 0, 5, 5]]}, "has a damaged mask"),
        ({"segmentation": [[1, 2, 3, 4]], "bbox": None}, "has neither a box nor a mask"),
        ({"segmentation": [], "bbox": [1, 2, -3, 4]}, "has neither a box nor a mask"),
    ],
)
def test_a_bad_annotation_is_left_out_and_named(tmp_path, change, words):
    whole = scene()
    whole["annotations"].append({**whole["annotations"][0], "id": 3, **change})
    found, said, notes = read(whole, tmp_path)
    assert found == read_truth(scene())
    assert len(said) == len(notes) == 1
    assert words in said[0]
    assert said[0].endswith("It is left out.")
    assert "Annotation 3 was skipped" in notes[0]
    assert evaluate(whole, FOUND) == evaluate(scene(), FOUND)


def test_images_and_categories_that_are_bad_are_left_out_with_what_is_in_them(tmp_path):
    whole = scene()
    whole["images"] += [{"id": 3, "file_name": "3.png", "width": 0, "height": 5}, 7]
    whole["categories"] += [{"name": "moon"}, {"id": 1, "name": "again"}]
    whole["annotations"].append({**whole["annotations"][0], "id": 3, "image_id": 3})
    found, said, notes = read(whole, tmp_path)
    assert found == read_truth(scene())
    assert len(said) == len(notes) == 5
    with pytest.raises(DataError, match="the impossible size 0 x 5"):
        read_truth({**whole, "images": whole["images"][2:3]})


def test_where_every_annotation_is_bad_the_first_ones_fault_is_the_answer():
    whole = scene()
    for row in whole["annotations"]:
        row["image_id"] = 9
    with pytest.raises(DataError, match="Annotation 1 of the truth names the image 9"):
        read_truth(whole)


@pytest.mark.parametrize("ids", [(None, None), (5, 5), ("x", 7)])
def test_an_annotation_without_an_id_of_its_own_gets_one(tmp_path, ids):
    whole = scene()
    for row, own_id in zip(whole["annotations"], ids, strict=True):
        row["id"] = own_id
        if own_id is None:
            del row["id"]
    found, said, notes = read(whole, tmp_path)
    assert len({item.index for item in found.items}) == 2
    assert said == list(notes)
    assert evaluate(whole, FOUND) == evaluate(scene(), FOUND)


@pytest.mark.parametrize(
    "segmentation", [[RING, [1, 2, 3, 4]], [RING, []], RING, [[str(v) for v in RING]]]
)
def test_rings_are_read_as_an_import_reads_them(tmp_path, segmentation):
    whole = scene()
    whole["annotations"][0]["segmentation"] = segmentation
    found, said, notes = read(whole, tmp_path)
    assert found == read_truth(scene())
    assert said == []
    assert notes == ()


def test_a_prediction_may_be_one_ring_that_is_in_no_list():
    flat = [{**FOUND[0], "segmentation": RING}, FOUND[1]]
    assert evaluate(scene(), flat) == evaluate(scene(), FOUND)


@pytest.mark.parametrize("segmentation", [[[1, 2, 3, 4]], [[]]])
def test_where_a_mask_covers_nothing_the_box_is_kept(tmp_path, segmentation):
    whole, boxed = scene(), scene()
    whole["annotations"][0]["segmentation"] = segmentation
    boxed["annotations"][0]["segmentation"] = []
    found, said, notes = read(whole, tmp_path)
    assert found == read_truth(boxed)
    assert said == ["Annotation 1 of the truth keeps only its box: its mask covers no pixel."]
    assert notes == ("Annotation 1 kept only its box: its mask covers no pixel.",)


@pytest.mark.parametrize("bbox", [[20, 30, -40, 25], [1, 2, 3], None, "20"])
def test_a_bad_box_gives_way_to_the_masks_own(bbox):
    whole = scene()
    whole["annotations"][0]["bbox"] = bbox
    assert read_truth(whole) == read_truth(scene())


@pytest.mark.parametrize(
    ("mark", "is_crowd"), [("0", False), ("1", True), (1, True), (0, False), (None, False)]
)
def test_a_crowd_is_marked_by_one_alone(tmp_path, mark, is_crowd):
    whole = scene()
    whole["annotations"][0]["iscrowd"] = mark
    found, _, _ = read(whole, tmp_path)
    assert found.items[0].iscrowd is is_crowd
    dataset = coco_json.read(tmp_path / "truth.json")
    assert dataset.annotations[1].instances[0].iscrowd is is_crowd


def test_what_is_left_out_is_said_once_by_both_commands():
    whole = scene()
    whole["annotations"].append({**whole["annotations"][0], "id": 3, "image_id": 9})
    for measure in (
        lambda reporter: evaluate(whole, FOUND, reporter),
        lambda reporter: compare(whole, FOUND, FOUND, n_resamples=2, reporter=reporter),
    ):
        events = []
        measure(Reporter(events.append))
        logs = [event["text"] for event in events if event["event"] == "log"]
        assert len(logs) == 1
        assert "the image 9" in logs[0]
