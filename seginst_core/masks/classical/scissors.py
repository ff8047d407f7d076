"""Intelligent scissors (Mortensen and Barrett 1995): paths that cling to the image's edges."""

import cv2
import numpy as np

from seginst_core.types import ImageArray

REACH_PX = 160
"""How far from its start a path may run; beyond that the line is straight."""
_GRADIENT_LIMIT = 200.0

Path = tuple[tuple[float, float], ...]


class Scissors:
    """Paths from one point of an image; it keeps the map of costs around that point."""

    def __init__(self, image: ImageArray, start: tuple[float, float]) -> None:
        """Prepare the paths from ``start`` (x, y in pixels) in an RGB image."""
        height, width = image.shape[:2]
        self._start = start
        x, y = (min(max(int(c), 0), n - 1) for c, n in zip(start, (width, height), strict=True))
        self._x0, self._y0 = max(x - REACH_PX, 0), max(y - REACH_PX, 0)
        self._x1, self._y1 = min(x + REACH_PX + 1, width), min(y + REACH_PX + 1, height)
        self._costs = cv2.segmentation.IntelligentScissorsMB()
        self._costs.setEdgeFeatureCannyParameters(32, 100)
        self._costs.setGradientMagnitudeMaxLimit(_GRADIENT_LIMIT)
        crop = np.ascontiguousarray(image[self._y0 : self._y1, self._x0 : self._x1])
        self._costs.applyImage(crop)
        self._costs.buildMap((x - self._x0, y - self._y0))

    def path_to(self, x: float, y: float) -> Path:
        """Return the points from the start to a place along the best edges, both ends included.

        Outside the reach the line is straight.
        """
        if not (self._x0 <= x < self._x1 and self._y0 <= y < self._y1):
            return (self._start, (x, y))
        contour = self._costs.getContour((int(x) - self._x0, int(y) - self._y0))
        # Pixel centres between the ends, which stay where the pointer was.
        centre = np.array((self._x0 + 0.5, self._y0 + 0.5))
        points = np.asarray(contour).reshape(-1, 2)[1:-1] + centre
        return (self._start, *((float(u), float(v)) for u, v in points), (x, y))
