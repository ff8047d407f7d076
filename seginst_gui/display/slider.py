"""A slider with its name before it and its value behind it, as one row of a panel."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider

from seginst_gui.language import tr


class ValueSlider(QSlider):
    """``picked`` tells what a person sets; a double click gives the usual value back."""

    picked = Signal(int)

    def __init__(
        self, name: str, lowest: int, highest: int, usual: int, words: Callable[[int], str]
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._usual, self._words = usual, words
        self.value_label = QLabel()
        widest = max(words(lowest), words(highest), words(usual), key=len)
        self.value_label.setMinimumWidth(self.value_label.fontMetrics().horizontalAdvance(widest))
        self.value_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setObjectName(name.lower())
        self.setAccessibleName(name)
        self.setRange(lowest, highest)
        self.setPageStep(max(1, (highest - lowest) // 10))
        self.show_value(usual)
        self.valueChanged.connect(self._pick)

    def show_value(self, value: int) -> None:
        """Show a value that somebody else has set."""
        with QSignalBlocker(self):
            self.setValue(value)
        self.value_label.setText(self._words(value))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Give the usual value back."""
        event.accept()
        self.setValue(self._usual)

    def _pick(self, value: int) -> None:
        self.value_label.setText(self._words(value))
        self.picked.emit(value)


def add_row(grid: QGridLayout, label: str, slider: ValueSlider, tip: str) -> None:
    """Put a slider into the next row of a grid of three columns."""
    row = grid.rowCount()
    name = QLabel(label)
    name.setBuddy(slider)
    name.setToolTip(tip)
    slider.setToolTip(tr("{tip}; double click for the usual value").format(tip=tip))
    grid.addWidget(name, row, 0)
    grid.addWidget(slider, row, 1)
    grid.addWidget(slider.value_label, row, 2)
