"""Where the view stands over the image: plain arithmetic between image and widget pixels."""

import math
from dataclasses import dataclass, replace

from seginst_core.types import Box

MAX_ZOOM = 64.0
FIT_MARGIN_PX = 12
_KEPT_PX = 40
_TINY_PX = 64.0


@dataclass(frozen=True, slots=True)
class Camera:
    """``zoom`` widget pixels to the image pixel; ``left``, ``top`` is the image point at (0, 0)."""

    zoom: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def to_widget(self, x: float, y: float) -> tuple[float, float]:
        """Return where an image point lies in the widget."""
        return (x - self.left) * self.zoom, (y - self.top) * self.zoom

    def to_image(self, u: float, v: float) -> tuple[float, float]:
        """Return the image point under a widget point."""
        return self.left + u / self.zoom, self.top + v / self.zoom

    def zoomed(self, zoom: float, u: float, v: float) -> "Camera":
        """Return the camera at another zoom that keeps the image point under (u, v) there."""
        x, y = self.to_image(u, v)
        return Camera(zoom, x - u / zoom, y - v / zoom)

    def moved(self, du: float, dv: float) -> "Camera":
        """Return the camera with the image pushed by widget pixels."""
        return replace(self, left=self.left - du / self.zoom, top=self.top - dv / self.zoom)

    def looking_at(self, x: float, y: float, view: tuple[int, int]) -> "Camera":
        """Return the camera with an image point in the middle of a view (width, height)."""
        return replace(self, left=x - view[0] / 2 / self.zoom, top=y - view[1] / 2 / self.zoom)

    def snapped(self, device_scale: float) -> "Camera":
        """Return the camera with the image's corner on a whole device pixel, as it is painted."""
        scale = self.zoom * device_scale
        return replace(
            self, left=round(self.left * scale) / scale, top=round(self.top * scale) / scale
        )


def fitted(image: tuple[int, int], view: tuple[int, int]) -> Camera:
    """Return the camera that shows a whole image (width, height) in the middle of a view."""
    zoom = fit_zoom(image, view)
    return Camera(zoom).looking_at(image[0] / 2, image[1] / 2, view)


def fit_zoom(image: tuple[int, int], view: tuple[int, int]) -> float:
    """Return the zoom at which the whole image is just seen."""
    room = [max(v - 2 * FIT_MARGIN_PX, v / 2, 1.0) for v in view]
    return min(room[0] / image[0], room[1] / image[1], MAX_ZOOM)


def limited(zoom: float, image: tuple[int, int], view: tuple[int, int]) -> float:
    """Return the zoom within its limits: a quarter of the fit (or less than 1:1) to 64."""
    return min(max(zoom, min(fit_zoom(image, view), 1.0) / 4), MAX_ZOOM)


def kept_in_view(camera: Camera, image: tuple[int, int], view: tuple[int, int]) -> Camera:
    """Return the camera pushed back just so far that some of the image stays in sight."""
    left = _kept(camera.left, image[0], view[0], camera.zoom)
    top = _kept(camera.top, image[1], view[1], camera.zoom)
    return replace(camera, left=left, top=top)


def flown_to(camera: Camera, box: Box, image: tuple[int, int], view: tuple[int, int]) -> Camera:
    """Return the camera with a box in the middle, as near as it has to be to see the whole of it.

    The zoom stays unless the box would be tiny or would not fit.
    """
    side = max(box.width, box.height, 1.0)
    fits = min(view[0] / max(box.width, 1.0), view[1] / max(box.height, 1.0)) * 0.8
    zoom = camera.zoom
    if side * zoom < _TINY_PX:
        zoom = max(zoom, min(min(view) / 4 / side, MAX_ZOOM))
    zoom = limited(min(zoom, fits), image, view)
    middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return replace(camera, zoom=zoom).looking_at(*middle, view)


def _kept(start: float, image_px: int, view_px: int, zoom: float) -> float:
    kept = min(_KEPT_PX, image_px * zoom, view_px) / zoom
    lowest, highest = kept - view_px / zoom, image_px - kept
    return min(max(start, lowest), highest) if math.isfinite(start) else 0.0
