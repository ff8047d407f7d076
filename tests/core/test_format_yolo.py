"""YOLO labels: the pixels survive, holes and parts included, and other people's files are read."""

from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, recognise
from seginst_core.formats.yolo_names import names_of_yaml, yaml_text
from seginst_core.formats.yolo_txt import joined
from seginst_core.masks.geometry import trim
from seginst_core.masks.polygons import from_polygons
from seginst_core.types import Annotation, Dataset, ImageRef

from .format_scenes import (
    CATEGORIES,
    HEIGHT,
    IMAGES,
    WIDTH,
    everything,
    holed,
    instance,
    looks,
    make_images,
    parts,
    pixels,
    scene,
    solid,
)

YOLO = FORMATS["yolo"]


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def labels(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_pixels_boxes_names_and_sub_folders_survive(tmp_path, images):
    out = tmp_path / "out"
    assert YOLO.losses(everything()) == ("Ids are not kept: objects are numbered anew.",)
    assert YOLO.write(everything(), out) == ()
    again = YOLO.read(out, images)
    assert again.notes == ()
    assert looks(again) == looks(everything())
    assert again.categories == CATEGORIES
    assert {i.path for i in again.images} == {i.path for i in IMAGES}
    assert (out / "labels/нет.txt").read_bytes() == b""
    assert YOLO.read(out / "data.yaml", images) == again


@given(npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_one_outline_holds_any_mask(bits):
    mask = trim(bits, 3, 5)
    if mask is not None:
        assert from_polygons([joined(mask)], 40, 30) == mask


@given(
    npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=9)),
    st.integers(9, 20_000),
    st.integers(9, 20_000),
    st.integers(0, 1),
)
def test_any_mask_survives_in_an_image_of_any_size(tmp_path_factory, bits, width, height, far):
    mask = trim(bits, far * (width - bits.shape[1]), far * (height - bits.shape[0]))
    if mask is None:
        return
    normal = joined(mask) / (width, height)
    texts = [[f"{v:.9f}" for v in point] for point in normal.tolist()]
    again = np.array(texts, np.float64) * (width, height)
    assert from_polygons([again], width, height) == mask


def test_other_readers_find_the_same_object(tmp_path):
    """cv2.fillPoly, with which Ultralytics rasterises, paints the outline too, and nothing more."""
    for mask in (solid(), parts(), holed()):
        canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(canvas, [np.round(joined(mask)).astype(np.int32)], 1)
        ours = pixels(mask)
        assert (canvas[ours] == 1).all()
        assert canvas[:2].sum() == 0
    inside_a_hole = canvas[11 + 10 - 5, 10 + 15 + 2]
    assert inside_a_hole == 0


def test_boxes_beside_masks_become_masks_and_that_is_said(tmp_path, images):
    mixed = scene((instance(1, solid()), instance(2)))
    assert YOLO.losses(mixed)[1:] == (
        "Boxes without a mask become rectangular masks, in images that also have masks: 1.",
    )
    YOLO.write(mixed, tmp_path / "out")
    _, box = YOLO.read(tmp_path / "out", images).annotations[1].instances
    assert box.mask is not None
    assert abs(box.mask.area - 7.75 * 6) < 8


def test_every_line_that_people_have_is_read(tmp_path, images):
    folder = labels(
        tmp_path / "y",
        {
            "data.yaml": "path: ../x\nnc: 2\nnames: ['plane', 'car']\n",
            "train/labels/a.txt": "\n0 0.5 0.5 0.2 0.2\n1 .1 .1 .5 .1 .5 .5\n"
            "1.0 0.1 0.1 0.5 0.1 0.5 0.5 0.75\n0 0.5 0.5 0.2 0.2 0.25\n"
            "0 -0.005 0 1.005 0 1 1\n7 0.5 0.5 2 2\r\n7 0.5 0.5 1 1\n",
        },
    )
    make_images(tmp_path / "flat", ("a.png",))
    dataset = YOLO.read(folder, tmp_path / "flat")
    found = dataset.annotations[1].instances
    assert [i.category_id for i in found] == [1, 2, 2, 1, 1, 8]
    assert [i.score for i in found] == [None, None, 0.75, 0.25, None, None]
    assert [i.mask is None for i in found] == [True, False, False, True, False, True]
    assert found[0].box.x0 == pytest.approx(20)
    assert found[0].box.y1 == pytest.approx(24)
    assert dataset.notes == (
        "Line 7 of train/labels/a.txt was skipped: its coordinates are not between 0 and 1.",
        "Class 7 has no name and is called class 7.",
    )


