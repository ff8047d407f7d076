"""Mask PNGs: for each image a 16-bit picture of object numbers, and what the numbers are.

``categories.json`` lists categories, images and objects as COCO does; an object has the
``number`` of its pixels in its image's ``mask_file``. One that others cover in part has a
``mask_file`` of its own: 8-bit, 255 where it is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import orjson

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.coco_parts import (
    Table,
    parse_categories,
    parse_images,
    parse_instance,
    parse_place,
    tables,
)
from seginst_core.formats.folders import contents, each_file, files_of, whole_folder
from seginst_core.formats.lookup import ImageIndex, inside, stems_taken, without_suffix
from seginst_core.formats.losses import covered, painted_order
from seginst_core.lenient import shortened, shown, whole
from seginst_core.masks.geometry import mask_box, trim
from seginst_core.types import (
    Annotation,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
)

_NAME = "categories.json"
_KIND = "mask-png"
_MAX_NUMBER = 65535
# How other programs end the name of an image's mask.
_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label", "_instances")


def read(path: Path, images: Path | None = None) -> Dataset:
    """Read a folder of mask PNGs, or its categories.json.

    That file has the images' paths and sizes. Without it the pictures are those of the images of
    the same name in ``images``, and every number is an object of one class. A bad picture or
    object is skipped and named. FormatError if nothing can be used.
    """
    file = path / _NAME if path.is_dir() else path
    if path.is_dir() and not file.exists():
        return _read_bare(path, images)
    try:
        root = _load(file)
    except FormatError as error:
        raise FormatError(f"{file} does not say what the masks are: {error}.") from error
    notes: list[str] = []
    refs = parse_images(tables(root.get("images"), "images", notes), file.name, notes)
    categories = parse_categories(tables(root.get("categories"), "categories", notes), notes)
    by_id = {ref.id: ref for ref in refs}
    objects: dict[int, list[tuple[Table, Instance]]] = {}
    taken: set[int] = set()
    for item in tables(root.get("objects"), "objects", notes):
        try:
            instance_id = whole(item, "id")
            if instance_id in taken:
                raise FormatError("another has the same id")
            known = {category.id for category in categories}
            image, category_id = parse_place(item, by_id, known)
            instance = parse_instance(item, instance_id, image, category_id, None)
        except FormatError as error:
            notes.append(f"Object {shown(item.get('id', '?'))} was skipped: {error}.")
            continue
        taken.add(instance_id)
        objects.setdefault(image.id, []).append((item, instance))
    pictures = {
        item["id"]: item.get("mask_file")
        for item in tables(root["images"], "images", [])
        if isinstance(item.get("id"), int)
    }
    annotations: dict[int, Annotation] = {}
    for image_id in sorted(objects):
        ref = by_id[image_id]
        numbered = _numbered(file.parent, pictures.get(image_id), ref, notes)
        instances = [
            _with_mask(instance, item, numbered, file.parent, ref, notes)
            for item, instance in objects[image_id]
        ]
        annotations[image_id] = Annotation(image_id, tuple(instances), "done")
    return Dataset(refs, categories, annotations, shortened(notes))


def write(dataset: Dataset, path: Path) -> tuple[str, ...]:
    """Write ``categories.json``, ``masks/`` and, for covered objects, ``objects/`` into a folder.

    Whole or not at all. FormatError if it cannot be written, or if an image has more objects than
    16 bits can count.
    """
    long_named = {image.id for image in stems_taken(dataset.images)}
    images: list[Table] = []
    objects: list[Table] = []
    with whole_folder(path, dataset.images) as target:
        for image in dataset.images:
            annotation = dataset.annotations.get(image.id, Annotation(image.id))
            if len(annotation.instances) > _MAX_NUMBER:
                raise FormatError(
                    f"{shown(image.path)} has more than {_MAX_NUMBER} objects, which a 16-bit "
                    "picture cannot number; nothing was changed."
                )
            stem = image.path if image.id in long_named else without_suffix(image.path)
            name = f"masks/{stem}.png"
            order = painted_order(annotation)
            hidden = {instance.id for instance in covered(order)}
            values = np.zeros((image.height, image.width), np.uint16)
            numbers = {i.id: k for k, i in enumerate(annotation.instances, 1)}
            for instance in order:
                if instance.mask is not None:
                    index_png.paint(values, instance.mask, numbers[instance.id])
            target.put(name, index_png.encode(values))
            images.append(
                {
                    "id": image.id,
                    "file_name": image.path,
                    "width": image.width,
                    "height": image.height,
                    "mask_file": name,
                }
            )
            for instance in annotation.instances:
                table = _object(instance, image.id)
                if instance.mask is not None:
                    table["number"] = numbers[instance.id]
                if instance.mask is not None and instance.id in hidden:
                    own = f"objects/{stem}/{numbers[instance.id]:05}.png"
                    alone = np.zeros((image.height, image.width), np.uint8)
                    index_png.paint(alone, instance.mask, 255)
                    target.put(own, index_png.encode(alone))
                    table["mask_file"] = own
                objects.append(table)
        root = {
            "format": _KIND,
            "categories": [
                {
                    "id": c.id,
                    "name": c.name,
                    "supercategory": c.supercategory,
                    "color": list(c.colour),
                }
                for c in dataset.categories
            ],
            "images": images,
            "objects": objects,
        }
        target.put(_NAME, json.dumps(root, ensure_ascii=False, indent=1))
    return ()


def losses(dataset: Dataset) -> tuple[str, ...]:
    """Return nothing: all of a data set is kept."""
    del dataset
    return ()


def recognise(path: Path) -> bool:
    """Whether there is a list of mask PNGs."""
    try:
        return _load(path / _NAME if path.is_dir() else path).get("format") == _KIND
    except FormatError:
        return False


def _load(file: Path) -> Table:
    if file.name.lower() != _NAME:
        raise FormatError(f"it is not called {_NAME}")
    try:
        root = orjson.loads(contents(file))
    except orjson.JSONDecodeError as error:
        raise FormatError(f"it is not JSON: {error}") from error
    if not isinstance(root, dict) or not isinstance(root.get("images"), list):
        raise FormatError("it has no list of images")
    return root


def _object(instance: Instance, image_id: int) -> Table:
    box = instance.box if instance.mask is None else mask_box(instance.mask)
    table: Table = {
        "id": instance.id,
        "image_id": image_id,
        "category_id": instance.category_id,
        "bbox": [float(box.x0), float(box.y0), float(box.width), float(box.height)],
    }
    if instance.score is not None:
        table["score"] = float(instance.score)
    if instance.iscrowd:
        table["iscrowd"] = 1
    if instance.attributes:
        table["attributes"] = dict(instance.attributes)
    return table


def _numbered(folder: Path, name: object, ref: ImageRef, notes: list[str]) -> dict[int, Mask]:
    """Return the masks in an image's picture by their numbers; a note if there is none."""
    try:
        return dict(index_png.masks_of(_picture(folder, name, ref)))
    except FormatError as error:
        notes.append(f"The masks of {shown(ref.path)} were skipped: {error}.")
        return {}


