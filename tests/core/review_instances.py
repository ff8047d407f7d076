"""Small images full of objects for the tests of a review's cases."""

from dataclasses import replace

import numpy as np

from seginst_core.masks.geometry import mask_box
from seginst_core.review.objects.schema import ImageObjects
from seginst_core.types import Box, ImageRef, Instance, Mask, Origin

IMAGE = ImageRef(7, "field.png", 400, 300)
A = Origin("model", "card-a", "two-stage")
B = Origin("model", "card-b", "end-to-end")


def disc(
    number: int,
    x: float,
    y: float,
    radius: float = 10.0,
    *,
    category: int = 1,
    score: float | None = None,
    origin: Origin | None = None,
) -> Instance:
    """A disc of pixels about a point; its box is tight."""
    side = int(radius) + 1
    rows, columns = np.mgrid[-side : side + 1, -side : side + 1]
    mask = Mask(int(x) - side, int(y) - side, rows**2 + columns**2 <= radius**2)
    made = Instance(number, category, mask_box(mask), mask, score=score)
    return made if origin is None else replace(made, origin=origin)


def square(number: int, x0: int, y0: int, side: int, **fields: object) -> Instance:
    """A filled square."""
    mask = Mask(x0, y0, np.ones((side, side), np.bool_))
    return Instance(number, 1, Box(x0, y0, x0 + side, y0 + side), mask, **fields)


def objects(**fields: object) -> ImageObjects:
    """All that is known of the image."""
    return ImageObjects(IMAGE, **{"state": "done", **fields})
