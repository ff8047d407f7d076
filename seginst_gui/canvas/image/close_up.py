"""What is seen of an image from very near: the borders of its pixels, and their values."""

import math

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from seginst_core.types import ImageArray

GRID_FROM = 12.0
VALUES_FROM = 40.0
"""Device pixels to the image pixel, on a screen of scale 1."""
_GRID = QColor(128, 128, 128, 110)
_DARK, _LIGHT = QColor(0, 0, 0, 225), QColor(255, 255, 255, 225)


def paint_close_up(
    painter: QPainter, pixels: ImageArray, zoom: float, area: QRect, unit_px: int, font: QFont
) -> None:
    """Paint grid and values over a part of the zoomed image, as far as there is room for them.

    ``area`` is in the zoomed image's device pixels; ``pixels`` is the whole image. The values are
    those of the pixels as they were read, whatever brightness they are shown with.
    """
    if zoom < GRID_FROM * unit_px:
        return
    height, width = pixels.shape[:2]
    area = area.intersected(QRect(0, 0, round(width * zoom), round(height * zoom)))
    if area.isEmpty():
        return
    painter.save()
    painter.setClipRect(area)
    columns = range(math.floor(area.left() / zoom), min(math.ceil(area.right() / zoom) + 1, width))
    rows = range(math.floor(area.top() / zoom), min(math.ceil(area.bottom() / zoom) + 1, height))
    if zoom >= VALUES_FROM * unit_px:
        _paint_values(painter, pixels, zoom, columns, rows, font)
    for x in columns:
        # As the pixels themselves are looked up: a device pixel shows what is under its centre.
        painter.fillRect(
            QRect(math.ceil(x * zoom - 0.5), area.top(), unit_px, area.height()), _GRID
        )
    for y in rows:
        painter.fillRect(
            QRect(area.left(), math.ceil(y * zoom - 0.5), area.width(), unit_px), _GRID
        )
    painter.restore()


def _paint_values(
    painter: QPainter, pixels: ImageArray, zoom: float, columns: range, rows: range, font: QFont
) -> None:
    font = QFont(font)
    font.setPixelSize(max(1, round(zoom / 4.4)))
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    step = metrics.height() * 0.86
    part = pixels[rows.start : rows.stop, columns.start : columns.stop].tolist()
    for y, row in zip(rows, part, strict=True):
        for x, (red, green, blue) in zip(columns, row, strict=True):
            values = (red,) if red == green == blue else (red, green, blue)
            bright = 0.3 * red + 0.59 * green + 0.11 * blue > 128
            painter.setPen(_DARK if bright else _LIGHT)
            cell = QRectF(x * zoom, y * zoom, zoom, zoom)
            top = cell.center().y() - step * len(values) / 2 + metrics.ascent() * 0.93
            for line, value in enumerate(values):
                text = str(value)
                left = cell.center().x() - metrics.horizontalAdvance(text) / 2
                painter.drawText(QPointF(left, top + line * step), text)
