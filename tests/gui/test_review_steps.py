"""What a review keeps track of: steps it takes back, what is listed, what the worker is asked."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.formats import coco_json
from seginst_core.project.edits import Edit, add, change
from seginst_core.review.objects.cases import Items
from seginst_core.review.objects.schema import ImageObjects, ObjectCase
from seginst_core.types import PIPELINES, Origin
from seginst_gui.main_window import MainWindow
from seginst_gui.review import listing as listing_module
from seginst_gui.review.page import ReviewPage
from seginst_gui.review.report import write_inputs

from .review_scenes import CTRL, block, enter, go_to, make_project, open_window, predict, press


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    yield from open_window(qtbot, make_project(tmp_path / "images"))


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    return enter(qtbot, window)


def found(window: MainWindow) -> list[int]:
    """How many objects are annotated in each image."""
    project = window.session.project
    return [len(project.annotation(entry.ref.id).instances) for entry in window.session.entries]


def by_key(page: ReviewPage) -> None:
    press(page)
    QTest.keyClick(page.side_a, Qt.Key.Key_Z, CTRL)


def by_button(page: ReviewPage) -> None:
    page.window().actions_by_id["undo"].trigger()


undo_by = pytest.mark.parametrize("undo", [by_key, by_button])


@undo_by
def test_undo_takes_back_the_last_step_not_a_verdict_that_was_none(
    page: ReviewPage, window: MainWindow, undo: Callable[[ReviewPage], None]
) -> None:
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    page.state.arrange(replace(page.state.how, scope="all"))
    drawn = next(c for c in page.state.order if c.path == "c.png" and c.truth_id is not None)
    page.state.look_at(drawn)
    press(page, Qt.Key.Key_Return)
    assert found(window) == [1, 0, 3]
    undo(page)
    assert found(window) == [0, 0, 3]
    assert window.session.image.path == "a.png"
    assert page.state.focus.kind == "agree"
    assert [entry.state for entry in window.session.entries][2] == "done"


@undo_by
def test_undo_takes_back_what_was_drawn_in_another_image(
    page: ReviewPage, window: MainWindow, undo: Callable[[ReviewPage], None]
) -> None:
    session = window.session
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    go_to(page, "a_alone", "b.png")
    (number,) = session.new_ids(1)
    window.commands.store(add(session.image_id, [block(number, 200, 150)], "Brush", "brush"))
    go_to(page, "b_alone", "a.png")
    assert found(window) == [1, 1, 3]
    undo(page)
    assert found(window) == [1, 0, 3]
    assert session.image.path == "b.png"
    undo(page)
    assert found(window) == [0, 0, 3]
    assert session.image.path == "a.png"


def redo(page: ReviewPage) -> None:
    press(page)
    QTest.keyClick(page.side_a, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)


def test_redo_goes_through_the_images_as_undo_did(page: ReviewPage, window: MainWindow) -> None:
    session, action = window.session, window.actions_by_id["redo"]
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    go_to(page, "a_alone", "b.png")
    press(page, Qt.Key.Key_N)
    go_to(page, "b_alone")
    press(page, Qt.Key.Key_B)
    assert not action.isEnabled()
    for _ in range(3):
        by_key(page)
    assert found(window) == [0, 0, 3]
    redo(page)
    assert (found(window), page.state.focus.kind) == ([1, 0, 3], "both_right")
    redo(page)
    assert session.image.path == "b.png"
    assert len(session.document.refusals) == 1
    redo(page)
    assert (found(window), session.image.path) == ([2, 0, 3], "a.png")
    assert not action.isEnabled()
    by_key(page)
    by_key(page)
    assert (found(window), session.image.path) == ([1, 0, 3], "b.png")
    assert (session.document.refusals, page.state.focus.kind) == ((), "a_alone")
    assert action.isEnabled()


def test_a_new_step_leaves_nothing_to_redo(page: ReviewPage, window: MainWindow) -> None:
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    by_key(page)
    go_to(page, "a_alone", "b.png")
    press(page, Qt.Key.Key_A)
    assert not page.state.can_redo()
    window.session.open_image(window.session.entries[1].ref.id)
    assert not window.actions_by_id["redo"].isEnabled()
    page.redo()
    assert found(window) == [0, 1, 3]


def test_redo_brings_a_step_from_before_the_review_back_in_its_image(
    qtbot: QtBot, window: MainWindow
) -> None:
    session = window.session
    (number,) = session.new_ids(1)
    session.apply(add(session.image_id, [block(number, 250, 180)], "Draw"))
    page = enter(qtbot, window)
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    for _ in range(2):
        by_button(page)
    assert found(window) == [0, 0, 3]
    go_to(page, "a_alone", "b.png")
    redo(page)
    assert (found(window), session.image.path) == ([1, 0, 3], "a.png")
    assert [i.id for i in session.instances] == [number]
    redo(page)
    assert found(window) == [2, 0, 3]


def test_an_old_answer_does_not_take_the_place_of_a_new_one(
    qtbot: QtBot, page: ReviewPage, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, free, ended = threading.Event(), threading.Event(), threading.Event()
    listed = listing_module.image_cases

    def list_later(objects: ImageObjects, items: Items) -> list[ObjectCase]:
        if threading.current_thread() is threading.main_thread():
            return listed(objects, items)
        going.set()
        assert free.wait(10)
        cases = listed(objects, items)
        ended.set()
        return cases

    monkeypatch.setattr(listing_module, "image_cases", list_later)
    listing, session = page.state.listing, window.session
    elsewhere = session.entries[1].ref.id
    listing.relist(elsewhere)
    qtbot.waitUntil(going.is_set)
    session.open_image(elsewhere)
    go_to(page, "a_alone", "b.png")
    press(page, Qt.Key.Key_N)
    assert [c for c in listing.of(elsewhere) if c.open] == []
    free.set()
    qtbot.waitUntil(ended.is_set)
    QTest.qWait(50)
    assert [c for c in listing.of(elsewhere) if c.open] == []
    assert listing.n_waiting == 0


def test_the_cases_are_arranged_once_an_edit_and_not_for_what_is_hidden(
    qtbot: QtBot, page: ReviewPage, window: MainWindow
) -> None:
    said: list[int] = []
    page.state.listing.changed.connect(lambda: said.append(1))
    go_to(page, "agree")
    press(page, Qt.Key.Key_A)
    QTest.qWait(400)
    assert len(said) == 1
    session = window.session
    session.set_marks(hidden=frozenset(i.id for i in session.instances))
    QTest.qWait(400)
    assert len(said) == 1


@dataclass
class Asked:
    """Jobs that the worker was asked for."""

    jobs: list[tuple[str, Callable[[], None]]]

    def __call__(self, job, _params, _title, _answer, ended=lambda: None) -> None:
        self.jobs.append((job, ended))


def test_a_job_that_failed_is_not_waited_for(page: ReviewPage, window: MainWindow) -> None:
    asked = Asked([])
    window.predictor.ask = asked
    page.stages._models["card-a"] = next(
        m for m in page.stages._models.values() if m.card.pipeline == "two-stage"
    )
    session = window.session
    session.open_image(session.entries[2].ref.id)
    page.state.listing.relist(session.image_id)
    assert [job for job, _ in asked.jobs] == ["true_box_masks"]
    asked.jobs[0][1]()
    (poor,) = [i for i in session.instances if i.box.x0 == 120]
    session.apply(change(session.image_id, [(poor, block(poor.id, 121, 40, score=None))], "Move"))
    assert len(asked.jobs) == 2


@pytest.mark.parametrize("signal", ["finished", "failed", "cancelled"])
def test_who_asked_for_a_job_hears_of_its_end(window: MainWindow, signal: str) -> None:
    predictor, ended = window.predictor, []
    del predictor.ask
    predictor._worker.submit = lambda *_of: "1"
    predictor.ask("compare", {}, "Title", lambda _said: None, lambda: ended.append(signal))
    assert (predictor.busy, ended) == (True, [])
    said = {"finished": ("1", {}), "failed": ("1", "No."), "cancelled": ("1",)}[signal]
    getattr(predictor._worker, signal).emit(*said)
    assert (predictor.busy, ended) == (False, [signal])


def test_a_report_is_on_one_model_of_each_pipeline(window: MainWindow, tmp_path: Path) -> None:
    project, session = window.session.project, window.session
    for entry in session.entries[:2]:
        document = project.document(entry.ref.id)
        project.commit(document, Edit(entry.ref.id, (), "Done", state=("todo", "done")))
    b = session.entries[1].ref.id
    predict(project, b, "two-stage", [block(1, 60, 60)], model="card-other")
    inputs = write_inputs(project, tmp_path / "report")
    assert inputs.n_images_apart == 1
    assert inputs.n_unseen == 0
    assert inputs.params["corrections"] == []
    truth = coco_json.read(tmp_path / "report" / "truth.json")
    assert [ref.path for ref in truth.images] == ["a.png", "c.png"]


def test_a_report_is_told_what_the_objects_of_a_and_b_cost(
    window: MainWindow, tmp_path: Path
) -> None:
    project = window.session.project
    c = project.images()[2].ref.id
    document = project.document(c)
    for pipeline in (*PIPELINES, None):
        (number,) = project.new_ids(1)
        taken = block(number, 60, 60, origin=Origin("model", "card-x", pipeline))
        project.commit(document, add(c, [taken], "Take"))
    corrections = write_inputs(project, tmp_path / "report").params["corrections"]
    assert [row["side"] for row in corrections] == ["a", "b"]
    assert all(row["n_edits"] == 0 and row["seconds"] >= 0 for row in corrections)
