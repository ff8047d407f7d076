"""COCO instance JSON: read what people really have, write what every reader takes.

The format: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the data
format page of cocodataset.org.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, cast

import orjson

from seginst_core.errors import FormatError
from seginst_core.files import write_atomic
from seginst_core.formats.coco_parts import (
    Table,
    parse_annotation,
    parse_categories,
    parse_images,
    tables,
)
from seginst_core.masks.geometry import iou, mask_box
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.masks.rle import Rle, encode
from seginst_core.types import Annotation, Dataset, Instance

MAX_NOTES = 200


class Result(TypedDict):
    """One line of COCO results: ``bbox`` is x, y, width, height."""

    image_id: int
    category_id: int
    bbox: list[float]
    score: float
    segmentation: Rle


def read(path: Path) -> Dataset:
    """Read a COCO file.

    FormatError, in one sentence, if it is not JSON, not COCO, or names a file outside its images
    folder. One bad annotation is skipped, with its id in ``notes``, and the rest goes on.
    """
    root = _load(path)
    if not isinstance(root, dict) or not isinstance(root.get("images"), list):
        raise FormatError(f"{path.name} is not a COCO file: it has no list of images.")
    notes: list[str] = []
    images = parse_images(tables(root["images"]), path.name, notes)
    sizes = {image.id: image for image in images}
    annotations = root.get("annotations", [])
    if not isinstance(annotations, list):
        raise FormatError(f"{path.name} is not a COCO file: its annotations are not a list.")
    categories = parse_categories(tables(root.get("categories", [])), notes)
    known = {category.id for category in categories}
    found: dict[int, dict[int, Instance]] = {}
    taken: set[int] = set()
    for place, table in enumerate(annotations):
        try:
            image_id, instance = parse_annotation(table, place, sizes, known)
            if instance.id in taken:
                raise FormatError("its id was used before")
        except (FormatError, KeyError, TypeError, ValueError, OverflowError) as error:
            name = table.get("id", f"number {place + 1}") if isinstance(table, dict) else place + 1
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            notes.append(f"Annotation {name} was skipped: {why}.")
            continue
        taken.add(instance.id)
        found.setdefault(image_id, {})[instance.id] = instance
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"And {len(notes) - MAX_NOTES} more like these."]
    by_image = {
        image_id: Annotation(image_id, tuple(found[image_id][k] for k in sorted(found[image_id])), "done")
        for image_id in sorted(found)
    }
    return Dataset(images, categories, by_image, tuple(notes))


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


def results(
    image_id: int, instances: Sequence[Instance], width: int, height: int
) -> list[Result]:
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


def read_results(path: Path) -> list[Result]:
    """Read COCO results: a list, or the annotations of a full COCO dict; FormatError if neither."""
    root = _load(path)
    if isinstance(root, dict):
        root = root.get("annotations")
    if not isinstance(root, list):
        raise FormatError(f"{path.name} holds no COCO results: it is neither a list nor a COCO file.")
    for place, table in enumerate(root):
        if not isinstance(table, dict) or not {"image_id", "category_id", "score"} <= set(table):
            raise FormatError(
                f"{path.name} holds no COCO results: entry {place + 1} lacks an image_id, "
                "a category_id or a score."
            )
    return cast(list[Result], root)


def save(path: Path, root: object) -> None:
    """Write any JSON value whole or not at all; FormatError says why it cannot."""
    try:
        write_atomic(path, orjson.dumps(root, option=orjson.OPT_SERIALIZE_NUMPY))
    except OSError as error:
        why = error.strerror or error
        raise FormatError(f"{path} could not be written ({why}); nothing was changed.") from error


def _load(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        with _collector_paused():
            return cast(object, orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{path.name} is not JSON: {error}.") from error


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Half of parsing large JSON is Python's collector looking at new lists again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


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
