"""A review that is left, or killed, goes on where it was; nothing that was decided is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.project import Project

from .review_scenes import enter, go_to, make_project, open_window, write_images

LEFT = Qt.MouseButton.LeftButton


def test_a_review_goes_on_where_it_was(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "images")
    for window in open_window(qtbot, folder):
        page = enter(qtbot, window)
        case = go_to(page, "classes_differ")
    for window in open_window(qtbot, folder):
        assert "review was under way" in window.notice.text
        button = window.notice.findChild(type(window.notice._button), "notice_button")
        QTest.mouseClick(button, LEFT)
        page = window.review_page
        qtbot.waitUntil(lambda page=page: page.state.listing.settled)
        assert page.state.focus.key == case.key


def test_the_offer_to_go_on_leaves_with_its_project(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "images")
    for window in open_window(qtbot, folder):
        enter(qtbot, window)
    for window in open_window(qtbot, folder):
        assert window.notice.isVisible()
        window.commands.open_folder(write_images(tmp_path / "other", "x.png"))
        assert not window.notice.isVisible()
        window.commands.open_folder(folder)
        assert "review was under way" in window.notice.text
        assert window.notice.isVisible()


KILLED = """
import sys, time
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from seginst_gui.app import build_window
window = build_window()
window.predictor.warm_up = lambda: None
window.predictor.ask = lambda *_of: None
window.commands.open_folder(Path(sys.argv[1]))
window.show()
while window.session.picture is None:
    QTest.qWait(10)
window.actions_by_id["review"].trigger()
page = window.review_page
while not page.state.listing.settled or page.state.focus is None:
    QTest.qWait(10)
window.activateWindow()
for number in range(3):
    QTest.keyClick(page.side_a, Qt.Key.Key_Return if number else Qt.Key.Key_N)
    print(number + 1, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_killed_review_loses_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "images")
    command = [sys.executable, "-c", KILLED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "3":
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    time.sleep(0.1)
    with Project.open(folder) as project:
        image_id = project.images()[0].ref.id
        assert len(project.annotation(image_id).instances) == 2
        assert project.reviewing.refusals(image_id)
    for window in open_window(qtbot, folder):
        assert "review was under way" in window.notice.text
        page = enter(qtbot, window)
        assert len(page.state.order) == 3
