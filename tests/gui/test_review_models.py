"""Predictions of another model come during a review: a verdict is for the object that was seen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seginst_core.review.objects.schema import ObjectCase
from seginst_core.types import PipelineName
from seginst_gui.main_window import MainWindow
from seginst_gui.operations import repairs
from seginst_gui.review.page import ReviewPage

from .review_scenes import block, enter, go_to, make_project, open_window, predict, press

K = Qt.Key
ELSEWHERE = [block(1, 20, 20), block(2, 100, 20), block(3, 250, 180), block(5, 20, 120)]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    yield from open_window(qtbot, make_project(tmp_path / "images"))


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    return enter(qtbot, window)


def renew(window: MainWindow, pipeline: PipelineName = "two-stage", found=ELSEWHERE) -> None:
    """Let another model go live, and its predictions of the current image come in."""
    session = window.session
    session.project.learning.go_live(pipeline, "card-new", "New", "x", "")
    predict(session.project, session.image_id, pipeline, found, model="card-new")
    session.refresh_image(session.image_id)


def test_another_models_object_of_the_same_id_is_not_in_focus_unseen(
    page: ReviewPage, window: MainWindow
) -> None:
    seen = go_to(page, "a_alone")
    renew(window)
    assert page.state.focus is None
    press(page, K.Key_A, K.Key_Return, K.Key_N)
    assert (window.session.instances, window.session.document.refusals) == ((), ())
    press(page, K.Key_J)
    assert page.state.focus.key != seen.key
    x, y = page.side_a.centre()
    box = page.state.focus.box
    assert box.x0 - 20 < x < box.x1 + 20
    assert box.y0 - 20 < y < box.y1 + 20


def test_the_view_flies_to_what_became_of_the_case(page: ReviewPage, window: MainWindow) -> None:
    seen = go_to(page, "agree")
    for side in page.sides:
        side.fit()
    zoom = page.side_a.zoom
    renew(window)
    assert page.state.focus.b_id == seen.b_id
    assert page.state.focus.key != seen.key
    assert page.side_a.zoom > zoom


def test_no_repair_takes_what_another_model_found_under_the_same_id(
    page: ReviewPage, window: MainWindow
) -> None:
    seen: ObjectCase = go_to(page, "a_alone")
    renew(window)
    assert repairs.found_by(window.session, seen, "two-stage") is None
    again = [c for c in page.state.listing.of(seen.image_id) if c.a_id == seen.a_id]
    assert [c.box.x0 for c in again] == [250]
    assert repairs.found_by(window.session, again[0], "two-stage").box.x0 == 250
    assert replace(again[0], sign_a=seen.sign_a).key != again[0].key


def test_a_prediction_made_anew_by_the_same_model_is_another_object(
    page: ReviewPage, window: MainWindow
) -> None:
    renew(window)
    (case,) = [c for c in page.state.order if c.path == "a.png" and c.box.x0 == 250]
    page.state.look_at(case)
    renew(window, found=[block(3, 60, 180)])
    assert page.state.focus is None
