"""One side of a review: the image with what A or B sees in it, and the truth around it.

A side is a canvas like any other: every tool works on it.
"""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from seginst_core.masks.geometry import subtract
from seginst_core.review.faults.stages import FAULT_NAMES
from seginst_core.review.objects.schema import ObjectCase
from seginst_core.types import HUMAN, Box, Instance, Mask, PipelineName
from seginst_gui.canvas.looks import PIPELINE_COLOURS
from seginst_gui.canvas.overlay import Layer
from seginst_gui.canvas.render import Colour, Thing
from seginst_gui.canvas.scene import Scene
from seginst_gui.canvas.stamps import Extent
from seginst_gui.canvas.view import Canvas
from seginst_gui.display.settings import Layers
from seginst_gui.language import tr
from seginst_gui.operations.repairs import found_by, truth_of
from seginst_gui.review import looks
from seginst_gui.review.state import ReviewState
from seginst_gui.session import PIPELINE_LETTERS, Session

AROUND = 3.2
"""How much of the view is around an object that is flown to, in its own sizes."""
MAX_FLY_ZOOM = 12.0
_CHIP_PX = 8
_BRACKET_PX = 14


class SideScene(Scene):
    """The image with one pipeline's predictions, the truth's outlines, and the case in focus."""

    def __init__(self, state: ReviewState, pipeline: PipelineName) -> None:
        super().__init__()
        self._state, self._pipeline = state, pipeline
        self._found, self._true = Layer(), Layer()
        self._focus, self._apart = Layer(), Layer()

    def show_objects(self, session: Session) -> list[Extent]:
        """Take the session's objects; return the image pixels that look different now."""
        case = self._state.focus
        here = case is not None and case.image_id == session.image_id
        found = found_by(session, case, self._pipeline) if case and here else None
        truth = truth_of(session, case) if case and here else None
        beside, around = looks.beside(self._pipeline), looks.truth_beside()
        predictions: dict[int, Thing] = {
            i.id: (i, beside) for i in session.proposals(self._pipeline) if i is not found
        }
        objects: dict[int, Thing] = {i.id: (i, around) for i in session.shown if i is not truth}
        chosen: dict[int, Thing] = {}
        if found is not None:
            chosen[-1] = (found, looks.focused(self._pipeline))
        if truth is not None:
            chosen[truth.id] = (truth, looks.truth_focused())
        return (
            self._found.show(predictions)
            + self._true.show(objects)
            + self._apart.show(_apart(truth, found))
            + self._focus.show(chosen)
        )

    def show_changes(self, session: Session, ids: Collection[int]) -> list[Extent]:
        """Take all objects: what became of some may change which of them is in focus."""
        del ids
        return self.show_objects(session)

    def show_selection(self, session: Session) -> list[Extent]:
        """Show no selection: what is in focus stands out."""
        return self.show_objects(session)

    def near(self, layers: Layers, x: float, y: float) -> list[Instance]:
        """Return the objects whose extent holds an image point, predictions last."""
        del layers
        return [i for layer in (self._true, self._focus, self._found) for i in layer.near(x, y)]

    def _shown(self, layers: Layers) -> Sequence[Layer]:
        found = (self._found,) if layers.shows(self._pipeline) else ()
        true = (self._true,) if layers.annotation else ()
        return (*found, *true, self._apart, self._focus)

    def _layers(self) -> tuple[Layer, ...]:
        return (*super()._layers(), self._found, self._true, self._focus, self._apart)


