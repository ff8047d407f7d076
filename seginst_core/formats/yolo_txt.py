"""YOLO segmentation labels: one text file an image, one line an object, polygons in 0..1.

The format: Ultralytics' data set page "Instance Segmentation". A line is ``class x y x y ...`` or,
for a box, ``class x y width height`` around its centre; predictions may end in a confidence.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from seginst_core.errors import FormatError
from seginst_core.formats import yolo_names
from seginst_core.formats.folders import (
    each_file,
    files_of,
    first_files,
    text_of,
    whole_folder,
)
from seginst_core.formats.lookup import ImageIndex, stems_taken, without_suffix
from seginst_core.formats.losses import plain_losses
from seginst_core.lenient import shortened, shown
from seginst_core.masks.polygons import from_polygons, outlines
from seginst_core.types import (
    PALETTE,
    Annotation,
    Box,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
)

_YAML = (".yaml", ".yml")
_CLASS_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")
_SELDOM_LABELS = ("classes.txt", "labels.txt", "train.txt", "val.txt", "test.txt", "readme.txt")
"""What is mostly no label file, but is one if its image is called so."""
# What Ultralytics lets pass as rounding; beyond it the numbers are pixels, or wrong.
_SLACK = 0.01
_MAX_CLASS = 1 << 30
_IMPORTED = Origin("import")


def read(path: Path, images: Path | None = None) -> Dataset:
    """Read a folder of labels, its data.yaml, or one label file, for images in a folder.

    The sizes are those of the images, found by name (``images`` is ``path``'s folder if it is
    None). A bad file or line is skipped and named. FormatError if nothing can be used.
    """
    is_label = path.suffix.lower() == ".txt" and _may_be_label(path)
    place = path if is_label or not path.is_file() else path.parent
    root, files = files_of(place, ".txt", images)
    files = [file for file in files if _may_be_label(file)]
    in_labels = [file for file in files if "labels" in file.relative_to(root).parts[:-1]]
    files = in_labels or files
    if not files:
        raise FormatError(f"{path} holds no YOLO labels: there is no .txt file of an image in it.")
    notes: list[str] = []
    names = _class_names(path, notes)
    index = ImageIndex(images or root, root)
    found: dict[str, tuple[ImageRef, list[Instance]]] = {}
    n_instances = 0

    def take(file: Path, name: str) -> None:
        nonlocal n_instances
        image_path = index.find(_image_names(name), with_suffix=False)
        if image_path is None:
            raise FormatError(f"no image of that name is in {index.folder}")
        if image_path in found:
            raise FormatError(f"{shown(image_path)} has a label file already")
        width, height = index.size(image_path)
        image = ImageRef(len(found) + 1, image_path, width, height)
        instances = []
        for number, line in enumerate(text_of(file).splitlines(), 1):
            if not line.strip():
                continue
            try:
                instances.append(_instance(line, n_instances + 1, image))
                n_instances += 1
            except FormatError as error:
                notes.append(f"Line {number} of {shown(name)} was skipped: {error}.")
        found[image_path] = image, instances

    each_file(files, root, notes, take)
    used = {i.category_id - 1 for _, instances in found.values() for i in instances}
    for number in sorted(used - set(names)):
        names[number] = f"class {number}"
        notes.append(f"Class {number} has no name and is called class {number}.")
    categories = tuple(
        Category(number + 1, names[number], PALETTE[place % len(PALETTE)])
        for place, number in enumerate(sorted(names))
    )
    annotations = {
        image.id: Annotation(image.id, tuple(instances), "done")
        for image, instances in found.values()
        if instances
    }
    return Dataset(
        tuple(image for image, _ in found.values()), categories, annotations, shortened(notes)
    )


def write(dataset: Dataset, path: Path) -> tuple[str, ...]:
    """Write ``data.yaml`` and ``labels/`` into a folder, whole or not at all.

    Holes and parts are joined into one outline by lines of no width, which count twice and so
    not at all. An image without objects has an empty file. FormatError if it cannot be written.
    """
    later = stems_taken(dataset.images)
    if later:
        raise FormatError(
            f"YOLO cannot tell {shown(later[0].path)} from another image of the same name with "
            "another ending; rename one of them. Nothing was written."
        )
    numbers = {category.id: k for k, category in enumerate(dataset.categories)}
    names = [category.name for category in dataset.categories]
    with whole_folder(path, dataset.images) as target:
        target.put("data.yaml", yolo_names.yaml_text(names))
        for image in dataset.images:
            annotation = dataset.annotations.get(image.id, Annotation(image.id))
            as_outlines = any(i.mask is not None for i in annotation.instances)
            lines = [
                f"{numbers[i.category_id]} {_coordinates(i, image, as_outlines)}\n"
                for i in annotation.instances
            ]
            target.put(f"labels/{without_suffix(image.path)}.txt", "".join(lines))
    return ()


def losses(dataset: Dataset) -> tuple[str, ...]:
    """Return sentences on what would be lost by writing."""
    found = plain_losses(dataset, {"empty classes"})
    n_filled = 0
    for annotation in dataset.annotations.values():
        n_boxes = sum(instance.mask is None for instance in annotation.instances)
        n_filled += n_boxes if n_boxes < len(annotation.instances) else 0
    if n_filled:
        found.append(
            f"Boxes without a mask become rectangular masks, in images that also have masks: "
            f"{n_filled}."
        )
    return tuple(found)


def recognise(path: Path) -> bool:
    """Whether there are label files, or a file that names classes, in YOLO's way."""
    if path.is_file():
        if path.suffix.lower() in _YAML or path.name.lower() in _CLASS_FILES:
            return True
        return path.suffix.lower() == ".txt" and _is_label(path)
    if any((path / name).is_file() for name in _CLASS_FILES[:3]):
        return True
    return any(_is_label(file) for file in first_files(path, ".txt"))


