"""COCO instance JSON: read what people really have, write what every reader takes.

The format: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the data
format page of cocodataset.org.
"""

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, cast

import orjson

from seginst_core.errors import FormatError
from seginst_core.files import write_atomic
from seginst_core.formats.coco_parts import (
    Table,
    parse_categories,
    parse_images,
    parse_instance,
    parse_place,
    parse_runs,
    shown,
    tables,
    whole,
)
from seginst_core.formats.losses import has_holes
from seginst_core.masks.geometry import iou, mask_box
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.masks.rle import Rle, decode_many, encode
from seginst_core.types import Annotation, Dataset, ImageRef, Instance, Mask

MAX_NOTES = 200


class Result(TypedDict):
    """One line of COCO results: ``bbox`` is x, y, width, height."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float
    segmentation: Rle


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Half of reading a large file is Python's collector looking at new objects again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_collector_paused()
def read(path: Path, images: Path | None = None) -> Dataset:
    """Read a COCO file; it holds its images' paths and sizes, so ``images`` is not looked into.

    FormatError, in one sentence, if it is not JSON, not COCO, or names a file outside its images
    folder. One bad annotation is skipped, with its id in ``notes``, and the rest goes on.
    """
    del images
    root = _load(path)
    if not isinstance(root, dict) or not isinstance(root.get("images"), list):
        raise FormatError(f"{path.name} is not a COCO file: it has no list of images.")
    for what in ("annotations", "categories"):
        if not isinstance(root.get(what, []), list):
            raise FormatError(f"{path.name} is not a COCO file: its {what} are not a list.")
    notes: list[str] = []
    listed = parse_images(tables(root["images"], "images", notes), path.name, notes)
    categories = parse_categories(tables(root.get("categories"), "categories", notes), notes)
    found = _parse_annotations(
        tables(root.get("annotations"), "annotations", notes),
        {image.id: image for image in listed},
        {category.id for category in categories},
        notes,
    )
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"And {len(notes) - MAX_NOTES} more like these."]
    by_image = {
        image_id: Annotation(image_id, tuple(sorted(found[image_id], key=_id)), "done")
        for image_id in sorted(found)
    }
    return Dataset(listed, categories, by_image, tuple(notes))


def _parse_annotations(
    items: Sequence[Table], images: Mapping[int, ImageRef], categories: set[int], notes: list[str]
) -> dict[int, list[Instance]]:
    """Read the annotations by image; one that lacks an id of its own gets a new one."""
    found: dict[int, list[Instance]] = {}
    ids = [_own_id(item) for item in items]
    next_id = max((i for i in ids if i is not None), default=0) + 1
    taken: set[int] = set()
    n_renumbered = 0
    for item, own_id, outline in zip(items, ids, _outlines(items, images, categories), strict=True):
        is_own = own_id is not None and own_id not in taken
        instance_id = own_id if is_own and own_id is not None else next_id
        try:
            if isinstance(outline, FormatError):
                raise outline
            image, category_id, mask = outline
            instance = parse_instance(item, instance_id, image, category_id, mask)
        except FormatError as error:
            notes.append(f"Annotation {_name(item)} was skipped: {error}.")
            continue
        if mask is None and item.get("segmentation"):
            notes.append(f"Annotation {_name(item)} kept only its box: its mask covers no pixel.")
        taken.add(instance_id)
        found.setdefault(image.id, []).append(instance)
        if not is_own:
            n_renumbered += 1
            next_id += 1
    if n_renumbered:
        notes.append(f"{n_renumbered} annotations had no id of their own and were given new ones.")
    return found


def _outlines(
    items: Sequence[Table], images: Mapping[int, ImageRef], categories: set[int]
) -> list[tuple[ImageRef, int, Mask | None] | FormatError]:
    """Return each annotation's image, category id and mask, or what is wrong with them."""
    places: list[tuple[ImageRef, int] | FormatError] = []
    rles: dict[int, Rle] = {}
    for k, item in enumerate(items):
        try:
            image, category_id = parse_place(item, images, categories)
            rle = parse_runs(item.get("segmentation"), image)
        except FormatError as error:
            places.append(error)
            continue
        places.append((image, category_id))
        if rle is not None:
            rles[k] = rle
    # All at once: run by run, most of the time would go into calling numpy.
    masks = dict(zip(rles, decode_many(list(rles.values())), strict=True))
    found: list[tuple[ImageRef, int, Mask | None] | FormatError] = []
    for k, place in enumerate(places):
        mask = masks.get(k)
        if isinstance(place, FormatError):
            found.append(place)
        else:
            found.append(mask if isinstance(mask, FormatError) else (*place, mask))
    return found


def _own_id(item: Table) -> int | None:
    try:
        return whole(item, "id")
    except FormatError:
        return None


def _name(item: Table) -> str:
    return shown(item.get("id", "without an id"))


