"""A verdict is for what is seen: the case in focus follows the person from image to image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolBar, QToolButton
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_gui.main_window import MainWindow
from seginst_gui.operations import repairs
from seginst_gui.review.page import ReviewPage

from .review_scenes import enter, go_to, make_project, open_window, press

LEFT, K = Qt.MouseButton.LeftButton, Qt.Key
VERDICTS = (K.Key_Return, K.Key_A, K.Key_B, K.Key_X, K.Key_C, K.Key_U, K.Key_I, K.Key_D, K.Key_N)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    folder = make_project(tmp_path / "images")
    (folder / "zbad.png").write_bytes(b"no image")
    yield from open_window(qtbot, folder)


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    return enter(qtbot, window)


def stored(window: MainWindow) -> list[tuple[int, int]]:
    """How many objects and refusals each image has."""
    project = window.session.project
    return [
        (len(project.annotation(e.ref.id).instances), len(project.reviewing.refusals(e.ref.id)))
        for e in window.session.entries
    ]


def test_a_verdict_after_page_down_is_for_the_image_that_is_shown(
    page: ReviewPage, window: MainWindow
) -> None:
    go_to(page, "b_alone")
    press(page, K.Key_PageDown)
    assert window.session.image.path == "b.png"
    assert (page.state.focus.path, page.state.focus.kind) == ("b.png", "a_alone")
    assert not window.actions_by_id["take_b"].isEnabled()
    press(page, K.Key_N)
    assert stored(window) == [(0, 0), (0, 1), (3, 0), (0, 0)]


def test_the_arrow_of_the_tool_bar_takes_the_focus_along(
    page: ReviewPage, window: MainWindow
) -> None:
    go_to(page, "a_alone")
    action = window.actions_by_id["next_image"]
    bar = window.findChild(QToolBar, "bar_main")
    (arrow,) = [b for b in bar.findChildren(QToolButton) if b.defaultAction() is action]
    QTest.mouseClick(arrow, LEFT)
    assert page.state.focus.path == "b.png"


def test_an_image_without_a_case_has_none_in_focus_and_keeps_the_person(
    qtbot: QtBot, page: ReviewPage, window: MainWindow
) -> None:
    go_to(page, "agree")
    press(page, K.Key_PageDown, K.Key_PageDown)
    session, before = window.session, stored(window)
    assert (session.image.path, page.state.focus) == ("c.png", None)
    assert not window.actions_by_id["take_a"].isEnabled()
    press(page, *VERDICTS)
    assert stored(window) == before
    page.state.listing.relist(session.entries[1].ref.id)
    qtbot.waitUntil(lambda: page.state.listing.settled)
    assert (session.image.path, page.state.focus) == ("c.png", None)
    press(page, K.Key_J)
    assert page.state.focus is not None
    assert session.image.path == page.state.focus.path


def test_no_verdict_on_an_image_that_cannot_be_read(page: ReviewPage, window: MainWindow) -> None:
    go_to(page, "agree")
    press(page, *[K.Key_PageDown] * 3)
    assert window.session.unreadable
    before = stored(window)
    press(page, *VERDICTS)
    assert page.state.focus is None
    assert stored(window) == before


def test_a_case_whose_image_cannot_be_read_any_more_is_said_so(
    page: ReviewPage, window: MainWindow
) -> None:
    case = go_to(page, "agree")
    session = window.session
    session.image = session.document = None
    session.unreadable = "The image a.png cannot be read."
    press(page, K.Key_N)
    assert page.state.focus is case
    assert window.notice.text == "The image a.png cannot be read."


@pytest.mark.parametrize("key", [K.Key_A, K.Key_N, K.Key_X, K.Key_D])
def test_from_another_image_a_verdict_key_goes_to_its_case_first(
    page: ReviewPage, window: MainWindow, key: Qt.Key
) -> None:
    asked: list[object] = []
    window.predictor.ask = lambda *of: asked.append(of)
    case = go_to(page, "masks_differ")
    session = window.session
    window.blockSignals(True)
    session.blockSignals(True)
    session.open_image(session.entries[1].ref.id)
    session.blockSignals(False)
    window.blockSignals(False)
    before = stored(window)
    press(page, key)
    assert (session.image.path, page.state.focus.key) == ("a.png", case.key)
    assert (stored(window), asked, session.selection) == (before, [], frozenset())


def test_a_repair_refuses_a_case_of_another_image(page: ReviewPage, window: MainWindow) -> None:
    case = go_to(page, "agree")
    session, before = window.session, stored(window)
    session.open_image(session.entries[1].ref.id)
    with pytest.raises(ProjectError, match=r"^A sees no object here\.$"):
        repairs.take(session, case, "two-stage")
    with pytest.raises(ProjectError, match=r"^The object is in another image\.$"):
        repairs.refuse(session, case)
    assert stored(window) == before
