"""Colours with a meaning, the same in every panel and for either theme."""

from typing import Literal

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

Tone = Literal["dim", "good", "busy", "bad"]

# Light theme, dark theme.
_TONES: dict[Tone, tuple[str, str]] = {
    "dim": ("#5c646e", "#9aa2ac"),
    "good": ("#1a6e3c", "#6fcf97"),
    "busy": ("#8a5300", "#f0b354"),
    "bad": ("#b3261e", "#ff9b91"),
}


def is_dark() -> bool:
    """Return whether the present palette is dark."""
    return QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128


def tone_colour(tone: Tone) -> QColor:
    """Return a colour with a meaning, as the present theme shows it."""
    return QColor(_TONES[tone][is_dark()])
