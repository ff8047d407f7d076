"""A chart of a report, which is SVG, in the colours of the window."""

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from seginst_core.review.report.style import coloured
from seginst_gui.colours import is_dark


class SvgChart(QWidget):
    """Draws a chart in its own proportions and no larger than it is, or ``stretched`` to fit."""

    def __init__(self, chart: str, name: str = "", *, stretched: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._chart, self._stretched = chart, stretched
        self._renderer = QSvgRenderer(self)
        self._restyle()
        if not stretched:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
            self.setMaximumWidth(self.sizeHint().width())

    def sizeHint(self) -> QSize:
        """Ask for the chart's own size."""
        return self._renderer.viewBox().size()

    def heightForWidth(self, width: int) -> int:
        """Keep the proportions."""
        own = self.sizeHint()
        return round(min(width, own.width()) * own.height() / own.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chart."""
        del event
        height = self.height() if self._stretched else self.heightForWidth(self.width())
        painter = QPainter(self)
        self._renderer.render(painter, QRectF(0, 0, self.width(), height))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def _restyle(self) -> None:
        self._renderer.load(QByteArray(coloured(self._chart, dark=is_dark()).encode()))
        self.update()
