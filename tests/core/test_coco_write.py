"""What is written is what was there, to the pixel, and every reader of COCO takes it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pycocotools.coco import COCO

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
from seginst_core.formats.coco_json import results, save
from seginst_core.masks.geometry import mask_box, trim
from seginst_core.types import Annotation, Box, Category, Dataset, ImageRef, Instance, Mask

COCO_JSON = FORMATS["coco"]
IMAGE = ImageRef(7, "sub/žluť 1.png", 50, 40)


def holed() -> Mask:
    """Two parts, one of them with a hole."""
    bits = np.zeros((30, 35), np.bool_)
    bits[:20, :20] = True
    bits[5:9, 6:15] = False
    bits[25:, 30:] = True
    return Mask(15, 10, bits)


def solid() -> Mask:
    y, x = np.mgrid[0:9, 0:12]
    return trim((x - 6) ** 2 + 2 * (y - 4) ** 2 < 30, 3, 2)


def instance(instance_id: int, mask: Mask | None = None, **other: object) -> Instance:
    box = Box(1.5, 2, 9.25, 8) if mask is None else mask_box(mask)
    return Instance(id=instance_id, category_id=3, box=box, mask=mask, **other)


def dataset(*instances: Instance) -> Dataset:
    category = Category(3, "самолёт", (10, 20, 30), "things")
    other = ImageRef(2, "none.png", 9, 9)
    return Dataset((IMAGE, other), (category,), {7: Annotation(7, instances, "done")})


def rows(path: Path) -> dict[int, dict[str, object]]:
    return {row["id"]: row for row in json.loads(path.read_text("utf-8"))["annotations"]}


def everything() -> Dataset:
    return dataset(
        instance(4, holed()),
        instance(90, solid(), score=0.25, attributes={"occluded": "yes"}),
        instance(91, holed(), iscrowd=True),
        instance(1000, None),
    )


def pixels(mask: Mask, image: ImageRef) -> np.ndarray:
    array = np.zeros((image.height, image.width), np.uint8)
    array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def assert_same(read: Dataset, written: Dataset) -> None:
    """The same images, categories and instances, but for where the instances came from."""
    assert read.notes == ()
    assert read.images == written.images
    assert read.categories == written.categories
    assert list(read.annotations) == sorted(written.annotations)
    for image_id, annotation in written.annotations.items():
        again = read.annotations[image_id].instances
        for a, b in zip(again, annotation.instances, strict=True):
            assert (a.id, a.category_id, a.box, a.iscrowd) == (
                b.id,
                b.category_id,
                b.box,
                b.iscrowd,
            )
            assert (a.score, a.attributes) == (b.score, b.attributes)
            assert a.mask == b.mask


def test_ids_holes_parts_crowds_boxes_scores_and_names_survive(tmp_path):
    path = tmp_path / "new folder" / "a.json"
    assert COCO_JSON.write(everything(), path) == ()
    assert_same(COCO_JSON.read(path), everything())


def test_area_and_box_come_from_the_mask(tmp_path):
    path = tmp_path / "a.json"
    loose = Mask(3, 2, np.pad(solid().bits, 2))  # a crop with empty rims
    wrong = Instance(id=5, category_id=3, box=Box(0, 0, 1, 1), mask=loose)
    COCO_JSON.write(dataset(wrong, instance(6)), path)
    assert rows(path)[5]["area"] == solid().area
    assert rows(path)[5]["bbox"] == [5, 4, *solid().bits.shape[::-1]]
    assert rows(path)[6]["area"] == 7.75 * 6
    assert rows(path)[6]["bbox"] == [1.5, 2, 7.75, 6]


def test_pycocotools_reads_the_exact_pixels(tmp_path):
    path = tmp_path / "a.json"
    COCO_JSON.write(everything(), path)
    coco = COCO(path)
    assert coco.loadCats(3)[0]["name"] == "самолёт"
    assert coco.loadImgs(7)[0]["file_name"] == IMAGE.path
    for one in everything().annotations[7].instances:
        table = coco.anns[one.id]
        assert table["iscrowd"] == one.iscrowd
        if one.mask is not None:
            assert np.array_equal(coco.annToMask(table), pixels(one.mask, IMAGE))


def test_polygons_are_exact_without_holes_and_the_loss_of_holes_is_stated(tmp_path):
    path = tmp_path / "a.json"
    diagonal = Mask(5, 5, np.eye(4, dtype=np.bool_))
    whole = dataset(instance(1, solid()), instance(2, diagonal))
    wide = instance(1, Mask(0, 0, pixels(solid(), IMAGE) > 0))
    assert COCO_JSON.write(dataset(wide), path, polygons=True) == ()
    assert COCO_JSON.write(whole, path, polygons=True) == ()
    assert [len(row["segmentation"]) for row in rows(path).values()] == [1, 4]
    assert_same(COCO_JSON.read(path), whole)
    coco = COCO(path)
    assert np.array_equal(coco.annToMask(coco.anns[1]), pixels(solid(), IMAGE))
    (loss,) = COCO_JSON.write(everything(), path, polygons=True)
    iou = holed().area / (holed().area + 36)
    assert loss == (
        "1 masks with holes were changed by writing them as polygons; "
        f"the worst keeps an IoU of {iou:.3f} with its mask."
    )
    table = rows(path)
    assert [type(table[i]["segmentation"]) for i in (4, 90, 91, 1000)] == [list, list, dict, list]
    assert table[4]["area"] == holed().area
    filled = COCO_JSON.read(path).annotations[7].instances[0].mask
    assert filled.bits[:20, :20].all()


BITS = npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, max_side=8))


@given(st.lists(st.tuples(BITS, st.integers(0, 42), st.integers(0, 32)), max_size=4))
def test_any_masks_survive(tmp_path_factory, crops):
    masks = [trim(bits, x, y) for bits, x, y in crops]
    written = dataset(*[instance(k + 1, m) for k, m in enumerate(masks) if m is not None])
    if not written.annotations[7].instances:
        written = Dataset(written.images, written.categories, {})
    path = tmp_path_factory.getbasetemp() / "any.json"
    COCO_JSON.write(written, path)
    assert_same(COCO_JSON.read(path), written)


def test_results_are_taken_by_pycocotools(tmp_path):
    COCO_JSON.write(everything(), tmp_path / "truth.json")
    found = [instance(1, holed(), score=0.5), instance(2, solid())]
    lines = results(7, found, IMAGE.width, IMAGE.height)
    assert [line["score"] for line in lines] == [0.5, 0.0]
    assert lines[0]["bbox"] == [15, 10, 35, 30]
    save(tmp_path / "p.json", lines)
    loaded = COCO(tmp_path / "truth.json").loadRes(str(tmp_path / "p.json"))
    assert np.array_equal(loaded.annToMask(loaded.anns[1]), pixels(holed(), IMAGE))
    assert np.array_equal(loaded.annToMask(loaded.anns[2]), pixels(solid(), IMAGE))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
dataset = FORMATS["coco"].read(Path(sys.argv[1]))
# From here on every write beyond 100 bytes fails, as on a disk that is full.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    FORMATS["coco"].write(dataset, Path(sys.argv[2]))
except FormatError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    source, old = tmp_path / "source.json", tmp_path / "out" / "old.json"
    COCO_JSON.write(everything(), source)
    old.parent.mkdir()
    old.write_text("the old file")
    for path in (old, old.with_name("new.json")):
        done = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(source), str(path)],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        said = f"{path} could not be written (File too large); nothing was changed.\n"
        assert (done.stdout, done.stderr) == (said, "")
    assert old.read_text() == "the old file"
    assert [p.name for p in old.parent.iterdir()] == ["old.json"]


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder.json", tmp_path / "file" / "a.json"):
        with pytest.raises(
            FormatError, match=r" could not be written \(.*\); nothing was changed\.$"
        ):
            COCO_JSON.write(everything(), path)
    unspeakable = ImageRef(7, "\udcff.png", 50, 40)  # how Python spells a name of stray bytes
    with pytest.raises(FormatError, match="is not Unicode text; nothing was changed"):
        COCO_JSON.write(Dataset((unspeakable,), (), {}), tmp_path / "a.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.json"]


def as_text(counts: str | bytes) -> str:
    return counts if isinstance(counts, str) else counts.decode("ascii")


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.tif", "a.bmp", "link.json"])
def test_an_image_is_never_written_to(tmp_path, name):
    images = {tmp_path / "a.png", tmp_path / name}
    for path in images:
        if path.suffix == ".json":
            path.symlink_to(tmp_path / "a.png")
        else:
            path.write_bytes(b"pixels")
    with pytest.raises(FormatError, match=f"{name} is named as an image"):
        COCO_JSON.write(everything(), tmp_path / name)
    assert all(path.read_bytes() == b"pixels" for path in images)


@pytest.mark.parametrize("name", ["project.db", "project.db-wal", "mask.safetensors"])
def test_neither_is_a_project_or_a_model(tmp_path, name):
    (tmp_path / name).write_bytes(b"weeks of work")
    with pytest.raises(FormatError, match=f"{name} is named as a project or a model"):
        COCO_JSON.write(everything(), tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"weeks of work"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "n_images", "n_objects"),
    [
        ("vhr10-airplane/annotations/instances_train.json", 58, 371),
        ("vhr10-airplane/annotations/instances_val.json", 23, 165),
        ("vhr10-airplane/annotations/instances_large.json", 2, 318),
        ("dsb2018-nuclei/annotations/instances_train.json", 100, 4797),
        ("dsb2018-nuclei/annotations/instances_val.json", 34, 1361),
    ],
)
def test_real_data_survive_and_keep_the_pixels_of_pycocotools(
    data, tmp_path, name, n_images, n_objects
):
    first = COCO_JSON.read(data / name)
    assert first.notes == ()
    assert len(first.images) == n_images
    assert sum(len(a.instances) for a in first.annotations.values()) == n_objects
    path = tmp_path / "a.json"
    assert COCO_JSON.write(first, path) == ()
    assert_same(COCO_JSON.read(path), first)
    before, after = COCO(data / name), COCO(path)
    assert sorted(before.anns) == sorted(after.anns)
    images = {image.id: image for image in first.images}
    for image_id, annotation in first.annotations.items():
        for one in annotation.instances:
            old, new = before.anns[one.id], after.anns[one.id]
            assert (old["image_id"], old["area"], old["bbox"]) == (
                image_id,
                new["area"],
                new["bbox"],
            )
            # Large composites are compared by their runs alone: pixels would take minutes.
            assert as_text(before.annToRLE(old)["counts"]) == after.annToRLE(new)["counts"]
            if one.id % 9 == 0 and images[image_id].width < 2000:
                assert np.array_equal(after.annToMask(new), pixels(one.mask, images[image_id]))


@pytest.mark.real_data
def test_real_polygons_written_as_polygons_keep_every_pixel(data, tmp_path):
    first = COCO_JSON.read(data / "dsb2018-nuclei/annotations/instances_val.json")
    notes = COCO_JSON.write(first, tmp_path / "a.json", polygons=True)
    again = COCO_JSON.read(tmp_path / "a.json")
    changed = 0
    for image_id, annotation in first.annotations.items():
        for a, b in zip(annotation.instances, again.annotations[image_id].instances, strict=True):
            if a.mask != b.mask:
                changed += 1
                assert b.mask.area > a.mask.area
    assert notes[0].startswith(f"{changed} masks") if changed else notes == ()
