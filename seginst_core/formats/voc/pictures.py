"""VOC's pictures of classes and objects without XML, as CVAT and labelme's ``labelme2voc`` write.

``SegmentationObject`` has a number or a colour for each object, ``SegmentationClass`` one for its
class. A colour is that of a row in ``labelmap.txt``, a number is a place in it or in
``class_names.txt``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.folders import contents, each_file, files_of
from seginst_core.formats.lookup import ImageIndex
from seginst_core.formats.voc import labelmap
from seginst_core.formats.voc.gathered import Found, gathered
from seginst_core.formats.voc.xml_files import BORDER, CLASSES, IMAGES, OBJECTS
from seginst_core.lenient import shown
from seginst_core.masks.geometry import mask_box
from seginst_core.types import (
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
    """Whether pictures of objects are there, with those of their classes beside them."""
    if not path.exists():
        return False
    _, files = files_of(path, ".png", None)
    return any(_classes_of(file).is_file() for file in of_objects(files))


def read(root: Path, files: Sequence[Path], images: Path | None) -> Dataset:
    """Read pictures of objects, named from ``root``, for images in a folder."""
    notes: list[str] = []
    index = ImageIndex(images or root, root)
    found: Found = {}
    n_instances = 0

    def take(file: Path, name: str) -> None:
        nonlocal n_instances
        image = _image(file, name, index, len(found) + 1)
        if image.path in found:
            raise FormatError(f"{shown(image.path)} has a file already")
        objects = [
            (label, Instance(n_instances + k, 1, mask_box(mask), mask, origin=_IMPORTED))
            for k, (label, mask) in enumerate(_objects(file, name, image, notes), 1)
        ]
        n_instances += len(objects)
        found[image.path] = image, objects

    each_file(files, root, notes, take)
    listed = [name for name, _ in _rows(files[0]) if name not in _BACKGROUNDS]
    return gathered(found, listed, notes)


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
    rows = _rows(file)
    in_colours = not index_png.is_grey(beside) and any(colour for _, colour in rows)
    classes = index_png.decode_colours(beside, *size, palettes=in_colours)
    names = _names(rows, in_colours=in_colours)
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


def _names(rows: Sequence[labelmap.Row], *, in_colours: bool) -> Mapping[int, str]:
    """Return the class of each number: its place, or its colour's number in VOC's palette."""
    if not in_colours:
        return {k: name for k, (name, _) in enumerate(rows)}
    colours = [(name, np.array(colour, np.uint8)) for name, colour in rows if colour is not None]
    return {int(index_png.voc_numbers(colour)): name for name, colour in colours}


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
