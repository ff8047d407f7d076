"""The look: a light and a dark palette on the Fusion style.

Widgets ask for colours at paint time, from the palette or from ``tone_colour``; so changing the
theme needs no list of things to update.
"""

from typing import Literal, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

ThemeName = Literal["system", "light", "dark"]
THEMES: tuple[ThemeName, ...] = ("system", "light", "dark")

_PROPERTY = "seginst_theme"
_Role = QPalette.ColorRole

# Light, dark. Texts reach 4.5 : 1 on windows, lists and buttons (WCAG AA); a test measures it.
_ROLES: dict[QPalette.ColorRole, tuple[str, str]] = {
    _Role.Window: ("#f2f3f5", "#25282d"),
    _Role.WindowText: ("#1b1f24", "#e4e7eb"),
    _Role.Base: ("#ffffff", "#1b1e22"),
    _Role.AlternateBase: ("#f6f7f9", "#212429"),
    _Role.Text: ("#1b1f24", "#e4e7eb"),
    _Role.PlaceholderText: ("#646c76", "#979fa9"),
    _Role.Button: ("#e9ebee", "#33373e"),
    _Role.ButtonText: ("#1b1f24", "#e4e7eb"),
    _Role.BrightText: ("#b3261e", "#ff9b91"),
    _Role.Highlight: ("#1a63c4", "#2a66bf"),
    _Role.HighlightedText: ("#ffffff", "#ffffff"),
    _Role.Accent: ("#1a63c4", "#6aa5f5"),
    _Role.Link: ("#1559b3", "#7db2fa"),
    _Role.LinkVisited: ("#6b3fa0", "#c4a3f0"),
    _Role.ToolTipBase: ("#1b1f24", "#e4e7eb"),
    _Role.ToolTipText: ("#f5f6f8", "#1b1e22"),
    _Role.Light: ("#ffffff", "#464b53"),
    _Role.Midlight: ("#e3e6ea", "#3b4047"),
    _Role.Mid: ("#c3c8cf", "#4b5159"),
    _Role.Dark: ("#a3a9b2", "#16181b"),
    _Role.Shadow: ("#6c737d", "#0c0d0f"),
}
_DISABLED = ("#868d97", "#757c86")
_DISABLED_HIGHLIGHT = ("#c6ccd4", "#3f454d")

_STYLE = """
QToolTip { padding: 4px 6px; border: 0; }
QToolBar { spacing: 2px; padding: 3px; border: 0; }
QToolButton { padding: 4px; border: 1px solid transparent; border-radius: 5px; }
QToolButton#qt_toolbar_ext_button { padding: 0; }
QToolButton:hover:enabled { background: palette(midlight); }
QToolButton:pressed:enabled { background: palette(mid); }
QToolButton:checked { background: palette(midlight); border-color: palette(accent); }
QToolButton:focus { border-color: palette(accent); }
QToolButton::menu-indicator { image: none; }
QCheckBox::indicator:unchecked {
    width: 12px; height: 12px; border: 1px solid palette(placeholder-text); border-radius: 2px;
    background: palette(base);
}
QDockWidget::title { padding: 6px 8px; background: palette(window); }
QMainWindow::separator { width: 4px; height: 4px; background: palette(window); }
QMainWindow::separator:hover { background: palette(accent); }
QHeaderView::section {
    padding: 4px 6px; border: 0; border-bottom: 1px solid palette(mid);
    background: palette(window); color: palette(window-text);
}
"""


def apply_theme(app: QApplication, name: ThemeName) -> None:
    """Give the whole application a theme; ``system`` follows the desktop, also later on."""
    first = app.property(_PROPERTY) is None
    app.setProperty(_PROPERTY, name)
    hints = app.styleHints()
    if first:
        app.setStyle("Fusion")
        hints.colorSchemeChanged.connect(lambda _scheme: _follow(app))
    # Tells the desktop too, so that title bars and file dialogs match.
    if name == "system":
        hints.unsetColorScheme()
    else:
        dark = name == "dark"
        hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    _follow(app)


def make_palette(*, dark: bool) -> QPalette:
    """Return the palette of one theme."""
    palette = QPalette()
    for role, pair in _ROLES.items():
        palette.setColor(role, QColor(pair[dark]))
    off = QPalette.ColorGroup.Disabled
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.HighlightedText):
        palette.setColor(off, role, QColor(_DISABLED[dark]))
    palette.setColor(off, _Role.Highlight, QColor(_DISABLED_HIGHLIGHT[dark]))
    palette.setColor(off, _Role.Accent, QColor(_DISABLED[dark]))
    return palette


def _follow(app: QApplication) -> None:
    name = cast(ThemeName, app.property(_PROPERTY))
    if name == "system":
        dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
    else:
        dark = name == "dark"
    app.setPalette(make_palette(dark=dark))
    # Anew, since a style sheet remembers the colours of the palette it met first.
    app.setStyleSheet(_STYLE)
