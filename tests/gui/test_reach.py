"""The window by keyboard and by a screen reader: names of what has only an icon, the way of Tab."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow

from .canvas_scenes import picture, write

FIELDS = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    (tmp_path / "images").mkdir()
    write(tmp_path / "images" / "a.png", picture())
    window = build_window(tmp_path / "images")
    qtbot.addWidget(window)
    window.resize(1400, 900)
    window.show()
    qtbot.waitUntil(lambda: window.session.picture is not None)
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    yield window
    window.close()


def path_of(widget: QWidget) -> str:
    """Where a widget is, for whoever reads the failure."""
    names = []
    at: QWidget | None = widget
    while at is not None:
        names.append(at.objectName() or type(at).__name__)
        at = at.parentWidget()
    return " in ".join(names[:4])


def is_qts_own(widget: QWidget) -> bool:
    """Buttons of Qt's docks and bars, and fields inside other fields, are named by Qt."""
    own = widget.objectName().startswith("qt_") or type(widget).__name__.startswith("QDockWidget")
    at = widget.parentWidget()
    while at is not None and not isinstance(at, QAbstractSpinBox | QComboBox | QLineEdit):
        at = at.parentWidget()
    return own or at is not None


def test_every_button_with_an_icon_alone_has_a_name(window: MainWindow) -> None:
    nameless = [
        path_of(button)
        for button in window.findChildren(QToolButton)
        if not is_qts_own(button)
        and not (button.accessibleName() or button.text())
        and not button.menu()
    ]
    assert nameless == []
    for button in window.findChildren(QToolButton):
        if button.accessibleName() and not is_qts_own(button):
            assert len(button.accessibleName()) > 1


def test_every_field_has_a_name(window: MainWindow) -> None:
    nameless = []
    for kind in FIELDS:
        for field in window.findChildren(kind):
            inside = isinstance(field.parentWidget(), QAbstractItemView | QComboBox)
            hidden = field.focusPolicy() == Qt.FocusPolicy.NoFocus
            if not (field.accessibleName() or is_qts_own(field) or inside or hidden):
                nameless.append(path_of(field))
    assert nameless == []


def test_tab_goes_round_through_every_part_that_is_seen(window: MainWindow) -> None:
    window.images_panel.findChild(QLineEdit).setFocus()
    start = QApplication.focusWidget()
    met: list[QWidget] = []
    for _ in range(200):
        here = QApplication.focusWidget()
        # In the canvas Tab goes from object to object; Ctrl+Tab would be no key of Qt's.
        if here is window.canvas:
            window.focusNextChild()
        else:
            QTest.keyClick(here, Qt.Key.Key_Tab)
        met.append(QApplication.focusWidget())
        if met[-1] is start:
            break
    assert met[-1] is start, "Tab comes round"
    for part in (window.images_panel, window.layers_panel, window.categories_panel, window.canvas):
        assert any(part is widget or part.isAncestorOf(widget) for widget in met), part


def test_within_a_panel_tab_goes_downwards(window: MainWindow) -> None:
    for panel in (window.images_panel, window.layers_panel, window.display_panel):
        fields = [
            w for w in panel.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        seen = [w for w in fields if w.isVisible() and w.isEnabled() and not is_qts_own(w)]
        order = sorted(seen, key=lambda w: place_in_chain(panel, w))
        tops = [w.mapTo(panel, w.rect().topLeft()).y() for w in order]
        for above, below in pairwise(tops):
            assert below >= above - 20, [path_of(w) for w in order]


def place_in_chain(panel: QWidget, widget: QWidget) -> int:
    at, n = panel, 0
    while at is not widget:
        at, n = at.nextInFocusChain(), n + 1
        assert n < 5000
    return n


def test_the_menus_open_by_keyboard(window: MainWindow) -> None:
    letters = []
    for action in window.menuBar().actions():
        text = action.text()
        assert "&" in text, text
        letters.append(text[text.index("&") + 1].casefold())
    assert len(letters) == len(set(letters)), "each menu has a letter of its own"
