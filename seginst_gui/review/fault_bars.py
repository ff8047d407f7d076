"""How often each stage of A and B failed, as bars that are also switches."""

from collections import Counter
from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from seginst_core.review.faults.stages import FAULT_NAMES, FAULT_TEXTS, FAULTS, Fault
from seginst_core.review.objects.schema import ObjectCase
from seginst_gui.canvas.looks import PIPELINE_COLOURS
from seginst_gui.colours import tone_colour
from seginst_gui.language import tr

_LABEL_PX, _NUMBER_PX, _GAP_PX = 92, 34, 6


class FaultBars(QWidget):
    """One line a fault, a bar for each side; a click lists its cases alone, and again all."""

    fault_wanted = Signal(object)
    """A Fault, or None for all."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("fault_bars")
        self.setAccessibleName(tr("What went wrong, and in which stage"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._counts: dict[Fault, tuple[int, int]] = {}
        self._chosen: Fault | None = None

    def show_cases(self, cases: Iterable[ObjectCase], chosen: Fault | None) -> None:
        """Count the faults of cases."""
        of_a, of_b = Counter[Fault](), Counter[Fault]()
        for case in cases:
            if case.fault_a is not None:
                of_a[case.fault_a] += 1
            if case.fault_b is not None:
                of_b[case.fault_b] += 1
        self._counts = {f: (of_a[f], of_b[f]) for f in FAULTS}
        self._chosen = chosen
        self.setVisible(bool(of_a or of_b))
        self.update()

    def line_of(self, fault: Fault) -> QPoint:
        """Return the middle of a fault's line, in the widget's pixels."""
        return QPoint(self.width() // 2, round((FAULTS.index(fault) + 0.5) * self._line_px()))

    def sizeHint(self) -> QSize:
        """Ask for a line a fault."""
        return QSize(240, len(FAULTS) * self._line_px())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bars."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = max([1, *(n for pair in self._counts.values() for n in pair)])
        line = self._line_px()
        room = self.width() - _LABEL_PX - _NUMBER_PX * 2 - 2 * _GAP_PX
        for number, fault in enumerate(FAULTS):
            top = number * line
            if fault == self._chosen:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.palette().color(QPalette.ColorRole.Midlight))
                painter.drawRoundedRect(QRectF(0, top, self.width(), line), 4, 4)
            pair = self._counts.get(fault, (0, 0))
            painter.setPen(
                self.palette().color(QPalette.ColorRole.WindowText)
                if any(pair)
                else tone_colour("dim")
            )
            left = QRect(_GAP_PX, top, _LABEL_PX, line)
            painter.drawText(left, int(Qt.AlignmentFlag.AlignVCenter), FAULT_NAMES[fault])
            for side, (n, colour) in enumerate(zip(pair, PIPELINE_COLOURS.values(), strict=True)):
                high = line / 2 - 4
                bar = QRectF(
                    _LABEL_PX,
                    top + 3 + side * (high + 2),
                    max(room * n / most, 1 if n else 0),
                    high,
                )
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(*colour))
                painter.drawRoundedRect(bar, 2, 2)
                where = QRect(
                    self.width() - (2 - side) * _NUMBER_PX - _GAP_PX, top, _NUMBER_PX, line
                )
                shade = tone_colour("dim") if not n else QColor(*colour)
                if n:
                    shade = self.palette().color(QPalette.ColorRole.WindowText)
                painter.setPen(shade)
                right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
                painter.drawText(where, int(right), f"{n:,}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """List one fault's cases, or all again."""
        fault = self._at(event.position().toPoint())
        if fault is not None:
            self.fault_wanted.emit(None if fault == self._chosen else fault)

    def event(self, event: QEvent) -> bool:
        """Explain the fault under the pointer."""
        if isinstance(event, QHelpEvent):
            fault = self._at(event.pos())
            if fault is not None:
                QToolTip.showText(event.globalPos(), FAULT_TEXTS[fault], self)
            return True
        return super().event(event)

    def _at(self, place: QPoint) -> Fault | None:
        number = place.y() // self._line_px()
        return FAULTS[number] if 0 <= number < len(FAULTS) else None

    def _line_px(self) -> int:
        return self.fontMetrics().height() + 6
