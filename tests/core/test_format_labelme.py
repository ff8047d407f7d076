"""labelme files: every pixel survives, and what labelme and people write is read."""

import base64
import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, recognise
from seginst_core.formats.losses import has_holes
from seginst_core.masks.polygons import outlines, to_polygons
from seginst_core.types import Annotation, Box, Dataset, ImageRef, Mask

from .format_scenes import (
    HEIGHT,
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

LABELME = FORMATS["labelme"]
SQUARE = [[3, 4], [9, 4], [9, 8], [3, 8]]


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def shape(label="plane", points=SQUARE, **other):
    return {"label": label, "points": points, "shape_type": "polygon", "group_id": None, **other}


def labelme(*shapes, **other):
    head = {"version": "5.5.0", "flags": {}, "imagePath": "a.png", "imageData": None}
    size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
    return {**head, **size, "shapes": list(shapes), **other}


def read(folder, root, images, name="a.json"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(root), "utf-8")
    return LABELME.read(folder, images)


def only(dataset):
    (annotation,) = dataset.annotations.values()
    (one,) = annotation.instances
    return one


def test_everything_but_the_ids_survives(tmp_path, images):
    out = tmp_path / "out"
    assert LABELME.losses(everything()) == (
        "Ids are not kept: objects are numbered anew.",
        "Masks with holes are written as mask shapes, which labelme shows from version 5.3 on: 2.",
    )
    assert LABELME.write(everything(), out) == ()
    again = LABELME.read(out, images)
    assert again.notes == ()
    assert looks(again) == looks(everything())
    assert again.categories == everything().categories
    assert {i.path for i in again.images} == {i.path for i in everything().images}


@given(npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=7)))
def test_holes_are_what_the_outlines_say(bits):
    mask = Mask(0, 0, bits)
    assert has_holes(mask) == (len(outlines(mask)) > len(to_polygons(mask)))


def test_scores_crowds_and_attributes_survive(tmp_path, images):
    marked = scene(
        (
            instance(1, parts(), score=0.25, iscrowd=True, attributes={"occluded": "yes"}),
            instance(2, holed(), score=0.5),
            instance(3, None, attributes={"a": "ж"}),
        )
    )
    LABELME.write(marked, tmp_path / "out")
    found = LABELME.read(tmp_path / "out", images).annotations[1].instances
    for a, b in zip(found, marked.annotations[1].instances, strict=True):
        assert (a.score, a.iscrowd, a.attributes) == (b.score, b.iscrowd, b.attributes)
    assert LABELME.losses(marked)[:-1] == ("Ids are not kept: objects are numbered anew.",)


def test_attributes_that_are_no_text_stay_as_json_writes_them_and_whole(tmp_path, images):
    values = {"no": False, "none": None, "tags": list(range(99))}
    one = only(read(tmp_path / "l", labelme(shape(attributes=values)), images))
    assert one.attributes == {"no": "false", "none": "null", "tags": json.dumps(values["tags"])}


def test_what_is_written_is_what_labelme_reads(tmp_path):
    out = tmp_path / "out"
    LABELME.write(scene((instance(1, solid()), instance(2, parts()), instance(3, holed()))), out)
    root = json.loads((out / "a.json").read_text("utf-8"))
    assert root["imagePath"] == "a.png"
    assert root["imageData"] is None
    assert (root["imageWidth"], root["imageHeight"]) == (WIDTH, HEIGHT)
    kinds = [(s["shape_type"], s["group_id"]) for s in root["shapes"]]
    assert kinds == [("polygon", None), *[("polygon", 2)] * 3, ("mask", None)]
    mask = root["shapes"][-1]
    (x0, y0), (x1, y1) = np.array(mask["points"], int)
    png = np.frombuffer(base64.b64decode(mask["mask"]), np.uint8)
    bits = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    assert bits.dtype == np.uint8
    assert bits.shape == (y1 - y0 + 1, x1 - x0 + 1)
    assert (bits.astype(bool) == pixels(holed())[y0 : y1 + 1, x0 : x1 + 1]).all()
    assert json.loads((out / "sub/a.json").read_text("utf-8"))["imagePath"] == "a.png"


