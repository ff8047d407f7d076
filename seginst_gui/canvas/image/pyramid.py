"""The image at every scale: each level half the one before, made in the background."""

from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QRect, QRectF, QThreadPool, Signal
from PySide6.QtGui import QImage, QPainter

from seginst_core.images import halve
from seginst_core.types import ImageArray
from seginst_gui.display.tones import ToneTable
from seginst_gui.jobs.aside import Aside

_Words = npt.NDArray[np.uint32]

SMALLEST_PX = 512
NEAREST_FROM = 2.0
"""From this zoom on pixels are shown as squares."""
_READY_PIXELS = 4_000_000
"""A level of at most so many pixels, 16 MB, is kept as it is painted."""


class Pyramid(QObject):
    """The levels of one image; level 0 is there at once, ``grown`` says that another one is."""

    grown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[ImageArray] = []
        self.size: tuple[int, int] | None = None
        """Width and height of the image in pixels."""
        self.table: ToneTable | None = None
        """Through which the pixels are looked at; they stay as they are."""
        self._preview: ImageArray | None = None
        # The level painted last and its table, and what came of them.
        self._ready: tuple[ImageArray, ToneTable | None, _Words] | None = None
        self._halving: Aside[ImageArray] | None = None

    def show(self, pixels: ImageArray | None) -> None:
        """Take another image, or none; a level of an earlier one under way is dropped.

        The preview that came before the pixels stands in for the levels that are to come.
        """
        if self._halving is not None:
            self._halving.forget()
        if pixels is None or self.levels:
            self._preview = None
        self._ready = None
        self.levels = [] if pixels is None else [np.ascontiguousarray(pixels)]
        self.size = None if pixels is None else (pixels.shape[1], pixels.shape[0])
        self._go_on()

    def show_preview(self, preview: ImageArray, size: tuple[int, int]) -> None:
        """Take a small picture of an image of ``size``, to be shown until its pixels are there."""
        self.show(None)
        self._preview, self.size = preview, size

    @property
    def complete(self) -> bool:
        """Whether every level is there."""
        if not self.levels:
            return self._preview is None
        return bool(max(self.levels[-1].shape[:2]) <= SMALLEST_PX)

    def small(self, side_px: int) -> QImage | None:
        """Return the whole image, at most so large; None if there is none."""
        pixels = self.levels[-1] if self.levels else self._preview
        if pixels is None:
            return None
        # Not every level may be there yet: of a large one, some of the pixels do.
        step = max(1, max(pixels.shape[:2]) // (2 * side_px))
        pixels = np.ascontiguousarray(pixels[::step, ::step])
        scale = min(1.0, side_px / max(pixels.shape[:2]))
        size = [max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])]
        shown = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        return _as_qimage(_words(shown, self.table)).copy()

    def paint(self, painter: QPainter, zoom: float, area: QRect) -> None:
        """Paint a part of the zoomed image; ``area`` is in its device pixels, (0, 0) its corner."""
        if self.size is None:
            return
        width, height = self.size
        area = area.intersected(QRect(0, 0, round(width * zoom), round(height * zoom)))
        if area.isEmpty():
            return
        wanted = 0
        while zoom * 2 ** (wanted + 1) <= 1.0:
            wanted += 1
        if self._preview is not None and self._stands_in(self._preview, width * zoom, wanted):
            painter.save()
            painter.setClipRect(area)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            whole = QRectF(0, 0, width * zoom, height * zoom)
            painter.drawImage(whole, _as_qimage(self._words_of(self._preview)))
            painter.restore()
        elif zoom >= NEAREST_FROM:
            self._paint_nearest(painter, zoom, area)
        else:
            self._paint_smooth(painter, zoom, area, wanted)

    def _stands_in(self, preview: ImageArray, wide_px: float, wanted: int) -> bool:
        """Whether the preview is painted: of a large image it is there, and pixels are far apart.

        ``wide_px`` is how wide the whole image would be.
        """
        return not self.levels or (wanted >= len(self.levels) and wide_px <= 2 * preview.shape[1])

    def _paint_nearest(self, painter: QPainter, zoom: float, area: QRect) -> None:
        # Rows and columns are looked up as the overlay's are, so that their edges coincide.
        columns = _cells(area.left(), area.right() + 1, zoom, self.levels[0].shape[1])
        rows = _cells(area.top(), area.bottom() + 1, zoom, self.levels[0].shape[0])
        x0, y0 = int(columns[0]), int(rows[0])
        crop = self.levels[0][y0 : rows[-1] + 1, x0 : columns[-1] + 1]
        words = _words(crop, self.table).take(columns - x0, axis=1).take(rows - y0, axis=0)
        painter.drawImage(area.topLeft(), _as_qimage(words))

    def _paint_smooth(self, painter: QPainter, zoom: float, area: QRect, wanted: int) -> None:
        level = min(wanted, len(self.levels) - 1)
        pixels = self.levels[level]
        # A level that is not there yet is stood in for by every second pixel of the one before.
        step = 2 ** (wanted - level)
        if level == 0 and zoom == 1.0 and self.table is None:
            _blit(painter, pixels, area)
            return
        scale = zoom * 2**wanted
        rows, columns = -(-pixels.shape[0] // step), -(-pixels.shape[1] // step)
        x0, y0 = max(int(area.left() / scale) - 1, 0), max(int(area.top() / scale) - 1, 0)
        x1 = min(int((area.right() + 1) / scale) + 2, columns)
        y1 = min(int((area.bottom() + 1) / scale) + 2, rows)
        if step == 1 and rows * columns <= _READY_PIXELS:
            words, seen = self._words_of(pixels), QRectF(x0, y0, x1 - x0, y1 - y0)
        else:
            crop = pixels[y0 * step : y1 * step : step, x0 * step : x1 * step : step]
            words, seen = _words(crop, self.table), QRectF(0, 0, x1 - x0, y1 - y0)
        painter.save()
        painter.setClipRect(area)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale != 1.0)
        target = QRectF(x0 * scale, y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale)
        painter.drawImage(target, _as_qimage(words), seen)
        painter.restore()

    def _words_of(self, pixels: ImageArray) -> _Words:
        """Return all of a small picture, made once for as long as it and the table stay."""
        ready = self._ready
        if ready is None or ready[0] is not pixels or ready[1] is not self.table:
            ready = self._ready = pixels, self.table, _words(pixels, self.table)
        return ready[2]

    def _go_on(self) -> None:
        if self.levels and not self.complete:
            # Without the memory for a smaller level the larger one goes on standing in for it.
            pool, work = QThreadPool.globalInstance(), partial(halve, self.levels[-1])
            self._halving = Aside(work, self._take, lambda _: None, self, pool=pool)

    def _take(self, level: ImageArray) -> None:
        self.levels.append(level)
        if self.complete:
            self._preview = None
        self._go_on()
        self.grown.emit()


def _cells(start: int, stop: int, zoom: float, n: int) -> npt.NDArray[np.intp]:
    cells: npt.NDArray[np.intp] = np.floor((np.arange(start, stop) + 0.5) / zoom).astype(np.intp)
    cells[cells >= n] = n - 1
    return cells


def _words(pixels: ImageArray, table: ToneTable | None) -> _Words:
    pixels = np.ascontiguousarray(pixels)
    if table is not None:
        pixels = np.asarray(cv2.LUT(pixels, table), np.uint8)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA).view(np.uint32)[..., 0]


def _as_qimage(words: _Words) -> QImage:
    height, width = words.shape
    return QImage(words.data, width, height, width * 4, QImage.Format.Format_RGB32)


def _blit(painter: QPainter, pixels: ImageArray, area: QRect) -> None:
    """Draw pixels as they are: the QImage looks straight into the array."""
    stride = pixels.shape[1] * 3
    start = area.top() * stride + area.left() * 3
    view = QImage(
        pixels.reshape(-1)[start:].data,
        area.width(),
        area.height(),
        stride,
        QImage.Format.Format_RGB888,
    )
    painter.drawImage(area.topLeft(), view)
