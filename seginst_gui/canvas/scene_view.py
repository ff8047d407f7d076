"""The session's image and the objects over it, to look at.

It paints itself, from caches, so that a frame costs what the viewport costs, however large the
image and however many its objects.
"""

import math
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import cast

from PySide6.QtCore import QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from seginst_core.types import ImageRef
from seginst_gui.canvas.image.close_up import paint_close_up
from seginst_gui.canvas.image.minimap import Minimap
from seginst_gui.canvas.messages import message, paint_message
from seginst_gui.canvas.navigation import NavigationView
from seginst_gui.canvas.preview import reach_px
from seginst_gui.canvas.scene import Scene
from seginst_gui.canvas.stamps import Extent
from seginst_gui.display.tones import tone_table
from seginst_gui.session import Session

BACKGROUND = QColor(43, 43, 43)
PATIENCE_MS = 150
"""How long an image may take to open before that is said."""
_MANY = 20
_MINIMAP_GAP_PX = 10


class SceneView(NavigationView):
    """Shows the session's image and objects; what a tool adds is the subclass's matter."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.session = session
        self.tile_seconds = 0.008
        """How long a frame draws objects anew, and a tile more; the rest follows in the next."""
        self._scene = self._make_scene()
        self._minimap = Minimap(self._scene.pyramid, self)
        self._minimap.place_wanted.connect(self.look_at)
        self.view_changed.connect(self._show_minimap)
        self._shown: object = None
        # What a frame had no time for is drawn in the next one, and nothing else.
        self._deferred = QRegion()
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.timeout.connect(self._paint_rest)
        self._blank = QTimer(self)
        self._blank.setSingleShot(True)
        self._blank.setInterval(PATIENCE_MS)
        self._blank.timeout.connect(self.update)
        self._scene.pyramid.grown.connect(self._refresh_picture)
        session.project_changed.connect(self._leave_image)
        session.image_changed.connect(self._change_image)
        session.preview_changed.connect(self._take_preview)
        session.pixels_changed.connect(self._take_pixels)
        session.instances_changed.connect(self._refresh_some)
        session.selection_changed.connect(self._refresh_selection)
        session.categories_changed.connect(self._refresh_objects)
        session.predictions_changed.connect(self._refresh_objects)
        session.layers_changed.connect(self._refresh_layers)
        session.display.changed.connect(self._refresh_display)
        self._refresh_display()
        self._take_pixels()

    def _make_scene(self) -> Scene:
        """Return what is shown; a subclass may show other layers."""
        return Scene()

    @property
    def settled(self) -> bool:
        """Whether no part of the last frame was left for later and every level is there."""
        return self._deferred.isEmpty() and self._scene.pyramid.complete

    # --- what the session says ------------------------------------------------------------------

    def _leave_image(self) -> None:
        self._size = None
        self._deferred = QRegion()
        self._scene.clear()
        self._minimap.hide()
        # The last frame stays on the screen for a moment: most images are there before it is over,
        # and going through them does not flicker.
        self._blank.start()

    def _change_image(self) -> None:
        self._leave_image()
        # Of an image with very many objects it comes before them.
        self._take_preview()

    def _take_pixels(self) -> None:
        picture, image = self.session.picture, self.session.image
        if picture is None or image is None:
            self._leave_image()
            self.update()
            return
        self._scene.pyramid.show(picture.pixels)
        self._show_image(image)

    def _take_preview(self) -> None:
        preview, project, image_id = (
            self.session.preview,
            self.session.project,
            self.session.image_id,
        )
        if preview is not None and project is not None and image_id is not None:
            image = project.ensure_size(image_id)
            self._scene.pyramid.show_preview(preview, (image.width, image.height))
            self._show_image(image)

    def _show_image(self, image: ImageRef) -> None:
        self._blank.stop()
        self._size = self._scene.pyramid.size
        project = self.session.project
        shown = (project.folder if project else None, image.id, self._size)
        # The same image read again keeps the view.
        if self._fits or shown != self._shown:
            self.fit()
        self._shown = shown
        self._minimap.forget_picture()
        self._show_minimap()
        self._refresh_objects()
        self._show_cursor()
        self.update()

    def _refresh_objects(self) -> None:
        if self._size is not None:
            self._show_changes(self._scene.show_objects(self.session))

    def _refresh_some(self, ids: frozenset[int], _dirty: object) -> None:
        if self._size is not None:
            self._show_changes(self._scene.show_changes(self.session, ids))

    def _refresh_selection(self) -> None:
        if self._size is not None:
            self._show_changes(self._scene.show_selection(self.session))

    def _show_changes(self, changed: Sequence[Extent]) -> None:
        """Paint the image pixels anew that look different."""
        if len(changed) > _MANY:
            self.update()
        else:
            for extent in changed:
                self._update_extent(extent)

    def _refresh_layers(self) -> None:
        self._refresh_objects()
        self.update()

    def _refresh_display(self) -> None:
        self._scene.pyramid.table = tone_table(self.session.display.now.tone)
        self._refresh_objects()
        self._show_minimap()
        self._refresh_picture()

    def _refresh_picture(self) -> None:
        self._minimap.forget_picture()
        self.update()

    # --- painting -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what of the view is asked for."""
        painter = QPainter(self)
        if self._size is None:
            painter.fillRect(self.rect(), BACKGROUND)
            paint_message(painter, self.rect(), self.font(), message(self.session))
            return
        scale = self.devicePixelRatioF()
        zoom = self._camera.zoom * scale
        corner_x, corner_y = round(-self._camera.left * zoom), round(-self._camera.top * zoom)
        painter.save()
        # From here on all is in device pixels from the image's corner.
        painter.scale(1 / scale, 1 / scale)
        painter.translate(corner_x, corner_y)
        self._deferred -= event.region()
        for rect in _few(event.region()):
            left, top = math.floor(rect.left() * scale), math.floor(rect.top() * scale)
            right = math.ceil((rect.left() + rect.width()) * scale)
            bottom = math.ceil((rect.top() + rect.height()) * scale)
            area = QRect(left - corner_x, top - corner_y, right - left, bottom - top)
            for part in _rects(self._paint_area(painter, area, zoom, max(1, int(scale + 0.4)))):
                x, y = (part.left() + corner_x) / scale, (part.top() + corner_y) / scale
                shown = QRectF(x, y, part.width() / scale, part.height() / scale)
                self._deferred += shown.toAlignedRect()
        # Rounded up it may reach further; and nobody is asked to paint what is not seen.
        self._deferred &= self.visibleRegion()
        painter.restore()
        self._paint_words(painter)
        if self._deferred.isEmpty():
            self._scene.drop_old()
        else:
            self._more.start()

    def _paint_rest(self) -> None:
        self.update(self._deferred)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the small map in its corner."""
        super().resizeEvent(event)
        self._show_minimap()

    def _paint_area(self, painter: QPainter, area: QRect, zoom: float, unit_px: int) -> QRegion:
        """Paint a part; return what is left to do of it, in device pixels of the zoomed image."""
        pyramid, display = self._scene.pyramid, self.session.display.now
        painter.fillRect(area, BACKGROUND)
        pyramid.paint(painter, zoom, area)
        if pyramid.levels and display.pixel_grid:
            paint_close_up(painter, pyramid.levels[0], zoom, area, unit_px, self.font())
        left = self._scene.paint(
            painter,
            zoom,
            area,
            self.session.layers,
            unit_px=unit_px,
            opacity=display.style.opacity,
            # Counted from here, so that however slow the image, some of the objects are drawn.
            until=perf_counter() + self.tile_seconds,
        )
        painter.save()
        painter.setClipRect(area)
        self._paint_over(painter, area, zoom, unit_px)
        painter.restore()
        return left

    def _paint_over(self, painter: QPainter, area: QRect, zoom: float, unit_px: int) -> None:
        """Paint what lies over the objects; as they are, in the zoomed image's device pixels."""

    def _paint_words(self, painter: QPainter) -> None:
        """Paint what lies over everything, in pixels of the widget."""

    # ----------------------------------------------------------------------------------------------

    def _show_minimap(self) -> None:
        """Show the small map if there is more of the image than is seen."""
        seen, size = self.seen(), self._size
        partly = size is not None and not seen.contains(QRectF(0, 0, *size))
        if not (partly and self.session.display.now.minimap):
            self._minimap.hide()
            return
        fits = self._minimap.wanted_size(self.size())
        gap = _MINIMAP_GAP_PX
        left, top = self.width() - fits.width() - gap, self.height() - fits.height() - gap
        self._minimap.setGeometry(left, top, fits.width(), fits.height())
        self._minimap.show_part(seen)
        self._minimap.show()

    def _update_extent(self, extent: Extent) -> None:
        if self._size is None:
            return
        u0, v0 = self._camera.to_widget(extent[0], extent[1])
        u1, v1 = self._camera.to_widget(extent[2], extent[3])
        by = reach_px()
        area = QRectF(u0 - by, v0 - by, u1 - u0 + 2 * by, v1 - v0 + 2 * by) & QRectF(self.rect())
        if not area.isEmpty():
            self.update(area.toAlignedRect())


def _few(region: QRegion) -> list[QRect]:
    """Return the rectangles of a region, or the one around them where that is little more."""
    rects, whole = list(_rects(region)), region.boundingRect()
    n_pixels = sum(r.width() * r.height() for r in rects)
    return [whole] if whole.width() * whole.height() <= 2 * n_pixels else rects


def _rects(region: QRegion) -> Iterable[QRect]:
    # Qt's own type says nothing of it.
    return cast(Iterable[QRect], region)
