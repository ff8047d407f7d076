"""Actions that no other test asks for: each does in the window what its name says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMessageBox, QToolButton
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import add
from seginst_core.types import Box, Instance, Mask, Prediction
from seginst_gui.main_window import MainWindow
from seginst_gui.panels.labels import ElidedLabel
from seginst_gui.tools import TOOLS
from seginst_gui.widgets.status import StatusBar

from .canvas_scenes import open_window


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on one image, with two objects and one that either model found."""
    with open_window(qtbot, tmp_path) as window:
        session = window.session
        number, image = session.drawing_category().id, session.image
        session.apply(add(image.id, [square(k, number, 10 + 40 * k) for k in (1, 2)], "Draw"))
        for name, x0 in (("two-stage", 110), ("end-to-end", 150)):
            found = (square(1, number, x0, score=0.9),)
            session.project.add_prediction(Prediction(image.id, name, name, found), name)
        session.refresh_image(image.id)
        QApplication.processEvents()
        yield window


def square(number: int, category: int, x0: int, **fields: float) -> Instance:
    mask = Mask(x0, 60, np.ones((20, 20), np.bool_))
    return Instance(number, category, Box(x0, 60, x0 + 20, 80), mask, **fields)


def do(window: MainWindow, name: str) -> None:
    assert window.actions_by_id[name].isEnabled(), name
    window.actions_by_id[name].trigger()
    QApplication.processEvents()


def seen(window: MainWindow) -> QImage:
    QApplication.processEvents()
    return window.canvas.grab().toImage()


class Layouts(QObject):
    """Counts how often widgets are asked to lay themselves out anew."""

    def __init__(self) -> None:
        super().__init__()
        self.of: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.of.append(watched.objectName() or type(watched).__name__)
        return False


@pytest.mark.parametrize("width", [1300, 2600])
def test_a_long_hint_gives_way_to_the_facts_and_comes_back(qtbot: QtBot, width: int) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.resize(width, 30)
    status.show()
    qtbot.waitExposed(status)
    longest = max((entry.hint for entry in TOOLS.values()), key=len)
    status.show_hint(longest)
    status.show_device("cpu", "CPU, 64 threads (a processor with a name of some length)")
    status.show_job("Reading", 0.1)
    status.show_image("10000 x 10000 px")
    QApplication.processEvents()
    assert status.width() == width
    assert status.minimumSizeHint().width() < 1300
    hint = status.findChild(QLabel, "hint")
    assert (hint.text() == longest) == (width > 1300)
    assert hint.toolTip() == longest
    assert hint.foregroundRole() == QPalette.ColorRole.WindowText, "as dark as what else it says"
    assert "of some length" in status.device_text


def test_a_line_below_another_is_dim(qtbot: QtBot) -> None:
    assert ElidedLabel().foregroundRole() == QPalette.ColorRole.PlaceholderText