def _with_mask(
    instance: Instance,
    item: Mapping[str, object],
    numbered: Mapping[int, Mask],
    folder: Path,
    ref: ImageRef,
    notes: list[str],
) -> Instance:
    number = item.get("number")
    if number is None:
        return instance
    mask = numbered.get(number) if isinstance(number, int) else None
    if item.get("mask_file") is not None:
        try:
            mask = trim(_picture(folder, item["mask_file"], ref) > 0, 0, 0)
        except FormatError as error:
            notes.append(f"The mask of object {instance.id} was skipped: {error}.")
    if mask is None:
        notes.append(f"Object {instance.id} kept only its box: its mask covers no pixel.")
        return instance
    return replace(instance, mask=mask, box=mask_box(mask))


def _picture(folder: Path, name: object, ref: ImageRef) -> index_png.Indices:
    if not isinstance(name, str):
        raise FormatError("it has no mask_file")
    return index_png.decode(contents(folder / inside(name)), ref.width, ref.height)


def _read_bare(path: Path, images: Path | None) -> Dataset:
    """Read pictures of numbers that nothing describes."""
    root, files = files_of(path, ".png", images)
    if not files:
        raise FormatError(f"{path} holds no mask PNGs.")
    index = ImageIndex(images or path)
    refs: list[ImageRef] = []
    annotations: dict[int, Annotation] = {}
    n_instances = 0

    def take(file: Path, name: str) -> None:
        nonlocal n_instances
        image_path = index.find(_image_names(name), with_suffix=False)
        if image_path is None:
            raise FormatError(f"no image of that name is in {index.folder}")
        if any(ref.path == image_path for ref in refs):
            raise FormatError(f"{shown(image_path)} has a mask already")
        ref = ImageRef(len(refs) + 1, image_path, *index.size(image_path))
        masks = index_png.masks_of(index_png.decode(contents(file), ref.width, ref.height))
        instances = [
            Instance(n_instances + k, 1, mask_box(mask), mask, origin=Origin("import"))
            for k, (_, mask) in enumerate(masks, 1)
        ]
        n_instances += len(instances)
        refs.append(ref)
        if instances:
            annotations[ref.id] = Annotation(ref.id, tuple(instances), "done")

    notes = [f"There is no {_NAME}: every number is an object of the class object."]
    each_file(files, root, notes, take)
    return Dataset(tuple(refs), (Category(1, "object"),), annotations, shortened(notes))


def _image_names(name: str) -> Sequence[str]:
    path = PurePosixPath(without_suffix(name))
    endings = [ending for ending in _ENDINGS if path.name.endswith(ending)]
    cut = [str(path.with_name(path.name.removesuffix(e))) for e in endings if path.name != e]
    parts = path.parts
    inner = ["/".join(parts[1:])] if len(parts) > 1 and parts[0] == "masks" else []
    return [*cut, str(path), *inner]
