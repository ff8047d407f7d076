"""What the tool in hand shows while it works: painted over everything, stored nowhere."""

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from seginst_core.types import HUMAN, Box, Instance
from seginst_gui.canvas.looks import drawn
from seginst_gui.canvas.overlay import changed_pixels
from seginst_gui.canvas.render import MARGIN_PX, render
from seginst_gui.canvas.stamps import Extent
from seginst_gui.tools.base import Preview

_LINE_REACH_PX = 6
_DARK = QColor(0, 0, 0, 170)
_KNOT_PX = 5
_CROSS_PX = 4.8, 11.2
"""From where to where, off its middle, the lines of a small ring's cross reach."""
_KEPT_RADIUS_PX = 256
"""Of a larger ring no image is kept: it would be large, and most of it is not seen."""


def paint_preview(
    painter: QPainter, preview: Preview, zoom: float, area: QRect, unit_px: int
) -> None:
    """Paint a preview's mask, path and box; ``area`` is in the zoomed image's device pixels."""
    if preview.mask is not None:
        mask = preview.mask
        box = Box(mask.x0, mask.y0, mask.x1, mask.y1)
        instance = Instance(0, 0, box, mask, origin=HUMAN)
        window = (area.left(), area.top(), area.right() + 1, area.bottom() + 1)
        look = drawn(preview.colour, preview.erases)
        words = render([(instance, look)], zoom, window, unit_px)
        if words is not None:
            height, width = words.shape
            kind = QImage.Format.Format_ARGB32_Premultiplied
            painter.drawImage(area.topLeft(), QImage(words.data, width, height, width * 4, kind))
    if not preview.path and not preview.knots and preview.box is None:
        return
    path = QPainterPath()
    points = [QPointF(x * zoom, y * zoom) for x, y in preview.path]
    if points:
        path.addPolygon(points)
    if preview.box is not None:
        box = preview.box
        path.addRect(QRectF(box.x0 * zoom, box.y0 * zoom, box.width * zoom, box.height * zoom))
    _stroke(painter, path, QColor(*preview.colour), unit_px)
    knot = _KNOT_PX * unit_px
    for x, y in preview.knots:
        square = QRectF(x * zoom - knot / 2, y * zoom - knot / 2, knot, knot)
        painter.fillRect(square.adjusted(-1, -1, 1, 1), _DARK)
        painter.fillRect(square, QColor(255, 255, 255))


def paint_ring(
    painter: QPainter, centre: QPointF, radius_px: float, unit_px: int, *, square: bool = False
) -> None:
    """Paint the brush's ring, white in a dark casing; centre and radius are in device pixels."""
    if radius_px > _KEPT_RADIUS_PX:
        painter.save()
        painter.translate(centre)
        _draw_ring(painter, radius_px, unit_px, square)
        painter.restore()
        return
    # To the nearest pixel of the screen: drawing its smooth line anew took longer than the stroke.
    ring = _ring_image(radius_px, unit_px, square)
    half = ring.width() // 2
    painter.drawImage(round(centre.x()) - half, round(centre.y()) - half, ring)


@lru_cache(maxsize=4)
def _ring_image(radius_px: float, unit_px: int, square: bool) -> QImage:
    half = math.ceil(max(radius_px, _CROSS_PX[1] * unit_px)) + 3 * unit_px
    image = QImage(2 * half, 2 * half, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.translate(half, half)
    _draw_ring(painter, radius_px, unit_px, square)
    painter.end()
    return image


def _draw_ring(painter: QPainter, radius_px: float, unit_px: int, square: bool) -> None:
    """Draw a ring around the origin."""
    path = QPainterPath()
    if square:
        corner = QPointF(radius_px, radius_px)
        path.addRect(QRectF(-corner, corner))
    else:
        path.addEllipse(QPointF(), radius_px, radius_px)
    # Below a few pixels the ring alone would be lost: a cross shows where it is.
    if radius_px < 4 * unit_px:
        for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            path.moveTo(QPointF(du, dv) * (_CROSS_PX[0] * unit_px))
            path.lineTo(QPointF(du, dv) * (_CROSS_PX[1] * unit_px))
    _stroke(painter, path, QColor(255, 255, 255), unit_px)


def changed_extents(before: Preview, after: Preview) -> list[Extent]:
    """Return the image pixels in which two previews differ, without lines' width or the ring."""
    if before is after:
        return []
    changed: list[Extent] = []
    a, b = before.mask, after.mask
    same_look = before.erases == after.erases and before.colour == after.colour
    if a is not None and b is not None and same_look:
        pixels = changed_pixels(a, b)
        changed.extend([] if pixels is None else [pixels])
    else:
        changed.extend((m.x0, m.y0, m.x1, m.y1) for m in (a, b) if m is not None)
    lines = (before.path, before.knots, before.box) != (after.path, after.knots, after.box)
    if lines or not same_look:
        changed.extend(e for p in (before, after) for e in _line_extents(p))
    return changed


def reach_px() -> int:
    """Return how far, in widget pixels, objects' and previews' lines reach out of their extent."""
    return max(MARGIN_PX, _LINE_REACH_PX) + 2


def _line_extents(preview: Preview) -> list[Extent]:
    found = []
    points = preview.path + preview.knots
    if points:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        found.append((int(min(xs)) - 1, int(min(ys)) - 1, int(max(xs)) + 2, int(max(ys)) + 2))
    if preview.box is not None:
        box = preview.box
        found.append((int(box.x0) - 1, int(box.y0) - 1, int(box.x1) + 2, int(box.y1) + 2))
    return found


def _stroke(painter: QPainter, path: QPainterPath, colour: QColor, unit_px: int) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen_colour, width in ((_DARK, 4.0), (colour, 2.0)):
        pen = QPen(pen_colour, width * unit_px)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)
    painter.restore()
