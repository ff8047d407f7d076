"""How the window starts, and ``--demo``: a sample, drawn once, that both models look at."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from seginst_core import sample
from seginst_core.library import user_folder
from seginst_gui import demo
from seginst_gui.app import SWITCH_SECONDS, build_window
from seginst_gui.demo import start_demo
from seginst_gui.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot, verdict: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """Give a window whose worker is the fake one, and a sample of two images."""
    monkeypatch.setattr(demo, "N_IMAGES", 2)
    window = build_window()
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def test_the_sample_is_drawn_opened_and_looked_at_by_both_models(
    qtbot: QtBot, window: MainWindow
) -> None:
    session = window.session
    start_demo(window)
    qtbot.waitUntil(lambda: session.project is not None, timeout=20_000)
    assert session.project.folder == user_folder() / "sample" / "images"
    assert len(session.entries) == 2
    qtbot.waitUntil(lambda: len(session.predictions) == 2, timeout=20_000)
    assert {p.image_id for p in session.predictions.values()} == {session.image_id}


def test_a_sample_that_is_there_is_not_drawn_again(qtbot: QtBot, window: MainWindow) -> None:
    sample.write_sample(user_folder() / "sample", n_images=3, side_px=256)
    start_demo(window)
    qtbot.waitUntil(lambda: window.session.project is not None, timeout=20_000)
    assert len(window.session.entries) == 3


def test_one_that_cannot_be_drawn_is_said(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("The disk is full.")

    monkeypatch.setattr(sample, "write_sample", full)
    start_demo(window)
    qtbot.waitUntil(window.notice.isVisible, timeout=20_000)
    assert "The disk is full." in window.notice.text
    assert window.session.project is None


def test_threads_beside_the_window_give_way_to_it_soon(window: MainWindow) -> None:
    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)


def test_the_window_opens_no_higher_than_the_screen(tmp_path: Path) -> None:
    """Else its status bar is below the edge; without a display the screen is 800 px high."""
    look = """
from PySide6.QtWidgets import QApplication, QMainWindow
def shown(*_):
    (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))
    print(window.screen().availableGeometry().height(), window.height())
    window.close()
    return 0
QApplication.exec = shown
from seginst_gui.app import main
main()
"""
    own = {"SEGINST_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", look],
        env={**os.environ, **own, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
    )
    room, height = map(int, ran.stdout.split())
    assert height <= room < 900
