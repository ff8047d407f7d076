"""What the window shows at first, and how low it may be: a laptop's screen has 768 pixels."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QToolBar, QToolButton, QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_gui.main_window import MainWindow
from seginst_gui.theme import ThemeName, apply_theme

from .canvas_scenes import block, open_window
from .test_panels_theme import contrast
from .tool_hands import put

LEAST_PX = 768 - 48 - 31
"""Of a laptop's screen, without a task bar and the window's title."""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path) as window:
        yield window


def test_a_low_window_stays_low_whatever_is_selected(qtbot: QtBot, window: MainWindow) -> None:
    def is_low() -> bool:
        window.resize(1024, LEAST_PX)
        return window.height() <= LEAST_PX

    attributes = {f"name {k}": "yes" for k in range(9)}
    instance = put(window.session, block(90, 60, 140, 100), attributes=attributes)
    for panel in ("models", "history", "display", "objects"):
        window.docks[panel].raise_()
        window.session.select(() if panel == "models" else [instance.id])
        # Panels are laid out some rounds of events later.
        qtbot.waitUntil(is_low)
    rows = window.objects_panel.findChild(QTreeWidget, "attributes")
    assert rows.viewport().rect().contains(rows.visualItemRect(rows.topLevelItem(0)))


def test_the_classes_have_room_at_first(window: MainWindow) -> None:
    """For the sentence that says how to begin, or for four of them."""
    window.resize(1440, 900)
    QApplication.processEvents()
    sentence = next(
        label for label in window.categories_panel.findChildren(QLabel) if label.isVisible()
    )
    assert sentence.height() >= sentence.heightForWidth(sentence.width())
    for k in range(4):
        window.session.project.add_category(f"class {k}")
    window.session.refresh_categories()
    QApplication.processEvents()
    classes = window.categories_panel.findChild(QTreeWidget, "categories")
    last = classes.visualItemRect(classes.topLevelItem(3))
    assert classes.viewport().rect().contains(last)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_the_bar_has_no_room_for_is_behind_a_button_that_is_seen(
    window: MainWindow, theme: ThemeName
) -> None:
    app = QApplication.instance()
    apply_theme(app, theme)
    window.resize(1024, 700)
    QApplication.processEvents()
    bar = window.findChild(QToolBar, "bar_main")
    more = bar.findChild(QToolButton, "qt_toolbar_ext_button")
    assert more.isVisible()
    seen, ground = more.grab().toImage(), window.palette().window().color()
    places = [(x, y) for x in range(seen.width()) for y in range(seen.height())]
    n_seen = sum(contrast(QColor(seen.pixel(*place)), ground) >= 3 for place in places)
    apply_theme(app, "light")
    assert n_seen >= 10


def test_a_bar_that_was_put_away_comes_back_from_the_menu(window: MainWindow) -> None:
    bar = window.findChild(QToolBar, "bar_tools")
    bar.hide()
    panels = next(m for m in window.menuBar().findChildren(QMenu) if m.title() == "Panels")
    next(entry for entry in panels.actions() if entry.text() == bar.windowTitle()).trigger()
    assert bar.isVisible()


def test_a_notice_that_comes_and_goes_leaves_the_image_where_it_is(window: MainWindow) -> None:
    canvas = window.canvas

    def seen() -> tuple[QPoint, float]:
        QApplication.processEvents()
        return canvas.mapTo(window, canvas.image_to_widget(40, 30)), canvas.zoom

    before = seen()
    for sentence in ("Nothing has been copied yet.", "An object has changed. " * 40):
        window.notice.warn(sentence)
        assert seen() == before
        shown = window.childAt(window.notice.geometry().center() + window.centralWidget().pos())
        assert window.notice.isAncestorOf(shown), "nothing lies over it"
        window.notice.hide()
        assert seen() == before
