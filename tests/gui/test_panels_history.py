"""The history list on a real project, with real clicks and keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QLabel, QTableView
from pytestqt.qtbot import QtBot

from seginst_core.project import HistoryStep, add
from seginst_core.types import Instance
from seginst_gui.panels.history import (
    OFFSET_ROLE,
    SENTENCE_NO_STEPS,
    TIME_ROLE,
    UNTOUCHED,
    HistoryPanel,
)
from seginst_gui.panels.texts import moment
from seginst_gui.session import Session


@pytest.fixture
def panel(qtbot: QtBot, opened: Session) -> HistoryPanel:
    panel = HistoryPanel(opened)

    def go(n: int) -> None:
        for _ in range(abs(n)):
            _ = opened.undo() if n < 0 else opened.redo()

    panel.step_wanted.connect(go)
    qtbot.addWidget(panel)
    panel.resize(260, 300)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def draw(opened: Session, make_instance: Callable[..., Instance]) -> Callable[[str], None]:
    def one(text: str) -> None:
        assert opened.image is not None
        opened.apply(add(opened.image.id, [make_instance()], text))

    return one


def view(panel: HistoryPanel) -> QTableView:
    return panel.findChildren(QTableView, "history")[0]


def model(panel: HistoryPanel) -> QAbstractItemModel:
    return view(panel).model()


def rows(panel: HistoryPanel) -> list[tuple[str, int]]:
    data = model(panel)
    indexes = [data.index(row, 0) for row in range(data.rowCount())]
    return [(index.data(), index.data(OFFSET_ROLE)) for index in indexes]


def click(qtbot: QtBot, panel: HistoryPanel, row: int) -> None:
    where = view(panel).visualRect(model(panel).index(row, 0)).center()
    qtbot.mouseClick(view(panel).viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_says_what_it_is_for_while_it_is_empty(panel: HistoryPanel) -> None:
    labels = [w.text() for w in panel.findChildren(QLabel) if w.isVisible()]
    assert labels == [SENTENCE_NO_STEPS]
    assert not view(panel).isVisible()


def test_lists_steps_with_the_present_one_current(panel: HistoryPanel, draw) -> None:
    for text in ("One", "Two"):
        draw(text)
    assert rows(panel) == [(UNTOUCHED, -2), ("One", -1), ("Two", 0)]
    assert view(panel).currentIndex().data() == "Two"
    assert model(panel).index(2, 0).data(TIME_ROLE) == f"{datetime.now():%H:%M}"
    panel.grab()


def test_a_click_goes_back_and_forth(
    qtbot: QtBot, panel: HistoryPanel, draw, opened: Session
) -> None:
    for text in ("One", "Two", "Three"):
        draw(text)
    asked: list[int] = []
    panel.step_wanted.connect(asked.append)
    click(qtbot, panel, 1)
    assert asked == [-2]
    assert len(opened.instances) == 1
    assert rows(panel) == [(UNTOUCHED, -1), ("One", 0), ("Two", 1), ("Three", 2)]
    panel.grab()
    click(qtbot, panel, 1)
    assert asked == [-2], "the present step asks for nothing"
    click(qtbot, panel, 3)
    assert asked == [-2, 2]
    assert len(opened.instances) == 3
    click(qtbot, panel, 0)
    assert len(opened.instances) == 0


def test_keys_go_there_with_enter(qtbot: QtBot, panel: HistoryPanel, draw, opened: Session) -> None:
    for text in ("One", "Two"):
        draw(text)
    qtbot.keyClick(view(panel), Qt.Key.Key_Up)
    assert len(opened.instances) == 2
    qtbot.keyClick(view(panel), Qt.Key.Key_Return)
    assert len(opened.instances) == 1


def test_every_image_has_its_own(panel: HistoryPanel, draw, opened: Session) -> None:
    draw("One")
    opened.step(1)
    assert rows(panel) == []
    opened.step(-1)
    assert rows(panel) == [(UNTOUCHED, -1), ("One", 0)]


def test_a_new_step_takes_the_place_of_those_that_were_undone(
    panel: HistoryPanel, draw, opened: Session
) -> None:
    for text in ("One", "Two", "Three"):
        draw(text)
    assert rows(panel)[-1] == ("Three", 0)
    opened.undo()
    opened.undo()
    draw("Else")
    assert rows(panel) == [(UNTOUCHED, -2), ("One", -1), ("Else", 0)]


def test_of_a_long_history_only_what_is_seen_is_read(
    panel: HistoryPanel, draw, opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    project = opened.project
    assert project is not None
    whole = project.history

    def history(image_id: int, first: int, last: int) -> tuple[HistoryStep, ...]:
        found = whole(image_id, first, last)
        read.extend(step.step for step in found)
        return found

    monkeypatch.setattr(project, "history", history)
    for number in range(1, 301):
        draw(f"Step {number}")
    read.clear()
    panel.grab()
    assert min(read) > 150
    assert view(panel).currentIndex().data() == "Step 300"
    assert model(panel).index(1, 0).data() == "Step 1"


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("2024-06-11T22:04:05.123Z", "00:04"),
        ("2024-06-11T21:59:00.000Z", "11 Jun 23:59"),
        ("2023-06-11T12:00:00.000Z", "11 Jun 2023 14:00"),
    ],
)
def test_times_are_local_and_short(stamp: str, text: str) -> None:
    now = datetime(2024, 6, 12, 8, 0, tzinfo=UTC).astimezone(timezone(timedelta(hours=2)))
    assert moment(stamp, now) == text
