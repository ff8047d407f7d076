"""What the two sides of a review show where there is no case to fly to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from seginst_core.project import Project
from seginst_core.project.edits import add
from seginst_core.types import PIPELINES
from seginst_gui.canvas.camera import fitted
from seginst_gui.main_window import MainWindow
from seginst_gui.review.page import ReviewPage

from .review_scenes import CTRL, HEIGHT, WIDTH, block, open_window, predict, write_images


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """All that A sees in the first image is drawn already; nobody has looked at the second."""
    folder = write_images(tmp_path / "images", "a.png", "b.png")
    with Project.open(folder) as project:
        project.add_category("plane")
        a = project.images()[0].ref.id
        (number,) = project.new_ids(1)
        project.commit(project.document(a), add(a, [block(number, 20, 20, score=None)], "Draw"))
        predict(project, a, PIPELINES[0], [block(1, 20, 20)])
    yield from open_window(qtbot, folder)


def are_fitted(page: ReviewPage) -> bool:
    """Whether each side shows its whole image in the middle."""
    cameras = [fitted((WIDTH, HEIGHT), (side.width(), side.height())) for side in page.sides]
    return all(
        side.centre() == pytest.approx((WIDTH / 2, HEIGHT / 2), abs=1) and side.zoom == camera.zoom
        for side, camera in zip(page.sides, cameras, strict=True)
    )


def test_a_review_with_nothing_to_decide_shows_the_whole_image(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.activateWindow()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL)
    page = window.review_page
    assert page is not None
    qtbot.waitUntil(lambda: page.state.listing.settled)
    assert page.state.focus is None
    qtbot.waitUntil(lambda: are_fitted(page))
    window.resize(1500, 700)
    qtbot.waitUntil(lambda: are_fitted(page))
    page.side_b.zoom_by(2.0)
    assert not any(side.fits for side in page.sides)
    assert page.side_a.zoom == page.side_b.zoom
    page.side_a.fit()
    assert are_fitted(page)


def test_the_window_keeps_its_size_and_the_buttons_say_their_keys_where_words_have_no_room(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.resize(1280, 800)
    window.actions_by_id["review"].trigger()
    page = window.review_page
    assert page is not None
    button = page.findChild(QToolButton, "button_redraw_in_b")
    assert isinstance(button, QToolButton)
    assert (window.width(), button.text()) == (1280, "A's mask in B's box\n[X]")
    window.resize(1000, 800)
    qtbot.waitUntil(lambda: button.text() == "[X]")
    assert window.width() == 1000
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: button.text() != "[X]")
