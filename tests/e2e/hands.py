"""Mouse and keys on the real window."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QWidget

from seginst_gui.canvas.view import Canvas
from seginst_gui.main_window import MainWindow

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
PATIENT_MS = 600_000


class Hands:
    """Mouse and keys on one window: on its canvas, or on one side of its review."""

    def __init__(self, window: MainWindow, canvas: Canvas | None = None) -> None:
        self.window, self.canvas = window, canvas or window.canvas

    def press(
        self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        # Without a desktop nobody gives the window the keyboard back when a dialog closes.
        self.window.activateWindow()
        QTest.qWaitForWindowActive(self.window)
        QTest.keyClick(self.canvas, key, held)

    def drag(self, *points: tuple[float, float]) -> list[tuple[float, float]]:
        """Drag through points of the image; return where the pointer really was, in its pixels."""
        places = [self.canvas.image_to_widget(*point) for point in points]
        QTest.mousePress(self.canvas, LEFT, pos=places[0])
        for place in places[1:]:
            QTest.mouseMove(self.canvas, place)
        QTest.mouseRelease(self.canvas, LEFT, pos=places[-1])
        return [self.canvas.widget_to_image(place.toPointF()) for place in places]

    def click(self, x: float, y: float) -> None:
        self.drag((x, y))

    def in_dialog(self, act: Callable[[QDialog], None]) -> None:
        """Work in the dialog that opens next."""

        def look() -> None:
            dialog = QApplication.activeModalWidget()
            if isinstance(dialog, QDialog):
                act(dialog)
            else:
                QTimer.singleShot(20, look)

        QTimer.singleShot(0, look)


def button(parent: QWidget, text: str) -> QPushButton:
    """A button by its text."""
    return next(b for b in parent.findChildren(QPushButton) if b.text() == text)
