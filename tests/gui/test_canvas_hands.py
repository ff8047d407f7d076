"""Fingers, wheels and keys on the canvas in its window."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seginst_gui.display.settings import Tone
from seginst_gui.main_window import MainWindow

from .canvas_scenes import HEIGHT, WIDTH, Stage, drag, open_stage, open_window, wheel

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        opened.open()
        opened.look(150, 100, 3)
        yield opened


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path) as opened:
        yield opened


def test_fingers_that_part_on_a_touch_screen_zoom_about_their_middle(stage: Stage) -> None:
    canvas = stage.canvas
    device = QTest.createTouchDevice(QInputDevice.DeviceType.TouchScreen)
    middle = QPointF(300, 200)
    before, zoom = canvas.widget_to_image(middle), canvas.zoom
    touch = QTest.touchEvent(canvas, device)
    places = [(QPoint(280, 200), QPoint(320, 200))]
    places += [(QPoint(280 - 8 * k, 200), QPoint(320 + 8 * k, 200)) for k in range(1, 8)]
    touch.press(0, places[0][0], canvas).press(1, places[0][1], canvas).commit()
    for left, right in places[1:]:
        touch.move(0, left, canvas).move(1, right, canvas).commit()
    touch.release(0, places[-1][0], canvas).release(1, places[-1][1], canvas).commit()
    assert canvas.zoom > zoom * 1.8
    assert canvas.widget_to_image(middle) == pytest.approx(before, abs=2.0)


def test_a_pinch_on_a_touch_pad_zooms_about_the_pointer(stage: Stage) -> None:
    canvas = stage.canvas
    place = QPointF(200, 310)
    before, zoom = canvas.widget_to_image(place), canvas.zoom
    for value in (0.1, 0.1, -0.05):
        event = QNativeGestureEvent(
            Qt.NativeGestureType.ZoomNativeGesture,
            QPointingDevice.primaryPointingDevice(),
            2,
            place,
            place,
            QPointF(canvas.mapToGlobal(place)),
            value,
            QPointF(),
        )
        QApplication.sendEvent(canvas, event)
    assert canvas.zoom == pytest.approx(zoom * 1.1 * 1.1 * 0.95)
    assert canvas.widget_to_image(place) == pytest.approx(before, abs=0.5)


def test_ctrl_and_the_wheel_zoom_about_the_pointer(stage: Stage) -> None:
    place = QPointF(200, 310)
    before, zoom = stage.canvas.widget_to_image(place), stage.canvas.zoom
    wheel(stage.canvas, place.toTuple(), 240, CTRL)
    assert stage.canvas.zoom == pytest.approx(zoom * 2**0.5)
    assert stage.canvas.widget_to_image(place) == pytest.approx(before, abs=0.5)


def test_whoever_follows_the_view_hears_of_every_move(stage: Stage) -> None:
    canvas = stage.canvas
    heard: list[tuple[float, float]] = []
    canvas.view_changed.connect(lambda: heard.append(canvas.centre()))
    drag(canvas, Qt.MouseButton.MiddleButton, (100, 100), (130, 100), (160, 130))
    assert heard[-1] == pytest.approx((150 - 20, 100 - 10), abs=0.5)
    canvas.look_at(10, 20)
    assert heard[-1] == pytest.approx((10, 20), abs=0.5)
    canvas.look_at(50, 60, 5.0)
    assert heard[-1] == pytest.approx((50, 60), abs=0.5)
    assert canvas.zoom == 5.0
    n = len(heard)
    canvas.look_at(50, 60, 5.0)
    assert len(heard) == n, "nothing has changed"


def test_f_fits_and_ctrl_1_shows_the_actual_size(window: MainWindow) -> None:
    canvas = window.canvas
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    canvas.setFocus()
    fit = canvas.zoom
    QTest.keyClick(canvas, Qt.Key.Key_1, CTRL)
    assert canvas.zoom == 1.0
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.zoom == pytest.approx(fit)
    whole = canvas.image_to_widget(0, 0), canvas.image_to_widget(WIDTH, HEIGHT)
    assert all(canvas.rect().contains(place) for place in whole)


def test_space_pans_in_the_window_and_presses_no_button(window: MainWindow) -> None:
    canvas = window.canvas
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    canvas.setFocus()
    window.use_tool("brush")
    canvas.look_at(150, 100, 4.0)
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    drag(canvas, Qt.MouseButton.LeftButton, (300, 200), (320, 210), (340, 240))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.centre() == pytest.approx((140, 90), abs=0.6)
    assert window.session.instances == ()
    drag(canvas, Qt.MouseButton.LeftButton, (300, 200), (340, 240))
    assert len(window.session.instances) == 1, "without Space the brush paints"


def test_a_finger_alone_works_the_tool(window: MainWindow) -> None:
    canvas = window.canvas
    window.use_tool("brush")
    device = QTest.createTouchDevice(QInputDevice.DeviceType.TouchScreen)
    touch = QTest.touchEvent(window.windowHandle(), device)

    def at(u: int, v: int) -> QPoint:
        return canvas.mapTo(window, QPoint(u, v))

    touch.press(0, at(300, 200)).commit()
    touch.move(0, at(330, 210)).commit()
    touch.move(0, at(360, 230)).commit()
    touch.release(0, at(360, 230)).commit()
    QApplication.processEvents()
    assert len(window.session.instances) == 1


def test_keys_switch_what_is_shown_and_the_menu_says_so(window: MainWindow) -> None:
    session, shift = window.session, Qt.KeyboardModifier.ShiftModifier
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.canvas.setFocus()
    at_first = session.display.now
    for key, held, name in (
        (Qt.Key.Key_J, Qt.KeyboardModifier.NoModifier, "show_minimap"),
        (Qt.Key.Key_G, shift, "pixel_grid"),
    ):
        assert window.actions_by_id[name].isChecked()
        QTest.keyClick(window.canvas, key, held)
        assert not window.actions_by_id[name].isChecked()
    assert not session.display.now.minimap
    assert not session.display.now.pixel_grid
    seen = []
    for _ in range(3):
        QTest.keyClick(window.canvas, Qt.Key.Key_C, shift)
        seen.append(session.display.now.style.colour_by)
    assert seen == ["object", "origin", "class"]
    session.display.set(replace(session.display.now, tone=Tone(0.5), bands=(2, 1, 0)))
    QTest.keyClick(window.canvas, Qt.Key.Key_0, CTRL | shift)
    assert session.display.now == replace(at_first, minimap=False, pixel_grid=False)
