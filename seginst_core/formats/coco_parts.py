"""The parts of a COCO file, each checked as it is read."""

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeAlias

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.masks.geometry import clip, mask_box
from seginst_core.masks.polygons import from_polygons
from seginst_core.masks.rle import decode
from seginst_core.types import PALETTE, Box, Category, ImageRef, Instance, Mask, Origin

Table: TypeAlias = dict[str, object]


def tables(value: object) -> list[Table]:
    """Return the dicts of a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def whole(value: object, what: str) -> int:
    """Return a whole number that may be written as 3, 3.0 or "3"; FormatError otherwise."""
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise FormatError(f"its {what} {value!r} is not a whole number")
    return int(value)


def parse_images(items: Sequence[Table], file_name: str, notes: list[str]) -> tuple[ImageRef, ...]:
    """Read the images; FormatError if one names a file outside the images folder."""
    images: dict[int, ImageRef] = {}
    for item in items:
        try:
            image_id = whole(item["id"], "id")
            path = str(item["file_name"]).replace("\\", "/")
            width, height = whole(item["width"], "width"), whole(item["height"], "height")
            if width < 1 or height < 1:
                raise FormatError(f"its size is {width} x {height}")
        except (FormatError, KeyError, OverflowError, ValueError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            notes.append(f"Image {item.get('id', '?')} was skipped: {why}.")
            continue
        if not stays_inside(path):
            raise FormatError(
                f"{file_name} names a file outside the images folder: {path} (image {image_id})."
            )
        if image_id in images:
            notes.append(f"Image {image_id} is listed twice; the first entry was kept.")
            continue
        images[image_id] = ImageRef(image_id, str(PurePosixPath(path)), width, height)
    return tuple(images.values())


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
            category_id = whole(item["id"], "id")
        except (FormatError, KeyError, OverflowError, ValueError):
            notes.append(f"A category without a whole id was skipped: {item.get('name', '?')}.")
            continue
        if category_id in categories:
            notes.append(f"Category {category_id} is listed twice; the first entry was kept.")
            continue
        name = str(item.get("name") or f"category {category_id}")
        colour = item.get("color")
        fallback = PALETTE[len(categories) % len(PALETTE)]
        categories[category_id] = Category(
            category_id, name, _colour(colour) or fallback, str(item.get("supercategory") or "")
        )
    return tuple(categories.values())


def parse_annotation(
    item: object, place: int, images: Mapping[int, ImageRef], categories: set[int]
) -> tuple[int, Instance]:
    """Read one annotation; its image's id and the instance. FormatError says what is wrong."""
    if not isinstance(item, dict):
        raise FormatError("it is not an object")
    instance_id = whole(item.get("id", place + 1), "id")
    image_id = whole(item["image_id"], "image_id")
    category_id = whole(item["category_id"], "category_id")
    if image_id not in images:
        raise FormatError(f"its image {image_id} is not listed")
    if category_id not in categories:
        raise FormatError(f"its category {category_id} is not listed")
    image = images[image_id]
    mask = _mask(item.get("segmentation"), image)
    box = _box(item.get("bbox"), image) if mask is None else mask_box(mask)
    if box is None:
        raise FormatError("it has neither a mask nor a box inside its image")
    score = item.get("score")
    attributes = item.get("attributes")
    return image_id, Instance(
        id=instance_id,
        category_id=category_id,
        box=box,
        mask=mask,
        score=float(score) if isinstance(score, int | float) else None,
        iscrowd=bool(item.get("iscrowd", 0)),
        origin=Origin("import"),
        attributes={str(k): str(v) for k, v in attributes.items()}
        if isinstance(attributes, dict)
        else {},
    )


def _mask(segmentation: object, image: ImageRef) -> Mask | None:
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        if list(segmentation.get("size", ())) != [image.height, image.width]:
            raise FormatError(
                f"its RLE has size {segmentation.get('size')} where its image has "
                f"{[image.height, image.width]}"
            )
        return decode(segmentation)
    if not isinstance(segmentation, list):
        raise FormatError("its segmentation is neither polygons nor an RLE")
    if all(isinstance(value, int | float) for value in segmentation):
        segmentation = [segmentation]
    polygons = []
    for ring in segmentation:
        points = np.asarray(ring, np.float64)
        if points.ndim != 1 or points.size < 6 or points.size % 2 or not np.isfinite(points).all():
            raise FormatError("one of its polygons is not a list of at least three x, y pairs")
        polygons.append(points.reshape(-1, 2))
    mask = from_polygons(polygons, image.width, image.height)
    return None if mask is None else clip(mask, image.width, image.height)


def _box(value: object, image: ImageRef) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    x, y, w, h = (float(v) for v in value)
    if not all(math.isfinite(v) for v in (x, y, w, h)):
        return None
    x0, y0 = max(x, 0.0), max(y, 0.0)
    x1, y1 = min(x + w, float(image.width)), min(y + h, float(image.height))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _colour(value: object) -> tuple[int, int, int] | None:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(v, int) for v in value):
        red, green, blue = (min(max(int(v), 0), 255) for v in value)
        return red, green, blue
    return None
