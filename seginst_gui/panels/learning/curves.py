"""Live loss curves: one plot for each network that is being trained."""

import os
from collections.abc import Mapping
from math import log10

from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from seginst_gui.colours import is_dark
from seginst_gui.language import later, tr

TOTAL = later("total")
# Light theme, dark theme: Okabe and Ito's colours, shaded until they stand out from either ground.
_COLOURS = (
    ("#0072b2", "#56b4e9"),
    ("#c25100", "#f28c46"),
    ("#008060", "#2fc79b"),
    ("#a8487f", "#e39ac6"),
    ("#8a6d00", "#e6c84a"),
    ("#5b4fa8", "#a99cf0"),
)
# A logarithmic axis has no zero.
_LOWEST = 1e-6
_TICKS = [
    (exponent + log10(digit), f"{digit * 10.0**exponent:g}")
    for exponent in range(-6, 5)
    for digit in (1, 2, 5)
]


class LossCurves(QTabWidget):
    """A tab with a plot for each part; the plotting library loads with the first point."""

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.setTabBarAutoHide(True)
        self._plots: dict[str, _Plot] = {}

    def forget(self) -> None:
        """Remove all curves."""
        for plot in self._plots.values():
            plot.deleteLater()
        self._plots.clear()
        self.clear()

    def add(self, part: str, iteration: int, losses: Mapping[str, float]) -> None:
        """Add a point to each loss of ``part`` and to their total."""
        plot = self._plots.get(part)
        if plot is None:
            plot = self._plots[part] = _Plot()
            # The newest part is the one that moves.
            self.setCurrentIndex(self.addTab(plot, part[:1].upper() + part[1:]))
        plot.add(iteration, losses)

    def points(self, part: str) -> dict[str, list[tuple[int, float]]]:
        """Return the curves of a part by loss name, as ``(iteration, loss)``."""
        plot = self._plots.get(part)
        return {} if plot is None else {k: list(v) for k, v in plot.points.items()}


class _Plot(QWidget):
    def __init__(self) -> None:
        super().__init__()
        # Another Qt binding on this machine must not be picked up.
        os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
        import pyqtgraph
        from pyqtgraph import PlotDataItem

        pyqtgraph.setConfigOptions(antialias=True)
        self.points: dict[str, list[tuple[int, float]]] = {}
        self._curves: dict[str, PlotDataItem] = {}
        self._view = pyqtgraph.PlotWidget()
        self._view.setFrameShape(self._view.Shape.NoFrame)
        self._view.setMinimumHeight(110)
        plot = self._view.getPlotItem()
        plot.setLogMode(y=True)
        plot.setMouseEnabled(False, False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=0.25)
        plot.getAxis("left").setTicks([_TICKS])
        plot.getAxis("bottom").enableAutoSIPrefix(False)
        self._legend = plot.addLegend(offset=(-8, 4), labelTextSize="8pt")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self._restyle()

    def add(self, iteration: int, losses: Mapping[str, float]) -> None:
        total = {TOTAL: sum(losses.values())} if len(losses) > 1 else {}
        for name, value in (total | dict(losses)).items():
            points = self.points.setdefault(name, [])
            points.append((iteration, max(value, _LOWEST)))
            if name not in self._curves:
                self._curves[name] = self._view.plot(name=name)
                self._restyle()
            curve = self._curves[name]
            x, y = zip(*points, strict=True)
            curve.setData(x, y)
            self._legend.getLabel(curve).setText(f"{_shown(name)}  {value:.3g}")

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_legend"):
            self._restyle()
        super().changeEvent(event)

    def _restyle(self) -> None:
        import pyqtgraph

        palette = self.palette()
        text = palette.color(QPalette.ColorRole.Text)
        ground = palette.color(QPalette.ColorRole.Base)
        self._view.setBackground(ground)
        ground.setAlpha(215)
        self._legend.setBrush(ground)
        for side, label in (("bottom", tr("iteration")), ("left", tr("loss"))):
            axis = self._view.getPlotItem().getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.setLabel(label, color=text.name())
        self._legend.setLabelTextColor(text)
        place = 0
        for name, curve in self._curves.items():
            if name == TOTAL:
                curve.setPen(pyqtgraph.mkPen(text, width=2.5))
                continue
            colour = QColor(_COLOURS[place % len(_COLOURS)][is_dark()])
            curve.setPen(pyqtgraph.mkPen(colour, width=1.6))
            place += 1


def _shown(name: str) -> str:
    return tr(TOTAL) if name == TOTAL else name.replace("_", " ")
