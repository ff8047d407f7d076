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
