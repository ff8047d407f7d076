"""Superpixel brush: paint whole superpixels, which keep to the image's edges by themselves."""

import math
from dataclasses import replace

import numpy as np

from seginst_core.masks.classical.superpixels import SuperpixelGrid
from seginst_core.masks.geometry import contains, union
from seginst_core.types import Mask
from seginst_gui.language import later
from seginst_gui.session import Session
from seginst_gui.tools.base import Cursor, Option, Pointer
from seginst_gui.tools.brush import BrushTool

START_RADIUS_PX, MIN_RADIUS_PX, MAX_RADIUS_PX = 8.0, 3.0, 32.0


class SuperpixelTool(BrushTool):
    """A brush that takes every superpixel it touches; its size is that of the superpixels."""

    cursor: Cursor = "cross"
    name, more, new = (
        "superpixel",
        later("Paint superpixels"),
        later("Paint a new object of superpixels"),
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._grid: SuperpixelGrid | None = None
        self.options: tuple[Option, ...] = (
            self.size_option(
                MIN_RADIUS_PX, MAX_RADIUS_PX, later("Width of the pieces in image pixels")
            ),
        )
        self.set_radius(START_RADIUS_PX)

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Go on with the stroke, or show the superpixel under the pointer."""
        super().move(pointer, held=held)
        if not held:
            mask = self._superpixel(pointer.x, pointer.y)
            self.preview = replace(
                self.preview, mask=mask, erases=pointer.alt, colour=self.colour()
            )

    def set_radius(self, radius_px: float) -> None:
        """Set half the superpixels' size in image pixels."""
        super().set_radius(min(max(radius_px, MIN_RADIUS_PX), MAX_RADIUS_PX))
        self._grid = None

    def segment(self, start: tuple[float, float], end: tuple[float, float]) -> Mask | None:
        """Return the superpixels on the way from one place to the next."""
        found: Mask | None = None
        steps = max(1, math.ceil(math.dist(start, end)))
        for x, y in np.linspace(start, end, steps + 1).tolist():
            if found is not None and contains(found, math.floor(x), math.floor(y)):
                continue
            mask = self._superpixel(x, y)
            if mask is not None:
                found = mask if found is None else union(found, mask)
        return found

    def _superpixel(self, x: float, y: float) -> Mask | None:
        picture = self.session.picture
        if picture is None:
            return None
        if self._grid is None or self._grid.image is not picture.pixels:
            self._grid = SuperpixelGrid(picture.pixels, round(2 * self.radius_px))
        return self._grid.at(math.floor(x), math.floor(y))
