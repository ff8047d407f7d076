"""Mask PNGs keep everything, overlaps included, and plain pictures of numbers are read too."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, index_png, recognise
from seginst_core.masks.geometry import trim
from seginst_core.types import Annotation, Category, Dataset, ImageRef, Instance, Origin

from .format_scenes import (
    HEIGHT,
    WIDTH,
    everything,
    holed,
    instance,
    make_images,
    parts,
    pixels,
    scene,
    solid,
)

MASK_PNG = FORMATS["mask-png"]


def overlapping() -> Dataset:
    """Objects over objects, one of them covered whole."""
    return scene(
        (
            instance(8, holed(), 2, score=0.5, attributes={"a": "ж"}),
            instance(9, solid(16, 11), iscrowd=True),
            instance(10, holed()),
            instance(11, None),
            instance(400, parts(0, 0)),
        )
    )


def plain(one: Instance) -> tuple[object, ...]:
    return one.id, one.category_id, one.box, one.score, one.iscrowd, dict(one.attributes)


def assert_same(read: Dataset, written: Dataset) -> None:
    assert read.notes == ()
    assert (read.images, read.categories) == (written.images, written.categories)
    assert list(read.annotations) == sorted(written.annotations)
    for image_id, annotation in written.annotations.items():
        for a, b in zip(read.annotations[image_id].instances, annotation.instances, strict=True):
            assert plain(a) == plain(b)
            assert a.mask == b.mask


@pytest.mark.parametrize("make", [everything, overlapping])
def test_all_of_a_data_set_survives(tmp_path, make):
    written = make()
    coloured = (Category(1, "plane", (1, 2, 3), "things"), *written.categories[1:])
    written = Dataset(written.images, coloured, written.annotations)
    assert MASK_PNG.losses(written) == ()
    assert MASK_PNG.write(written, tmp_path / "out") == ()
    assert_same(MASK_PNG.read(tmp_path / "out"), written)
    assert_same(MASK_PNG.read(tmp_path / "out" / "categories.json"), written)


def test_the_pictures_are_what_they_say(tmp_path):
    out = tmp_path / "out"
    MASK_PNG.write(overlapping(), out)
    picture = cv2.imdecode(np.fromfile(out / "masks/a.png", np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.dtype == np.uint16
    assert (picture[pixels(solid(16, 11))] == 2).all()
    assert not picture[~(pixels(holed()) | pixels(solid(16, 11)) | pixels(parts(0, 0)))].any()
    names = sorted(p.name for p in (out / "objects/a").iterdir())
    assert names == ["00001.png", "00003.png"]
    alone = cv2.imdecode(np.fromfile(out / "objects/a/00001.png", np.uint8), cv2.IMREAD_UNCHANGED)
    assert ((alone == 255) == pixels(holed())).all()
    assert not (out / "objects/sub").exists()  # nothing overlaps there


CROP = st.tuples(
    npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=8)),
    st.integers(0, 42),
    st.integers(0, 32),
)


@given(st.lists(CROP, max_size=5))
def test_any_masks_survive(tmp_path_factory, crops):
    masks = [trim(*crop) for crop in crops]
    written = scene(tuple(instance(k, m) for k, m in enumerate(masks, 1) if m is not None))
    out = tmp_path_factory.mktemp("any") / "out"
    MASK_PNG.write(written, out)
    assert_same(MASK_PNG.read(out), written)


@given(
    npst.arrays(np.uint16, npst.array_shapes(min_dims=2, max_dims=2, max_side=12),
                elements=st.sampled_from([0, 0, 1, 2, 255, 256, 65535]))
)  # fmt: skip
def test_numbers_and_their_masks_survive_a_png(values):
    height, width = values.shape
    again = index_png.decode(index_png.encode(values), width, height)
    assert np.array_equal(again, values)
    small = np.minimum(values, 255)
    palette = index_png.encode(small, index_png.voc_palette())
    assert np.array_equal(index_png.decode(palette, width, height), small)
    masks = dict(index_png.masks_of(values))
    assert sorted(masks) == sorted(set(values.ravel().tolist()) - {0})
    for number, mask in masks.items():
        assert trim(values == number, 0, 0) == mask


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_pngs_of_few_bits_are_read(depth):
    """Written by hand: one row of 8 numbers, in grey and with a palette."""
    import struct
    import zlib

    n_values = 1 << depth
    numbers = [k % n_values for k in range(8)]
    bits = "".join(f"{number:0{depth}b}" for number in numbers)
    row = b"\0" + int(bits, 2).to_bytes(depth, "big")

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    for colour in (0, 3):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, depth, colour, 0, 0, 0))
        palette = chunk(b"PLTE", bytes(3 * n_values)) if colour else b""
        end = chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
        png = b"\x89PNG\r\n\x1a\n" + head + palette + end
        assert index_png.decode(png, 8, 1).tolist() == [numbers]


def test_bad_pictures_and_objects_are_named_and_the_rest_goes_on(tmp_path):
    out = tmp_path / "out"
    MASK_PNG.write(everything(), out)
    (out / "masks/a.png").write_bytes(b"no picture")
    (out / "masks/sub/a.png").write_bytes(index_png.encode(np.zeros((3, 4), np.uint16)))
    root = json.loads((out / "categories.json").read_text("utf-8"))
    root["objects"] += [{"id": 3}, {"id": 90, "image_id": 1, "category_id": 9}, 5]
    root["objects"][4]["mask_file"] = "../../secret.png"
    (out / "categories.json").write_text(json.dumps(root))
    dataset = MASK_PNG.read(out)
    assert [len(a.instances) for a in dataset.annotations.values()] == [2, 2, 1, 2]
    assert dataset.annotations[1].instances[0].mask is None
    assert dataset.annotations[3].instances[0].mask == holed()
    assert dataset.notes == (
        "Entries of the objects that are not objects were skipped: 1.",
        "Object 3 was skipped: another has the same id.",
        "Object 90 was skipped: its category 9 is not listed.",
        "The masks of a.png were skipped: it is not a PNG.",
        "Object 1 kept only its box: its mask covers no pixel.",
        "Object 2 kept only its box: its mask covers no pixel.",
        "The masks of sub/a.png were skipped: it has 4 × 3 pixels where its image has 50 × 40.",
        "Object 3 kept only its box: its mask covers no pixel.",
        "The mask of object 5 was skipped: it names a file outside the images folder: "
        "../../secret.png.",
    )
    root["images"][0]["file_name"] = "../a.png"
    (out / "categories.json").write_text(json.dumps(root))
    with pytest.raises(FormatError, match=r"names a file outside the images folder: \.\./a\.png"):
        MASK_PNG.read(out)


def test_pictures_that_nothing_describes_are_objects_of_one_class(tmp_path):
    images = make_images(tmp_path / "images", ("a.png", "sub/b.png", "c.png", "d.png"))
    masks = tmp_path / "masks"
    (masks / "sub").mkdir(parents=True)
    values = np.zeros((HEIGHT, WIDTH), np.uint16)
    index_png.paint(values, solid(), 7)
    index_png.paint(values, parts(), 700)
    (masks / "a_cp_masks.png").write_bytes(index_png.encode(values))
    (masks / "sub/b.png").write_bytes(index_png.encode(values))
    colours = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    (masks / "c.png").write_bytes(cv2.imencode(".png", colours)[1].tobytes())
    (masks / "e.png").write_bytes(index_png.encode(values))
    dataset = MASK_PNG.read(masks, images)
    assert [i.path for i in dataset.images] == ["a.png", "sub/b.png"]
    assert [i.mask for i in dataset.annotations[1].instances] == [solid(), parts()]
    assert [i.id for i in dataset.annotations[2].instances] == [3, 4]
    assert dataset.annotations[1].instances[0].origin == Origin("import")
    assert dataset.notes == (
        "There is no categories.json: every number is an object of the class object.",
        "c.png was skipped: it is a picture in colours, not of numbers.",
        f"e.png was skipped: no image of that name is in {images}.",
    )


def test_more_objects_than_16_bits_count_are_refused(tmp_path):
    box = instance(1)
    image = ImageRef(1, "a.png", WIDTH, HEIGHT)
    crowd = Dataset((image,), (), {1: Annotation(1, (box,) * 65536)})
    with pytest.raises(FormatError, match="more than 65535 objects"):
        MASK_PNG.write(crowd, tmp_path / "place" / "out")
    assert not list((tmp_path / "place").iterdir())


def test_mask_pngs_are_recognised_by_their_list(tmp_path):
    MASK_PNG.write(everything(), tmp_path / "out")
    assert recognise(tmp_path / "out") == "mask-png"
    assert recognise(tmp_path / "out" / "categories.json") == "mask-png"
    (tmp_path / "categories.json").write_text('{"images": []}')
    assert recognise(tmp_path / "categories.json") == "coco"