def test_bad_lines_and_files_are_named_and_the_rest_goes_on(tmp_path, images):
    folder = labels(
        tmp_path / "y",
        {
            "classes.txt": "plane\n",
            "labels/a.txt": "0 1 2 3\n0 0.1 0.1 nan 0.2\n-1 0.1 0.1 0.2 0.2\n0.5 0.1 0.1 0.2 0.2\n"
            "zero 1 1\n0\n0 0.1 0.1 0.1 0.1 0.1 0.1\n0 12 15 20 30 40 8\n0 0.5 0.5 0 0\n"
            "0 0.5 0.5 0.1 0.1\n",
            "labels/none.txt": "0 0.5 0.5 0.1 0.1\n",
        },
    )
    (folder / "labels/sub").mkdir()
    (folder / "labels/sub/a.txt").write_bytes(b"\xff\xfe\x00")
    dataset = YOLO.read(folder, images)
    assert len(dataset.annotations[1].instances) == 1
    assert [note.split(" was skipped: ")[0] for note in dataset.notes] == [
        *(f"Line {k} of labels/a.txt" for k in range(1, 10)),
        "labels/none.txt",
        "labels/sub/a.txt",
    ]
    assert dataset.notes[0].endswith(": its coordinates are not in pairs.")
    assert dataset.notes[6].endswith(": its outline covers no pixel.")
    assert dataset.notes[-2].endswith(f": no image of that name is in {images}.")
    (folder / "labels/a.txt").unlink()
    with pytest.raises(FormatError, match=r"^None of the 2 files can be used: labels/none.txt was"):
        YOLO.read(folder, images)


def test_labels_find_their_images_in_every_layout(tmp_path):
    line = "0 0.5 0.5 0.1 0.1\n"
    layouts = {
        "labels/train/sub/a.txt": ["sub/a.png", "train/sub/a.png", "images/train/sub/a.png"],
        "train/labels/a.txt": ["a.png", "train/images/a.png", "train/a.png"],
        "a.txt": ["a.png", "deep/in/a.png"],
    }
    for k, (label, paths) in enumerate(layouts.items()):
        folder = labels(tmp_path / str(k), {label: line, "classes.txt": "plane"})
        for n, path in enumerate(paths):
            images = make_images(tmp_path / f"{k}-{n}", (path, "other/b.png"))
            assert YOLO.read(folder, images).images == (ImageRef(1, path, WIDTH, HEIGHT),)
    # Beside the labels, when no folder is given.
    make_images(folder, ("a.png",))
    assert YOLO.read(folder).images[0].path == "a.png"


