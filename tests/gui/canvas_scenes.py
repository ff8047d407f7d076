"""A session with an image of known colours, and a canvas over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import mask_box
from seginst_core.project.edits import Edit, add
from seginst_core.types import Category, ImageArray, Instance, Mask
from seginst_gui.app import build_window
from seginst_gui.canvas.view import Canvas
from seginst_gui.main_window import MainWindow
from seginst_gui.session import Session
from seginst_gui.tools.base import PlainTool, Pointer

WIDTH, HEIGHT = 300, 200
GROUND = (60, 90, 120)


def picture() -> ImageArray:
    """Flat ground, and a corner in which every pixel has its own colour."""
    pixels = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    y, x = np.mgrid[:40, :40]
    pixels[:40, :40] = np.stack([5 * x, 5 * y, (31 * x + 17 * y) % 256], axis=2)
    return pixels


def write(path: Path, pixels: ImageArray) -> None:
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
    assert done
    path.write_bytes(data.tobytes())


class Paints(QObject):
    """Notes which parts of a widget are painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.rects: list[QRect] = []
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.rects.append(event.rect())
        return super().eventFilter(watched, event)


@dataclass
class Stage:
    qtbot: QtBot
    folder: Path
    session: Session
    canvas: Canvas
    category: Category

    def open(self) -> None:
        self.session.open_folder(self.folder)
        # The small map would lie over a part of what is looked at.
        self.session.display.set(replace(self.session.display.now, minimap=False))
        self.wait_for_pixels()
        self.session.project.add_category("plane", (230, 20, 0))
        self.session.refresh_categories()
        self.category = self.session.categories[0]

    def wait_for_pixels(self) -> None:
        self.qtbot.waitUntil(
            lambda: self.session.picture is not None and self.canvas.settled, timeout=20_000
        )

    def look(self, x: float, y: float, zoom: float) -> None:
        """Look at an image point at a zoom."""
        self.canvas.zoom_by(zoom / self.canvas.zoom)
        u, v = self.canvas.image_to_widget(x, y).toTuple()
        middle = self.canvas.rect().center()
        drag(self.canvas, Qt.MouseButton.MiddleButton, (u, v), middle.toTuple())

    def colour(self, x: float, y: float) -> tuple[int, int, int]:
        """The colour on the screen where an image point is."""
        place = self.canvas.image_to_widget(x, y)
        assert self.canvas.rect().contains(place)
        return self.colour_at(*place.toTuple())

    def colour_at(self, u: int, v: int) -> tuple[int, int, int]:
        return QColor(self.canvas.grab().toImage().pixel(u, v)).getRgb()[:3]

    def add(self, *masks: Mask) -> list[Instance]:
        ids = self.session.new_ids(len(masks))
        made = [
            Instance(i, self.category.id, mask_box(m), m) for i, m in zip(ids, masks, strict=True)
        ]
        self.session.apply(add(self.session.image.id, made, "Add"))
        return made


@contextmanager
def open_stage(qtbot: QtBot, folder: Path) -> Iterator[Stage]:
    """A canvas over a session that has yet to open its folder of two images."""
    write(folder / "a.png", picture())
    write(folder / "b.png", picture()[:, :250])
    session = Session()
    canvas = Canvas(session)
    # However slow the machine, a frame is whole.
    canvas.tile_seconds = 60.0
    qtbot.addWidget(canvas)
    canvas.resize(640, 480)
    canvas.show()
    yield Stage(qtbot, folder, session, canvas, Category(1, ""))
    session.close()


@contextmanager
def open_window(qtbot: QtBot, folder: Path) -> Iterator[MainWindow]:
    """The whole window on a folder with one image, whose pixels are there."""
    (folder / "images").mkdir()
    write(folder / "images" / "a.png", picture())
    window = build_window(folder / "images")
    window.resize(1200, 800)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    yield window
    window.close()


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), bool))


def mixed(colour: tuple[int, int, int], over: tuple[int, int, int], opacity: float) -> list[float]:
    return [c * opacity + o * (1 - opacity) for c, o in zip(colour, over, strict=True)]


def drag(canvas: Canvas, button: Qt.MouseButton, *places: tuple[float, float]) -> None:
    """Press at the first place, move over the others, release at the last one."""
    _mouse(
        canvas, QEvent.Type.MouseMove, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, places[0]
    )
    _mouse(canvas, QEvent.Type.MouseButtonPress, button, button, places[0])
    for place in places[1:]:
        _mouse(canvas, QEvent.Type.MouseMove, Qt.MouseButton.NoButton, button, place)
    none = Qt.MouseButton.NoButton
    _mouse(canvas, QEvent.Type.MouseButtonRelease, button, none, places[-1])


def hover(canvas: Canvas, place: tuple[float, float]) -> None:
    none = Qt.MouseButton.NoButton
    _mouse(canvas, QEvent.Type.MouseMove, none, none, place)


def wheel(
    canvas: Canvas,
    place: tuple[float, float],
    dy: int,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    dx: int = 0,
) -> None:
    point = QPointF(*place)
    QApplication.sendEvent(
        canvas,
        QWheelEvent(
            point,
            QPointF(canvas.mapToGlobal(point)),
            QPoint(),
            QPoint(dx, dy),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def _mouse(canvas, kind, button, buttons, place) -> None:
    point = QPointF(*place)
    event = QMouseEvent(
        kind,
        point,
        QPointF(canvas.mapToGlobal(point)),
        button,
        buttons,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)


class Recorder(PlainTool):
    """A tool that notes what the canvas tells it and returns the edit it is given."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.calls: list[tuple[str, float, float]] = []
        self.edit: Edit | None = None
        self.busy = False

    def press(self, pointer: Pointer) -> Edit | None:
        self.busy = True
        self.calls.append(("press", pointer.x, pointer.y))
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        self.calls.append(("held" if held else "move", pointer.x, pointer.y))

    def release(self, pointer: Pointer) -> Edit | None:
        self.busy = False
        self.calls.append(("release", pointer.x, pointer.y))
        return self.edit

    def confirm(self) -> Edit | None:
        self.calls.append(("confirm", 0, 0))
        return self.edit

    def cancel(self) -> bool:
        self.calls.append(("cancel", 0, 0))
        was, self.busy = self.busy, False
        return was

    def resize(self, steps: int) -> None:
        self.calls.append(("resize", steps, 0))
