"""Pascal VOC: an XML file of boxes for each image, and two pictures of classes and of objects.

The format: Everingham et al., "The PASCAL Visual Object Classes Challenge 2012 Development Kit".
Pixels count from 1 and the last one is inside, so ``xmin 4, xmax 9`` is ``3 <= x < 9`` here. Object
number k of ``SegmentationObject`` is the k-th ``object`` of the XML; 255 is the border of objects.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.folders import (
    contents,
    each_file,
    first_files,
    whole_folder,
)
from seginst_core.formats.lookup import ImageIndex, inside, stems_taken, without_suffix
from seginst_core.formats.losses import covered, painted_order, plain_losses
from seginst_core.formats.voc import labelmap
from seginst_core.formats.voc.gathered import Found, gathered
from seginst_core.lenient import shown
from seginst_core.masks.geometry import mask_box
from seginst_core.masks.polygons import from_polygons
from seginst_core.masks.rle import MAX_PIXELS
from seginst_core.types import (
    Annotation,
    Box,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
)

BOXES, CLASSES, OBJECTS = "Annotations", "SegmentationClass", "SegmentationObject"
BORDER = 255
IMAGES = "JPEGImages"
_NUMBERS_MAX = BORDER - 1
_FLAGS = {"pose": "Unspecified", "truncated": "0", "difficult": "0", "occluded": "0"}
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAX_REACH_PX = 1e9
_IMPORTED = Origin("import")


def read(root: Path, files: list[Path], images: Path | None) -> Dataset:
    """Read XML files, named from ``root``, for images in a folder.

    Masks come from ``SegmentationObject`` where it has a picture, else from an object's polygons;
    every other object is its box.
    """
    notes: list[str] = []
    index = ImageIndex(images or root, root)
    found: Found = {}
    n_instances = 0

    def take(file: Path, name: str) -> None:
        nonlocal n_instances
        table = _load(file)
        image = _image(table, name, index, len(found) + 1)
        if image.path in found:
            raise FormatError(f"{shown(image.path)} has a file already")
        masks = _masks(file, name, image, notes)
        objects = []
        for number, item in enumerate(table.findall("object"), 1):
            try:
                label, instance = _object(item, n_instances + 1, image)
            except FormatError as error:
                notes.append(f"Object {number} of {shown(name)} was skipped: {error}.")
                continue
            if instance.mask is None and item.find("polygon") is not None:
                notes.append(f"Object {number} of {shown(name)} kept only its box: its polygon "
                             "covers no pixel.")  # fmt: skip
            if number in masks and not _meet(instance.box, masks[number]):
                notes.append(f"Object {number} of {shown(name)} kept only its box: its mask lies "
                             "elsewhere.")  # fmt: skip
            elif number in masks:
                instance = replace(instance, mask=masks[number], box=mask_box(masks[number]))
            objects.append((label, instance))
            n_instances += 1
        found[image.path] = image, objects

    each_file(files, root, notes, take)
    return gathered(found, _class_names(files), notes)


def write(dataset: Dataset, path: Path) -> tuple[str, ...]:
    """Write the folders of the development kit but for the images, whole or not at all.

    ``labelmap.txt`` lists the classes in the order of their numbers. FormatError if it cannot be
    written, or if there are more classes than 8 bits can count.
    """
    names = {c.id: " ".join(c.name.split()) for c in dataset.categories}
    if len(names) > _NUMBERS_MAX:
        raise FormatError(f"Pascal VOC has room for {_NUMBERS_MAX} classes, not {len(names)}.")
    long_named = {image.id for image in stems_taken(dataset.images)}
    numbers = {category.id: k for k, category in enumerate(dataset.categories, 1)}
    stems: list[str] = []
    with_masks: list[str] = []
    with whole_folder(path, dataset.images) as target:
        target.put(labelmap.NAME, labelmap.text(list(names.values())))
        for image in dataset.images:
            annotation = dataset.annotations.get(image.id, Annotation(image.id))
            stem = image.path if image.id in long_named else without_suffix(image.path)
            # The numbers of a picture are places in the XML, so objects with masks come first.
            ordered = sorted(annotation.instances, key=lambda i: (i.mask is None, i.id))
            stems.append(stem)
            xml = _xml(image, [(names[i.category_id], i) for i in ordered])
            target.put(f"{BOXES}/{stem}.xml", xml)
            if any(i.mask is not None for i in ordered):
                classes = np.zeros((image.height, image.width), np.uint16)
                objects = np.zeros_like(classes)
                places = {i.id: k for k, i in enumerate(ordered[:_NUMBERS_MAX], 1)}
                for instance in painted_order(annotation):
                    if instance.mask is not None and instance.id in places:
                        index_png.paint(classes, instance.mask, numbers[instance.category_id])
                        index_png.paint(objects, instance.mask, places[instance.id])
                palette = index_png.voc_palette()
                target.put(f"{CLASSES}/{stem}.png", index_png.encode(classes, palette))
                target.put(f"{OBJECTS}/{stem}.png", index_png.encode(objects, palette))
                with_masks.append(stem)
        for folder, listed in (("Main", stems), ("Segmentation", with_masks)):
            target.put(f"ImageSets/{folder}/default.txt", "".join(f"{s}\n" for s in listed))
    return ()


def losses(dataset: Dataset) -> tuple[str, ...]:
    """Return sentences on what would be lost by writing."""
    found = plain_losses(dataset, {"empty classes", "attributes"})
    n_covered = n_beyond = n_attributes = 0
    for annotation in dataset.annotations.values():
        order = painted_order(annotation)
        n_covered += len(covered(order))
        n_beyond += max(len(order) - _NUMBERS_MAX, 0)
        n_attributes += sum(bool(set(i.attributes) - set(_FLAGS)) for i in annotation.instances)
    if n_attributes:
        found.append(
            f"Attributes of objects other than {', '.join(_FLAGS)} are not kept: {n_attributes}."
        )
    if n_covered:
        found.append(f"Masks lose the pixels where smaller ones cover them: {n_covered}.")
    if n_beyond:
        found.append(
            f"Masks are not kept, boxes are, beyond {_NUMBERS_MAX} objects of an image: {n_beyond}."
        )
    return tuple(found)


def recognise(path: Path) -> bool:
    """Whether an XML file, or one of the first in a folder, is an annotation."""
    for file in first_files(path, ".xml"):
        try:
            _load(file)
        except FormatError:
            continue
        return True
    return False


def _load(file: Path) -> ElementTree.Element:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: ElementTree.Element = fromstring(contents(file))
    except DefusedXmlException as error:
        raise FormatError("it declares entities, which are not read") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FormatError(f"it is not XML: {shown(str(error))}") from error
    if root.tag != "annotation":
        raise FormatError("it is not a Pascal VOC file: it holds no annotation")
    return root


def _image(table: ElementTree.Element, name: str, index: ImageIndex, image_id: int) -> ImageRef:
    """Return the image of a file: as it is in the images folder, else as the file says."""
    parts = PurePosixPath(name).parts
    at = max((k for k, part in enumerate(parts[:-1], 1) if part == BOXES), default=0)
    below = PurePosixPath(*parts[at:])
    given = (table.findtext("filename") or "").strip()
    wanted = inside(given) if given else ""
    path = None
    if wanted:
        # Folders such as train and test have each an Annotations beside its images.
        beside = PurePosixPath(*parts[: at - 1], IMAGES, below.parent, wanted)
        names = [str(beside)] if at else []
        path = index.find([*names, str(below.parent / wanted), wanted], with_suffix=True)
    if path is None:
        path = index.find([without_suffix(str(below))], with_suffix=False)
    size = table.find("size")
    try:
        width, height = (_pixels(size, key) for key in ("width", "height"))
    except FormatError:
        # Some tools leave the size out, or 0.
        if path is None:
            raise
        width, height = index.size(path)
    if width * height > MAX_PIXELS:
        raise FormatError(f"its image's size is {width} × {height}")
    path = path or (str(below.parent / wanted) if wanted else "")
    if not path:
        raise FormatError("it has no filename, and no image is called like it")
    return ImageRef(image_id, path, width, height)


def _pixels(size: ElementTree.Element | None, key: str) -> int:
    value = _number(size, key) if size is not None else None
    if value is None or not 1 <= value <= MAX_PIXELS or value != int(value):
        raise FormatError("it has no size")
    return int(value)


def _masks(file: Path, name: str, image: ImageRef, notes: list[str]) -> Mapping[int, Mask]:
    """Return an image's masks by their numbers; none if it has no picture of them."""
    folders = [p for p in file.parents if p.name == BOXES]
    if not folders:
        return {}
    below = file.relative_to(folders[0]).with_suffix("")
    picture = folders[0].parent / OBJECTS / f"{below.as_posix()}.png"
    if not picture.is_file():
        return {}
    try:
        values = index_png.decode_colours(contents(picture), image.width, image.height)
    except FormatError as error:
        notes.append(f"The masks of {shown(name)} were skipped: {error}.")
        return {}
    return {k: mask for k, mask in index_png.masks_of(values) if k <= _NUMBERS_MAX}