def test_what_may_belong_to_two_images_is_not_guessed(tmp_path):
    folder = labels(tmp_path / "y", {"a.txt": "0 0.5 0.5 0.1 0.1\n", "classes.txt": "plane"})
    images = make_images(tmp_path / "i", ("x/a.png", "y/a.png"))
    said = r"a.txt was skipped: it may belong to x/a.png or to y/a.png\."
    with pytest.raises(FormatError, match=said):
        YOLO.read(folder, images)
    same = (ImageRef(1, "a.png", 9, 9), ImageRef(2, "a.jpg", 9, 9))
    with pytest.raises(FormatError, match=r"cannot tell a.jpg from another .* Nothing was"):
        YOLO.write(Dataset(same, (), {1: Annotation(1)}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("project", ["train/images", "train", "."])
def test_labels_of_one_split_are_never_another_splits(tmp_path, project):
    line = "0 0.5 0.5 0.1 0.1\n"
    make_images(tmp_path, ("train/images/1.png", "test/images/1.png", "test/images/2.png"))
    # No image of the training split has the labels of test/2.
    make_images(tmp_path, ("train/images/2.png",))
    files = {"train/labels/1.txt": line, "test/labels/1.txt": 2 * line, "test/labels/2.txt": line}
    labels(tmp_path, {"data.yaml": "names: [plane]", **files})
    found = YOLO.read(tmp_path / "data.yaml", tmp_path / project)
    counts = {i.path: len(found.annotations[i.id].instances) for i in found.images}
    if project == ".":
        assert counts == {"test/images/1.png": 2, "test/images/2.png": 1, "train/images/1.png": 1}
        return
    assert list(counts.values()) == [1]
    assert found.notes == tuple(
        f"test/labels/{k}.txt was skipped: its image is not in {tmp_path / project}."
        for k in (1, 2)
    )


def test_an_image_may_be_called_as_lists_of_images_are(tmp_path):
    line = "0 0.5 0.5 0.1 0.1\n"
    files = {"labels/train.txt": line, "labels/test.txt": line, "train.txt": "./images/a.png\n"}
    folder = labels(tmp_path, {"classes.txt": "plane\n1 2", **files})
    make_images(folder, ("images/train.png", "images/test.png", "images/a.png"))
    assert sorted(i.path for i in YOLO.read(folder, folder).images) == [
        "images/test.png",
        "images/train.png",
    ]
    assert len(YOLO.read(folder / "labels/train.txt", folder).images) == 1


def test_names_are_found_in_a_yaml_of_any_name(tmp_path):
    files = {"labels/a.txt": "0 0.5 0.5 0.1 0.1\n", "compose.yml": "services: x\n"}
    folder = labels(tmp_path / "y", {**files, "coco8-seg.yaml": "path: x\nnames:\n  0: person\n"})
    labels(tmp_path, {"data.yaml": "names: [of another data set]"})
    images = make_images(tmp_path / "images", ("a.png",))
    for path in (folder, folder / "coco8-seg.yaml"):
        assert recognise(path) == "yolo"
        assert [c.name for c in YOLO.read(path, images).categories] == ["person"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names:\n- a\n- 'b''c' # x\n", {0: "a", 1: "b'c"}),
        ("nc: 2\nnames: ['a', \"b, c\",\n  d]\n", {0: "a", 1: "b, c", 2: "d"}),
        ('names:\n  0: person\n\n  # no\n  2: "x\\u00e9" # c\ntrain: x\n', {0: "person", 2: "xé"}),
        ("names: {0: a, 1: 'b'}", {0: "a", 1: "b"}),
        ("names: [a # c\n, b]", {0: "a", 1: "b"}),
        (yaml_text(["a: b", '"q" #', "ж\n"]), {0: "a: b", 1: '"q" #', 2: "ж\n"}),
    ],
)
def test_class_names_are_read_in_every_style(text, names):
    assert names_of_yaml(text) == names


@given(st.text(st.sampled_from("names: [{}]\n-'\"0,# \\ab"), max_size=60))
def test_any_yaml_is_names_or_a_clause(text):
    with suppress(FormatError):
        assert names_of_yaml("names: " + text)


def test_yolo_is_recognised_by_its_content(tmp_path):
    assert recognise(labels(tmp_path / "1", {"labels/a.txt": "0 0.5 0.5 0.1 0.1\n"})) == "yolo"
    folder = labels(tmp_path / "2", {"data.yaml": "names: [a]"})
    assert recognise(folder) == recognise(folder / "data.yaml") == "yolo"
    folder = labels(tmp_path / "3", {"a.txt": "some words\n", "empty.txt": ""})
    with pytest.raises(FormatError, match=r"of a known format .*; of COCO JSON choose the file\."):
        recognise(folder)
    assert recognise(folder / "a.txt") == "coco"
