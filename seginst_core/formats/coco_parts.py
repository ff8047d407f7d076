"""The parts of a COCO file, each checked as it is read."""

import re
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from seginst_core.errors import FormatError
from seginst_core.masks.polygons import to_runs
from seginst_core.masks.rle import MAX_PIXELS, Rle, compress
from seginst_core.types import PALETTE, Box, Category, ImageRef, Instance, Mask, Origin

Table: TypeAlias = dict[str, object]

# The largest whole number that every reader of JSON keeps exactly.
_MAX_WHOLE = 1 << 53
_MAX_SHOWN = 200
_DIGITS = re.compile(r"-?[0-9]{1,15}")
_IMPORTED = Origin("import")


def tables(value: object, what: str, notes: list[str]) -> list[Table]:
    """Return the objects of a list; anything else in it is left out and counted in a note."""
    items = value if isinstance(value, list) else []
    found = [item for item in items if isinstance(item, dict)]
    if len(found) < len(items):
        n_lost = len(items) - len(found)
        notes.append(f"Entries of the {what} that are not objects were skipped: {n_lost}.")
    return found


def shown(value: object) -> str:
    """Return a value from a file on one short line, fit for a sentence."""
    text = value if isinstance(value, str) else reprlib.repr(value)
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}..."


def whole(item: Table, key: str) -> int:
    """Return a whole number that may be written as 3, 3.0 or "3"; FormatError otherwise."""
    if key not in item:
        raise FormatError(f"it has no {key}")
    value = item[key]
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_WHOLE:
        number = int(value)
        if number == value:
            return number
    raise FormatError(f"its {key} {shown(value)} is not a whole number")


def parse_images(items: Sequence[Table], file_name: str, notes: list[str]) -> tuple[ImageRef, ...]:
    """Read the images; FormatError if one names a file outside the images folder."""
    images: dict[int, ImageRef] = {}
    for item in items:
        try:
            image = _image(item)
        except FormatError as error:
            notes.append(f"Image {shown(item.get('id', '?'))} was skipped: {error}.")
            continue
        if not stays_inside(image.path):
            raise FormatError(
                f"{file_name} names a file outside the images folder: {shown(image.path)} "
                f"(image {image.id})."
            )
        if image.id in images:
            notes.append(f"Image {image.id} is listed twice; the first entry was kept.")
            continue
        images[image.id] = image
    return tuple(images.values())


def _image(item: Table) -> ImageRef:
    image_id = whole(item, "id")
    name = item.get("file_name")
    if not isinstance(name, str) or not name:
        raise FormatError("it has no file_name")
    width, height = whole(item, "width"), whole(item, "height")
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise FormatError(f"its size is {width} × {height}")
    return ImageRef(image_id, str(PurePosixPath(name.replace("\\", "/"))), width, height)


def stays_inside(path: str) -> bool:
    """Whether a relative path can never leave its folder."""
    pure = PurePosixPath(path)
    windows = PureWindowsPath(path)
    absolute = pure.is_absolute() or windows.drive or windows.root
    return bool(pure.name) and not absolute and ".." not in pure.parts and "\0" not in path


def parse_categories(items: Sequence[Table], notes: list[str]) -> tuple[Category, ...]:
    """Read the categories; one without a usable colour gets the palette's next."""
    categories: dict[int, Category] = {}
    for item in items:
        try:
            category_id = whole(item, "id")
        except FormatError as error:
            notes.append(f"Category {shown(item.get('name', '?'))} was skipped: {error}.")
            continue
        if category_id in categories:
            notes.append(f"Category {category_id} is listed twice; the first entry was kept.")
            continue
        fallback = PALETTE[len(categories) % len(PALETTE)]
        categories[category_id] = Category(
            category_id,
            shown(item.get("name") or f"category {category_id}"),
            _colour(item.get("color")) or fallback,
            shown(item.get("supercategory") or ""),
        )
    return tuple(categories.values())


def parse_place(
    item: Table, images: Mapping[int, ImageRef], categories: set[int]
) -> tuple[ImageRef, int]:
    """Return the image and the category's id of an annotation; FormatError if not listed."""
    image_id, category_id = whole(item, "image_id"), whole(item, "category_id")
    if image_id not in images:
        raise FormatError(f"its image {image_id} is not listed")
    if category_id not in categories:
        raise FormatError(f"its category {category_id} is not listed")
    return images[image_id], category_id


def parse_instance(
    item: Table, instance_id: int, image: ImageRef, category_id: int, mask: Mask | None
) -> Instance:
    """Read the rest of an annotation, whose tight mask is known. FormatError if it has no box."""
    if mask is None:
        box = _box(item.get("bbox"), image)
    else:
        box = Box(float(mask.x0), float(mask.y0), float(mask.x1), float(mask.y1))
    if box is None:
        raise FormatError("it has neither a mask nor a box inside its image")
    attributes = item.get("attributes")
    return Instance(
        id=instance_id,
        category_id=category_id,
        box=box,
        mask=mask,
        score=_number(item.get("score")),
        iscrowd=item.get("iscrowd") in (1, "1"),
        origin=_IMPORTED,
        attributes={k: v if isinstance(v, str) else reprlib.repr(v) for k, v in attributes.items()}
        if isinstance(attributes, dict)
        else {},
    )


def parse_runs(segmentation: object, image: ImageRef) -> Rle | None:
    """Return a segmentation as compressed RLE, its text not yet checked; None if there is none."""
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if size != [image.height, image.width]:
            raise FormatError(
                f"its RLE has size {shown(size)} where its image has {[image.height, image.width]}"
            )
        if isinstance(counts, str):
            return {"size": [image.height, image.width], "counts": counts}
        return compress(segmentation)
    if not isinstance(segmentation, list):
        raise FormatError("its segmentation is neither polygons nor an RLE")
    if all(isinstance(value, int | float) for value in segmentation):
        segmentation = [segmentation]
    # A ring of one or two points covers nothing, and COCO's own files hold some.
    return to_runs([_ring(ring) for ring in segmentation], image.width, image.height)


def _ring(values: object) -> npt.NDArray[np.float64]:
    try:
        points = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.full(1, np.nan)
    if points.ndim != 1 or points.size % 2 or not np.isfinite(points).all():
        raise FormatError("one of its polygons is not a list of x, y pairs")
    return points.reshape(-1, 2)


def _box(value: object, image: ImageRef) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    x, y, w, h = (_number(v) for v in value)
    if x is None or y is None or w is None or h is None:
        return None
    x0, y0 = max(x, 0.0), max(y, 0.0)
    x1, y1 = min(x + w, float(image.width)), min(y + h, float(image.height))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _number(value: object) -> float | None:
    """Return a number that is neither NaN nor beyond all sense, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _MAX_WHOLE else None


def _colour(value: object) -> tuple[int, int, int] | None:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(v, int) for v in value):
        red, green, blue = (min(max(int(v), 0), 255) for v in value)
        return red, green, blue
    return None
