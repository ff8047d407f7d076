"""A COCO file without its masks: the same index as pycocotools', checked as far as it goes."""

import gc
import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from seginst_core.errors import FormatError
from seginst_core.formats import coco_json
from seginst_core.formats.coco_json import load, read
from seginst_core.formats.coco_parts import CocoFile

SQUARE = [3, 4, 9, 4, 9, 8, 3, 8]
GOOD = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [SQUARE]}
IMAGES = [{"id": k, "file_name": f"{k}.png", "width": 40, "height": 30} for k in (900, 1, 17)]
CATEGORIES = [{"id": 70, "name": "ship"}, {"id": 1, "name": "plane"}]


def written(folder: Path, *annotations: object, **other: object) -> Path:
    path = folder / "a.json"
    root = {"images": IMAGES, "categories": CATEGORIES, "annotations": list(annotations), **other}
    path.write_text(json.dumps(root), "utf-8")
    return path


def test_the_index_is_that_of_pycocotools(tmp_path):
    places = [(5000, 1, 70), (12, 900, 1), (40, 1, 1), (7, 900, 70), (8, 1, 1)]
    items = [
        {**GOOD, "id": i, "image_id": image, "category_id": c, "iscrowd": 0, "area": 24}
        for i, image, c in places
    ]
    path = written(tmp_path, *items)
    ours, theirs = load(path), COCO(path)
    assert list(ours.images) == list(theirs.imgs)
    for image_id, image in theirs.imgs.items():
        ref = ours.images[image_id]
        assert (ref.path, ref.width, ref.height) == (
            image["file_name"],
            image["width"],
            image["height"],
        )
    assert {i: c.name for i, c in ours.categories.items()} == {
        i: c["name"] for i, c in theirs.cats.items()
    }
    assert {i: ours.annotations[place] for i, place in ours.by_id.items()} == theirs.anns
    assert ours.by_image.keys() == theirs.imgs.keys()
    for image_id, found in ours.by_image.items():
        assert [ours.annotations[place] for place in found] == theirs.imgToAnns[image_id]
    for image_id in theirs.imgs:
        for category_id in theirs.cats:
            assert [
                ours.ids[place]
                for place in ours.by_image[image_id]
                if ours.category_ids[place] == category_id
            ] == theirs.getAnnIds([image_id], [category_id])
    assert (ours.next_id, ours.notes) == (5001, ())


def test_numbers_spelled_another_way_are_indexed_as_numbers(tmp_path):
    items = [{**GOOD, "id": "4"}, {**GOOD, "id": 6.0, "image_id": "17", "category_id": 70.0}]
    file = load(written(tmp_path, *items))
    assert (file.ids, file.image_ids, file.category_ids) == ([4, 6], [1, 17], [1, 70])
    assert file.by_id == {4: 0, 6: 1}
    assert file.by_image == {900: [], 1: [0], 17: [1]}
    assert {
        type(n) for column in (file.ids, file.image_ids, file.category_ids) for n in column
    } == {int}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"image_id": 9}, "its image 9 is not listed"),
        ({"category_id": 9}, "its category 9 is not listed"),
        ({"image_id": True}, "its image_id True is not a whole number"),
        ({"category_id": None}, "its category_id None is not a whole number"),
        ({"image_id": 2**63}, "its image_id 9223372036854775808 is not a whole number"),
        ({"image_id": [1]}, "its image_id [1] is not a whole number"),
    ],
)
def test_what_refers_to_nothing_is_left_out_already_here(tmp_path, other, words):
    path = written(tmp_path, {**GOOD, "id": 5}, {**GOOD, "id": 77, **other}, {**GOOD, "id": 6})
    file = load(path)
    assert file.ids == [5, 6]
    assert file.by_image[1] == [0, 1]
    assert 77 not in file.by_id
    assert file.next_id == 78
    assert file.notes == (f"Annotation 77 was skipped: {words}.",) == read(path).notes


BAD_OUTLINES = [
    "d0",
    {"counts": [1200]},
    {"size": [30, 40], "counts": "é"},
    {"size": [2**40] * 2, "counts": []},
    [[1, 2, 3]],
    [[0, 0, 1e300, 3, 3, 1e12]],
    [[[[[]]]]],
    {"size": {}, "counts": {}},
]


