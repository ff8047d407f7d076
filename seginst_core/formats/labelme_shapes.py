"""The shapes of a labelme file to instances, and back."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias, cast

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.coco_parts import Table, parse_attributes
from seginst_core.formats.losses import has_holes
from seginst_core.lenient import shown
from seginst_core.masks.geometry import clip, from_box, mask_box, trim, union
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.masks.rle import MAX_PIXELS
from seginst_core.types import Box, FloatArray, ImageRef, Instance, Mask, Origin

_POLYGONS = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")
_MAX_REACH_PX = 1e7
_IMPORTED = Origin("import")
_Points: TypeAlias = list[list[float]]


def parse_shapes(
    table: Table,
    image: ImageRef,
    next_id: int,
    classes: dict[str, int],
    name: str,
    notes: list[str],
) -> list[Instance]:
    """Read the shapes of a file; those of one label and group are one instance."""
    shapes = table["shapes"]
    assert isinstance(shapes, list)
    found: dict[tuple[str, object], Instance] = {}
    for number, shape in enumerate(shapes, 1):
        try:
            if not isinstance(shape, dict):
                raise FormatError("it is not an object")
            label = shape.get("label")
            if not isinstance(label, str) or not label.strip():
                raise FormatError("it has no label")
            label = shown(label)
            area = _area(shape, image)
        except FormatError as error:
            notes.append(f"Shape {number} of {shown(name)} was skipped: {error}.")
            continue
        group = shape.get("group_id")
        key = (label, group) if isinstance(group, int | str) else (label, (number,))
        category_id = classes.setdefault(label, len(classes) + 1)
        first = found.get(key)
        if first is None:
            found[key] = _instance(shape, next_id + len(found), category_id, area)
        else:
            found[key] = _joined(first, area, image)
    return list(found.values())


def _instance(
    shape: Mapping[str, object], instance_id: int, category_id: int, area: Mask | Box
) -> Instance:
    return Instance(
        id=instance_id,
        category_id=category_id,
        box=area if isinstance(area, Box) else mask_box(area),
        mask=None if isinstance(area, Box) else area,
        score=_score(shape.get("score")),
        iscrowd=shape.get("iscrowd") in (1, True),
        origin=_IMPORTED,
        attributes=parse_attributes(shape.get("attributes")),
    )


def _score(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(cast(float, value)) if is_number and 0 <= cast(float, value) <= 1 else None


def _joined(first: Instance, area: Mask | Box, image: ImageRef) -> Instance:
    """Return an instance with one more part; boxes among the parts of a mask are filled."""
    before: Mask | Box = first.mask if first.mask is not None else first.box
    masks = [
        from_box(part, image.width, image.height) if isinstance(part, Box) else part
        for part in (before, area)
    ]
    a, b = masks
    both = union(a, b) if a is not None and b is not None else a or b
    if both is None:
        return first
    return replace(first, mask=both, box=mask_box(both))


def _area(shape: Mapping[str, object], image: ImageRef) -> Mask | Box:
    """Return what a shape covers; FormatError, as a clause, if that is nothing."""
    kind = shape.get("shape_type") or "polygon"
    points = _points(shape.get("points"))
    if kind == "rectangle" and len(points) >= 2:
        box = _box(points, image)
        if box is not None:
            return box
    elif kind in _POLYGONS and len(points) >= 3:
        mask = from_polygons([np.array(points, np.float64)], image.width, image.height)
        if mask is not None:
            return mask
    elif kind == "circle" and len(points) == 2:
        mask = _circle(points, image)
        if mask is not None:
            return mask
    elif kind == "mask" and len(points) == 2:
        mask = _mask(shape.get("mask"), points, image)
        if mask is not None:
            return mask
    elif kind not in (*_POLYGONS, "rectangle", "circle", "mask"):
        raise FormatError(f"a shape of type {shown(kind)} covers no area")
    raise FormatError("it covers no pixel")


def _points(value: object) -> _Points:
    if not isinstance(value, list):
        raise FormatError("it has no list of points")
    for point in value:
        is_pair = isinstance(point, list) and len(point) == 2
        if not is_pair or not all(
            isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= _MAX_REACH_PX
            for v in point
        ):
            raise FormatError("one of its points is not a pair of coordinates")
    return [[float(v) for v in point] for point in value]


def _box(points: _Points, image: ImageRef) -> Box | None:
    x0, y0 = max(min(p[0] for p in points), 0.0), max(min(p[1] for p in points), 0.0)
    x1 = min(max(p[0] for p in points), float(image.width))
    y1 = min(max(p[1] for p in points), float(image.height))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _circle(points: _Points, image: ImageRef) -> Mask | None:
    """Return the pixels whose centres lie in a circle, given its centre and a point on it."""
    (x, y), edge = points
    radius_px = math.dist((x, y), edge)
    x0, x1 = max(math.floor(x - radius_px), 0), min(math.ceil(x + radius_px), image.width)
    y0, y1 = max(math.floor(y - radius_px), 0), min(math.ceil(y + radius_px), image.height)
    if x0 >= x1 or y0 >= y1:
        return None
    rows, columns = np.ogrid[y0:y1, x0:x1]
    return trim((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius_px**2, x0, y0)


def _mask(value: object, points: _Points, image: ImageRef) -> Mask | None:
    """Return the pixels of a mask shape: a PNG between its corners, both of which are in it."""
    (x0, y0), (x1, y1) = ((round(x), round(y)) for x, y in points)
    width, height = x1 - x0 + 1, y1 - y0 + 1
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise FormatError("its corners are not in order")
    try:
        png = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("its mask is not base64 text") from error
    bits = index_png.decode(png, width, height) > 0
    return clip(Mask(x0, y0, bits), image.width, image.height)


def to_shapes(instance: Instance, label: str, group_id: int) -> list[Table]:
    """Return the shapes of an instance; several parts share ``group_id``."""
    box = instance.box
    if instance.mask is None:
        return [_shape(instance, label, [[box.x0, box.y0], [box.x1, box.y1]], "rectangle")]
    if has_holes(instance.mask):
        return [_mask_shape(instance, label, instance.mask)]
    rings = to_polygons(instance.mask)
    shapes = [_shape(instance, label, _pairs(ring), "polygon") for ring in rings]
    for shape in shapes if len(shapes) > 1 else ():
        shape["group_id"] = group_id
    return shapes


def _pairs(ring: FloatArray) -> _Points:
    return [[float(x), float(y)] for x, y in ring.tolist()]


def _mask_shape(instance: Instance, label: str, mask: Mask) -> Table:
    corners = [[float(mask.x0), float(mask.y0)], [mask.x1 - 1.0, mask.y1 - 1.0]]
    shape = _shape(instance, label, corners, "mask")
    png = index_png.encode(mask.bits.astype(np.uint8) * 255)
    shape["mask"] = base64.b64encode(png).decode("ascii")
    return shape


def _shape(instance: Instance, label: str, points: _Points, kind: str) -> Table:
    shape: Table = {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }
    if instance.score is not None:
        shape["score"] = float(instance.score)
    if instance.iscrowd:
        shape["iscrowd"] = 1
    if instance.attributes:
        shape["attributes"] = dict(instance.attributes)
    return shape
