"""Data sets for the tests of formats: every kind of mask, and names that are hard to keep."""

from pathlib import Path

import cv2
import numpy as np

from seginst_core.masks.geometry import mask_box, trim
from seginst_core.types import (
    PALETTE,
    Annotation,
    Box,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
)

PATHS = ("a.png", "sub/a.png", "sub/žluť 1.v2.png", "sub/deep/самолёт.png", "нет.png")
WIDTH, HEIGHT = 50, 40
IMAGES = tuple(ImageRef(k, path, WIDTH, HEIGHT) for k, path in enumerate(PATHS, 1))
CATEGORIES = (Category(1, "plane", PALETTE[0]), Category(2, "самолёт: \"a\", 'b' #1", PALETTE[1]))


def make_images(folder: Path, paths: tuple[str, ...] = PATHS) -> Path:
    """Write the images of the scenes into a folder."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        assert done
        (folder / path).write_bytes(data.tobytes())
    return folder


def solid(x0: int = 3, y0: int = 2) -> Mask:
    y, x = np.mgrid[0:9, 0:12]
    return trim((x - 6) ** 2 + 2 * (y - 4) ** 2 < 30, x0, y0)


def parts(x0: int = 30, y0: int = 5) -> Mask:
    """Three parts, two of which touch at a corner."""
    bits = np.zeros((12, 12), np.bool_)
    bits[0:4, 0:4] = bits[4:6, 4:9] = bits[9:12, 8:12] = True
    return Mask(x0, y0, bits)


def holed(x0: int = 15, y0: int = 10) -> Mask:
    """Two parts, one of them with two holes, in one of which an island lies."""
    bits = np.zeros((30, 35), np.bool_)
    bits[:20, :20] = True
    bits[5:12, 6:15] = False
    bits[7:9, 8:10] = True
    bits[15:17, 2:4] = False
    bits[25:, 30:] = True
    return Mask(x0, y0, bits)


def instance(instance_id: int, mask: Mask | None = None, category_id: int = 1, **other) -> Instance:
    box = Box(1.5, 2, 9.25, 8) if mask is None else mask_box(mask)
    return Instance(id=instance_id, category_id=category_id, box=box, mask=mask, **other)


def scene(*per_image: tuple[Instance, ...]) -> Dataset:
    """A data set of the images, with these instances in the first ones of them."""
    annotations = {
        image.id: Annotation(image.id, instances, "done")
        for image, instances in zip(IMAGES, per_image, strict=False)
        if instances
    }
    return Dataset(IMAGES, CATEGORIES, annotations)


def everything() -> Dataset:
    return scene(
        (instance(1, solid()), instance(2, parts(), 2)),
        (instance(3, solid(20, 20), 2), instance(4, holed())),
        (instance(5, holed(), 2),),
        (instance(6, None), instance(7, None, 2)),
    )


def pixels(mask: Mask | None) -> np.ndarray:
    array = np.zeros((HEIGHT, WIDTH), np.bool_)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


def look(dataset: Dataset, instance: Instance) -> tuple[str, bytes, tuple[float, ...]]:
    """An instance's class, pixels and box, to compare and to sort by."""
    names = {category.id: category.name for category in dataset.categories}
    box = instance.box
    edges = tuple(round(v, 4) for v in (box.x0, box.y0, box.x1, box.y1))
    return names[instance.category_id], pixels(instance.mask).tobytes(), edges


def looks(dataset: Dataset) -> dict[str, list[tuple[str, bytes, tuple[float, ...]]]]:
    """What a data set shows, by image path, whatever its ids and its order."""
    paths = {image.id: image.path for image in dataset.images}
    return {
        paths[image_id]: sorted(look(dataset, i) for i in annotation.instances)
        for image_id, annotation in dataset.annotations.items()
    }


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones included."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