@pytest.mark.parametrize("segmentation", BAD_OUTLINES)
def test_a_bad_outline_is_found_only_where_masks_are_made(tmp_path, segmentation):
    path = written(tmp_path, {**GOOD, "id": 7, "segmentation": segmentation}, {**GOOD, "id": 8})
    file = load(path)
    assert file.notes == ()
    assert file.annotations[file.by_id[7]]["segmentation"] == segmentation
    dataset = read(path)
    assert [i.id for i in dataset.annotations[1].instances] == [8]
    (note,) = dataset.notes
    assert note.startswith("Annotation 7 was skipped: ")


def test_notes_of_both_steps_come_in_the_order_of_the_file(tmp_path):
    bad, lost = {"segmentation": "d0"}, {"image_id": 9}
    kinds = [lost, bad, {}, lost, lost, bad, {"segmentation": [[5, 5]], "bbox": [1, 1, 2, 2]}, lost]
    items = [{**GOOD, "id": k, **kind} for k, kind in enumerate(kinds)]
    path = written(tmp_path, 3, *items, images=[*IMAGES, None])
    first = "Entries of the {} that are not objects were skipped: 1."
    notes = read(path).notes
    assert notes[:2] == (first.format("images"), first.format("annotations"))
    assert [note.split()[1] for note in notes[2:]] == ["0", "1", "3", "4", "5", "6", "7"]
    assert load(path).notes == (*notes[:2], *(n for n in notes if "is not listed" in n))


def test_ids_that_are_no_ids_stay_without_and_the_first_of_two_is_found(tmp_path):
    items = [{**GOOD, "id": i} for i in (7, 7, "x", True, 3, 2**60)]
    items.append({k: v for k, v in GOOD.items() if k != "id"})
    file = load(written(tmp_path, *items))
    assert file.ids == [7, 7, None, None, 3, None, None]
    assert file.by_id == {7: 0, 3: 4}
    assert file.next_id == 8


def test_an_id_is_free_again_if_the_first_that_had_it_is_skipped(tmp_path):
    path = written(tmp_path, {**GOOD, "id": 7, "segmentation": "d0"}, {**GOOD, "id": 7})
    dataset = read(path)
    assert [i.id for i in dataset.annotations[1].instances] == [7]
    assert len(dataset.notes) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"images": [], "annotations": [{"segmentation": [[1,,2]]}]}', "is not JSON"),
        (b'{"images": [], "annotations": [{"segmentation": [[1, 2}]}', "is not JSON"),
        (b'{"images": []', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "it has no list of images"),
        (b'{"images": [], "annotations": {}}', "its annotations are not a list"),
        (b'{"images": [], "categories": 3}', "its categories are not a list"),
        (
            b'{"images": [{"id": 8, "file_name": "../x", "width": 9, "height": 9}]}',
            "names a file outside the images folder",
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_one_sentence_already_here(tmp_path, content, words):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    said = []
    for step in (load, read):
        with pytest.raises(FormatError, match=words) as caught:
            step(path)
        said.append(str(caught.value))
    assert said[0] == said[1]
    with pytest.raises(FormatError, match=r" cannot be read: .*\.$"):
        load(tmp_path / "none.json")


def test_an_empty_file_has_an_empty_index(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": []}', "utf-8")
    file = load(path)
    assert file == CocoFile({}, {}, [], [], [], [], {}, {}, 1, (), ())


def test_many_notes_are_summed_up(tmp_path):
    path = written(tmp_path, *[{**GOOD, "id": i, "image_id": 2} for i in range(500)])
    assert load(path).notes == read(path).notes
    assert load(path).notes[-1] == "And 300 more like these."


@pytest.mark.parametrize("step", [load, read])
def test_the_collector_is_as_it_was(tmp_path, monkeypatch, step):
    gc.unfreeze()  # what a test of the window may have left
    good = written(tmp_path, GOOD)
    paused = []
    index = coco_json.index
    monkeypatch.setattr(
        coco_json, "index", lambda *parts: paused.append(not gc.isenabled()) or index(*parts)
    )
    for was_on in (True, False):
        try:
            if not was_on:
                gc.disable()
            step(good)
            assert gc.isenabled() == was_on
            with pytest.raises(FormatError):
                step(tmp_path / "none.json")
            assert gc.isenabled() == was_on
        finally:
            gc.enable()
    assert paused == [True, True]
    assert gc.get_freeze_count() == 0


def test_objects_that_were_frozen_stay_frozen(tmp_path):
    path = written(tmp_path, GOOD)
    gc.freeze()
    try:
        load(path)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
