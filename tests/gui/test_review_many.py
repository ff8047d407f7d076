"""Images of very many objects: they are listed beside, and no verdict goes by an old list."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import add
from seginst_core.review.objects.cases import Items
from seginst_core.review.objects.schema import ImageObjects, ObjectCase
from seginst_core.types import Instance
from seginst_gui.main_window import MainWindow
from seginst_gui.review import listing as listing_module
from seginst_gui.review.page import ReviewPage

from .review_scenes import block, enter, go_to, make_project, open_window, predict, press

K = Qt.Key


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    yield from open_window(qtbot, make_project(tmp_path / "images"))


@pytest.fixture
def hold_lists(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[int]]]:
    """From its call on, lists beside come after the test; it returns what is listed at once."""
    free, at_once = threading.Event(), []
    cases_of = listing_module.image_cases

    def list_late(objects: ImageObjects, items: Items) -> list[ObjectCase]:
        if threading.current_thread() is threading.main_thread():
            at_once.append(objects.image.id)
        else:
            assert free.wait(20)
        return cases_of(objects, items)

    def hold_from_now() -> list[int]:
        monkeypatch.setattr(listing_module, "image_cases", list_late)
        monkeypatch.setattr(listing_module, "AT_ONCE", 0)
        return at_once

    yield hold_from_now
    free.set()


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    return enter(qtbot, window)


def objects(window: MainWindow) -> tuple[Instance, ...]:
    """What is annotated in a.png, whichever image is open."""
    session = window.session
    return session.project.annotation(session.entries[0].ref.id).instances


def test_verdicts_one_after_another_do_not_wait_for_the_list(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    at_once = hold_lists()
    page.state.look_at(page.state.order[0])
    press(page, *[K.Key_Return] * 5)
    assert len(objects(window)) == 5
    assert at_once == []


@pytest.mark.parametrize("last", [K.Key_A, K.Key_B])
def test_the_same_case_decided_again_at_once_has_one_object(
    page: ReviewPage, window: MainWindow, hold_lists, last: Qt.Key
) -> None:
    hold_lists()
    go_to(page, "agree")
    press(page, K.Key_A, K.Key_K, last)
    (made,) = objects(window)
    assert made.origin.pipeline == ("two-stage" if last == K.Key_A else "end-to-end")


def test_what_was_taken_and_then_refused_at_once_is_gone(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    hold_lists()
    go_to(page, "agree")
    press(page, K.Key_A, K.Key_K, K.Key_N)
    assert objects(window) == ()
    image_id = window.session.entries[0].ref.id
    assert len(window.session.project.reviewing.refusals(image_id)) == 2


def test_the_brush_goes_on_with_what_was_taken_just_now(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    hold_lists()
    go_to(page, "agree")
    press(page, K.Key_A, K.Key_K, K.Key_D)
    assert window.session.selection == {i.id for i in objects(window)}


def test_what_was_drawn_on_a_case_is_its_object_at_once(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    hold_lists()
    session = window.session
    go_to(page, "a_alone")
    (number,) = session.new_ids(1)
    window.commands.store(add(session.image_id, [block(number, 182, 20)], "Brush", "brush"))
    press(page, K.Key_A)
    assert [i.id for i in session.instances] == [number]
    assert session.instances[0].mask == block(3, 180, 20).mask


def test_a_new_models_object_is_not_decided_before_it_is_seen(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    hold_lists()
    session = window.session
    case = go_to(page, "agree")
    session.project.learning.go_live("end-to-end", "card-new", "New", "x", "")
    predict(session.project, case.image_id, "end-to-end", [block(1, 24, 20)], model="card-new")
    session.refresh_image(case.image_id)
    press(page, K.Key_B)
    assert objects(window) == ()
    assert page.state.focus.found != case.found
    press(page, K.Key_B)
    assert [i.mask for i in objects(window)] == [block(1, 24, 20).mask]


def test_undo_looks_at_the_case_before_the_list_is_there(
    page: ReviewPage, window: MainWindow, hold_lists
) -> None:
    go_to(page, "masks_differ")
    press(page, K.Key_A)
    hold_lists()
    page.undo()
    assert (page.state.focus.a_id, objects(window)) == (2, ())
    press(page, K.Key_A)
    assert len(objects(window)) == 1