def test_shapes_of_every_type(tmp_path, images):
    corners = {"points": [[9, 8], [3, 4.5]], "shape_type": "rectangle"}
    assert only(read(tmp_path / "l", labelme(shape(**corners)), images)).box == Box(3, 4.5, 9, 8)
    assert only(read(tmp_path / "l", labelme(shape(**corners)), images)).mask is None
    circle = shape(points=[[20, 20], [25, 20]], shape_type="circle")
    mask = only(read(tmp_path / "l", labelme(circle), images)).mask
    assert abs(mask.area - 25 * math.pi) < 4
    assert mask.bits.shape == (10, 10)
    clipped = shape(points=[[0, 0], [5, 0]], shape_type="circle")
    assert only(read(tmp_path / "l", labelme(clipped), images)).mask.bits.shape == (5, 5)
    for turned in ("rotation", "oriented_rectangle", "quadrilateral"):
        four = shape(points=SQUARE, shape_type=turned)
        assert only(read(tmp_path / "l", labelme(four), images)).mask.area == 24
    old = {"label": "plane", "points": SQUARE}
    assert only(read(tmp_path / "l", labelme(old), images)).mask.area == 24


def test_groups_are_one_object_each(tmp_path, images):
    far = [[30, 30], [34, 30], [34, 34], [30, 34]]
    box = {"points": [[40, 4], [44, 8]], "shape_type": "rectangle"}
    dataset = read(
        tmp_path / "l",
        labelme(
            shape(group_id=1),
            shape(),
            shape("car", group_id=1),
            shape(points=far, group_id=1),
            shape(**box, group_id=1),
            shape(),
        ),
        images,
    )
    found = dataset.annotations[1].instances
    assert [i.mask.area for i in found] == [24 + 16 + 16, 24, 24, 24]
    assert [i.category_id for i in found] == [1, 1, 2, 1]
    assert [c.name for c in dataset.categories] == ["plane", "car"]


def test_bad_shapes_and_files_are_named_and_the_rest_goes_on(tmp_path, images):
    folder = tmp_path / "l"
    line = shape(points=[[1, 1], [5, 5]], shape_type="line")
    bad_mask = shape(points=[[1, 1], [5, 5]], shape_type="mask", mask="###")
    folder.mkdir()
    (folder / "c.json").write_text("[")
    (folder / "d.json").write_text("{}")
    (folder / "e.json").write_text(json.dumps(labelme(imagePath="e.png", imageWidth=None)))
    (folder / "f.json").write_text(json.dumps(labelme()))
    dataset = read(
        folder,
        labelme(
            3, shape(""), shape(points=[[1, 2], [3, "4"], [5, 6]]), line, bad_mask,
            shape(points=[[60, 60], [70, 60], [70, 70]]), shape(points=[[1, 1], [9, 9]]),
            shape(points=[[1, 1], [1e300, 9], [3, 3]]), shape(),
        ),
        images,
    )  # fmt: skip
    assert only(dataset).mask.area == 24
    assert dataset.notes[:8] == (
        "Shape 1 of a.json was skipped: it is not an object.",
        "Shape 2 of a.json was skipped: it has no label.",
        "Shape 3 of a.json was skipped: one of its points is not a pair of coordinates.",
        "Shape 4 of a.json was skipped: a shape of type line covers no area.",
        "Shape 5 of a.json was skipped: its mask is not base64 text.",
        "Shape 6 of a.json was skipped: it covers no pixel.",
        "Shape 7 of a.json was skipped: it covers no pixel.",
        "Shape 8 of a.json was skipped: one of its points is not a pair of coordinates.",
    )
    assert dataset.notes[8].startswith("c.json was skipped: it is not JSON: ")
    assert dataset.notes[9:] == (
        "d.json was skipped: it is not a labelme file: it has no list of shapes.",
        "e.json was skipped: its imageWidth None is not a whole number.",
        "f.json was skipped: a.png has a file already.",
    )


