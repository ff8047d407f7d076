"""Small real projects for tests of the window's parts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seginst_core.types import HUMAN, Box, Instance, Mask, Origin
from seginst_gui.main_window import MainWindow
from seginst_gui.session import Session

MakeFolder = Callable[..., Path]
MakeInstance = Callable[..., Instance]
NAMES = ("a.png", "b.png", "sub/c.png")


@pytest.fixture(autouse=True)
def no_window_left(qapp: QApplication) -> Iterator[None]:
    """Have closed windows gone: a change of theme takes its time for every one there is."""
    yield
    for widget in qapp.topLevelWidgets():
        if isinstance(widget, MainWindow) and not widget.isVisible():
            widget.deleteLater()
            QApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Return a function that writes a folder of small gray images."""

    def make(*names: str, folder: str = "images", width: int = 80, height: int = 60) -> Path:
        for number, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((height, width, 3), 40 + 50 * number % 200, np.uint8)
            _, data = cv2.imencode(path.suffix, pixels)
            path.write_bytes(data.tobytes())
        return tmp_path / folder

    return make


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    """Give a session with nothing open."""
    session = Session()
    yield session
    session.close()


@pytest.fixture
def opened(session: Session, make_folder: MakeFolder) -> Session:
    """Give a session of three images and two categories, the first image open."""
    session.open_folder(make_folder(*NAMES))
    assert session.project is not None
    session.project.add_category("plane")
    session.project.add_category("ship")
    session.refresh_categories()
    return session


@pytest.fixture
def make_instance(opened: Session) -> MakeInstance:
    """Return a function that makes an object of ``opened``: a filled rectangle of pixels."""

    def make(
        x0: int = 4,
        y0: int = 4,
        width: int = 10,
        height: int = 6,
        *,
        category: int = 1,
        origin: Origin = HUMAN,
        score: float | None = None,
    ) -> Instance:
        (number,) = opened.new_ids()
        mask = Mask(x0, y0, np.ones((height, width), np.bool_))
        box = Box(x0, y0, x0 + width, y0 + height)
        return Instance(number, category, box, mask, score=score, origin=origin)

    return make


@pytest.fixture
def verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that says how the next fine-tune ends; every worker is the fake one."""
    from .learning_scenes import say_verdict, use_fake_worker

    path = tmp_path / "verdict.json"
    say_verdict(path, "better")
    use_fake_worker(monkeypatch, path)
    return path


@pytest.fixture
def learning_folder(make_folder: MakeFolder, verdict: Path) -> Path:
    """Return a folder whose first images are done, with live models of the fake worker."""
    from .learning_scenes import N_DONE, fill

    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 2)))
    fill(folder, N_DONE)
    return folder


@pytest.fixture
def learning_window(qtbot: QtBot, learning_folder: Path) -> Iterator[MainWindow]:
    """Give the window on ``learning_folder``, its first image shown."""
    from .learning_scenes import PATIENT_MS, opened_window

    window = opened_window(learning_folder)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=PATIENT_MS)
    yield window
    window.close()