class SideView(Canvas):
    """Shows one side of the case in focus, and says above it how well that side did."""

    def __init__(
        self, state: ReviewState, pipeline: PipelineName, parent: QWidget | None = None
    ) -> None:
        self._state, self._pipeline = state, pipeline
        super().__init__(state.session, parent)
        letter = PIPELINE_LETTERS[pipeline]
        self.setObjectName(f"canvas_{letter.lower()}")
        self.setAccessibleName(tr("What {letter} sees").format(letter=letter))
        state.focus_changed.connect(self._on_focus)

    def fly_to(self, case: ObjectCase) -> None:
        """Put a case into the middle, with about as much around it as a person needs."""
        if self._size is None:
            return
        box = self._whole_box(case)
        side = max(box.width, box.height, 4.0)
        zoom = min(min(self.width(), self.height()) / (side * AROUND), MAX_FLY_ZOOM)
        self.look_at((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, zoom)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter ends what a tool draws, else it is the review's."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            edit = self.tool.confirm() if self.tool is not None else None
            if edit is None:
                event.ignore()
            else:
                self.edit_ready.emit(edit)
                self.refresh()
            return
        super().keyPressEvent(event)

    def _make_scene(self) -> Scene:
        return SideScene(self._state, self._pipeline)

    def _on_focus(self) -> None:
        self._refresh_objects()
        self.update()

    def _whole_box(self, case: ObjectCase) -> Box:
        """Return the box around all that is known of a case."""
        found = [truth_of(self.session, case)]
        found += [found_by(self.session, case, p) for p in PIPELINE_LETTERS]
        boxes = [i.box for i in found if i is not None] or [case.box]
        return Box(
            min(b.x0 for b in boxes),
            min(b.y0 for b in boxes),
            max(b.x1 for b in boxes),
            max(b.y1 for b in boxes),
        )

    # --- painting -------------------------------------------------------------------------------

    def _paint_over(self, painter: QPainter, area: QRect, zoom: float, unit_px: int) -> None:
        case = self._state.focus
        if case is not None and case.image_id == self.session.image_id:
            _paint_brackets(painter, self._whole_box(case), zoom, unit_px)
        super()._paint_over(painter, area, zoom, unit_px)

    def _paint_words(self, painter: QPainter) -> None:
        _paint_chip(painter, self._chip(), QColor(*PIPELINE_COLOURS[self._pipeline]), self)
        super()._paint_words(painter)

    def _chip(self) -> tuple[str, str]:
        """Return the side's letter and what it made of the case."""
        letter, case = PIPELINE_LETTERS[self._pipeline], self._state.focus
        if case is None or case.image_id != self.session.image_id:
            return letter, ""
        found = found_by(self.session, case, self._pipeline)
        if found is None:
            return letter, tr("sees nothing here")
        value, fault = case.iou_a, case.fault_a
        if self._pipeline == "end-to-end":
            value, fault = case.iou_b, case.fault_b
        parts = []
        category = self.session.category_of(found)
        if category is not None:
            parts.append(category.name)
        if found.score is not None:
            parts.append(f"{found.score:.2f}")
        if value is not None:
            parts.append(tr("IoU {value:.2f}").format(value=value))
        if fault is not None:
            parts.append(FAULT_NAMES[fault].lower())
        return letter, "  ·  ".join(parts)


def _apart(truth: Instance | None, found: Instance | None) -> dict[int, Thing]:
    """Return the pixels that only the truth has, and those that only the prediction has."""
    if truth is None or found is None or truth.mask is None or found.mask is None:
        return {}
    pairs: Sequence[tuple[int, Mask | None, Colour]] = (
        (1, subtract(truth.mask, found.mask), looks.MISSING),
        (2, subtract(found.mask, truth.mask), looks.SURPLUS),
    )
    return {
        key: (
            Instance(key, 0, Box(mask.x0, mask.y0, mask.x1, mask.y1), mask, origin=HUMAN),
            looks.difference(colour),
        )
        for key, mask, colour in pairs
        if mask is not None
    }


def _paint_brackets(painter: QPainter, box: Box, zoom: float, unit_px: int) -> None:
    """Paint the four corners of a frame around a box, in the zoomed image's device pixels."""
    gap, arm = 10 * unit_px, _BRACKET_PX * unit_px
    frame = QRectF(box.x0 * zoom, box.y0 * zoom, box.width * zoom, box.height * zoom)
    frame = frame.adjusted(-gap, -gap, gap, gap)
    path = QPainterPath()
    for corner, dx, dy in (
        (frame.topLeft(), 1, 1),
        (frame.topRight(), -1, 1),
        (frame.bottomRight(), -1, -1),
        (frame.bottomLeft(), 1, -1),
    ):
        path.moveTo(corner + QPointF(dx * arm, 0))
        path.lineTo(corner)
        path.lineTo(corner + QPointF(0, dy * arm))
    for colour, width in ((QColor(0, 0, 0, 150), 4.0), (QColor(255, 255, 255), 2.0)):
        pen = QPen(colour, width * unit_px)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)


def _paint_chip(painter: QPainter, words: tuple[str, str], colour: QColor, view: QWidget) -> None:
    """Paint a side's letter in its colour and what it made of the case, at the top left."""
    letter, text = words
    font = view.font()
    font.setBold(True)
    metrics = view.fontMetrics()
    high = metrics.height() + 8
    wide = metrics.horizontalAdvance(text) + 2 * _CHIP_PX if text else 0
    badge = QRectF(10, 10, high, high)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 26, 225))
    painter.drawRoundedRect(QRectF(10, 10, high + wide, high), 6, 6)
    painter.setBrush(colour)
    painter.drawRoundedRect(badge, 6, 6)
    painter.setFont(font)
    painter.setPen(QColor(10, 12, 16))
    painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), letter)
    painter.setFont(view.font())
    painter.setPen(QColor(240, 242, 245))
    room = QRectF(10 + high + _CHIP_PX, 10, wide, high)
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
    painter.restore()
