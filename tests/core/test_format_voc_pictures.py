"""VOC's pictures of classes and objects without XML: CVAT's "Segmentation mask", labelme2voc's."""

import cv2
import numpy as np
import pytest

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, index_png, recognise

from .format_scenes import HEIGHT, WIDTH, holed, make_images, parts, solid

VOC = FORMATS["voc"]
# As CVAT lists them: any colours, the background's too.
LABELMAP = """# label:color_rgb:parts:actions
background:0,128,0::
plane:10,10,128::
ship:108,0,100::
"""
GROUND, PLANE, SHIP = (0, 128, 0), (10, 10, 128), (108, 0, 100)


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path / "images")


def painted(painting, ground=(0, 0, 0)):
    """Return an RGB picture of masks in their colours."""
    picture = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    for mask, colour in painting:
        picture[mask.y0 : mask.y1, mask.x0 : mask.x1][mask.bits] = colour
    return picture


def in_colours(picture):
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def numbered(painting, palette=None):
    values = np.zeros((HEIGHT, WIDTH), np.uint16)
    for mask, number in painting:
        index_png.paint(values, mask, number)
    return index_png.encode(values.astype(np.uint8), palette)


def put(folder, name, objects, classes=None):
    for place, data in (("SegmentationObject", objects), ("SegmentationClass", classes)):
        if data is not None:
            file = folder / place / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return folder


def found(dataset):
    """Return the objects of each image: class, and its mask as a picture."""
    names = {c.id: c.name for c in dataset.categories}
    return {
        image.path: [
            (names[i.category_id], i.mask)
            for i in (dataset.annotations[image.id].instances if image.id in dataset.annotations
                      else ())
        ]
        for image in dataset.images
    }  # fmt: skip


def same(mask, other):
    return (mask.x0, mask.y0) == (other.x0, other.y0) and np.array_equal(mask.bits, other.bits)


def test_cvats_segmentation_masks_are_read(tmp_path, images):
    folder = tmp_path / "cvat"
    one, two = solid(0, 0), parts()
    objects = painted([(one, (128, 0, 0)), (two, (0, 128, 0))])
    classes = painted([(one, SHIP), (two, PLANE)], GROUND)
    put(folder, "a", in_colours(objects), in_colours(classes))
    # A picture without objects is an image without objects.
    empty = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    put(folder, "sub/a", in_colours(empty), in_colours(empty))
    (folder / "labelmap.txt").write_text(LABELMAP)
    assert recognise(folder) == "voc"
    dataset = VOC.read(folder, images)
    assert [c.name for c in dataset.categories] == ["plane", "ship"]
    assert dataset.notes == ()
    (first, mask), (second, other) = found(dataset)["a.png"]
    assert (first, second) == ("ship", "plane")
    assert same(mask, one)
    assert same(other, two)
    assert [len(objects) for objects in found(dataset).values()] == [2, 0]


@pytest.mark.parametrize("palette", [None, index_png.voc_palette()])
def test_labelmes_pictures_are_read_by_their_numbers(tmp_path, images, palette):
    folder = tmp_path / "labelme"
    one, two = solid(0, 0), holed()
    objects = numbered([(one, 1), (two, 2)], palette)
    put(folder, "a", objects, numbered([(one, 2), (two, 1)], palette))
    (folder / "class_names.txt").write_text("_background_\nplane\nship\n")
    dataset = VOC.read(folder, images)
    assert [c.name for c in dataset.categories] == ["plane", "ship"]
    assert [label for label, _ in found(dataset)["a.png"]] == ["ship", "plane"]
    assert same(found(dataset)["a.png"][1][1], two)
    # Without names the classes are called by their numbers.
    (folder / "class_names.txt").unlink()
    assert [c.name for c in VOC.read(folder, images).categories] == ["class 1", "class 2"]


def test_the_border_of_objects_is_none_and_what_has_no_class_is_named(tmp_path, images):
    folder = tmp_path / "voc"
    one, two = solid(0, 0), holed()
    palette = index_png.voc_palette()
    objects = numbered([(solid(9, 5), 255), (one, 1), (two, 2)], palette)
    put(folder, "a", objects, numbered([(one, 1)], palette))
    put(folder, "sub/a", objects)
    put(folder, "nowhere", objects, objects)
    dataset = VOC.read(folder, images)
    assert [label for label, _ in found(dataset)["a.png"]] == ["class 1"]
    notes = " ".join(dataset.notes)
    assert "Object 2 of SegmentationObject/a.png was skipped: it has no class." in notes
    assert "Object 255" not in notes
    assert "no image is called like it" in notes
    assert "sub/a.png" in notes
    assert "a.png" in found(dataset)
    assert len(dataset.images) == 1


def test_pictures_of_which_none_can_be_used_are_refused(tmp_path, images):
    folder = put(tmp_path / "voc", "nowhere", in_colours(painted([])), in_colours(painted([])))
    with pytest.raises(FormatError, match="no image is called like it"):
        VOC.read(folder, images)
    with pytest.raises(FormatError, match=r"no \.xml file in it, and no \.png file"):
        VOC.read(images, images)


def test_an_xml_files_masks_may_be_in_colours(tmp_path, images):
    folder, one, two = tmp_path / "voc", solid(0, 0), holed()
    colours = index_png.voc_palette()
    put(folder, "a", in_colours(painted([(one, colours[2]), (two, colours[1])])))
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>16</xmax><ymax>16</ymax></bndbox>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    objects = f"<object><name>plane</name>{box}</object>" * 2
    (folder / "Annotations").mkdir()
    text = f"<annotation><filename>a.png</filename>{size}{objects}</annotation>"
    (folder / "Annotations" / "a.xml").write_text(text)
    (_, first), (_, second) = found(VOC.read(folder, images))["a.png"]
    assert same(first, two)
    assert same(second, one)


def test_one_picture_is_read_alone_and_palettes_of_other_colours_by_them(tmp_path, images):
    folder, one, two = tmp_path / "voc", solid(0, 0), holed()
    palette = index_png.voc_palette()
    palette[1:3] = PLANE, SHIP
    both = numbered([(one, 1), (two, 2)], palette)
    put(folder, "a", both, numbered([(one, 2), (two, 1)], palette))
    put(folder, "sub/a", both, both)
    (folder / "labelmap.txt").write_text(LABELMAP)
    picture = folder / "SegmentationObject" / "a.png"
    assert recognise(picture) == "voc"
    dataset = VOC.read(picture, images)
    assert list(found(dataset)) == ["a.png"]
    assert [label for label, _ in found(dataset)["a.png"]] == ["ship", "plane"]


def test_the_numbers_of_colours_are_those_of_the_palette():
    numbers = index_png.voc_numbers(index_png.voc_palette())
    assert numbers.tolist() == list(range(256))
    every = np.array([(255, 255, 255), (1, 0, 0), (0, 1, 0), (0, 0, 1)], np.uint8)
    assert len(set(index_png.voc_numbers(every).tolist())) == 4
