"""A dialog that stands before the window while something must not be disturbed."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QLabel, QProgressBar, QVBoxLayout, QWidget


class WaitingDialog(QDialog):
    """Says what is going on until ``finish``; nothing else closes it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.CustomizeWindowHint)
        self.setObjectName("waiting_dialog")
        self.setModal(True)
        self.setMinimumWidth(420)
        label = QLabel(text)
        label.setWordWrap(True)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(text)
        layout = QVBoxLayout(self)
        layout.addWidget(label)
        layout.addWidget(bar)

    def finish(self) -> None:
        """Close: what was waited for is done."""
        super().reject()

    def reject(self) -> None:
        """Stay, whatever the person presses."""

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stay, if it is the person who closes it."""
        if event.spontaneous():
            event.ignore()
        else:
            super().closeEvent(event)
