"""The themes: texts people can read, icons that are there and follow the colours."""

import subprocess
import sys

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seginst_gui.colours import Tone, is_dark, tone_colour
from seginst_gui.icons import ICONS, icon
from seginst_gui.theme import apply_theme, make_palette

AA = 4.5
Role = QPalette.ColorRole


@pytest.fixture(autouse=True)
def theme_back(qapp: QApplication):
    yield
    apply_theme(qapp, "light")


def luminance(colour: QColor) -> float:
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: QColor, b: QColor) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def ink(picture: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> QColor:
    """The colour of the most opaque pixel of an icon."""
    image = picture.pixmap(QSize(32, 32), mode).toImage()
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    pixels = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
    return max(pixels, key=lambda colour: colour.alpha())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (Role.WindowText, Role.Window),
        (Role.Text, Role.Base),
        (Role.Text, Role.AlternateBase),
        (Role.PlaceholderText, Role.Base),
        (Role.ButtonText, Role.Button),
        (Role.HighlightedText, Role.Highlight),
        (Role.Link, Role.Window),
        (Role.BrightText, Role.Window),
        (Role.ToolTipText, Role.ToolTipBase),
    ],
)
def test_texts_reach_double_a(qapp: QApplication, dark: bool, text, ground) -> None:
    palette = make_palette(dark=dark)
    assert contrast(palette.color(text), palette.color(ground)) >= AA


@pytest.mark.parametrize("name", ["light", "dark"])
def test_colours_with_a_meaning_reach_double_a(qapp: QApplication, name) -> None:
    apply_theme(qapp, name)
    tones: tuple[Tone, ...] = ("dim", "good", "busy", "bad")
    for tone in tones:
        for ground in (Role.Window, Role.Base):
            assert contrast(tone_colour(tone), qapp.palette().color(ground)) >= AA, (tone, ground)


def test_a_theme_can_be_changed_and_changed_back(qapp: QApplication) -> None:
    for name, dark in (("dark", True), ("light", False), ("dark", True)):
        apply_theme(qapp, name)
        assert is_dark() is dark
        assert qapp.palette() == make_palette(dark=dark)


def test_the_systems_theme_is_taken_over(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    apply_theme(qapp, "system")
    system_is_dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert is_dark() is system_is_dark
    qapp.styleHints().setColorScheme(Qt.ColorScheme.Dark)
    assert is_dark() is (qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark)


@pytest.mark.parametrize("name", list(ICONS))
def test_every_icon_draws_something(qtbot: QtBot, name: str) -> None:
    assert ink(icon(name)).alpha() > 200


def test_icons_follow_the_theme(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    brush = icon("tool_brush")
    assert ink(brush).lightness() < 80
    apply_theme(qapp, "dark")
    assert ink(brush).lightness() > 180
    assert ink(brush, QIcon.Mode.Disabled).lightness() < 160
    good = icon("done", "good")
    assert ink(good) == tone_colour("good")
    apply_theme(qapp, "light")
    assert ink(good) == tone_colour("good")


def test_icons_do_not_import_the_whole_of_qtawesome() -> None:
    code = "import sys, seginst_gui.icons; sys.exit('qtawesome' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
