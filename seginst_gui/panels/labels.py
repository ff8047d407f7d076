"""Small labels that several panels show."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from seginst_gui.colours import Tone
from seginst_gui.icons import icon

_ICON_PX = 16


class IconLabel(QWidget):
    """An icon that keeps its tone when the theme changes, which a label's pixmap would not."""

    def __init__(self, name: str = "", tone: Tone | None = None) -> None:
        super().__init__()
        self._name, self._tone = name, tone
        self.setFixedSize(_ICON_PX, _ICON_PX + 2)

    def show_icon(self, name: str, tone: Tone | None) -> None:
        """Show another icon."""
        self._name, self._tone = name, tone
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the icon's size."""
        return QSize(_ICON_PX, _ICON_PX + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon."""
        del event
        if self._name:
            painter = QPainter(self)
            icon(self._name, self._tone).paint(painter, self.rect())
            painter.end()


class ElidedLabel(QLabel):
    """A line that is cut with an ellipsis where it does not fit; its tool tip has it whole."""

    def __init__(self, *, dim: bool = True) -> None:
        super().__init__()
        self._whole = ""
        if dim:
            self.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        """Show a text; one that is shown already costs nothing."""
        if text == self._whole:
            return
        self._whole = text
        self.setToolTip(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        right = Qt.TextElideMode.ElideRight
        self.setText(self.fontMetrics().elidedText(self._whole, right, self.width()))


def dim_label(text: str = "") -> QLabel:
    """Return a label for what matters less; it wraps and follows the theme."""
    label = QLabel(text)
    # Names of files, models and classes stand in it, which may look like tags.
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setWordWrap(True)
    return label


def empty_label(text: str) -> QLabel:
    """Return the sentence that fills a list with nothing in it."""
    label = dim_label(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setMargin(24)
    return label
