"""The job panel, fed with what jobs report."""

import os
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from seginst_gui.panels.learning.curves import LossCurves
from seginst_gui.panels.learning.jobs import LOG_LINES, SENTENCE_IDLE, JobsPanel
from seginst_gui.panels.texts import count, duration
from seginst_gui.theme import apply_theme


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> JobsPanel:
    panel = JobsPanel(clock=clock)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def texts(panel: JobsPanel) -> str:
    return "\n".join(w.text() for w in panel.findChildren(QLabel) if w.isVisible())


def button(panel: JobsPanel, name: str) -> QPushButton:
    found = panel.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def shown_buttons(panel: JobsPanel) -> list[str]:
    return [b.text() for b in panel.findChildren(QPushButton) if b.isVisible()]


def log(panel: JobsPanel) -> QPlainTextEdit:
    return panel.findChildren(QPlainTextEdit)[0]


def bar(panel: JobsPanel) -> QProgressBar:
    return panel.findChildren(QProgressBar)[0]


def progress(done: float, total: float, text: str) -> dict[str, float | str]:
    return {"event": "progress", "done": done, "total": total, "text": text}


def loss(iteration: int, part: str, **losses: float) -> dict[str, object]:
    return {
        "event": "loss",
        "iteration": iteration,
        "losses": losses,
        "seconds": 1.0,
        "part": part,
    }


def test_says_that_nothing_is_running(panel: JobsPanel) -> None:
    assert texts(panel) == SENTENCE_IDLE
    assert not bar(panel).isVisible()
    assert shown_buttons(panel) == []


def test_a_job_from_start_to_end(panel: JobsPanel, clock: Clock) -> None:
    panel.start("Predicting 40 images")
    assert "Predicting 40 images" in texts(panel)
    assert (bar(panel).minimum(), bar(panel).maximum()) == (0, 0), "busy until the first report"
    panel.show_event(progress(0, 40, "Loading the model"))
    clock.seconds += 10
    panel.show_event(progress(10, 40, "Image 11 of 40"))
    assert bar(panel).value() * 4 == bar(panel).maximum()
    assert "Image 11 of 40 · about 30 s left" in texts(panel)
    panel.show_event({"event": "log", "text": "a.jpg cannot be read."})
    clock.seconds += 110
    panel.finish("40 images done.", ok=True)
    assert "40 images done." in texts(panel)
    assert not bar(panel).isVisible()
    assert shown_buttons(panel) == []
    lines = log(panel).toPlainText().splitlines()
    assert lines[0].endswith("  a.jpg cannot be read.")
    assert lines[1].endswith("  40 images done. (took 2 min)")


def test_the_time_left_starts_anew_with_each_step(panel: JobsPanel, clock: Clock) -> None:
    panel.start("Training")
    for done in (0.0, 0.4, 0.8):
        panel.show_event(progress(done, 1.0, "detector"))
        clock.seconds += 40
    assert "left" in texts(panel)
    panel.show_event(progress(0.1, 1.0, "mask network"))
    assert "left" not in texts(panel)
    clock.seconds += 10
    panel.show_event(progress(0.2, 1.0, "mask network"))
    assert "about 1 min left" in texts(panel)


def test_cancel_is_asked_for_once(qtbot: QtBot, panel: JobsPanel) -> None:
    panel.start("Predicting")
    asked: list[bool] = []
    panel.cancel_wanted.connect(lambda: asked.append(True))
    cancel = button(panel, "cancel")
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert asked == [True]
    assert not cancel.isEnabled()
    assert not button(panel, "pause").isEnabled()
    panel.start("Predicting again")
    assert cancel.isEnabled()
    assert cancel.text() == "Cancel"