@pytest.mark.parametrize(
    "path", ["../a.png", "../../etc/passwd", "/a.png", "C:\\a.png", "sub/../../a.png", "..", "."]
)
def test_files_that_name_an_image_elsewhere_are_refused(tmp_path, path):
    images = make_images(tmp_path / "x" / "y" / "images")
    folder = tmp_path / "l"
    with pytest.raises(FormatError, match=r"a.json was skipped: it names a file outside the im"):
        read(folder, labelme(shape(), imagePath=path), images)
    (folder / "b.json").write_text(json.dumps(labelme(shape(), imagePath="sub/a.png")))
    dataset = LABELME.read(folder, images)
    assert [i.path for i in dataset.images] == ["sub/a.png"]
    assert len(dataset.notes) == 1


def test_images_are_found_beside_below_and_by_the_way_back(tmp_path, images):
    for name, path, found in (
        ("l/a.json", "../images/sub/a.png", "sub/a.png"),
        ("l/sub/a.json", "a.png", "sub/a.png"),
        ("l/sub/a.json", "..\\a.png", "a.png"),
        ("l/a.json", "images\\sub\\deep\\самолёт.png", "sub/deep/самолёт.png"),
        ("l/a.json", "renamed.png", "a.png"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        old = labelme(shape(), imagePath=path, imageWidth=None, imageHeight=None)
        file.write_text(json.dumps(old), "utf-8")
        assert LABELME.read(tmp_path / "l", images).images[0] == ImageRef(1, found, WIDTH, HEIGHT)
        file.unlink()
    beside = images / "sub" / "a.json"
    beside.write_text(json.dumps(labelme(shape())))
    for place in (beside, beside.parent, images):
        assert LABELME.read(place, images).images[0].path == "sub/a.png"
    file = tmp_path / "l/a.json"
    file.write_text(json.dumps(labelme(imagePath="gone.png")))
    assert LABELME.read(file, tmp_path / "none").images == (ImageRef(1, "gone.png", WIDTH, HEIGHT),)


def test_files_of_one_split_are_never_another_splits(tmp_path):
    for split, n_shapes in (("test", 2), ("train", 1)):
        make_images(tmp_path / split, ("a.png",))
        text = json.dumps(labelme(*[shape()] * n_shapes))
        (tmp_path / split / "a.json").write_text(text, "utf-8")
    found = LABELME.read(tmp_path, tmp_path / "train")
    assert only(found).mask is not None
    assert found.notes == (f"test/a.json was skipped: its image is not in {tmp_path / 'train'}.",)


def test_images_that_differ_in_their_ending_have_a_file_each(tmp_path):
    images = make_images(tmp_path / "i", ("a.png", "a.jpg"))
    refs = (ImageRef(1, "a.png", WIDTH, HEIGHT), ImageRef(2, "a.jpg", WIDTH, HEIGHT))
    annotations = {1: Annotation(1, (instance(1, solid()),), "done"),
                   2: Annotation(2, (instance(2, holed()),), "done")}  # fmt: skip
    both = Dataset(refs, everything().categories, annotations)
    LABELME.write(both, tmp_path / "out")
    assert looks(LABELME.read(tmp_path / "out", images)) == looks(both)


def test_labelme_is_recognised_by_its_content(tmp_path):
    LABELME.write(everything(), tmp_path / "out")
    assert recognise(tmp_path / "out") == recognise(tmp_path / "out" / "a.json") == "labelme"


def test_a_file_that_holds_its_large_image_and_no_number_for_a_score_is_read(tmp_path, images):
    root = labelme(shape(score=math.nan))
    head = {key: root[key] for key in ("version", "flags", "shapes", "imagePath")}
    root = {**head, "imageData": "A" * (33 << 20), "imageHeight": HEIGHT, "imageWidth": WIDTH}
    file = tmp_path / "a.json"
    file.write_text(json.dumps(root))
    assert recognise(file) == recognise(tmp_path) == "labelme"
    assert only(LABELME.read(file, images)).score is None
