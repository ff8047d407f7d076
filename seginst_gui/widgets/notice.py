"""A strip over the tool's options that says one sentence, and may offer one act."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from seginst_gui.colours import Tone
from seginst_gui.language import tr
from seginst_gui.panels.labels import IconLabel

GOOD_NEWS_MS = 8000


class Notice(QFrame):
    """Shows the last sentence; good news goes away by itself, trouble stays until dismissed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setAutoFillBackground(True)
        self._act: Callable[[], None] | None = None
        self._symbol = IconLabel()
        self._text = QLabel()
        self._text.setObjectName("notice_text")
        self._text.setWordWrap(True)
        # A file's name may look like a tag.
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._button = QPushButton()
        self._button.setObjectName("notice_button")
        self._button.clicked.connect(self._on_button)
        close = QToolButton()
        close.setObjectName("notice_close")
        close.setAutoRaise(True)
        close.setText("✕")
        close.setToolTip(tr("Dismiss"))
        close.setAccessibleName(tr("Dismiss this message"))
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 6, 2)
        row.setSpacing(10)
        row.addWidget(self._symbol)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence shown, or shown last."""
        return self._text.text()

    def say(self, text: str, label: str = "", act: Callable[[], None] | None = None) -> None:
        """Show good news; with ``label`` a button offers ``act``, and the strip then stays."""
        self._show(text, "information", "good", label, act)
        if act is None:
            self._timer.start(GOOD_NEWS_MS)

    def warn(self, text: str) -> None:
        """Show what went wrong."""
        self._show(text, "problem", "bad", "", None)

    def _show(
        self, text: str, symbol: str, tone: Tone, label: str, act: Callable[[], None] | None
    ) -> None:
        self._timer.stop()
        self._act = act
        self._symbol.show_icon(symbol, tone)
        self._text.setText(text)
        self._button.setText(label)
        self._button.setVisible(act is not None)
        self.show()
        self.raise_()

    def _on_button(self) -> None:
        act = self._act
        self.hide()
        if act is not None:
            act()
