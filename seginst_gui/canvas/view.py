"""The canvas: the image, the objects over it, and the tool in hand.

It never changes the project: a tool's edit is passed on.
"""

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from seginst_core.project.edits import Edit
from seginst_gui.canvas.messages import label_area, object_label, paint_label
from seginst_gui.canvas.navigation import NOTCH
from seginst_gui.canvas.preview import changed_extents, paint_preview, paint_ring
from seginst_gui.canvas.scene_view import SceneView
from seginst_gui.canvas.stamps import Extent
from seginst_gui.language import tr
from seginst_gui.operations import stack_at
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, Pointer, Preview, Tool
from seginst_gui.tools.select import SelectTool

REACH_PX = 6
"""How near, in widget pixels, counts as on a point."""
_CURSORS = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "none": Qt.CursorShape.BlankCursor,
}


class Canvas(SceneView):
    """Shows the session's image and objects and hands the pointer to a tool."""

    edit_ready = Signal(object)
    """An Edit that a tool returned, for the window to store."""
    line_changed = Signal()
    """A tool has begun to draw a line, or has ended it."""
    pointer_moved = Signal(float, float)
    """Image pixels."""
    pointer_left = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self.tool: Tool | None = None
        self._picker = SelectTool(session)
        self._picks = False
        """Whether Ctrl was held at the press: then it selects, whatever tool is in hand."""
        self._preview: Preview = NOTHING
        self._pointer: QPointF | None = None
        self._pressed = False
        self._ended = False
        """Whether the last press ended something by itself, as the one that closes a ring does."""
        self._turned = 0
        self._label = ""
        super().__init__(session, parent)
        self.setObjectName("canvas")
        self.setAccessibleName(tr("Image"))

    def set_tool(self, tool: Tool) -> None:
        """Take another tool in hand; what the earlier one had begun is given up."""
        if self.tool is not None and self.tool is not tool:
            self.tool.cancel()
        self.tool = tool
        self._let_go()
        self._remind_tool()
        self.refresh()
        self._show_cursor()

    def pointer_place(self) -> tuple[float, float] | None:
        """Return the pointer's place in image pixels; None while it is not over the canvas."""
        there = self._pointer is not None and self._size is not None
        return self.widget_to_image(self._pointer) if there and self._pointer else None

    def refresh(self) -> None:
        """Show the tool's preview as it is now."""
        tool = self._picker if self._picks else self.tool
        before, after = self._preview, tool.preview if tool else NOTHING
        self._preview = after
        for extent in changed_extents(before, after):
            self._update_extent(extent)
        if (before.ring_px, before.square) != (after.ring_px, after.square):
            self._update_ring(before)
            self._update_ring(after)
        if bool(before.path) != bool(after.path):
            self.line_changed.emit()

    # --- what the session says ------------------------------------------------------------------

    def _leave_image(self) -> None:
        if self.tool is not None:
            self.tool.cancel()
        self._let_go()
        super()._leave_image()
        self.refresh()
        self._show_label("")
        self._show_cursor()

    def _show_changes(self, changed: Sequence[Extent]) -> None:
        super()._show_changes(changed)
        self._remind_tool()
        self._name_object()

    # --- painting -------------------------------------------------------------------------------

    def _paint_over(self, painter: QPainter, area: QRect, zoom: float, unit_px: int) -> None:
        """Paint the tool's preview and ring."""
        paint_preview(painter, self._preview, zoom, area, unit_px)
        if self._preview.ring_px is not None and self._pointer is not None:
            x, y = self.widget_to_image(self._pointer)
            ring_px = self._preview.ring_px * zoom
            square = self._preview.square
            paint_ring(painter, QPointF(x * zoom, y * zoom), ring_px, unit_px, square=square)

    def _paint_words(self, painter: QPainter) -> None:
        """Paint the name of the object under the pointer."""
        if self._label and self._pointer is not None:
            paint_label(painter, self._label, self._label_area(), self.font())

    # --- the pointer and the keys ---------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press the tool, with Ctrl select, or begin to pan unless a tool is drawing."""
        if self._pressed and event.button() != Qt.MouseButton.LeftButton:
            return  # or the stroke would be lost: panning takes the tool out of the hand
        self._ended = False
        super().mousePressEvent(event)
        if self._tool_at_work() is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._picks = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        tool = self._tool_at_work()
        if tool is not None:
            self._follow(event)
            self._pressed = True
            edit = tool.press(self._as_pointer(event))
            self._ended = edit is not None
            self._done(edit)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the tool, or pan."""
        super().mouseMoveEvent(event)
        if self._pressed and not event.buttons() & Qt.MouseButton.LeftButton:
            self._release(self._last_place())  # a dialog that came up meanwhile had the release
        self._follow(event)
        tool = self._tool_at_work()
        if tool is not None:
            tool.move(self._as_pointer(event), held=self._pressed)
            self.refresh()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the tool's drag, or panning."""
        super().mouseReleaseEvent(event)
        if self._pressed and event.button() == Qt.MouseButton.LeftButton:
            self._release(self._as_pointer(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Confirm; with nothing to confirm it is a second press, as of a brush that dabs."""
        tool = self._tool_at_work()
        left = event.button() == Qt.MouseButton.LeftButton
        if left and self._ended:
            self._ended = False
            return  # or what the first click has ended would begin anew in the same place
        edit = tool.confirm() if tool is not None and left and not self._space else None
        if edit is not None:
            self._done(edit)
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the ring away with the pointer."""
        super().leaveEvent(event)
        self._update_ring(self._preview)
        self._show_label("")
        self._pointer = None
        self.pointer_left.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl, resize a tool that has a size; else zoom or move."""
        ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if not ctrl or self.tool is None or self._preview.ring_px is None:
            super().wheelEvent(event)
            return
        event.accept()
        self._turned += event.angleDelta().y()
        steps = int(self._turned / NOTCH)
        self._turned -= steps * NOTCH
        if steps:
            self.tool.resize(steps)
            self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter confirms; Esc gives up what is under way, or else the selection."""
        tool = self._tool_at_work()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and tool is not None:
            self._done(tool.confirm())
        elif event.key() == Qt.Key.Key_Escape:
            if tool is None or not tool.cancel():
                self.session.select(())
            self._let_go()
            self.refresh()
        else:
            super().keyPressEvent(event)

    # ----------------------------------------------------------------------------------------------

    def _tool_at_work(self) -> Tool | None:
        """Return the tool if there is an image to work on and it is not being panned."""
        ready = self.session.document is not None and self.session.picture is not None
        tool = self._picker if self._picks else self.tool
        return tool if ready and self._panned_from is None else None

    def _release(self, pointer: Pointer) -> None:
        self._pressed = False
        tool = self._tool_at_work()
        edit = tool.release(pointer) if tool is not None else None
        self._let_go()
        self._done(edit)

    def _let_go(self) -> None:
        """End the press, and what Ctrl made of it."""
        self._picker.cancel()
        self._pressed = self._picks = False

    def _remind_tool(self) -> None:
        """Let a tool that shows something of the objects under the pointer show it as it is now."""
        tool = self._tool_at_work()
        if tool is not None and self._pointer is not None and not self._pressed:
            tool.move(self._last_place(), held=False)
            self.refresh()

    def _last_place(self) -> Pointer:
        """Return where the pointer was seen last."""
        assert self._pointer is not None
        return Pointer(*self.widget_to_image(self._pointer), reach_px=REACH_PX / self.zoom)

    def _done(self, edit: Edit | None) -> None:
        if edit is not None:
            self.edit_ready.emit(edit)
        self.refresh()

    def _as_pointer(self, event: QMouseEvent) -> Pointer:
        x, y = self.widget_to_image(event.position())
        held = event.modifiers()
        return Pointer(
            x,
            y,
            shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
            alt=bool(held & Qt.KeyboardModifier.AltModifier),
            reach_px=REACH_PX / self.zoom,
        )

    def _follow(self, event: QMouseEvent) -> None:
        self._update_ring(self._preview)
        self._show_label("")
        self._pointer = event.position()
        self._update_ring(self._preview)
        self._name_object()
        if self._size is not None:
            self.pointer_moved.emit(*self.widget_to_image(self._pointer))

    def _update_ring(self, preview: Preview) -> None:
        if self._size is None or preview.ring_px is None or self._pointer is None:
            return
        reach = math.ceil(preview.ring_px * self.zoom) + 16
        corner = self._pointer.toPoint() - QPoint(reach, reach)
        self.update(QRect(corner, QSize(2 * reach, 2 * reach)))

    def _name_object(self) -> None:
        """Name the object under the pointer, unless a tool draws or has a cursor of its own."""
        place, named = self.pointer_place(), self.session.display.now.style.names
        quiet = self.tool is None or (self.tool.cursor == "arrow" and not self._pressed)
        if place is None or not (named and quiet) or self._panned_from is not None:
            self._show_label("")
            return
        below = stack_at(self._scene.near(self.session.layers, *place), *place)
        self._show_label(object_label(self.session, below) if below else "")

    def _show_label(self, label: str) -> None:
        if self._label and self._pointer is not None:
            self.update(self._label_area())
        self._label = label
        if label and self._pointer is not None:
            self.update(self._label_area())

    def _label_area(self) -> QRect:
        assert self._pointer is not None
        return label_area(self._label, self._pointer.toPoint(), self.rect(), self.font())

    def _idle_cursor(self) -> Qt.CursorShape:
        tool = self._tool_at_work()
        return Qt.CursorShape.ArrowCursor if tool is None else _CURSORS[tool.cursor]
