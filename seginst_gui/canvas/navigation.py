"""A widget to look at something large: zoom about the pointer, pan, fit."""

import math
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from seginst_core.types import Box
from seginst_gui.canvas import camera as cameras
from seginst_gui.canvas.camera import Camera

NOTCH = 120
_NOTCHES_TO_DOUBLE = 4


class NavigationView(QWidget):
    """Holds a camera over content of a known size; what is painted is the subclass's matter."""

    zoom_changed = Signal(float)
    """Widget pixels to the image pixel."""
    view_changed = Signal()
    """Another part of the image is seen, or the same at another zoom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self._size: tuple[int, int] | None = None
        self._exact = self._camera = Camera()
        self._fits = True
        self._anchor: QPointF | None = None
        self._space = False
        self._panned_from: QPointF | None = None
        self._pan_button = Qt.MouseButton.NoButton

    @property
    def zoom(self) -> float:
        """Widget pixels to the image pixel."""
        return self._camera.zoom

    @property
    def fits(self) -> bool:
        """Whether the whole image is shown, and will be at another size of the widget."""
        return self._fits

    def sizeHint(self) -> QSize:
        """Return a size that most screens have room for."""
        return QSize(960, 640)

    def image_to_widget(self, x: float, y: float) -> QPoint:
        """Return the widget pixel in which an image point lies."""
        u, v = self._camera.to_widget(x, y)
        # The tiny addition keeps a corner that lies on a pixel's edge in that pixel.
        return QPoint(math.floor(u + 1e-6), math.floor(v + 1e-6))

    def widget_to_image(self, point: QPointF | QPoint) -> tuple[float, float]:
        """Return the image point at a point of the widget."""
        return self._camera.to_image(point.x(), point.y())

    def fit(self) -> None:
        """Show the whole image, and go on doing so when the widget changes its size."""
        if self._size is not None:
            self._look(cameras.fitted(self._size, self._view_size()), fits=True)

    def actual_size(self) -> None:
        """Show one image pixel as one pixel of the widget, about the middle."""
        self._zoom_to(1.0, QPointF(self.rect().center()))

    def centre(self) -> tuple[float, float]:
        """Return the image point in the middle of the view."""
        return self._camera.to_image(self.width() / 2, self.height() / 2)

    def look_at(self, x: float, y: float, zoom: float | None = None) -> None:
        """Put an image point into the middle, at another zoom if one is given."""
        if self._size is not None:
            zoom = cameras.limited(zoom or self._exact.zoom, self._size, self._view_size())
            self._look(replace(self._exact, zoom=zoom).looking_at(x, y, self._view_size()))

    def seen(self) -> QRectF:
        """Return what is seen, in image pixels; it reaches over the image where it ends."""
        (x0, y0), (x1, y1) = self._camera.to_image(0, 0), self._camera.to_image(*self._view_size())
        return QRectF(x0, y0, x1 - x0, y1 - y0)

    def zoom_by(self, factor: float) -> None:
        """Zoom about the middle."""
        self._zoom_to(self._exact.zoom * factor, QPointF(self.rect().center()))

    def centre_on(self, box: Box) -> None:
        """Put a box (image pixels) into the middle; zoom only if it is tiny or does not fit."""
        if self._size is not None:
            self._look(cameras.flown_to(self._exact, box, self._size, self._view_size()))

    # --- events ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to pan with the middle button, or with Space and the left one."""
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._panned_from, self._pan_button = event.position(), event.button()
            self._show_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan."""
        if self._panned_from is not None and not event.buttons() & self._pan_button:
            self._panned_from = None  # a dialog that came up meanwhile had the release
            self._show_cursor()
        if self._panned_from is not None:
            step = event.position() - self._panned_from
            self._panned_from = event.position()
            self._move_by(step.x(), step.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End panning."""
        if self._panned_from is not None and event.button() == self._pan_button:
            self._panned_from = None
            self._show_cursor()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; with Shift, or sideways, move."""
        event.accept()
        turned = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(turned.x()) > abs(
            turned.y()
        ):
            # A touchpad says how many pixels it means, a wheel only how far it was turned.
            way = turned if event.pixelDelta().isNull() else event.pixelDelta()
            self._move_by(way.x() or way.y(), 0)
        else:
            factor = 2 ** (turned.y() / NOTCH / _NOTCHES_TO_DOUBLE)
            self._zoom_to(self._exact.zoom * factor, event.position())

    def event(self, event: QEvent) -> bool:
        """Zoom by pinching, and stay on whole pixels of another screen; the rest is Qt's."""
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self._zoom_to(self._exact.zoom * (1 + event.value()), event.position())
            return True
        if isinstance(event, QGestureEvent):
            return self._pinch(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange and self._size is not None:
            self._look(self._exact, fits=self._fits)
        return super().event(event)

    def _pinch(self, event: QGestureEvent) -> bool:
        """Follow two fingers on a touch screen: zoom about their middle, and move with it."""
        pinch = event.gesture(Qt.GestureType.PinchGesture)
        if not isinstance(pinch, QPinchGesture):
            return False
        event.accept(pinch)
        # The places are of the screen, not of the widget.
        here, before = (
            self.mapFromGlobal(place) for place in (pinch.centerPoint(), pinch.lastCenterPoint())
        )
        if pinch.changeFlags() & QPinchGesture.ChangeFlag.CenterPointChanged:
            self._move_by(here.x() - before.x(), here.y() - before.y())
        if pinch.changeFlags() & QPinchGesture.ChangeFlag.ScaleFactorChanged:
            self._zoom_to(self._exact.zoom * pinch.scaleFactor(), here)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the hand with Space."""
        if event.key() == Qt.Key.Key_Space:
            self._space = True
            self._show_cursor()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of the hand."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._show_cursor()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Forget the space bar: its release will go elsewhere."""
        self._space = False
        self._show_cursor()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the fit, or else the image point in the middle."""
        super().resizeEvent(event)
        if self._size is None:
            return
        if self._fits:
            self.fit()
            return
        x, y = self._exact.to_image(event.oldSize().width() / 2, event.oldSize().height() / 2)
        self._look(self._exact.looking_at(x, y, self._view_size()))

    # ----------------------------------------------------------------------------------------------

    def _idle_cursor(self) -> Qt.CursorShape:
        """Return the cursor while nothing is panned."""
        return Qt.CursorShape.ArrowCursor

    def _show_cursor(self) -> None:
        if self._panned_from is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self.setCursor(Qt.CursorShape.OpenHandCursor if self._space else self._idle_cursor())

    def _move_by(self, du: float, dv: float) -> None:
        if self._size is not None:
            self._look(self._exact.moved(du, dv))

    def _zoom_to(self, zoom: float, about: QPointF) -> None:
        if self._size is not None:
            # The point that is seen under the pointer stays there: whole pixels are left behind
            # only once for all the steps about one place, so that they do not add up.
            start = self._exact if about == self._anchor else self._camera
            zoom = cameras.limited(zoom, self._size, self._view_size())
            self._look(start.zoomed(zoom, about.x(), about.y()))
            self._anchor = about

    def _look(self, camera: Camera, *, fits: bool = False) -> None:
        assert self._size is not None
        before = self._camera
        self._exact = cameras.kept_in_view(camera, self._size, self._view_size())
        self._camera = self._exact.snapped(self.devicePixelRatioF())
        # Before the signals: who is linked to this view asks for it.
        self._fits, self._anchor = fits, None
        if self._camera != before:
            self.update()
            self.view_changed.emit()
        if self._camera.zoom != before.zoom:
            self.zoom_changed.emit(self._camera.zoom)

    def _view_size(self) -> tuple[int, int]:
        return self.width(), self.height()