def test_no_move_of_the_pointer_lays_the_status_bar_out_anew(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.show()
    qtbot.waitExposed(status)
    QApplication.processEvents()
    layouts = Layouts()
    QApplication.instance().installEventFilter(layouts)
    for x in (9, 10, 123, 45_678):
        status.show_pointer(x, 7)
        status.show_zoom(x / 10)
        QApplication.processEvents()
        assert f"{x}, 7" in [label.text() for label in status.findChildren(QLabel)]
    assert layouts.of == []
    status.show_device("cpu", "of another name")
    QApplication.processEvents()
    assert layouts.of, "what may grow is laid out"


def test_the_pixel_left_of_the_image_is_not_its_first(qtbot: QtBot) -> None:
    status = StatusBar()
    qtbot.addWidget(status)
    status.show_pointer(-0.4, 3.7)
    assert "-1, 3" in [label.text() for label in status.findChildren(QLabel)]


def test_no_undo_lays_the_main_bar_out_anew(window: MainWindow) -> None:
    do(window, "select_all")
    do(window, "grow")
    layouts = Layouts()
    QApplication.instance().installEventFilter(layouts)
    assert not window.actions_by_id["redo"].isEnabled()
    do(window, "undo")
    assert window.actions_by_id["redo"].isEnabled()
    assert "bar_main" not in layouts.of
    button = next(
        b
        for b in window.findChildren(QToolButton)
        if b.defaultAction() is window.actions_by_id["redo"]
    )
    assert button.isEnabled()
    button.click()
    assert not window.actions_by_id["redo"].isEnabled()


def test_an_edit_shows_the_images_row_anew_only_if_it_changed(window: MainWindow) -> None:
    session = window.session
    told: list[frozenset[int]] = []
    session.images_changed.connect(told.append)
    do(window, "select_all")
    do(window, "grow")
    do(window, "undo")
    assert told == []
    do(window, "delete")
    assert told == [{session.image.id}]
    assert session.entry(session.image.id).n_instances == 0
    # A prediction with as many objects as the one before leaves the row, but not the review.
    session.refresh_image(session.image.id)
    assert len(told) == 2


def test_all_are_selected_and_none(window: MainWindow) -> None:
    do(window, "select_all")
    assert window.session.selected == window.session.instances
    assert len(window.session.selected) == 2
    do(window, "deselect")
    assert not window.session.selected
    first, second = window.session.instances
    window.session.select([first.id])
    do(window, "lock")
    do(window, "select_all")
    assert window.session.selected == (second,), "as its tip says"


def test_what_is_hidden_is_shown_again(window: MainWindow) -> None:
    assert not window.actions_by_id["show_all"].isEnabled()
    before = seen(window)
    do(window, "select_all")
    do(window, "hide")
    do(window, "deselect")
    assert seen(window) != before
    do(window, "show_all")
    assert seen(window) == before
    assert not window.session.hidden


@pytest.mark.parametrize("name", ["show_a", "show_b"])
def test_what_a_model_found_is_hidden_and_shown(window: MainWindow, name: str) -> None:
    other = {"show_a": "show_b", "show_b": "show_a"}[name]
    before = seen(window)
    do(window, name)
    without = seen(window)
    assert without != before
    assert not window.actions_by_id[name].isChecked()
    do(window, other)
    assert seen(window) != without, "the other model's objects are still there"
    do(window, other)
    do(window, name)
    assert seen(window) == before


def test_zooming_in_and_to_the_images_own_size(window: MainWindow) -> None:
    canvas = window.canvas
    zoom = canvas.zoom
    do(window, "zoom_in")
    assert canvas.zoom > zoom
    do(window, "actual_size")
    assert canvas.zoom == 1.0


def test_the_colouring_goes_round(window: MainWindow) -> None:
    first = seen(window)
    looks = []
    for _ in range(3):
        do(window, "next_colouring")
        looks.append(seen(window))
    assert looks[0] != first
    assert looks[1] not in (first, looks[0])
    assert looks[2] == first


def test_a_brush_grows_and_shrinks(window: MainWindow) -> None:
    do(window, "tool_brush")
    first = window.tools["brush"].radius_px
    do(window, "larger")
    assert window.tools["brush"].radius_px > first
    do(window, "smaller")
    do(window, "smaller")
    assert window.tools["brush"].radius_px < first


@pytest.mark.parametrize(
    ("name", "title"), [("about", "About"), ("import_coco", "Import annotations")]
)
def test_a_dialog_opens(window: MainWindow, name: str, title: str) -> None:
    titles = []

    def close() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog | QMessageBox)
        titles.append(dialog.windowTitle())
        dialog.close()

    QTimer.singleShot(200, close)
    do(window, name)
    assert len(titles) == 1
    assert titles[0].startswith(title)


def test_quit_closes_the_window(window: MainWindow) -> None:
    do(window, "quit")
    assert not window.isVisible()
