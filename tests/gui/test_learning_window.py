"""Training in the window: what goes live, what comes back, and what survives which death."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QPoint, Qt, QThreadPool
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_core.project import Project
from seginst_core.project.edits import add
from seginst_gui.jobs.plan import gather
from seginst_gui.jobs.training import Job
from seginst_gui.main_window import MainWindow

from .conftest import MakeFolder
from .learning_scenes import (
    N_DONE,
    PATIENT_MS,
    button,
    drawn,
    fill,
    human_work,
    idle,
    live_name,
    looked,
    opened_window,
    say_verdict,
    states,
    train,
    wait,
)

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(learning_window: MainWindow) -> MainWindow:
    return learning_window


def can_do(window: MainWindow) -> dict[str, bool]:
    names = ("fine_tune", "cancel_job")
    return {name: window.actions_by_id[name].isEnabled() for name in names}


def test_a_better_model_goes_live_and_going_back_restores_the_former_predictions(
    qtbot: QtBot, window: MainWindow
) -> None:
    session = window.session
    window.commands.predict_all()
    wait(qtbot, idle(window))
    former, drawn_by_hand = looked(window), human_work(window)
    assert [p is None for p in former.values()] == [True] * N_DONE + [False] * 2
    train(window, 3)
    wait(qtbot, lambda: live_name(window) != "first-two-stage" and idle(window)())
    now = looked(window)
    todo = [entry.ref.id for entry in session.entries if entry.state != "done"]
    assert all(len(now[k].instances) == 3 for k in todo), "pre-labelled again"
    assert all(now[k] is None for k in former if k not in todo)
    assert human_work(window) == drawn_by_hand
    # Back by the mouse, in the history of the model panel.
    history = window.models_panel.history
    window.docks["models"].raise_()
    window.models_panel.show_history()
    tree = history.findChild(QTreeWidget, "model_history")
    names = [tree.topLevelItem(k).text(0) for k in range(tree.topLevelItemCount())]
    assert names[:2] == [f"A · {live_name(window)}", "A · first-two-stage"]
    rect = tree.visualItemRect(tree.topLevelItem(1))
    qtbot.mouseClick(tree.viewport(), LEFT, pos=rect.center())
    qtbot.mouseClick(button(window, "history_go_back"), LEFT)
    assert live_name(window) == "first-two-stage"
    assert looked(window) == former
    assert not window.predictor.busy, "nothing has to be looked at again"
    assert human_work(window) == drawn_by_hand


def test_a_worse_model_does_not_go_live_unless_the_person_says_so(
    qtbot: QtBot, window: MainWindow, verdict: Path
) -> None:
    say_verdict(verdict, "worse")
    train(window, 3)
    wait(qtbot, lambda: states(window) == ["finished"])
    assert live_name(window) == "first-two-stage"
    assert "does not go live" in window.notice.text
    assert can_do(window) == {"fine_tune": True, "cancel_job": False}
    take = button(window, "verdict_take")
    wait(qtbot, take.isVisible)
    qtbot.mouseClick(take, LEFT)
    assert live_name(window) != "first-two-stage"
    assert not take.isVisible()
    assert window.session.project is not None
    note = window.session.project.learning.live_models("two-stage")[-1].note
    assert note.startswith("Taken by hand.")


def test_a_model_that_cannot_be_tested_is_the_persons_to_take(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path
) -> None:
    folder = make_folder("a.png", "b.png")
    fill(folder, 1)
    window = opened_window(folder)
    try:
        train(window, 2, "two-stage", "end-to-end")
        wait(qtbot, lambda: states(window) == ["finished", "finished"])
        assert live_name(window) == "first-two-stage"
        assert "nothing to test it on" in window.notice.text
        qtbot.mouseClick(button(window, "notice_button"), LEFT)
        assert window.commands.models["end-to-end"].place == "project"
        assert window.commands.models["end-to-end"].name.startswith("end-to-end-")
        assert live_name(window) == "first-two-stage", "each by itself"
    finally:
        window.close()


def test_the_person_goes_on_while_the_data_is_written_and_may_give_it_up(
    qtbot: QtBot, window: MainWindow
) -> None:
    session, begun, may_end = window.session, Event(), Event()
    n_before = len(session.instances)

    def slow(project: Project) -> list[Job]:
        project.learning.train_on([session.image_id or 0])
        begun.set()
        assert may_end.wait(PATIENT_MS / 1000)
        return [Job("fine_tune", "Never begun", {})]

    window.trainer.start(slow)
    wait(qtbot, lambda: begun.is_set() or not window.trainer.busy)
    assert begun.is_set(), window.notice.text
    (number,) = session.new_ids(1)
    session.apply(add(session.image_id or 0, [drawn(number, 60)], "Draw"))
    assert len(session.instances) == n_before + 1
    assert window.trainer.busy
    assert not button(window, "pause").isVisibleTo(window), "nothing is there yet to go on with"
    qtbot.mouseClick(button(window, "cancel"), LEFT)
    assert not window.trainer.busy
    may_end.set()
    QThreadPool.globalInstance().waitForDone()
    QTest.qWait(50)
    assert states(window) == []
    train(window, 3)
    wait(qtbot, lambda: states(window) == ["finished"])


def test_objects_that_changed_are_flown_to(qtbot: QtBot, window: MainWindow, verdict: Path) -> None:
    session = window.session
    assert session.project is not None
    last = session.entries[N_DONE - 1].ref.id
    there = session.project.annotation(last).instances[0]
    say_verdict(
        verdict,
        "better",
        [
            {"image_id": last, "truth_id": there.id, "bbox": [0, 30, 12, 10],
             "before": 0.2, "after": 0.9},
            {"image_id": session.entries[0].ref.id, "truth_id": 1, "bbox": [0, 30, 12, 10],
             "before": 0.9, "after": 0.5},
        ],
    )  # fmt: skip
    train(window, 1)
    wait(qtbot, idle(window))
    tree = window.findChild(QTreeWidget, "verdict_objects")
    wait(qtbot, lambda: tree.topLevelItemCount() == 2)
    rect = tree.visualItemRect(tree.topLevelItem(0))
    qtbot.mouseClick(tree.viewport(), LEFT, pos=rect.center())
    wait(qtbot, lambda: session.image_id == last and session.selection == {there.id})
    seen = window.canvas.seen()
    assert seen.contains(6, 35)
    assert seen.width() < 450, "close enough to see what changed"
    window.close()


def test_a_paused_run_goes_on_and_a_cancelled_one_leaves_nothing(
    qtbot: QtBot, window: MainWindow
) -> None:
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    train(window, 100_000, "two-stage", "end-to-end")
    wait(qtbot, lambda: any("iteration 3" in text for text in said))
    qtbot.mouseClick(button(window, "pause"), LEFT)
    wait(qtbot, lambda: not window.trainer.busy)
    assert states(window) == ["paused", "paused"]
    said.clear()
    qtbot.mouseClick(button(window, "resume"), LEFT)
    wait(qtbot, lambda: any("goes on from iteration" in text for text in said))
    assert window.session.project is not None
    out = Path(str(window.session.project.learning.runs()[0].params["out"]))
    assert out.is_dir()
    qtbot.mouseClick(button(window, "cancel"), LEFT)
    wait(qtbot, lambda: not window.trainer.busy)
    assert states(window) == ["cancelled", "cancelled"]
    assert not out.exists()
    assert live_name(window) == "first-two-stage"


def test_what_is_paused_is_still_offered_after_another_run(
    qtbot: QtBot, window: MainWindow
) -> None:
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    train(window, 400)
    wait(qtbot, lambda: any("iteration 3" in text for text in said))
    qtbot.mouseClick(button(window, "pause"), LEFT)
    wait(qtbot, lambda: states(window) == ["paused"])
    train(window, 3)
    wait(qtbot, lambda: states(window) == ["paused", "finished"] and not window.trainer.busy)
    assert button(window, "resume").isVisible()
    assert can_do(window)["fine_tune"]
    qtbot.mouseClick(button(window, "resume"), LEFT)
    wait(qtbot, lambda: states(window) == ["finished", "finished"])
    assert window.session.project is not None
    assert gather(window.session.project).n_new == 0, "what is held out is never learned from"


def test_the_menu_pauses_and_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    action = window.actions_by_id["pause_training"]
    assert not action.isEnabled()
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    train(window, 400)
    wait(qtbot, lambda: any("iteration 3" in text for text in said))
    action.trigger()
    wait(qtbot, lambda: states(window) == ["paused"])
    action.trigger()
    wait(qtbot, lambda: states(window) == ["finished"])


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_killed_worker_loses_nothing(qtbot: QtBot, window: MainWindow) -> None:
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    train(window, 400)
    wait(qtbot, lambda: any("iteration 5" in text for text in said))
    os.kill(window.trainer._worker._process.processId(), signal.SIGKILL)
    wait(qtbot, lambda: not window.trainer.busy)
    assert states(window) == ["paused"]
    assert "killed" in window.notice.text
    assert button(window, "resume").isVisible()
    said.clear()
    qtbot.mouseClick(button(window, "resume"), LEFT)
    wait(qtbot, lambda: states(window) == ["finished"])
    assert any("goes on from iteration" in text for text in said)


DYING = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from seginst_gui.jobs.worker import WorkerClient
WorkerClient.__init__.__kwdefaults__["command"] = {worker!r}
from tests.gui.learning_scenes import opened_window, train
window = opened_window(Path({folder!r}))
while window.session.picture is None:
    QTest.qWait(20)
train(window, 100_000, "two-stage", "end-to-end")
out = Path()
while not list(Path({folder!r}).glob(".seginst/models/two-stage-*/checkpoint/place")):
    QTest.qWait(20)
from seginst_core.project.edits import add
from tests.gui.learning_scenes import drawn
(number,) = window.session.new_ids(1)
window.session.apply(add(window.session.image_id, [drawn(number, 60)], "Draw"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_window_killed_in_training_offers_to_resume_and_lost_nothing(
    qtbot: QtBot, learning_folder: Path, verdict: Path
) -> None:
    from .learning_scenes import WORKER

    root = str(Path(__file__).resolve().parents[2])
    code = DYING.format(tests=root, worker=WORKER, folder=str(learning_folder))
    died = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    window = opened_window(learning_folder)
    try:
        assert states(window) == ["running", "running"], "as they were when it died"
        assert "interrupted" in window.notice.text
        assert len(window.session.instances) == 3, "the object drawn just before"
        said: list[str] = []
        window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
        offer = button(window, "notice_button")
        assert (offer.isVisible(), offer.text()) == (True, "Resume")
        qtbot.mouseClick(offer, LEFT, pos=QPoint(5, 5))
        wait(qtbot, lambda: any("goes on from iteration" in text for text in said))
        window.trainer.cancel()
        wait(qtbot, lambda: not window.trainer.busy)
    finally:
        window.close()


def test_closing_the_project_pauses_the_training(
    qtbot: QtBot, window: MainWindow, learning_folder: Path
) -> None:
    train(window, 100_000)
    wait(qtbot, lambda: window.trainer.running is not None)
    window.session.close()
    assert not window.trainer.busy
    window.commands.open_folder(learning_folder)
    assert states(window) == ["paused"]
    assert button(window, "resume").isVisible()
    qtbot.mouseClick(button(window, "cancel"), LEFT)
    assert states(window) == ["cancelled"]
    assert not button(window, "resume").isVisible()
