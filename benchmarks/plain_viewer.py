"""The yardstick of the editor: the least that a viewer with tiles, polygons and a brush can cost.

It is no program: nothing is stored, checked or taken back but what is measured. The image is cut
into tiles at halved sizes, an object is one polygon drawn if its box is seen, a dab of the brush
colours a few pixels of one array, and saving writes one JSON file.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.editor_scene import (
    FULL,
    LARGE,
    NEIGHBOURS,
    QUICK,
    Size,
    large_masks,
    next_masks,
)
from benchmarks.report import clock, clock_of_all, peak_megabytes
from seginst_core.types import Mask

VIEW_PX = (1600, 1000)
N_FRAMES = 60
_TILE_PX = 512
_COLOUR, _FILL = QColor(255, 200, 0), QColor(255, 200, 0, 60)
_CHOSEN = QColor(255, 255, 255, 120)
Samples = dict[str, list[float]]
Pixels = npt.NDArray[np.uint8]


class PlainViewer(QWidget):
    """Tiles of an image, polygons over it, and one mask that is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.resize(*VIEW_PX)
        self.zoom, self.corner = 1.0, (0.0, 0.0)
        self._levels: list[dict[tuple[int, int], Pixels | QPixmap]] = []
        self.polygons: list[tuple[QRectF, list[QPolygonF]]] = []
        self.chosen: int | None = None
        self.painted: tuple[QImage, QPointF] | None = None

    def show_pixels(self, pixels: Pixels, zoom: float) -> None:
        """Cut an image and its halves into tiles, and paint."""
        levels = [pixels]
        while max(levels[-1].shape[:2]) > 1000:
            half = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            levels.append(np.asarray(half, np.uint8))
        self._levels = [_tiles(level) for level in levels]
        self.zoom, self.corner = zoom, (0.0, 0.0)
        self.repaint()

    def add_objects(self, masks: list[Mask]) -> None:
        """Add a polygon for each object, in five degrees of detail."""
        for mask in masks:
            parts, _ = cv2.findContours(
                mask.bits.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            details = [cv2.approxPolyDP(parts[0], by, True) for by in (0, 1, 2, 4, 8)]
            polygons = [
                QPolygonF([QPointF(mask.x0 + x, mask.y0 + y) for x, y in part[:, 0].tolist()])
                for part in details
            ]
            box = QRectF(mask.x0, mask.y0, mask.x1 - mask.x0, mask.y1 - mask.y0)
            self.polygons.append((box, polygons))
        self.repaint()

    def polygon_at(self, place: QPointF) -> int | None:
        """Return the number of the last polygon that a point is in."""
        for number in range(len(self.polygons) - 1, -1, -1):
            box, polygons = self.polygons[number]
            inside = box.contains(place)
            if inside and polygons[0].containsPoint(place, Qt.FillRule.OddEvenFill):
                return number
        return None

    def outlines(self) -> list[list[tuple[float, float]]]:
        """Return the points of every polygon."""
        return [[(p.x(), p.y()) for p in polygons[0]] for _, polygons in self.polygons]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the tiles and polygons that are seen."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), Qt.GlobalColor.black)
        level = 0
        while level + 1 < len(self._levels) and self.zoom * 2 ** (level + 1) <= 1.0:
            level += 1
        x, y = self.corner
        part = event.rect()
        seen = QRectF(
            x + part.x() / self.zoom,
            y + part.y() / self.zoom,
            part.width() / self.zoom,
            part.height() / self.zoom,
        )
        painter.save()
        painter.scale(self.zoom * 2**level, self.zoom * 2**level)
        painter.translate(-x / 2**level, -y / 2**level)
        for (column, row), tile in self._levels[level].items() if self._levels else ():
            side = _TILE_PX * 2**level
            if seen.intersects(QRectF(column * side, row * side, side, side)):
                if not isinstance(tile, QPixmap):
                    tile = self._levels[level][column, row] = _pixmap(tile)
                painter.drawPixmap(column * _TILE_PX, row * _TILE_PX, tile)
        painter.restore()
        painter.scale(self.zoom, self.zoom)
        painter.translate(-x, -y)
        pen = QPen(_COLOUR)
        pen.setCosmetic(True)
        painter.setPen(pen)
        for number, (box, polygons) in enumerate(self.polygons):
            if box.intersects(seen):
                painter.setBrush(_CHOSEN if number == self.chosen else _FILL)
                painter.drawPolygon(polygons[min(level, 4)])
        if self.painted is not None:
            painter.drawImage(self.painted[1], self.painted[0])


def measure(folder: Path, *, quick: bool) -> Samples:
    """Do with the plain viewer what is measured of the editor; return seconds by name."""
    size = QUICK if quick else FULL
    viewer = PlainViewer()
    viewer.show()
    QApplication.processEvents()
    taken: Samples = {}
    middle = size.side_px / 2
    fit = VIEW_PX[1] / size.side_px
    path = str(folder / LARGE)
    began = clock_of_all()
    viewer.show_pixels(np.asarray(cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_8)), 8 * fit)
    taken["first_picture"] = [clock_of_all() - began]
    began = clock_of_all()
    viewer.show_pixels(np.asarray(cv2.imread(path)), fit)
    taken["full_detail"] = [clock_of_all() - began]
    masks = large_masks(size)
    viewer.add_objects(masks)
    taken["masks_painted"] = [clock_of_all() - began]
    for name, zoom in (("pan_fit", fit), ("pan_1to1", 1.0), ("pan_4to1", 4.0)):
        half = (VIEW_PX[0] / 2 / zoom, VIEW_PX[1] / 2 / zoom) if zoom > fit else (middle, middle)
        viewer.zoom = zoom
        taken[name] = []
        for step in range(N_FRAMES):
            viewer.corner = (middle - half[0] - 7 * step / zoom, middle - half[1] - 4 * step / zoom)
            taken[name].append(_seconds_to_paint(viewer))
    viewer.zoom, viewer.corner = 1.0, (middle - 800, middle - 500)
    for radius in (5, 50, 200):
        taken[f"brush{radius}"] = _paint(viewer, radius)
    taken["undo"] = [_take_back(viewer) for _ in range(20)]
    taken |= _choose(viewer, fit, size.side_px)
    taken["peak_rss"] = [peak_megabytes()]
    outlines = viewer.outlines()
    began = clock()
    (folder / "plain.json").write_text(json.dumps(outlines))
    taken["edit_saved"] = [clock() - began]
    (folder / "plain.json").unlink()
    taken["next_image"] = [_next_image(viewer, folder / name, size) for name in NEIGHBOURS]
    return taken


