"""The strip above the canvas and the tool in hand say the same, whoever changes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from seginst_core.masks.brush import stroke
from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow
from seginst_gui.tools import TOOLS

from .canvas_scenes import drag, hover, picture, wheel, write

LEFT = Qt.MouseButton.LeftButton


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
    window.canvas.setFocus()
    yield window
    window.close()


def test_at_first_the_canvas_has_the_keys(qtbot: QtBot, window: MainWindow) -> None:
    fresh = build_window()
    qtbot.addWidget(fresh)
    fresh.show()
    assert fresh.focusWidget() is fresh.canvas


def size(window: MainWindow) -> QSpinBox:
    QApplication.processEvents()
    return window.tool_options.findChild(QSpinBox, "option_size")


def box(window: MainWindow, name: str) -> QCheckBox:
    QApplication.processEvents()
    return window.tool_options.findChild(QCheckBox, f"option_{name}")


def move(canvas: QWidget, place: QPoint, held: Qt.KeyboardModifier) -> None:
    """Move with the button down and a key held, which QTest has no call for."""
    where = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        where,
        QPointF(canvas.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        LEFT,
        held,
    )
    QApplication.sendEvent(canvas, event)


def test_keys_wheel_and_field_set_the_same_size(window: MainWindow) -> None:
    canvas, brush = window.canvas, window.tools["brush"]
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert size(window).value() == 20
    QTest.keyClick(canvas, Qt.Key.Key_BracketRight)
    grown = size(window).value()
    assert grown == 2 * brush.radius_px > 20
    place = canvas.rect().center().toTuple()
    hover(canvas, place)
    wheel(canvas, place, -240, Qt.KeyboardModifier.ControlModifier)
    assert size(window).value() == 2 * brush.radius_px < grown
    size(window).setFocus()
    size(window).selectAll()
    QTest.keyClicks(size(window), "7")
    QTest.keyClick(size(window), Qt.Key.Key_Return)
    assert brush.radius_px == 3.5
    assert brush.preview.ring_px == 3.5
    assert canvas.hasFocus(), "the tools' letters work again at once"


def test_a_square_of_one_pixel_is_drawn_as_set(window: MainWindow) -> None:
    canvas, session = window.canvas, window.session
    window.use_tool("brush")
    QTest.mouseClick(box(window, "square"), LEFT)
    size(window).setValue(1)
    canvas.look_at(150, 100, 8)
    drag(canvas, LEFT, canvas._camera.to_widget(150.3, 100.6))
    assert session.instances[0].mask == stroke([(150.3, 100.6)], 0.5)
    assert session.instances[0].mask.area == 1
    session.select([])
    size(window).setValue(9)
    drag(canvas, LEFT, canvas._camera.to_widget(130.3, 100.6))
    mask = session.instances[1].mask
    assert (mask.bits.shape, mask.area) == ((9, 9), 81)


def test_alt_erases_and_shift_is_straight_under_the_pointer(window: MainWindow) -> None:
    canvas, session = window.canvas, window.session
    window.use_tool("brush")
    canvas.look_at(150, 100, 3)
    places = [canvas.image_to_widget(x, y) for x, y in ((120, 100), (150, 70), (180, 100))]
    shift, alt = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
    QTest.mousePress(canvas, LEFT, shift, places[0])
    for place in places[1:]:
        move(canvas, place, shift)
    QTest.mouseRelease(canvas, LEFT, shift, places[-1])
    (line,) = session.instances
    before = line.mask.area
    assert line.box.y1 - line.box.y0 == pytest.approx(20, abs=2), "no bow over (150, 70)"
    QTest.mouseClick(canvas, LEFT, alt, canvas.image_to_widget(150, 100))
    assert session.instances[0].mask.area < before - 200
    assert session.undo().text == "Erase"


def test_the_wands_settings_hold(window: MainWindow) -> None:
    window.use_tool("wand")
    QTest.mouseClick(box(window, "contiguous"), LEFT)
    assert not window.tools["wand"].contiguous
    QTest.keyClick(window.canvas, Qt.Key.Key_BracketRight)
    tolerance = window.tool_options.findChild(QSpinBox, "option_tolerance")
    assert tolerance.value() == window.tools["wand"].tolerance > 16


@pytest.mark.parametrize("name", list(TOOLS))
def test_the_strip_shows_the_options_of_the_tool_in_hand_alone(
    window: MainWindow, name: str
) -> None:
    window.use_tool("brush")
    QTest.keyClick(window.canvas, QKeySequence(TOOLS[name].shortcut)[0].key(), held(name))
    assert window.canvas.tool is window.tools[name]
    QApplication.processEvents()
    shown = [
        w.objectName().removeprefix("option_")
        for kind in (QSpinBox, QCheckBox)
        for w in window.tool_options.findChildren(kind)
        if w.isVisible()
    ]
    assert sorted(shown) == sorted(option.name for option in window.tools[name].options)


def held(name: str) -> Qt.KeyboardModifier:
    return QKeySequence(TOOLS[name].shortcut)[0].keyboardModifiers()
