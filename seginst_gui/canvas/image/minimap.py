"""The whole image in a corner of the canvas, and which part of it is seen."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from seginst_gui.canvas.image.pyramid import Pyramid
from seginst_gui.language import tr

SIDE_PX = 170
_FRAME = QColor(0, 0, 0, 170)
_EDGE = QColor(255, 255, 255, 110)
_SHADE = QColor(0, 0, 0, 90)


class Minimap(QWidget):
    """Shows the pyramid's image; a click or drag asks for the view to go there.

    While it is hidden, nothing of it is made nor painted.
    """

    place_wanted = Signal(float, float)
    """The image point to put into the middle of the view."""

    def __init__(self, pyramid: Pyramid, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("minimap")
        self.setAccessibleName(tr("Overview"))
        self.setToolTip(tr("The whole image; click or drag to go there"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()
        self._pyramid = pyramid
        self._picture: QImage | None = None
        self._seen = QRectF()
        self.n_made = 0
        """How often the small image was made so far."""

    def forget_picture(self) -> None:
        """Make the small image anew when it is next seen: the large one looks different."""
        self._picture = None
        self.update()

    def show_part(self, seen: QRectF) -> None:
        """Mark the part of the image that is seen, in image pixels."""
        if seen != self._seen:
            self._seen = seen
            self.update()

    def wanted_size(self, room: QSize) -> QSize:
        """Return a size in the image's proportions, a quarter of the room's sides at most."""
        size = self._pyramid.size
        if size is None:
            return QSize()
        sides = QSize(min(SIDE_PX, room.width() // 4), min(SIDE_PX, room.height() // 4))
        return (
            QSize(*size).scaled(sides, Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(8, 8))
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the image and a frame around what is seen of it."""
        del event
        painter = QPainter(self)
        picture = self._small_image()
        if picture is None or self._pyramid.size is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), picture)
        width, height = self._pyramid.size
        across, down = self.width() / width, self.height() / height
        whole = QRectF(self.rect())
        seen = QRectF(
            self._seen.x() * across,
            self._seen.y() * down,
            self._seen.width() * across,
            self._seen.height() * down,
        )
        # What is far in would be a dot: its frame stays large enough to be found and held.
        seen = _at_least(seen, 6.0) & whole
        for shade in (
            QRectF(0, 0, whole.width(), seen.top()),
            QRectF(0, seen.bottom(), whole.width(), whole.height() - seen.bottom()),
            QRectF(0, seen.top(), seen.left(), seen.height()),
            QRectF(seen.right(), seen.top(), whole.width() - seen.right(), seen.height()),
        ):
            painter.fillRect(shade, _SHADE)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width_px in ((_FRAME, 3.0), (QColor(255, 255, 255), 1.0)):
            painter.setPen(QPen(colour, width_px))
            painter.drawRect(seen.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setPen(QPen(_EDGE, 1.0))
        painter.drawRect(whole.adjusted(0.5, 0.5, -0.5, -0.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go along."""
        self._go(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Stay, and keep the event from the canvas below."""
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Be a second press."""
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        event.accept()
        if event.buttons() & Qt.MouseButton.LeftButton and self._pyramid.size is not None:
            width, height = self._pyramid.size
            place: QPointF = event.position()
            x = min(max(place.x() / self.width(), 0.0), 1.0) * width
            y = min(max(place.y() / self.height(), 0.0), 1.0) * height
            self.place_wanted.emit(x, y)

    def _small_image(self) -> QImage | None:
        if self._picture is None:
            self._picture = self._pyramid.small(round(SIDE_PX * self.devicePixelRatioF()))
            self.n_made += 1
        return self._picture


def _at_least(rect: QRectF, side: float) -> QRectF:
    wide, high = max(side - rect.width(), 0.0) / 2, max(side - rect.height(), 0.0) / 2
    return rect.adjusted(-wide, -high, wide, high)
