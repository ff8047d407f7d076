"""Polygon: click around an object; the ring closes at its first point, on Enter or double click."""

import math

import numpy as np

from seginst_core.masks.polygons import from_polygons
from seginst_core.project.edits import Edit
from seginst_gui.language import later, tr
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview
from seginst_gui.tools.drawing import new_object

MIN_POINTS = 3


class PolygonTool(PlainTool):
    """Each click sets a corner; undoing takes the last one back, Esc the whole ring."""

    name, text = "polygon", later("Draw a polygon")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._points: list[tuple[float, float]] = []

    def press(self, pointer: Pointer) -> Edit | None:
        """Set a corner, or close the ring on its first one."""
        here = (pointer.x, pointer.y)
        if len(self._points) >= MIN_POINTS and near(self._points[0], here, pointer.reach_px):
            return self.confirm()
        if not self._points or not near(self._points[-1], here, pointer.reach_px / 4):
            self._points.append(here)
        self._show(here)
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Stretch the line to the pointer."""
        del held
        if self._points:
            self._show((pointer.x, pointer.y))

    def confirm(self) -> Edit | None:
        """Close the ring; with fewer than three corners nothing happens."""
        image = self.session.image
        if len(self._points) < MIN_POINTS or image is None:
            return None
        ring = np.array(self._points, np.float64)
        self._points = []
        self.preview = NOTHING
        mask = from_polygons([ring], image.width, image.height)
        if mask is None:
            return None
        return new_object(self.session, mask, tr(self.text), self.name)

    def cancel(self) -> bool:
        """Take the ring away."""
        busy, self._points = bool(self._points), []
        self.preview = NOTHING
        return busy

    def take_back(self) -> bool:
        """Take the last corner away."""
        if not self._points:
            return False
        here = self.preview.path[-1]
        self._points.pop()
        if self._points:
            self._show(here)
        else:
            self.cancel()
        return True

    def _show(self, here: tuple[float, float]) -> None:
        path = (*self._points, here)
        self.preview = Preview(path=path, knots=path, colour=self.colour())


def near(a: tuple[float, float], b: tuple[float, float], reach_px: float) -> bool:
    """Return whether two points count as the same one."""
    return math.dist(a, b) <= reach_px
