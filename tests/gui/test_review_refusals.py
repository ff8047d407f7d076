"""What is said to be no object: of a duplicate, said twice, and taken back by a later verdict."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seginst_core.project import Project
from seginst_gui.main_window import MainWindow
from seginst_gui.review.page import ReviewPage

from .review_scenes import block, enter, go_to, make_project, open_window, predict, press

K = Qt.Key


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    folder = make_project(tmp_path / "images")
    with Project.open(folder) as project:
        c = project.images()[2].ref.id
        twice = [block(1, 40, 40), block(2, 130, 40), block(4, 43, 42, score=0.6)]
        predict(project, c, "two-stage", twice)
    yield from open_window(qtbot, folder)


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    page = enter(qtbot, window)
    page.state.arrange(replace(page.state.how, scope="all"))
    return page


@pytest.mark.parametrize("key", [K.Key_N, K.Key_Delete])
def test_an_object_that_is_found_twice_stays(
    page: ReviewPage, window: MainWindow, key: Qt.Key
) -> None:
    go_to(page, "duplicate", "c.png")
    session = window.session
    before = session.instances
    press(page, key)
    assert session.instances == before
    assert session.document.refusals == ()
    assert window.notice.text == "The object is found twice; what is annotated stays."


@pytest.mark.parametrize("key", [K.Key_Return, K.Key_N])
def test_what_was_said_to_be_no_object_stays_none(
    page: ReviewPage, window: MainWindow, key: Qt.Key
) -> None:
    session = window.session
    go_to(page, "masks_differ")
    press(page, K.Key_N)
    refusals = session.document.refusals
    assert len(refusals) == 2
    go_to(page, "masks_differ")
    assert page.panel.story.text.startswith("Said to be no object.")
    press(page, key)
    assert session.instances == ()
    assert session.document.refusals == refusals
    go_to(page, "a_alone", "a.png")
    assert page.panel.story.text.startswith("Not annotated yet")


@pytest.mark.parametrize("key", [K.Key_A, K.Key_B, K.Key_U])
def test_an_object_that_is_taken_after_all_is_refused_no_more(
    page: ReviewPage, window: MainWindow, key: Qt.Key
) -> None:
    session = window.session
    go_to(page, "agree")
    press(page, K.Key_N)
    go_to(page, "masks_differ")
    press(page, K.Key_N)
    others, here = session.document.refusals[:2], session.document.refusals[2:]
    go_to(page, "masks_differ")
    press(page, key)
    assert len(session.instances) == 1
    assert session.document.refusals == others
    session.undo()
    assert session.document.refusals == others + here
