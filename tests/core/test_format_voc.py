"""Pascal VOC: boxes and pictures as the development kit has them, and files from other tools."""

import cv2
import numpy as np
import pytest

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, index_png, recognise
from seginst_core.types import Annotation, Box, Category, Dataset, ImageRef

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

VOC = FORMATS["voc"]
BOX = "<bndbox><xmin>4</xmin><ymin>5</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>"
PLANE = f"<object><name>plane</name>{BOX}</object>"
SIZE = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"


def apart():
    """Every kind of mask, none of which covers another."""
    return scene(
        (instance(1, None), instance(2, solid()), instance(3, parts(), 2)),
        (instance(4, holed(), 2), instance(5, solid(0, 0))),
        (),
        (instance(6, None), instance(7, None, 2)),
    )


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def xml(*objects, name="a.png", size=SIZE):
    inner = f"<folder>x</folder><filename>{name}</filename>{size}{''.join(objects)}"
    return f"<annotation>{inner}</annotation>"


def put(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_pixels_boxes_names_and_sub_folders_survive(tmp_path, images):
    out = tmp_path / "out"
    assert VOC.losses(apart()) == ("Ids are not kept: objects are numbered anew.",)
    assert VOC.write(apart(), out) == ()
    again = VOC.read(out, images)
    assert again.notes == ()
    assert looks(again) == looks(apart())
    assert again.categories == CATEGORIES
    assert {i.path for i in again.images} == {i.path for i in IMAGES}


def test_what_is_written_is_the_development_kits(tmp_path):
    out = tmp_path / "out"
    VOC.write(apart(), out)
    text = (out / "Annotations/sub/a.xml").read_text("utf-8")
    assert "<folder>sub</folder>" in text
    assert "<filename>a.png</filename>" in text
    assert "<segmented>1</segmented>" in text
    assert "<xmin>16</xmin>" in text
    assert "<xmax>50</xmax>" in text
    colours = index_png.voc_palette()
    assert colours[[1, 2, 3, 15, 255]].tolist() == [
        [128, 0, 0], [0, 128, 0], [128, 128, 0], [192, 128, 128], [224, 224, 192]]  # fmt: skip
    for folder, number in (("SegmentationClass", 2), ("SegmentationObject", 1)):
        data = np.fromfile(out / folder / "sub/a.png", np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert (bgr[pixels(holed())] == colours[number][::-1]).all()
    assert not (out / "SegmentationObject/sub/deep").exists()
    listed = (out / "ImageSets/Segmentation/default.txt").read_text("utf-8")
    assert listed == "a\nsub/a\n"
    assert (out / "labelmap.txt").read_text("utf-8").splitlines()[:3] == [
        "# label:color_rgb:parts:actions", "background:0,0,0::", "plane:128,0,0::"]  # fmt: skip


def test_every_loss_is_said_and_is_one(tmp_path, images):
    lossy = scene(
        (
            instance(1, holed(), score=0.5, iscrowd=True, attributes={"pose": "Left", "b": "1"}),
            instance(2, solid(16, 11), attributes={"truncated": "1"}),
        )
    )
    coloured = Category(1, "plane", (1, 2, 3), "things")
    lossy = Dataset(lossy.images, (coloured,), lossy.annotations)
    assert VOC.losses(lossy) == (
        "Ids are not kept: objects are numbered anew.",
        "Colours of classes are not kept: 1.",
        "Super-categories of classes are not kept: 1.",
        "Scores of objects are not kept: 1.",
        "Crowd marks of objects are not kept: 1.",
        "Attributes of objects other than pose, truncated, difficult, occluded are not kept: 1.",
        "Masks lose the pixels where smaller ones cover them: 1.",
    )
    VOC.write(lossy, tmp_path / "out")
    under, over = VOC.read(tmp_path / "out", images).annotations[1].instances
    assert (pixels(under.mask) == (pixels(holed()) & ~pixels(solid(16, 11)))).all()
    assert over.mask == solid(16, 11)
    assert (under.attributes, over.attributes) == ({"pose": "Left"}, {"truncated": "1"})


def test_masks_beyond_254_objects_are_boxes_and_that_is_said(tmp_path):
    images = make_images(tmp_path / "images", ("a.png",))
    dots = [trimmed for k in range(260) if (trimmed := dot(k)) is not None]
    crowd = Dataset(
        (ImageRef(1, "a.png", WIDTH, HEIGHT),),
        CATEGORIES,
        {1: Annotation(1, tuple(instance(k, m) for k, m in enumerate(dots, 1)))},
    )
    assert VOC.losses(crowd)[-1] == (
        "Masks are not kept, boxes are, beyond 254 objects of an image: 6."
    )
    VOC.write(crowd, tmp_path / "out")
    found = VOC.read(tmp_path / "out", images).annotations[1].instances
    assert [i.mask for i in found] == [*dots[:254], *[None] * 6]
    assert [i.box for i in found] == [i.box for i in crowd.annotations[1].instances]
    many = tuple(Category(k, f"c{k}") for k in range(1, 257))
    with pytest.raises(FormatError, match="room for 254 classes, not 256"):
        VOC.write(Dataset((), many, {}), tmp_path / "many")


def dot(k: int):
    bits = np.zeros((1, 1), np.bool_)
    bits[0, 0] = True
    return type(solid())(k % WIDTH, k // WIDTH, bits)


def test_files_of_other_tools_are_read(tmp_path, images):
    flags = "<pose>Left</pose><truncated>0</truncated><difficult>1</difficult>"
    half = BOX.replace(">4<", ">4.5<").replace(">9<", ">900<")
    folder = put(
        tmp_path / "v",
        {
            "a.xml": xml(f"<object><name> car </name>{flags}{half}</object>", PLANE),
            "sub/a.xml": xml(PLANE, size=""),
            "c.xml": xml(name="gone.png"),
        },
    )
    dataset = VOC.read(folder, images)
    assert [i.path for i in dataset.images] == ["a.png", "gone.png", "sub/a.png"]
    car, plane = dataset.annotations[1].instances
    assert (car.box, plane.box) == (Box(3.5, 4, WIDTH, 8), Box(3, 4, 9, 8))
    assert car.attributes == {"pose": "Left", "difficult": "1"}
    assert [c.name for c in dataset.categories] == ["car", "plane"]
    assert (car.category_id, plane.category_id) == (1, 2)
    assert dataset.images[2] == ImageRef(3, "sub/a.png", WIDTH, HEIGHT)
    assert VOC.read(folder / "sub" / "a.xml", images).notes == ()


def test_polygons_are_masks(tmp_path, images):
    ring = [(4, 5), (10, 5), (10, 9), (4, 9)]
    far = [(x + 20, y) for x, y in ring]

    def polygon(points):
        pairs = [f"<x{k}>{x}</x{k}><y{k}>{y}</y{k}>" for k, (x, y) in enumerate(points, 1)]
        return f"<polygon>{''.join(pairs)}</polygon>"

    name = "<object><name>plane</name>"
    folder = put(
        tmp_path / "v",
        {
            "a.xml": xml(
                f"{name}{BOX}{polygon(ring)}{polygon(far)}</object>",
                f"{name}{polygon(ring)}</object>",
                f"{name}{BOX}{polygon(ring[:2])}</object>",
            )
        },
    )
    dataset = VOC.read(folder, images)
    two, one, none = dataset.annotations[1].instances
    assert (two.mask.area, two.box) == (48, Box(3, 4, 29, 8))
    assert (one.mask.area, one.box) == (24, Box(3, 4, 9, 8))
    assert (none.mask, none.box) == (None, Box(3, 4, 9, 8))
    assert dataset.notes == ("Object 3 of a.xml kept only its box: its polygon covers no pixel.",)


def test_bad_files_objects_and_pictures_are_named_and_the_rest_goes_on(tmp_path, images):
    nowhere = PLANE.replace(">9<", ">3<")
    folder = put(
        tmp_path / "v",
        {
            "Annotations/a.xml": xml(
                PLANE, "<object/>", nowhere, "<object><name>x</name></object>"
            ),
            "Annotations/b.xml": "<annotation>",
            "Annotations/c.xml": "<html/>",
            "Annotations/d.xml": xml(name="d.png", size=""),
            "Annotations/нет.xml": xml(PLANE, PLANE, name="нет.png"),
            "SegmentationObject/a.png": "no picture",
        },
    )
    values = np.zeros((HEIGHT, WIDTH), np.uint16)
    values[4:8, 3:9], values[30:, 30:], values[0] = 1, 2, 255
    data = index_png.encode(values, index_png.voc_palette())
    (folder / "SegmentationObject/нет.png").write_bytes(data)
    dataset = VOC.read(folder, images)
    assert [i.mask is None for i in dataset.annotations[1].instances] == [True]
    assert [i.mask is None for i in dataset.annotations[2].instances] == [False, True]
    assert dataset.annotations[2].instances[0].mask.area == 24
    assert dataset.notes == (
        "The masks of Annotations/a.xml were skipped: it is not a PNG.",
        "Object 2 of Annotations/a.xml was skipped: it has no name.",
        "Object 3 of Annotations/a.xml was skipped: it has no box inside its image.",
        "Object 4 of Annotations/a.xml was skipped: it has no box inside its image.",
        "Annotations/b.xml was skipped: it is not XML: no element found: line 1, column 12.",
        "Annotations/c.xml was skipped: it is not a Pascal VOC file: it holds no annotation.",
        "Annotations/d.xml was skipped: it has no size.",
        "Object 2 of Annotations/нет.xml kept only its box: its mask lies elsewhere.",
    )


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "C:\\a.png", "x/../../a.png"])
def test_files_that_name_an_image_elsewhere_are_refused(tmp_path, images, path):
    folder = put(tmp_path / "v", {"a.xml": xml(PLANE, name=path), "b.xml": xml(name="b.png")})
    dataset = VOC.read(folder, images)
    assert [i.path for i in dataset.images] == ["b.png"]
    (note,) = dataset.notes
    assert note.startswith("a.xml was skipped: it names a file outside the images folder: ")


@pytest.mark.parametrize("project", ["train/JPEGImages", "train", "."])
def test_files_of_one_split_are_never_another_splits(tmp_path, project):
    make_images(tmp_path, ("train/JPEGImages/a.png", "test/JPEGImages/a.png"))
    put(tmp_path, {"train/Annotations/a.xml": xml(PLANE), "test/Annotations/a.xml": xml()})
    found = VOC.read(tmp_path, tmp_path / project)
    (image_id,) = found.annotations
    paths = {image.id: image.path for image in found.images}
    assert (tmp_path / project / paths[image_id]).parent == tmp_path / "train/JPEGImages"
    assert len(paths) == (2 if project == "." else 1)


def test_entities_are_refused(tmp_path, images):
    (tmp_path / "secret").write_text("secret")
    for entity in (f'SYSTEM "file://{tmp_path}/secret"', '"boom"'):
        head = f"<!DOCTYPE annotation [<!ENTITY e {entity}>]>"
        folder = put(tmp_path / "v", {"a.xml": head + xml(PLANE.replace("plane", "&e;"))})
        with pytest.raises(FormatError, match=r"a.xml was skipped: it declares entities, which"):
            VOC.read(folder, images)
        assert not VOC.recognise(folder)


def test_names_that_xml_cannot_hold_are_refused(tmp_path):
    bell = Dataset((ImageRef(1, "a\x07.png", 9, 9),), (), {})
    with pytest.raises(FormatError, match="holds characters that XML has no place for"):
        VOC.write(bell, tmp_path / "place" / "out")
    assert not list((tmp_path / "place").iterdir())


def test_voc_is_recognised_by_its_content(tmp_path):
    VOC.write(everything(), tmp_path / "out")
    assert recognise(tmp_path / "out") == "voc"
    assert recognise(tmp_path / "out" / "Annotations" / "a.xml") == "voc"