def _id(instance: Instance) -> int:
    return instance.id


def write(dataset: Dataset, path: Path, *, polygons: bool = False) -> tuple[str, ...]:
    """Write a COCO file, whole or not at all, and return sentences on what was lost.

    Masks are written as RLE, which is exact; with ``polygons`` as the outer rings of their parts,
    which loses holes. ``area`` and ``bbox`` come from the mask. FormatError if it cannot be
    written; an old file at ``path`` is then as it was.
    """
    sizes = {image.id: image for image in dataset.images}
    annotations: list[Table] = []
    losses: list[float] = []
    for image_id, annotation in dataset.annotations.items():
        image = sizes[image_id]
        for instance in annotation.instances:
            table = _annotation_table(instance, image_id, image.width, image.height)
            if polygons and instance.mask is not None and not instance.iscrowd:
                rings = to_polygons(instance.mask)
                table["segmentation"] = [ring.ravel().tolist() for ring in rings]
                again = from_polygons(rings, image.width, image.height)
                if again != instance.mask:
                    losses.append(0.0 if again is None else iou(again, instance.mask))
            annotations.append(table)
    root = {
        "info": {"description": "Written by SegInst"},
        "images": [
            {"id": i.id, "file_name": i.path, "width": i.width, "height": i.height}
            for i in dataset.images
        ],
        "categories": [
            {"id": c.id, "name": c.name, "supercategory": c.supercategory, "color": list(c.colour)}
            for c in dataset.categories
        ],
        "annotations": annotations,
    }
    save(path, root)
    if not losses:
        return ()
    return (
        f"{len(losses)} masks with holes were changed by writing them as polygons; "
        f"the worst keeps an IoU of {min(losses):.3f} with its mask.",
    )


def losses(dataset: Dataset, *, polygons: bool = False) -> tuple[str, ...]:
    """Return sentences on what would be lost by writing: with ``polygons`` the holes of masks."""
    n_holed = 0
    for annotation in dataset.annotations.values():
        for instance in annotation.instances if polygons else ():
            if instance.mask is not None and not instance.iscrowd:
                n_holed += has_holes(instance.mask)
    return (f"Masks with holes will be filled: {n_holed}.",) if n_holed else ()


def recognise(path: Path) -> bool:
    """Whether it is a file: one that no other format claims is COCO, or COCO says what is wrong."""
    return not path.is_dir()


def results(image_id: int, instances: Sequence[Instance], width: int, height: int) -> list[Result]:
    """Return COCO results of predicted instances with masks, in an image of that size."""
    return [
        {
            "image_id": image_id,
            "category_id": instance.category_id,
            "bbox": _xywh(instance),
            "score": float(instance.score or 0.0),
            "segmentation": encode(instance.mask, width, height),
        }
        for instance in instances
    ]


def save(path: Path, root: object) -> None:
    """Write any JSON value whole or not at all; FormatError says why it cannot."""
    try:
        write_atomic(path, orjson.dumps(root, option=orjson.OPT_SERIALIZE_NUMPY))
    except OSError as error:
        why = error.strerror or error
        raise FormatError(f"{path} could not be written ({why}); nothing was changed.") from error
    except orjson.JSONEncodeError as error:
        raise FormatError(
            f"{path} could not be written: a name in it is not Unicode text; nothing was changed."
        ) from error


def _load(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return cast(object, orjson.loads(data))
    except orjson.JSONDecodeError as error:
        return _load_lenient(path, data, error)


def _load_lenient(path: Path, data: bytes, why: orjson.JSONDecodeError) -> object:
    """Read what Python and Windows write beyond the standard: NaN (as null) and a byte order mark.

    The way through orjson leaves nothing that could not be written again.
    """
    try:
        return cast(object, orjson.loads(orjson.dumps(json.loads(data))))
    except (ValueError, TypeError, RecursionError):
        raise FormatError(f"{path.name} is not JSON: {why}.") from why


def _xywh(instance: Instance) -> list[float]:
    box = instance.box
    return [float(box.x0), float(box.y0), float(box.width), float(box.height)]


def _annotation_table(instance: Instance, image_id: int, width: int, height: int) -> Table:
    table: Table = {
        "id": instance.id,
        "image_id": image_id,
        "category_id": instance.category_id,
        "iscrowd": int(instance.iscrowd),
    }
    if instance.mask is not None:
        box = mask_box(instance.mask)
        table["bbox"] = [box.x0, box.y0, box.width, box.height]
        table["area"] = instance.mask.area
        table["segmentation"] = encode(instance.mask, width, height)
    else:
        table["bbox"] = _xywh(instance)
        table["area"] = float(instance.box.width * instance.box.height)
        table["segmentation"] = []
    if instance.score is not None:
        table["score"] = float(instance.score)
    if instance.attributes:
        table["attributes"] = dict(instance.attributes)
    return table
