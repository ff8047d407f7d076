"""COCO files as people have them: every spelling is read, damage is named and the rest goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
from seginst_core.formats.coco_parts import parse_attributes
from seginst_core.masks.geometry import mask_box
from seginst_core.types import PALETTE, Box, Category, Dataset, ImageRef, Instance

HEIGHT, WIDTH = 30, 40
SQUARE = [3, 4, 9, 4, 9, 8, 3, 8]
GOOD = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [SQUARE]}


def coco(*annotations: object, **other: object) -> dict[str, object]:
    """A COCO file of one image and one category; ``other`` replaces its lists."""
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "plane"}],
        "annotations": list(annotations),
        **other,
    }


def read(folder: Path, root: object) -> Dataset:
    path = folder / "a.json"
    path.write_text(root if isinstance(root, str) else json.dumps(root), "utf-8")
    return FORMATS["coco"].read(path)


def only(dataset: Dataset) -> Instance:
    (annotation,) = dataset.annotations.values()
    (instance,) = annotation.instances
    return instance


def pixels(instance: Instance) -> np.ndarray:
    array = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask = instance.mask
    array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def holed() -> np.ndarray:
    """Two parts, one of them with a hole."""
    array = np.zeros((HEIGHT, WIDTH), np.uint8)
    array[2:20, 3:15] = 1
    array[6:10, 7:12] = 0
    array[22:30, 30:40] = 1
    return array


def runs(array: np.ndarray) -> list[int]:
    flat = array.ravel(order="F")
    bounds = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), flat.size]
    return [0] * int(flat[0]) + np.diff(bounds).tolist()


def test_a_plain_file_is_read_whole(tmp_path):
    dataset = read(tmp_path, coco({**GOOD, "bbox": [0, 0, 1, 1], "area": 7, "iscrowd": 0}))
    assert dataset.images == (ImageRef(1, "a.png", WIDTH, HEIGHT),)
    assert dataset.categories == (Category(1, "plane", PALETTE[0]),)
    assert dataset.notes == ()
    assert dataset.annotations[1].state == "done"
    instance = only(dataset)
    assert (instance.id, instance.category_id, instance.iscrowd) == (1, 1, False)
    assert (instance.origin.kind, instance.score, instance.attributes) == ("import", None, {})
    assert instance.box == mask_box(instance.mask) == Box(3, 4, 9, 8)
    assert pixels(instance)[4:8, 3:9].all()
    assert instance.mask.area == 24


def test_a_ring_that_is_not_in_a_list_is_a_polygon_too(tmp_path):
    assert only(read(tmp_path, coco({**GOOD, "segmentation": SQUARE}))).mask.area == 24


def test_polygons_of_several_parts_are_one_mask(tmp_path):
    parts = [SQUARE, [20.5, 10.25, 30.75, 10, 25, 29.5], [38, 2, 60, 2, 60, 5, 38, 5]]
    instance = only(read(tmp_path, coco({**GOOD, "segmentation": parts})))
    rles = coco_mask.frPyObjects(parts, HEIGHT, WIDTH)
    assert np.array_equal(pixels(instance), coco_mask.decode(coco_mask.merge(rles)) > 0)


@pytest.mark.parametrize("iscrowd", [0, 1])
@pytest.mark.parametrize("spelling", ["compressed", "uncompressed"])
def test_run_lengths_are_read_with_holes_on_any_annotation(tmp_path, iscrowd, spelling):
    rle = coco_mask.encode(np.asfortranarray(holed()))
    text = rle["counts"].decode("ascii")
    segmentation = {
        "size": [HEIGHT, WIDTH],
        "counts": text if spelling == "compressed" else runs(holed()),
    }
    instance = only(
        read(tmp_path, coco({**GOOD, "segmentation": segmentation, "iscrowd": iscrowd}))
    )
    assert np.array_equal(pixels(instance), holed() > 0)
    assert instance.iscrowd == bool(iscrowd)


@pytest.mark.parametrize(
    "segmentation",
    [None, [], {}, [[]], [[5, 5]], [[5, 5, 9, 9]], [[1, 1, 1, 1, 1, 1]], [[90, 90, 99, 90, 95, 99]],
     {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}],
)  # fmt: skip
def test_without_a_pixel_the_box_is_kept(tmp_path, segmentation):
    item = {**GOOD, "segmentation": segmentation, "bbox": [2.5, 3, 100, 4.25]}
    dataset = read(tmp_path, coco(item))
    instance = only(dataset)
    assert instance.mask is None
    assert instance.box == Box(2.5, 3, 40, 7.25)
    said = ("Annotation 1 kept only its box: its mask covers no pixel.",)
    assert dataset.notes == (said if segmentation else ())


def test_a_missing_segmentation_is_a_box_only(tmp_path):
    item = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.75}
    dataset = read(tmp_path, coco(item))
    assert only(dataset).box == Box(1, 2, 4, 6)
    assert only(dataset).score == 0.75
    assert dataset.notes == ()


def test_ids_need_not_be_close_nor_numbers(tmp_path):
    images = [
        {"id": 900, "file_name": "b.png", "width": 40.0, "height": "30"},
        {"id": "17", "file_name": "a.png", "width": WIDTH, "height": HEIGHT},
        {"id": 4, "file_name": "empty.png", "width": 9, "height": 8},
    ]
    categories = [{"id": 70, "name": "b", "color": [1, 2, 300]}, {"id": 0, "name": "a"}]
    items = [
        {**GOOD, "id": 5000, "image_id": 17, "category_id": 0.0},
        {**GOOD, "id": 12, "image_id": "900", "category_id": 70},
        {**GOOD, "id": 40, "image_id": 17, "category_id": 70},
    ]
    dataset = read(tmp_path, coco(*items, images=images, categories=categories))
    assert [(i.id, i.path) for i in dataset.images] == [
        (900, "b.png"),
        (17, "a.png"),
        (4, "empty.png"),
    ]
    assert dataset.images[0] == ImageRef(900, "b.png", 40, 30)
    assert dataset.categories[0] == Category(70, "b", (1, 2, 255))
    found = {
        i: [(n.id, n.category_id) for n in a.instances] for i, a in dataset.annotations.items()
    }
    assert found == {17: [(40, 70), (5000, 0)], 900: [(12, 70)]}
    assert dataset.notes == ()


def test_names_in_any_language_and_sub_folders(tmp_path):
    names = [
        "žlutý kůň/画像 1.png",
        "a/b/c d.JPG",
        "win\\dows.png",
        "./here.png",
        "..dots../x..png",
    ]
    images = [{"id": k, "file_name": n, "width": 9, "height": 9} for k, n in enumerate(names)]
    root = coco(images=images, categories=[{"id": 1, "name": "самолёт ✈", "supercategory": "空"}])
    for ascii_only in (True, False):
        dataset = read(tmp_path, json.dumps(root, ensure_ascii=ascii_only))
        paths = [image.path for image in dataset.images]
        assert paths == [*names[:2], "win/dows.png", "here.png", names[4]]
        assert dataset.categories[0].name == "самолёт ✈"
        assert dataset.categories[0].supercategory == "空"


@pytest.mark.parametrize(
    "name",
    ["../x.png", "a/../../x.png", "/etc/passwd", "C:\\x.png", "C:x.png", "\\\\server\\x\\y.png",
     "..", "a\0b.png", "..\\x.png", "\\x.png"],
)  # fmt: skip
def test_a_name_outside_the_folder_is_refused(tmp_path, name):
    images = [{"id": 8, "file_name": name, "width": 9, "height": 9}]
    with pytest.raises(
        FormatError, match=r"^a\.json names a file outside the images folder: .* \(image 8\)\.$"
    ):
        read(tmp_path, coco(images=images))


FAR = [0, 0, 1e12, 3, 3, 1e12]
BAD = {
    "its image 9 is not listed": {"image_id": 9},
    "its category 9 is not listed": {"category_id": 9},
    "it has no image_id": {"image_id": ...},
    "it has no category_id": {"category_id": ...},
    "its image_id None is not a whole number": {"image_id": None},
    "its category_id 1.5 is not a whole number": {"category_id": 1.5},
    "its category_id plane is not a whole number": {"category_id": "plane"},
    "its category_id True is not a whole number": {"category_id": True},
    "it has neither a mask nor a box inside its image": {"segmentation": ...},
    "its segmentation is neither polygons nor an RLE": {"segmentation": "d0"},
    "one of its polygons is not a list of x, y pairs": {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]},
    "a polygon reaches further than any image": {"segmentation": [FAR]},
    "its RLE has size [40, 30] where its image has [30, 40]": {
        "segmentation": {"size": [40, 30], "counts": [1200]}
    },
    "its RLE has size None where its image has [30, 40]": {"segmentation": {"counts": [1200]}},
    "an RLE covers 7 pixels where its size says 1200": {
        "segmentation": {"size": [30, 40], "counts": [7]}
    },
    "an RLE's counts are not COCO's compressed text": {
        "segmentation": {"size": [30, 40], "counts": "é"}
    },
}


@pytest.mark.parametrize("why", BAD)
def test_one_bad_annotation_is_named_and_the_rest_goes_on(tmp_path, why):
    bad = {k: v for k, v in {**GOOD, "id": 77, **BAD[why]}.items() if v is not ...}
    dataset = read(tmp_path, coco({**GOOD, "id": 5}, bad, {**GOOD, "id": 6}))
    assert [i.id for i in dataset.annotations[1].instances] == [5, 6]
    assert dataset.notes == (f"Annotation 77 was skipped: {why}.",)


@pytest.mark.parametrize(
    "ring",
    [[[1, 2], [3, 4], [5, 6]], ["a", "b"], [None] * 6, [1, 2, [3]], {"x": 1}, "12", 7],
)  # fmt: skip
def test_rings_of_the_wrong_kind_are_named(tmp_path, ring):
    dataset = read(tmp_path, coco({**GOOD, "segmentation": [ring, SQUARE]}, {**GOOD, "id": 2}))
    assert only(dataset).id == 2
    words = "one of its polygons is not a list of x, y pairs"
    assert dataset.notes == (f"Annotation 1 was skipped: {words}.",)


@pytest.mark.parametrize(
    "bbox",
    [None, 3, [], [1, 2, 3], [1, 2, 3, "4"], [1, 2, 0, 4], [1, 2, -3, 4], [50, 2, 3, 4],
     [1, 2, 3, float("nan")], [1, 2, 3, 1e300], [True] * 4],
)  # fmt: skip
def test_a_box_that_is_none_is_named(tmp_path, bbox):
    item = {"id": 3, "image_id": 1, "category_id": 1, "bbox": bbox}
    assert read(tmp_path, coco(item)).notes == (
        "Annotation 3 was skipped: it has neither a mask nor a box inside its image.",
    )
    assert only(read(tmp_path, coco({**GOOD, "bbox": bbox}))).mask is not None


def test_annotations_without_an_id_of_their_own_are_kept_under_new_ones(tmp_path):
    items = [{**GOOD, "id": i} for i in (7, 7, "x", None, 3, 7)]
    del items[3]["id"]
    dataset = read(tmp_path, coco(*items))
    assert [i.id for i in dataset.annotations[1].instances] == [3, 7, 8, 9, 10, 11]
    assert dataset.notes == ("4 annotations had no id of their own and were given new ones.",)


def test_images_and_categories_that_make_no_sense_are_named(tmp_path):
    good = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    images = [
        good,
        {**good, "file_name": "b.png"},
        {**good, "id": 2, "width": 0},
        {**good, "id": 3, "width": 1 << 40},
        {**good, "id": 4, "width": 1 << 20, "height": 1 << 20},
        {**good, "id": 5, "file_name": ["a"]},
        {**good, "id": 6, "height": "tall"},
        {"id": 7, "file_name": "c.png"},
        {"file_name": "d.png", "width": 9, "height": 9},
        "a.png",
        None,
    ]
    categories = [{"id": 1, "name": 5}, {"id": 1, "name": "twice"}, {"name": "none"}, 8]
    dataset = read(tmp_path, coco(GOOD, images=images, categories=categories))
    assert dataset.images == (ImageRef(1, "a.png", WIDTH, HEIGHT),)
    assert [c.name for c in dataset.categories] == ["5"]
    assert only(dataset).mask.area == 24
    assert dataset.notes == (
        "Entries of the images that are not objects were skipped: 2.",
        "Image 1 is listed twice; the first entry was kept.",
        "Image 2 was skipped: its size is 0 × 30.",
        "Image 3 was skipped: its size is 1099511627776 × 30.",
        "Image 4 was skipped: its size is 1048576 × 1048576.",
        "Image 5 was skipped: it has no file_name.",
        "Image 6 was skipped: its height tall is not a whole number.",
        "Image 7 was skipped: it has no width.",
        "Image ? was skipped: it has no id.",
        "Entries of the categories that are not objects were skipped: 1.",
        "Category 1 is listed twice; the first entry was kept.",
        "Category none was skipped: it has no id.",
    )


def test_many_notes_are_summed_up(tmp_path):
    dataset = read(tmp_path, coco(*[{**GOOD, "id": i, "image_id": 2} for i in range(500)]))
    assert len(dataset.notes) == 201
    assert dataset.notes[-1] == "And 300 more like these."


def test_attributes_that_are_no_text_stay_as_json_writes_them_and_whole(tmp_path):
    values = {"no": False, "turn": 0.0, "none": None, "of": {"ž": ["x"]}, "tags": list(range(99))}
    found = only(read(tmp_path, coco({**GOOD, "attributes": values}))).attributes
    assert {name: json.loads(text) for name, text in found.items()} == values
    assert (found["no"], found["none"], found["of"]) == ("false", "null", '{"ž": ["x"]}')
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(FormatError, match="too deep"):
        parse_attributes({"deep": deep})


def test_scores_attributes_and_colours_are_kept_if_they_make_sense(tmp_path):
    item = {**GOOD, "score": 1, "attributes": {"occluded": True, "text": "x", "n": [1, 2]}}
    instance = only(read(tmp_path, coco(item)))
    assert instance.score == 1.0
    assert instance.attributes == {"occluded": "true", "text": "x", "n": "[1, 2]"}
    for score in ("0.5", True, [1], 10**18, float("nan")):
        assert only(read(tmp_path, coco({**GOOD, "score": score, "attributes": 3}))).score is None
    colours = [[1, 2, 3], [-5, 2, 900], [1, 2], "red", [1.5, 2, 3], None]
    categories = [{"id": k, "name": "c", "color": c} for k, c in enumerate(colours)]
    dataset = read(tmp_path, coco(categories=categories))
    assert [c.colour for c in dataset.categories] == [(1, 2, 3), (0, 2, 255), *PALETTE[2:6]]


def test_a_file_of_images_alone_is_a_data_set_without_annotations(tmp_path):
    root = coco()
    del root["annotations"], root["categories"]
    dataset = read(tmp_path, root)
    assert dataset.images
    assert not dataset.annotations
    assert dataset.notes == ()