def _object(item: ElementTree.Element, instance_id: int, image: ImageRef) -> tuple[str, Instance]:
    label = shown((item.findtext("name") or "").strip())
    if not label:
        raise FormatError("it has no name")
    mask = _outlined(item, image)
    edges = [_number(item.find("bndbox"), key) for key in ("xmin", "ymin", "xmax", "ymax")]
    x0, y0, x1, y1 = (value if value is not None else np.nan for value in edges)
    x0, y0 = max(x0 - 1, 0.0), max(y0 - 1, 0.0)
    x1, y1 = min(x1, float(image.width)), min(y1, float(image.height))
    if mask is None and not (x0 < x1 and y0 < y1):
        raise FormatError("it has no box inside its image")
    flags = {key: shown((item.findtext(key) or "").strip()) for key in _FLAGS}
    attributes = {k: v for k, v in flags.items() if v and v != _FLAGS[k]}
    box = Box(x0, y0, x1, y1) if mask is None else mask_box(mask)
    return label, Instance(instance_id, 1, box, mask, origin=_IMPORTED, attributes=attributes)


def _outlined(item: ElementTree.Element, image: ImageRef) -> Mask | None:
    """Return what an object's polygons cover, in Roboflow's way: ``x1``, ``y1``, ``x2``, ..."""
    rings = []
    for polygon in item.iterfind("polygon"):
        numbers = range(1, len(polygon) // 2 + 1)
        points = [(_number(polygon, f"x{k}"), _number(polygon, f"y{k}")) for k in numbers]
        rings.append(
            np.array([(x - 1, y - 1) for x, y in points if x is not None and y is not None])
        )
    return from_polygons(rings, image.width, image.height)


def _number(parent: ElementTree.Element | None, key: str) -> float | None:
    try:
        value = float((parent.findtext(key) if parent is not None else None) or "")
    except ValueError:
        return None
    return value if abs(value) <= _MAX_REACH_PX else None


def _meet(box: Box, mask: Mask) -> bool:
    return box.x0 < mask.x1 and box.x1 > mask.x0 and box.y0 < mask.y1 and box.y1 > mask.y0


def _class_names(files: list[Path]) -> list[str]:
    """Return the classes of the file beside Annotations, in its order, without the background."""
    for folder in dict.fromkeys(p.parent for f in files[:1] for p in f.parents if p.name == BOXES):
        if rows := labelmap.read(folder):
            return [name for name, _ in rows[1:]]
    return []


def _xml(image: ImageRef, objects: list[tuple[str, Instance]]) -> bytes:
    root = ElementTree.Element("annotation")
    place = PurePosixPath(image.path)
    _add(root, "folder", "" if str(place.parent) == "." else str(place.parent))
    _add(root, "filename", place.name)
    size = ElementTree.SubElement(root, "size")
    for key, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _add(size, key, str(value))
    _add(root, "segmented", str(int(any(i.mask is not None for _, i in objects))))
    for label, instance in objects:
        item = ElementTree.SubElement(root, "object")
        _add(item, "name", label)
        for key, usual in _FLAGS.items():
            _add(item, key, instance.attributes.get(key, usual))
        box = instance.box if instance.mask is None else mask_box(instance.mask)
        edges = ElementTree.SubElement(item, "bndbox")
        for key, edge in (("xmin", box.x0 + 1), ("ymin", box.y0 + 1), ("xmax", box.x1),
                          ("ymax", box.y1)):  # fmt: skip
            _add(edges, key, f"{float(edge):.6f}".rstrip("0").rstrip("."))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode").encode("utf-8") + b"\n"


def _add(parent: ElementTree.Element, key: str, text: str) -> None:
    if _NO_XML.search(text):
        raise FormatError(f"{shown(text)} holds characters that XML has no place for.")
    ElementTree.SubElement(parent, key).text = text