def joined(mask: Mask) -> npt.NDArray[np.float64]:
    """Return all rings of a mask as one outline ``(n, 2)``, joined by lines of no width."""
    first, *rings = [ring.astype(np.float64) for ring in outlines(mask)]
    line = np.concatenate((first, first[:1]))
    for ring in rings:
        nearest = int(np.abs(line - ring[0]).sum(axis=1).argmin())
        line = np.concatenate((line[: nearest + 1], ring, ring[:1], line[nearest:]))
    return line


def _image_names(name: str) -> list[str]:
    """Return what an image may be called whose labels are at ``name``: the most likely first."""
    parts = PurePosixPath(without_suffix(name)).parts
    if "labels" not in parts[:-1]:
        return ["/".join(parts)]
    at = len(parts) - 2 - parts[:-1][::-1].index("labels")
    return [
        "/".join((*parts[:at], *parts[at + 1 :])),
        "/".join((*parts[:at], "images", *parts[at + 1 :])),
    ]


def _class_names(path: Path, notes: list[str]) -> dict[int, str]:
    folder = path if path.is_dir() else path.parent
    yaml = sorted(file for file in folder.iterdir() if file.suffix.lower() in _YAML)
    usual = [above / name for above in (folder, *folder.parents[:2]) for name in _CLASS_FILES]
    named = [path] if path in yaml or path.name.lower() in _CLASS_FILES else []
    # Of its own folder any YAML file will do: many are called like their data set.
    for place in dict.fromkeys((*named, *usual[: len(_CLASS_FILES)], *yaml, *usual)):
        if not place.is_file():
            continue
        parse = (
            yolo_names.names_of_yaml if place.suffix.lower() in _YAML else yolo_names.names_of_lines
        )
        try:
            return {k: shown(name) for k, name in parse(text_of(place)).items()}
        except FormatError as error:
            notes.append(f"{place.name} was skipped: {error}.")
    return {}


def _instance(line: str, instance_id: int, image: ImageRef) -> Instance:
    category, *values = _numbers(line)
    if category != int(category) or not 0 <= category < _MAX_CLASS:
        raise FormatError("its class is not a whole number from 0")
    score = values.pop() if len(values) % 2 else None
    if score is not None and not 0 <= score <= 1:
        raise FormatError("its coordinates are not in pairs")
    if not values or min(values) < -_SLACK or max(values) > 1 + _SLACK:
        raise FormatError("its coordinates are not between 0 and 1")
    points = np.array(values, np.float64).reshape(-1, 2) * (image.width, image.height)
    mask = None
    if len(values) == 4:
        box = _box(points[0] - points[1] / 2, points[0] + points[1] / 2, image)
    else:
        mask = from_polygons([points], image.width, image.height) if len(points) >= 3 else None
        if mask is None:
            raise FormatError("its outline covers no pixel")
        box = Box(float(mask.x0), float(mask.y0), float(mask.x1), float(mask.y1))
    return Instance(instance_id, int(category) + 1, box, mask, score, origin=_IMPORTED)


def _numbers(line: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) < 2 or not np.isfinite(values).all():
        raise FormatError("it is not a class and coordinates")
    return values


def _box(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], image: ImageRef) -> Box:
    # To a thousandth of a pixel: more is the rounding of numbers in 0..1.
    x0, y0 = np.maximum(low, 0).round(3).tolist()
    x1, y1 = np.minimum(high, (image.width, image.height)).round(3).tolist()
    if not (x0 < x1 and y0 < y1):
        raise FormatError("its box covers nothing of the image")
    return Box(x0, y0, x1, y1)


def _coordinates(instance: Instance, image: ImageRef, as_outlines: bool) -> str:
    box = instance.box
    if instance.mask is not None:
        points = joined(instance.mask)
    elif as_outlines:
        # Readers take all lines of a file for outlines as soon as one is.
        corners = ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
        points = np.array(corners)
    else:
        centre = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        points = np.array((centre, (box.width, box.height)))
    values: Sequence[float] = (points / (image.width, image.height)).ravel().tolist()
    return " ".join(f"{value:.9f}".rstrip("0").rstrip(".") for value in values)


def _may_be_label(file: Path) -> bool:
    return file.name.lower() not in _SELDOM_LABELS or _is_label(file)


def _is_label(file: Path) -> bool:
    try:
        lines = [line for line in text_of(file).splitlines()[:50] if line.strip()]
        for line in lines:
            _instance(line, 1, ImageRef(1, "any", 1000, 1000))
    except FormatError:
        return False
    return bool(lines)
