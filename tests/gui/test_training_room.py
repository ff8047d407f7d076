"""A training takes its room within the window, at the size of a small screen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_core.project.learning import Run
from seginst_gui.main_window import MainWindow

from .conftest import MakeFolder
from .learning_scenes import fill, opened_window, say_verdict

WIDTH, HEIGHT = 1280, 800


@pytest.fixture
def folder(make_folder: MakeFolder) -> Path:
    folder = make_folder("a.png", "b.png")
    fill(folder, 1)
    return folder


def on_a_small_screen(qtbot: QtBot, folder: Path) -> MainWindow:
    window = opened_window(folder)
    window.resize(WIDTH, HEIGHT)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    # The highest of the panels on the right.
    window.docks["models"].raise_()
    return window


@pytest.fixture
def window(qtbot: QtBot, folder: Path) -> Iterator[MainWindow]:
    """A window that was opened before, when the panels lay one below the other at the corner."""
    first = on_a_small_screen(qtbot, folder)
    first.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
    first.close()
    window = on_a_small_screen(qtbot, folder)
    yield window
    window.close()


def finished(tmp_path: Path) -> Run:
    """A run whose verdict lists an object; its model has a name as long as they get."""
    moved = {"image_id": 1, "truth_id": 1, "bbox": [0, 30, 12, 10], "before": 0.5, "after": 0.9}
    say_verdict(tmp_path / "verdict.json", "not better", [moved])
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    outcome = {"name": "end-to-end-20261127-225304", "verdict": verdict}
    return Run(1, "fine_tune", "Fine-tuning end-to-end", "done", {}, outcome, "")


def test_a_training_and_its_verdict_leave_the_window_as_large_as_it_was(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    panel = window.training_panel
    window.docks["training"].show()
    panel.jobs.start("Fine-tuning two-stage, both stages")
    panel.jobs.show_event({"event": "progress", "done": 1, "total": 2, "text": "iteration 1"})
    panel.jobs.show_event({"event": "loss", "iteration": 1, "losses": {"all": 1.0}})
    QApplication.processEvents()
    assert (window.width(), window.height()) == (WIDTH, HEIGHT)
    seen = [b for b in panel.jobs.findChildren(QPushButton) if b.isVisible()]
    assert [b.text() for b in seen] == ["Pause", "Cancel"]
    assert all(b.height() >= b.sizeHint().height() for b in seen), "none is crushed"
    panel.jobs.finish("Finished: end-to-end-20261127-225304 is not better.", ok=False)
    panel.verdict.show_run(finished(tmp_path), "not better", live=False)
    panel.open_verdict()
    window.notice.say("end-to-end-20261127-225304 is not better, so it does not go live.")
    tree = panel.findChild(QTreeWidget, "verdict_objects")
    # The columns are laid out some rounds of events later.
    qtbot.waitUntil(lambda: tree.isVisible() and tree.viewport().width() > 150)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (WIDTH, HEIGHT)
    assert tree.horizontalScrollBar().maximum() == 0, "all its columns are seen"
