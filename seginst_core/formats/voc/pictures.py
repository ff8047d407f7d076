"""VOC's pictures of classes and objects without XML, as CVAT and labelme's ``labelme2voc`` write.

``SegmentationObject`` has a number or a colour for each object, ``SegmentationClass`` one for its
class. A colour is that of a row in ``labelmap.txt``, a number is a place in it or in
``class_names.txt``; in the palette of VOC both are the same.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.folders import contents, each_file, files_of
from seginst_core.formats.lookup import ImageIndex
from seginst_core.formats.voc import labelmap
from seginst_core.formats.voc.xml_files import BORDER, CLASSES, IMAGES, OBJECTS
from seginst_core.lenient import shortened, shown
from seginst_core.masks.geometry import mask_box
from seginst_core.types import (
    PALETTE,
    Annotation,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
)

_BACKGROUNDS = ("background", "_background_", "__ignore__")
_IMPORTED = Origin("import")


def of_objects(files: Sequence[Path]) -> list[Path]:
    """Return the files that are pictures of objects."""
    return [file for file in files if _root(file) is not None]


def recognise(path: Path) -> bool:
    """Whether a folder has pictures of objects with those of their classes beside them."""
    if not path.is_dir():
        return False
    _, files = files_of(path, ".png", None)
    return any(_classes_of(file).is_file() for file in of_objects(files))


def read(root: Path, files: Sequence[Path], images: Path | None) -> Dataset:
    """Read pictures of objects, named from ``root``, for images in a folder."""
    notes: list[str] = []
    index = ImageIndex(images or root, root)
    found: dict[str, tuple[ImageRef, list[tuple[str, Mask]]]] = {}

    def take(file: Path, name: str) -> None:
        image = _image(file, name, index, len(found) + 1)
        if image.path in found:
            raise FormatError(f"{shown(image.path)} has a file already")
        found[image.path] = image, _objects(file, name, image, notes)

    each_file(files, root, notes, take)
    labels = {label for _, objects in found.values() for label, _ in objects}
    listed = [name for name, _ in _rows(files[0]) if name not in _BACKGROUNDS]
    names = dict.fromkeys((*listed, *sorted(labels)))
    categories = tuple(
        Category(k, name, PALETTE[(k - 1) % len(PALETTE)]) for k, name in enumerate(names, 1)
    )
    ids = {category.name: category.id for category in categories}
    annotations: dict[int, Annotation] = {}
    n_instances = 0
    for image, objects in found.values():
        instances = tuple(
            Instance(n_instances + k, ids[label], mask_box(mask), mask, origin=_IMPORTED)
            for k, (label, mask) in enumerate(objects, 1)
        )
        n_instances += len(instances)
        if instances:
            annotations[image.id] = Annotation(image.id, instances, "done")
    refs = tuple(image for image, _ in found.values())
    return Dataset(refs, categories, annotations, shortened(notes))


def _image(file: Path, name: str, index: ImageIndex, image_id: int) -> ImageRef:
    below = _below(file).as_posix()
    above = PurePosixPath(name).parts[: -len(_below(file).parts) - 1]
    names = [str(PurePosixPath(*above, *place, below)) for place in ((IMAGES,), ())]
    path = index.find([*names, below], with_suffix=False)
    if path is None:
        raise FormatError("no image is called like it")
    return ImageRef(image_id, path, *index.size(path))


def _objects(file: Path, name: str, image: ImageRef, notes: list[str]) -> list[tuple[str, Mask]]:
    size = image.width, image.height
    objects = index_png.decode_colours(contents(file), *size)
    beside = contents(_classes_of(file))
    classes = index_png.decode_colours(beside, *size)
    names = _names(_rows(file), in_numbers=index_png.is_grey(beside))
    found = []
    for number, mask in index_png.masks_of(objects):
        if number == BORDER:
            continue
        there = classes[mask.y0 : mask.y1, mask.x0 : mask.x1][mask.bits]
        numbers, counts = np.unique(there, return_counts=True)
        wanted = int(numbers[counts.argmax()])
        if wanted in (0, BORDER) or names.get(wanted) in _BACKGROUNDS:
            notes.append(f"Object {number} of {shown(name)} was skipped: it has no class.")
            continue
        found.append((names.get(wanted, f"class {wanted}"), mask))
    return found


def _names(rows: Sequence[labelmap.Row], *, in_numbers: bool) -> Mapping[int, str]:
    """Return the class of each number, or of each colour by its number in VOC's palette."""
    names = {k: name for k, (name, colour) in enumerate(rows) if in_numbers or colour is None}
    for name, colour in () if in_numbers else rows:
        if colour is not None:
            names[int(index_png.voc_numbers(np.array(colour, np.uint8)))] = name
    return names


def _rows(file: Path) -> Sequence[labelmap.Row]:
    root = _root(file)
    return labelmap.read(root) if root is not None else []


def _root(file: Path) -> Path | None:
    """Return the folder that holds SegmentationObject; None if the file is in none."""
    return next((p.parent for p in file.parents if p.name == OBJECTS), None)


def _below(file: Path) -> PurePosixPath:
    """Return a picture's name within its folder, without its ending: that of the image."""
    root = _root(file)
    assert root is not None
    return PurePosixPath(file.relative_to(root / OBJECTS).with_suffix("").as_posix())


def _classes_of(file: Path) -> Path:
    root = _root(file)
    assert root is not None
    return root / CLASSES / f"{_below(file)}.png"
