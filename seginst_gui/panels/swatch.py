"""A category's colour as a small picture."""

from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

SWATCH_PX = 14
_DENSITY = 2


@cache
def swatch(colour: tuple[int, int, int]) -> QIcon:
    """Return a rounded square in ``colour`` (RGB), with an edge so that it shows on any ground."""
    pixmap = QPixmap(SWATCH_PX * _DENSITY, SWATCH_PX * _DENSITY)
    pixmap.setDevicePixelRatio(_DENSITY)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(*colour))
    painter.setPen(QPen(QColor(128, 128, 128, 160), 1))
    painter.drawRoundedRect(QRectF(0.5, 0.5, SWATCH_PX - 1, SWATCH_PX - 1), 3, 3)
    painter.end()
    icon = QIcon(pixmap)
    # Selected rows would tint it, and then it is not the category's colour any more.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
