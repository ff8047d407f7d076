"""COCO instance JSON: read what people really have, write what every reader takes.

The format: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the data
format page of cocodataset.org.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TypedDict

import orjson

from seginst_core import files
from seginst_core.errors import FormatError
from seginst_core.formats.coco_parts import (
    CocoFile,
    Table,
    index,
    name_of,
    parse_categories,
    parse_images,
    parse_instance,
    parse_runs,
    skipped,
    tables,
)
from seginst_core.formats.losses import has_holes
from seginst_core.images import SUFFIXES
from seginst_core.lenient import parse_json, shortened
from seginst_core.masks.geometry import iou, mask_box
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.masks.rle import Rle, decode_many, encode
from seginst_core.types import Annotation, Dataset, ImageRef, Instance, Mask

_OURS = (".db", ".db-wal", ".db-shm", ".safetensors")


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
            # To the old ones, unlooked at; not where an application keeps its own objects frozen.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@_collector_paused()
def load(path: Path) -> CocoFile:
    """Read a COCO file without its masks: its lists are indexed, its ids and references checked.

    FormatError, in one sentence, if it is not JSON, not COCO, or names a file outside its images
    folder. An annotation whose image or category is not listed is left out, with its id in
    ``notes``.
    """
    root = _parsed(path)
    if not isinstance(root, dict) or not isinstance(root.get("images"), list):
        raise FormatError(f"{path.name} is not a COCO file: it has no list of images.")
    for what in ("annotations", "categories"):
        if not isinstance(root.get(what, []), list):
            raise FormatError(f"{path.name} is not a COCO file: its {what} are not a list.")
    remarks: list[str] = []
    listed = parse_images(tables(root["images"], "images", remarks), path.name, remarks)
    images = {image.id: image for image in listed}
    named = parse_categories(tables(root.get("categories"), "categories", remarks), remarks)
    categories = {category.id: category for category in named}
    items = tables(root.get("annotations"), "annotations", remarks)
    return index(images, categories, items, tuple(remarks))


@_collector_paused()
def read(path: Path, images: Path | None = None) -> Dataset:
    """Read a COCO file, whose names start at the folder ``images``, else at its own.

    FormatError as ``load``. One bad annotation is skipped, with its id in ``notes``, and the rest
    goes on.
    """
    file = load(path)
    instances, notes = _instances(file)
    annotations: dict[int, Annotation] = {}
    for image_id in sorted(file.by_image):
        found = [instances[place] for place in file.by_image[image_id] if place in instances]
        if found:
            annotations[image_id] = Annotation(image_id, tuple(sorted(found, key=_id)), "done")
    refs, categories = tuple(file.images.values()), tuple(file.categories.values())
    if images is not None:
        refs = _placed(refs, path, images)
    return Dataset(refs, categories, annotations, shortened(notes))


def _placed(refs: tuple[ImageRef, ...], file: Path, folder: Path) -> tuple[ImageRef, ...]:
    """Return images as they are called in a folder, if it has them only as seen from the file."""
    if any(os.path.exists(folder / ref.path) for ref in refs):  # noqa: PTH110 - of any text
        return refs
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - without a look at links
    places = [Path(os.path.abspath(file.parent / ref.path)) for ref in refs]  # noqa: PTH100
    return tuple(
        replace(ref, path=place.relative_to(here).as_posix())
        if place.is_relative_to(here) and os.path.exists(place)  # noqa: PTH110
        else ref
        for ref, place in zip(refs, places, strict=True)
    )


def _instances(file: CocoFile) -> tuple[dict[int, Instance], list[str]]:
    """Return the instances by place, and all notes; one that lacks its own id gets a new one."""
    found: dict[int, Instance] = {}
    said = list(file.skipped)
    next_id = file.next_id
    taken: set[int] = set()
    for place, mask in enumerate(_masks(file)):
        item, own_id = file.annotations[place], file.ids[place]
        is_own = own_id is not None and own_id not in taken
        instance_id = own_id if is_own and own_id is not None else next_id
        image, category_id = file.images[file.image_ids[place]], file.category_ids[place]
        try:
            if isinstance(mask, FormatError):
                raise mask
            found[place] = parse_instance(item, instance_id, image, category_id, mask)
        except FormatError as error:
            said.append((place, skipped(item, error)))
            continue
        if mask is None and item.get("segmentation"):
            words = f"Annotation {name_of(item)} kept only its box: its mask covers no pixel."
            said.append((place, words))
        taken.add(instance_id)
        next_id += not is_own
    # The sort is stable: what was left out before a place goes before what is said of it.
    notes = [*file.remarks, *(words for _, words in sorted(said, key=itemgetter(0)))]
    if n_renumbered := next_id - file.next_id:
        notes.append(f"{n_renumbered} annotations had no id of their own and were given new ones.")
    return found, notes


def _masks(file: CocoFile) -> list[Mask | FormatError | None]:
    """Return each annotation's mask, or what is wrong with it."""
    found: list[Mask | FormatError | None] = [None] * len(file.annotations)
    rles: dict[int, Rle] = {}
    for place, (item, image_id) in enumerate(zip(file.annotations, file.image_ids, strict=True)):
        try:
            rle = parse_runs(item.get("segmentation"), file.images[image_id])
        except FormatError as error:
            found[place] = error
            continue
        if rle is not None:
            rles[place] = rle
    # All at once: run by run, most of the time would go into calling numpy.
    for place, mask in zip(rles, decode_many(list(rles.values())), strict=True):
        found[place] = mask
    return found


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
                kept = 0.0 if again is None else iou(again, instance.mask)
                if kept < 1:
                    losses.append(kept)
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


def check_name(path: Path) -> None:
    """FormatError if ``path``, or what it is a link to, is named as what is never written to.

    Those are images, the database of a project and the weights of a model.
    """
    names = (path.name.lower(), os.path.realpath(path).lower())
    if any(name.endswith(SUFFIXES) for name in names):
        raise FormatError(f"{path} is named as an image, and images are never written to.")
    if any(name.endswith(_OURS) for name in names):
        raise FormatError(f"{path} is named as a project or a model; choose a name that is not.")


def check_place(path: Path, *inputs: Path) -> None:
    """FormatError if ``save`` would fail at ``path`` or lose one of the ``inputs`` of the work.

    So it is known before that work.
    """
    check_name(path)
    if any(os.path.realpath(path) == os.path.realpath(one) for one in inputs):
        raise FormatError(
            f"{path} is read here and would be lost; choose another place to write to."
        )
    try:
        files.check_place(path)
    except OSError as error:
        raise _not_written(path, error) from error


def save(path: Path, root: object) -> None:
    """Write any JSON value whole or not at all; FormatError says why it cannot."""
    check_name(path)
    try:
        files.write_atomic(path, orjson.dumps(root, option=orjson.OPT_SERIALIZE_NUMPY))
    except OSError as error:
        raise _not_written(path, error) from error
    except orjson.JSONEncodeError as error:
        raise FormatError(
            f"{path} could not be written: a name in it is not Unicode text; nothing was changed."
        ) from error


def _not_written(path: Path, error: OSError) -> FormatError:
    why = error.strerror or error
    return FormatError(f"{path} could not be written ({why}); nothing was changed.")


def _parsed(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return parse_json(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{path.name} is not JSON: {error}.") from error


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