def _choose(viewer: PlainViewer, fit: float, side_px: int) -> Samples:
    """Find objects under points, hide all, take 500 away and put them back; the whole view."""
    viewer.zoom, viewer.corner, viewer.painted = fit, (0.0, 0.0), None
    viewer.repaint()
    names = ("select", "hide_all", "delete500", "delete500_undo")
    taken: Samples = {name: [] for name in names}
    everything = viewer.polygons
    for step in range(20):
        place = QPointF(side_px * (step + 0.5) / 20, side_px / 2)
        began = clock()
        viewer.chosen = viewer.polygon_at(place)
        viewer.repaint()
        taken["select"].append(clock() - began)
        for name, polygons in (
            ("hide_all", everything[:0]),
            ("delete500_undo", everything),
            ("delete500", everything[500:]),
            ("delete500_undo", everything),
        ):
            began = clock()
            viewer.polygons = polygons
            viewer.repaint()
            taken[name].append(clock() - began)
    viewer.chosen = None
    return taken


def _next_image(viewer: PlainViewer, path: Path, size: Size) -> float:
    began = clock()
    viewer.polygons = []
    viewer.add_objects(next_masks(size))
    viewer.show_pixels(np.asarray(cv2.imread(str(path))), VIEW_PX[1] / size.next_px)
    return clock() - began


def _paint(viewer: PlainViewer, radius: int) -> list[float]:
    """Stamp a line into a crop of the view's size; return the seconds of each dab."""
    side = 1000
    bits = np.zeros((side, side), np.uint8)
    words = np.zeros((side, side), np.uint32)
    x0, y0 = viewer.corner
    kind = QImage.Format.Format_ARGB32_Premultiplied
    viewer.painted = QImage(words.data, side, side, 4 * side, kind), QPointF(x0, y0)
    viewer.repaint()
    taken = []
    for step in range(N_FRAMES):
        began = clock()
        x, y = 210 + 6 * step, 500
        cv2.line(bits, (x - 6, y), (x, y), 255, 2 * radius)
        a, b, c, d = max(x - radius - 9, 0), y - radius - 4, x + radius + 4, y + radius + 4
        words[b:d, a:c] = (bits[b:d, a:c] > 0) * np.uint32(0x80004080)
        viewer.repaint(a, b, c - a, d - b)
        taken.append(clock() - began)
    return taken


def _take_back(viewer: PlainViewer) -> float:
    """Empty the painted crop, and paint where it was."""
    assert viewer.painted is not None
    image = viewer.painted[0]
    began = clock()
    image.fill(0)
    viewer.repaint(0, 0, image.width(), image.height())
    return clock() - began


def _seconds_to_paint(viewer: PlainViewer) -> float:
    began = clock()
    viewer.repaint()
    return clock() - began


def _tiles(pixels: Pixels) -> dict[tuple[int, int], Pixels | QPixmap]:
    rows, columns = range(0, pixels.shape[0], _TILE_PX), range(0, pixels.shape[1], _TILE_PX)
    return {
        (x // _TILE_PX, y // _TILE_PX): pixels[y : y + _TILE_PX, x : x + _TILE_PX]
        for y in rows
        for x in columns
    }


def _pixmap(tile: Pixels) -> QPixmap:
    tile = np.ascontiguousarray(tile)
    height, width = tile.shape[:2]
    image = QImage(tile.data, width, height, tile.strides[0], QImage.Format.Format_BGR888)
    return QPixmap.fromImage(image)


if __name__ == "__main__":
    application = QApplication([])
    print(json.dumps(measure(Path(sys.argv[1]), quick="--quick" in sys.argv)))