def test_a_paused_job_can_go_on_or_be_given_up(qtbot: QtBot, panel: JobsPanel) -> None:
    panel.start("Training")
    assert shown_buttons(panel) == ["Pause", "Cancel"]
    asked: list[str] = []
    panel.pause_wanted.connect(lambda: asked.append("pause"))
    panel.resume_wanted.connect(lambda: asked.append("resume"))
    panel.cancel_wanted.connect(lambda: asked.append("cancel"))
    qtbot.mouseClick(button(panel, "pause"), Qt.MouseButton.LeftButton)
    assert button(panel, "pause").text() == "Stopping…"
    panel.pause("Training", "Paused.")
    assert shown_buttons(panel) == ["Resume", "Discard"]
    assert "Paused." in texts(panel)
    assert not bar(panel).isVisible()
    qtbot.mouseClick(button(panel, "resume"), Qt.MouseButton.LeftButton)
    panel.start("Training")
    assert shown_buttons(panel) == ["Pause", "Cancel"]
    panel.pause("Training", "The worker crashed.")
    qtbot.mouseClick(button(panel, "cancel"), Qt.MouseButton.LeftButton)
    assert asked == ["pause", "resume", "cancel"]
    panel.idle()
    assert texts(panel) == SENTENCE_IDLE


def test_losses_become_curves_by_part_with_their_total(panel: JobsPanel) -> None:
    panel.start("Training")
    curves = panel.findChildren(LossCurves)[0]
    assert not curves.isVisible()
    for iteration in (5, 10):
        panel.show_event(loss(iteration, "detector", objectness=0.5, rpn_box=0.25))
    panel.show_event(loss(5, "mask network", mask_bce=0.0))
    assert curves.isVisible()
    assert curves.points("detector") == {
        "total": [(5, 0.75), (10, 0.75)],
        "objectness": [(5, 0.5), (10, 0.5)],
        "rpn_box": [(5, 0.25), (10, 0.25)],
    }
    (point,) = curves.points("mask network")["mask_bce"]
    assert point[1] > 0, "zero has no place on a logarithmic axis"
    assert [curves.tabText(i) for i in range(curves.count())] == ["Detector", "Mask network"]
    assert curves.currentIndex() == 1
    panel.start("Another")
    assert curves.count() == 0
    assert curves.points("detector") == {}


def test_curves_change_with_the_theme(panel: JobsPanel, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    panel.start("Training")
    panel.resize(400, 500)
    panel.show_event(loss(1, "detector", objectness=0.5))

    def ground() -> int:
        qapp.processEvents()
        curves = panel.findChildren(LossCurves)[0]
        return curves.grab().toImage().pixelColor(curves.width() - 4, 60).lightness()

    assert ground() > 200
    apply_theme(qapp, "dark")
    assert ground() < 60
    apply_theme(qapp, "light")


def test_messages_are_kept_short_and_unknown_events_do_no_harm(panel: JobsPanel) -> None:
    panel.start("Long")
    for number in range(LOG_LINES + 50):
        panel.show_event({"event": "log", "text": f"line {number}"})
    assert log(panel).blockCount() == LOG_LINES
    panel.show_event({"event": "prediction", "image_id": 1})
    panel.show_event({"event": "progress", "done": None, "total": None, "text": ""})
    panel.show_event({"event": "loss", "iteration": 1, "losses": None})
    assert log(panel).toPlainText().endswith(f"line {LOG_LINES + 49}")


def test_the_plotting_library_waits_for_the_first_loss() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; a = QApplication([]);"
        "from seginst_gui.panels.learning.jobs import JobsPanel;"
        "p = JobsPanel(); p.start('x'); p.show();"
        "early = 'pyqtgraph' in sys.modules;"
        "p.show_event({'event': 'loss', 'iteration': 1, 'losses': {'a': 1.0}, 'part': 'x'});"
        "from pyqtgraph.Qt import QT_LIB; sys.exit(early or QT_LIB != 'PySide6')"
    )
    environment = {**os.environ, "PYQTGRAPH_QT_LIB": "PyQt6"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59, "59 s"), (61, "1 min"), (3599, "1 h"), (4800, "1 h 20 min")],
)
def test_lengths_of_time_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts_in_words() -> None:
    assert [count(n, "object") for n in (0, 1, 1234)] == ["0 objects", "1 object", "1,234 objects"]
