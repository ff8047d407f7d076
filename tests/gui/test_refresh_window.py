"""The quick refresh of the masks: when it comes, what it waits for and what it makes way for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel, QSpinBox
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import change
from seginst_gui.main_window import MainWindow

from .conftest import MakeFolder
from .learning_scenes import (
    N_DONE,
    drawn,
    fill,
    human_work,
    idle,
    live_name,
    looked,
    opened_window,
    states,
    train,
    wait,
)


@contextmanager
def refreshing_window(folder: Path, every: int) -> Iterator[MainWindow]:
    """The window on a folder, which refreshes after every so many corrections."""
    window = opened_window(folder)
    try:
        window.refresher.set_every(every)
        yield window
    finally:
        window.refresher.set_every(20)
        window.close()


def correct(window: MainWindow, x0: int) -> None:
    """Draw all objects of the current image a little elsewhere."""
    session = window.session
    pairs = [(old, drawn(old.id, x0 + 15 * n)) for n, old in enumerate(session.instances)]
    session.apply(change(session.image_id, pairs, "Correct"))


def stands(window: MainWindow) -> str:
    label = window.findChild(QLabel, "refresh_stands")
    assert isinstance(label, QLabel)
    return label.toolTip()


def test_what_a_person_asks_for_takes_the_place_of_a_refresh(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 1)))
    fill(folder, N_DONE, n_objects=5)
    monkeypatch.setenv("FAKE_REFRESH_WAITS", "1")
    with refreshing_window(folder, 5) as window:
        correct(window, 1)
        wait(qtbot, lambda: window.trainer.running is not None)
        assert window.actions_by_id["fine_tune"].isEnabled()
        train(window, 2)
        wait(qtbot, lambda: states(window) == ["cancelled", "finished"])
        assert live_name(window) != "first-two-stage"
        assert not live_name(window).endswith("-masks")


@pytest.mark.parametrize(
    ("name", "n_objects", "why"),
    [
        ("plane", 2, "there are 4 of at least 5"),
        ("boat", 5, "first-two-stage knows none of the classes"),
    ],
)
def test_a_refresh_waits_for_something_to_be_tried_on_and_a_model_that_learned_a_class(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path, name: str, n_objects: int, why: str
) -> None:
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 2)))
    fill(folder, N_DONE, n_objects, name)
    with refreshing_window(folder, n_objects) as window:
        wait(qtbot, lambda: window.session.picture is not None)
        correct(window, 3)
        wait(qtbot, lambda: why in stands(window))
        assert not window.notice.isVisible(), "nobody asked for it"
        assert states(window) == []
        assert not window.trainer.busy


def test_a_refresh_that_fails_before_it_begins_is_no_news(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 1)))
    fill(folder, N_DONE, n_objects=5)
    monkeypatch.setenv("FAKE_LOOKS_FAIL", "1")
    with refreshing_window(folder, 5) as window:
        ended: list[str] = []
        window.trainer.ended.connect(lambda _run, sentence: ended.append(sentence))
        correct(window, 1)
        wait(qtbot, lambda: "Input/output error." in stands(window))
        assert ended == [], "nobody asked for it"
        assert not window.trainer.busy


def test_masks_are_refreshed_after_enough_corrections_unless_switched_off(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path
) -> None:
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 2)))
    fill(folder, N_DONE, n_objects=5)
    with refreshing_window(folder, 20) as window:
        session = window.session
        window.commands.predict_all()
        wait(qtbot, lambda: idle(window)() and window.canvas.isVisible())
        switch = window.findChild(QCheckBox, "refresh_on")
        assert isinstance(switch, QCheckBox)
        window.docks["training"].show()
        amount = window.findChild(QSpinBox, "refresh_every")
        assert isinstance(amount, QSpinBox)
        amount.setValue(5)
        switch.click()
        correct(window, 2)
        assert not window.trainer.busy, "switched off"
        assert window.refresher.every == 0
        assert states(window) == []
        switch.click()
        work = human_work(window)[1:]
        correct(window, 1)
        assert stands(window) == "0 of 5 objects corrected since the last.", "it begins"
        wait(qtbot, lambda: states(window) == ["finished"] and idle(window)())
        assert live_name(window).endswith("-masks")
        todo = [entry.ref.id for entry in session.entries if entry.state != "done"]
        assert all(len(looked(window)[k].instances) == 2 for k in todo), "looked at again"
        assert human_work(window)[1:] == work
        assert session.project is not None
        held_out = session.project.learning.held_out()
        assert sum(held_out.values()) == 2


def test_a_model_that_refreshes_do_not_better_is_refreshed_more_and_more_seldom(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 1)))
    fill(folder, N_DONE, n_objects=5)
    monkeypatch.setenv("FAKE_REFRESH_IN_VAIN", "1")
    with refreshing_window(folder, 5) as window:
        wait(qtbot, lambda: window.session.picture is not None)
        correct(window, 1)
        wait(qtbot, lambda: states(window) == ["finished"] and idle(window)())
        assert live_name(window) == "first-two-stage"
        in_vain = "of 10 objects corrected since the last, in vain."
        assert stands(window) == f"0 {in_vain}"
        correct(window, 2)
        assert stands(window) == f"5 {in_vain}"
        assert not window.trainer.busy
    with refreshing_window(folder, 5) as window:
        wait(qtbot, lambda: window.session.picture is not None)
        assert stands(window) == f"0 {in_vain}", "known after a restart"
        first, second = (entry.ref.id for entry in window.session.entries[:2])
        correct(window, 3)
        window.session.open_image(second if window.session.image_id == first else first)
        wait(qtbot, lambda: window.session.picture is not None)
        correct(window, 3)
        wait(qtbot, lambda: states(window) == ["finished"] * 2 and idle(window)())
        assert stands(window) == "0 of 20 objects corrected since the last, in vain."
        former = window.commands.models["two-stage"].folder
        train(window, 2)
        wait(qtbot, lambda: live_name(window) != "first-two-stage" and idle(window)())
        assert stands(window) == "0 of 5 objects corrected since the last.", "another model"
        window.commands.use_model(former)
        assert stands(window) == "0 of 20 objects corrected since the last, in vain."


def test_the_wait_is_doubled_five_times_and_only_for_what_brought_nothing(
    qtbot: QtBot, make_folder: MakeFolder, verdict: Path
) -> None:
    folder = make_folder("0.png")
    with refreshing_window(folder, 5) as window:
        model, project = window.commands.models["two-stage"], window.session.project
        assert project is not None
        for better in (True, *(False,) * 9):
            run = project.learning.begin("refresh_masks", "Refresh", {"model": str(model.folder)})
            project.learning.set_run(run, "finished", {"better": better})
            window.refresher.look_back()
            said = "of 5 objects" if better else f"of {5 * 2 ** min(run - 1, 5)} objects"
            assert said in stands(window)
