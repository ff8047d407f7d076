"""The review by mouse and keys: cases, linked sides, verdicts, the queue, and what is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import intersect, union
from seginst_core.types import Instance
from seginst_gui.main_window import MainWindow
from seginst_gui.review.page import ReviewPage

from .review_scenes import block, enter, go_to, make_project, open_window, press

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    yield from open_window(qtbot, make_project(tmp_path / "images"))


@pytest.fixture
def page(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    return enter(qtbot, window)


def show_all(page: ReviewPage) -> None:
    QTest.mouseClick(page.findChild(QToolButton, "scope_all"), LEFT)


def instances(page: ReviewPage) -> tuple[Instance, ...]:
    return page.state.session.instances


def click_at(side, x: float, y: float) -> None:
    QTest.mouseClick(side, LEFT, pos=side.image_to_widget(x, y))


def test_the_review_takes_the_canvas_place_and_gives_it_back(
    qtbot: QtBot, window: MainWindow
) -> None:
    shown = {name for name, dock in window.docks.items() if dock.isVisible()}
    assert shown
    page = enter(qtbot, window)
    assert not window.canvas.isVisible()
    assert page.side_a.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.values())
    assert window.actions_by_id["review"].isChecked()
    QTest.mouseClick(page.findChild(QToolButton, "review_leave"), LEFT)
    assert window.canvas.isVisible()
    assert {name for name, dock in window.docks.items() if dock.isVisible()} == shown
    assert not window.actions_by_id["review"].isChecked()
    assert not window.actions_by_id["take_a"].isEnabled()


def test_the_queue_holds_what_is_to_decide_the_most_worth_first(page: ReviewPage) -> None:
    state = page.state
    assert {(c.path, c.kind) for c in state.order} == {
        *(("a.png", k) for k in ("agree", "masks_differ", "a_alone", "b_alone", "classes_differ")),
        ("b.png", "a_alone"),
    }
    assert [group.title for group in state.groups] == ["a.png", "b.png"]
    worth = [case.worth for case in state.groups[0].cases]
    assert worth == sorted(worth, reverse=True)
    text = page.findChild(QLabel, "review_progress_text").text()
    assert text.startswith("3 of 9 objects decided")
    assert "2 images to go" in text


def test_j_and_k_fly_both_sides_to_the_next_case(page: ReviewPage) -> None:
    state = page.state
    first = state.focus
    press(page, Qt.Key.Key_J)
    second = state.focus
    assert second is state.order[1]
    for side in page.sides:
        x, y = side.centre()
        assert second.box.x0 - 20 < x < second.box.x1 + 20
        assert second.box.y0 - 20 < y < second.box.y1 + 20
        assert side.zoom == pytest.approx(page.side_a.zoom)
    press(page, Qt.Key.Key_K)
    assert state.focus.key == first.key
    # The small map is not switched by a key that means something else here.
    assert state.session.display.now.minimap is True
    assert state.session.keep_apart is False


def test_both_sides_zoom_and_pan_together(page: ReviewPage) -> None:
    a, b = page.sides
    for one, other in ((a, b), (b, a)):
        one.zoom_by(1.5)
        assert other.zoom == pytest.approx(one.zoom)
        start = one.rect().center()
        QTest.mousePress(one, Qt.MouseButton.MiddleButton, pos=start)
        QTest.mouseMove(one, start + QPoint(40, 25))
        QTest.mouseRelease(one, Qt.MouseButton.MiddleButton, pos=start + QPoint(40, 25))
        assert other.centre() == pytest.approx(one.centre(), abs=0.6)


def test_a_click_in_the_list_goes_to_another_image(qtbot: QtBot, page: ReviewPage) -> None:
    cases, session = page.panel.cases, page.state.session
    (there,) = [c for c in page.state.order if c.path == "b.png"]
    place = cases.rows.place_of(there)
    area = cases.visualRect(cases.rows.index(place))
    QTest.mouseClick(cases.viewport(), LEFT, pos=area.center())
    assert session.image.path == "b.png"
    assert page.state.focus.key == there.key
    qtbot.waitUntil(lambda: session.picture is not None and page.side_a._size is not None)
    assert page.side_a.centre() == pytest.approx((75, 75), abs=3)


def test_a_click_on_an_object_looks_at_its_case(page: ReviewPage) -> None:
    page.side_a.fit()
    click_at(page.side_a, 195, 35)
    assert (page.state.focus.kind, page.state.focus.a_id) == ("a_alone", 3)
    click_at(page.side_b, 195, 135)
    assert (page.state.focus.kind, page.state.focus.b_id) == ("b_alone", 4)


def test_take_a_and_take_b(page: ReviewPage) -> None:
    go_to(page, "masks_differ")
    press(page, Qt.Key.Key_B)
    (taken,) = instances(page)
    assert taken.mask == block(2, 112, 20).mask
    assert (taken.origin.model, taken.origin.pipeline) == ("card-b", "end-to-end")
    assert (taken.origin.seen, taken.origin.threshold) == (True, 0.5)
    go_to(page, "a_alone")
    press(page, Qt.Key.Key_A)
    assert instances(page)[1].origin.pipeline == "two-stage"
    assert not [
        c for c in page.state.order if c.kind in ("masks_differ", "a_alone") and c.a_id != 1
    ]


def test_enter_takes_what_is_there_and_goes_on_by_itself_to_the_end(
    qtbot: QtBot, page: ReviewPage
) -> None:
    state, session = page.state, page.state.session
    for _ in range(5):
        assert session.image.path == "a.png"
        press(page, Qt.Key.Key_Return)
    assert session.image.path == "b.png"
    press(page, Qt.Key.Key_Return)
    assert not state.order
    assert state.focus is None
    assert page.findChild(QLabel, "review_empty").isVisible()
    assert "decided" in page.findChild(QLabel, "review_empty").text()
    assert page.findChild(QLabel, "review_progress_text").text() == "9 of 9 objects decided"
    project = session.project
    assert [len(project.annotation(e.ref.id).instances) for e in session.entries] == [5, 1, 3]
    # Undo goes back to where the decisions were made.
    for n_left in (1, 2):
        press_undo(page)
        assert len(state.order) == n_left
    assert session.image.path == "a.png"


def press_undo(page: ReviewPage) -> None:
    page.window().activateWindow()
    QTest.qWaitForWindowActive(page.window())
    QTest.keyClick(page.side_a, Qt.Key.Key_Z, CTRL)


@pytest.mark.parametrize(
    ("key", "combined", "tool"),
    [(Qt.Key.Key_U, union, "union"), (Qt.Key.Key_I, intersect, "intersection")],
)
def test_union_and_intersection(page: ReviewPage, key: Qt.Key, combined, tool: str) -> None:
    go_to(page, "masks_differ")
    press(page, key)
    (made,) = instances(page)
    assert made.mask == combined(block(2, 100, 20).mask, block(2, 112, 20).mask)
    assert made.box.x0 == made.mask.x0
    assert made.origin.edited
    session = page.state.session
    assert [s.tool for s in session.project.reviewing.story(session.image.id, made.id)] == [tool]
    press_undo(page)
    assert instances(page) == ()
    assert page.state.focus.kind == "masks_differ"


def test_as_mask_with_bs_class(page: ReviewPage) -> None:
    go_to(page, "classes_differ")
    press(page, Qt.Key.Key_C)
    (made,) = instances(page)
    assert (made.category_id, made.origin.pipeline) == (2, "two-stage")
    assert not made.origin.edited, "nobody changed its mask"


def test_not_an_object_is_remembered_and_can_be_undone(page: ReviewPage) -> None:
    session = page.state.session
    here = go_to(page, "agree").image_id
    press(page, Qt.Key.Key_N)
    assert session.project.annotation(here).instances == ()
    assert len(session.project.reviewing.refusals(here)) == 2
    assert "agree" not in {c.kind for c in page.state.order if c.path == "a.png"}
    press_undo(page)
    assert session.document.refusals == ()
    assert page.state.focus.kind == "agree"


def test_as_mask_in_bs_box_asks_the_worker_and_takes_the_answer(
    page: ReviewPage, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict, Callable]] = []
    monkeypatch.setattr(
        window.predictor,
        "ask",
        lambda job, params, title, answer, ended=None: asked.append((job, params, answer)),
    )
    model = next(m for m in page.stages._models.values() if m.card.pipeline == "two-stage")
    page.stages._models["card-a"] = model
    go_to(page, "masks_differ")
    press(page, Qt.Key.Key_X)
    (job, params, answer) = asked[0]
    assert (job, params["boxes"]) == ("box_masks", [[112.0, 20.0, 142.0, 50.0]])
    assert params["guessed"] is True
    from seginst_core.masks.rle import encode

    drawn = block(0, 110, 21, 28).mask
    answer({"masks": [encode(drawn, 320, 240)]})
    (made,) = instances(page)
    assert (made.mask, made.origin.model, made.origin.pipeline) == (drawn, "card-a", "two-stage")
    go_to(page, "b_alone")
    press(page, Qt.Key.Key_X)
    last = [ask for ask in asked if ask[0] == "box_masks"][-1]
    last[2]({"masks": [None]})
    assert len(instances(page)) == 1
    assert "sees no object" in window.notice.text


def test_draw_goes_on_with_the_object_on_either_side(page: ReviewPage, window: MainWindow) -> None:
    go_to(page, "a_alone")
    press(page, Qt.Key.Key_A)
    show_all(page)
    (taken,) = instances(page)
    case = next(c for c in page.state.order if c.truth_id == taken.id)
    page.state.look_at(case)
    press(page, Qt.Key.Key_D)
    assert page.side_b.tool is window.tools["brush"]
    start = page.side_b.image_to_widget(205, 35)
    QTest.mousePress(page.side_b, LEFT, pos=start)
    QTest.mouseMove(page.side_b, page.side_b.image_to_widget(220, 35))
    QTest.mouseRelease(page.side_b, LEFT, pos=page.side_b.image_to_widget(220, 35))
    (drawn,) = instances(page)
    assert drawn.id == taken.id
    assert drawn.mask.area > taken.mask.area
    assert drawn.origin.edited
    assert drawn.origin.model == "card-a"
    press(page, Qt.Key.Key_J)
    assert page.side_a.tool is window.tools["select"]


def test_a_truth_shows_what_each_side_missed(page: ReviewPage) -> None:
    show_all(page)
    here = {c.truth_id: c for c in page.state.order if c.path == "c.png" and c.truth_id}
    kinds = sorted(c.kind for c in here.values())
    assert kinds == ["a_only", "both_right", "missed"]
    (false,) = [c for c in page.state.order if c.kind == "false_a"]
    page.state.look_at(false)
    assert page.side_a._chip() == ("A", "plane  ·  0.90  ·  false")
    assert page.side_b._chip() == ("B", "sees nothing here")
    press(page, Qt.Key.Key_Return)
    assert len(page.state.session.document.refusals) == 1
    assert next(c for c in page.state.listing.of(false.image_id) if c.kind == "false_a").settled


def test_filters_by_mouse(page: ReviewPage) -> None:
    show_all(page)
    bars = page.panel.findChild(type(page.panel._faults), "fault_bars")
    assert bars.isVisible()
    QTest.mouseClick(bars, LEFT, pos=bars.line_of("missed"))
    assert {c.kind for c in page.state.order} == {"missed", "a_only"}
    QTest.mouseClick(bars, LEFT, pos=bars.line_of("missed"))
    kinds = page.findChild(QComboBox, "kind_filter")
    kinds.setCurrentIndex(kinds.findData("false_a"))
    kinds.activated.emit(kinds.currentIndex())
    assert [c.kind for c in page.state.order] == ["false_a"]
    kinds.setCurrentIndex(0)
    kinds.activated.emit(0)
    field = page.findChild(QLineEdit, "case_search")
    field.setFocus()
    # Letters that are verdicts elsewhere are letters here.
    QTest.keyClicks(field, "b.png")
    assert field.text() == "b.png"
    assert [c.path for c in page.state.order] == ["b.png"]
    assert all(not session_image.n_instances for session_image in page.state.session.entries[:2])


def test_what_cannot_be_done_is_said(page: ReviewPage, window: MainWindow) -> None:
    go_to(page, "a_alone")
    assert not window.actions_by_id["take_b"].isEnabled()
    press(page, Qt.Key.Key_B, Qt.Key.Key_U)
    assert instances(page) == ()
    page.run("take_b")
    assert window.notice.text == "B sees no object here."


def test_the_story_of_an_object(page: ReviewPage) -> None:
    go_to(page, "masks_differ")
    press(page, Qt.Key.Key_A)
    show_all(page)
    (made,) = instances(page)
    page.state.look_at(next(c for c in page.state.order if c.truth_id == made.id))
    text = page.panel.story.text
    for part in (
        "From A (model card-a, card-a)",
        "score 0.90",
        "threshold 0.50",
        "Take A",
        "900 px",
    ):
        assert part in text
    assert "Vouched for" in text
