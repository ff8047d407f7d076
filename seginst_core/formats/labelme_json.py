"""labelme: one JSON file an image, beside the image, with polygons, boxes, circles and masks.

The format: the files that labelme 5 writes. Parts of one object share a ``group_id``; an object
with holes is a shape of type ``mask``, a small PNG. Further keys of a shape survive labelme.
"""

import json
import os
import posixpath
from pathlib import Path, PurePosixPath

import orjson

from seginst_core.errors import FormatError
from seginst_core.formats.coco_parts import Table
from seginst_core.formats.folders import (
    contents,
    each_file,
    files_of,
    first_files,
    text_of,
    whole_folder,
)
from seginst_core.formats.labelme_shapes import parse_shapes, to_shapes
from seginst_core.formats.lookup import ImageIndex, inside, stems_taken, without_suffix
from seginst_core.formats.losses import has_holes, plain_losses
from seginst_core.lenient import parse_json, shortened, shown, whole
from seginst_core.masks.rle import MAX_PIXELS
from seginst_core.types import PALETTE, Annotation, Category, Dataset, ImageRef, Instance

_VERSION = "5.5.0"
_NAMES = "labels.txt"
# A larger file is COCO, or holds its image, which comes last: neither is worth parsing twice.
_MAX_TOLD_BYTES = 1 << 25
_HEAD_BYTES = 1 << 12
_NO_CLASS = ("__ignore__", "_background_")


def read(path: Path, images: Path | None = None) -> Dataset:
    """Read labelme files below a folder, or one of them, for images in a folder.

    A file's ``imagePath`` is relative to it (``images`` is ``path``'s folder if it is None). A bad
    file or shape is skipped and named; a file of which the image lies elsewhere is refused.
    FormatError if nothing can be used.
    """
    root, files = files_of(path, ".json", images)
    if not files:
        raise FormatError(f"{path} holds no labelme files: there is no .json file in it.")
    notes: list[str] = []
    index = ImageIndex(images or root, root)
    found: dict[str, tuple[ImageRef, list[Instance]]] = {}
    classes = _class_names(path if path.is_dir() else path.parent)
    n_instances = 0

    def take(file: Path, name: str) -> None:
        nonlocal n_instances
        table = _load(file)
        image = _image(table, file, name, index, len(found) + 1)
        if image.path in found:
            raise FormatError(f"{shown(image.path)} has a file already")
        instances = parse_shapes(table, image, n_instances + 1, classes, name, notes)
        n_instances += len(instances)
        found[image.path] = image, instances

    each_file(files, root, notes, take)
    annotations = {
        image.id: Annotation(image.id, tuple(instances), "done")
        for image, instances in found.values()
        if instances
    }
    categories = tuple(
        Category(number, name, PALETTE[(number - 1) % len(PALETTE)])
        for name, number in classes.items()
    )
    refs = tuple(image for image, _ in found.values())
    return Dataset(refs, categories, annotations, shortened(notes))


def write(dataset: Dataset, path: Path) -> tuple[str, ...]:
    """Write a JSON file an image and the classes' ``labels.txt`` into a folder, whole or not.

    The folders are those of the images, so the files can be laid over them. FormatError if it
    cannot be written.
    """
    names = {category.id: " ".join(category.name.split()) for category in dataset.categories}
    long_named = {image.id for image in stems_taken(dataset.images)}
    with whole_folder(path, dataset.images) as target:
        target.put(_NAMES, "".join(f"{name}\n" for name in names.values()))
        for image in dataset.images:
            annotation = dataset.annotations.get(image.id, Annotation(image.id))
            shapes = [
                shape
                for group_id, instance in enumerate(annotation.instances, 1)
                for shape in to_shapes(instance, names[instance.category_id], group_id)
            ]
            root: Table = {
                "version": _VERSION,
                "flags": {},
                "shapes": shapes,
                "imagePath": PurePosixPath(image.path).name,
                "imageData": None,
                "imageHeight": image.height,
                "imageWidth": image.width,
            }
            stem = image.path if image.id in long_named else without_suffix(image.path)
            target.put(f"{stem}.json", json.dumps(root, ensure_ascii=False, indent=1))
    return ()


def losses(dataset: Dataset) -> tuple[str, ...]:
    """Return sentences on what would be lost by writing."""
    found = plain_losses(dataset, {"empty classes", "scores", "crowds", "attributes"})
    n_holed = sum(
        instance.mask is not None and has_holes(instance.mask)
        for annotation in dataset.annotations.values()
        for instance in annotation.instances
    )
    if n_holed:
        found.append(
            "Masks with holes are written as mask shapes, which labelme shows from version 5.3 on: "
            f"{n_holed}."
        )
    return tuple(found)


def recognise(path: Path) -> bool:
    """Whether a file, or one of the first in a folder, holds labelme's shapes."""
    for file in first_files(path, ".json"):
        try:
            if file.stat().st_size > _MAX_TOLD_BYTES:
                with file.open("rb") as stream:
                    told = b'"shapes"' in stream.read(_HEAD_BYTES)
            else:
                told = "imagePath" in _load(file)
        except (FormatError, OSError):
            continue
        if told:
            return True
    return False


def _class_names(folder: Path) -> dict[str, int]:
    try:
        lines = text_of(folder / _NAMES).splitlines()
    except FormatError:
        return {}
    names = dict.fromkeys(shown(line.strip()) for line in lines if line.strip())
    kept = [name for name in names if name not in _NO_CLASS]
    return {name: number for number, name in enumerate(kept, 1)}


def _load(file: Path) -> Table:
    try:
        root = parse_json(contents(file))
    except orjson.JSONDecodeError as error:
        raise FormatError(f"it is not JSON: {error}") from error
    if not isinstance(root, dict) or not isinstance(root.get("shapes"), list):
        raise FormatError("it is not a labelme file: it has no list of shapes")
    return root


def _image(table: Table, file: Path, name: str, index: ImageIndex, image_id: int) -> ImageRef:
    """Return the image of a file: as it is in the images folder, else as the file says."""
    given = table.get("imagePath")
    if not isinstance(given, str) or not given:
        raise FormatError("it has no imagePath")
    path = index.find([_image_path(given, file, name, index.folder)], with_suffix=True)
    if path is None:
        path = index.find([without_suffix(name)], with_suffix=False)
    try:
        width, height = whole(table, "imageWidth"), whole(table, "imageHeight")
    except FormatError:
        # Older files have no size.
        if path is None:
            raise
        width, height = index.size(path)
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise FormatError(f"its image's size is {width} × {height}")
    return ImageRef(image_id, path or _image_path(given, file, name, index.folder), width, height)


def _image_path(given: str, file: Path, name: str, images: Path) -> str:
    """Return where a file's image is, from the images folder or from the folder that is read.

    FormatError if it is in neither. Nothing is looked up on the disk.
    """
    plain = given.replace("\\", "/")
    # labelme can keep its files beside the folder of images.
    place = os.path.abspath(file.parent / plain)  # noqa: PTH100 - without a look at links
    here = os.path.abspath(images)  # noqa: PTH100
    if not PurePosixPath(plain).is_absolute() and Path(place).is_relative_to(here):
        return inside(Path(place).relative_to(here).as_posix())
    return inside(posixpath.normpath(posixpath.join(posixpath.dirname(name), plain)))
