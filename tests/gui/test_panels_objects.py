"""The object table on a real project, with real clicks and keys."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, QPoint, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_core.project import add, change, remove
from seginst_core.types import Box, Instance, Mask, Origin
from seginst_gui.jobs import contents
from seginst_gui.operations import set_class
from seginst_gui.panels.objects.panel import (
    SENTENCE_NO_IMAGE,
    SENTENCE_NO_OBJECTS,
    SENTENCE_OPENING,
    ObjectsPanel,
)
from seginst_gui.panels.objects.rows import AREA, CLASS, COLUMNS, ORIGIN, SCORE
from seginst_gui.session import Session

from .canvas_scenes import Paints

MakeInstance = Callable[..., Instance]


def make_panel(qtbot: QtBot, session: Session) -> ObjectsPanel:
    panel = ObjectsPanel(session)
    qtbot.addWidget(panel)
    panel.resize(360, 400)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def panel(qtbot: QtBot, opened: Session) -> ObjectsPanel:
    return make_panel(qtbot, opened)


@pytest.fixture
def three(opened: Session, make_instance: MakeInstance) -> list[Instance]:
    """Three objects: a plane by hand, a ship from A, and an edited box-only plane from B."""
    assert opened.image is not None
    instances = [
        make_instance(width=10, height=6),
        make_instance(width=20, height=6, category=2, origin=origin("two-stage", 0.87)),
        replace(
            make_instance(width=5, height=4, origin=origin("end-to-end", 0.91, edited=True)),
            mask=None,
        ),
    ]
    opened.apply(add(opened.image.id, instances, "Three objects"))
    return instances


def origin(pipeline, score: float, *, edited: bool = False) -> Origin:
    return Origin("model", "m1", pipeline, score, 0.5, edited)


def table(panel: ObjectsPanel) -> QTableView:
    return panel.findChildren(QTableView)[0]


def model(panel: ObjectsPanel) -> QAbstractItemModel:
    return table(panel).model()


def rows(panel: ObjectsPanel) -> list[list[str]]:
    data = model(panel)
    return [
        [data.index(row, column).data() for column in range(len(COLUMNS))]
        for row in range(data.rowCount())
    ]


def column(panel: ObjectsPanel, number: int) -> list[str]:
    return [row[number] for row in rows(panel)]


def selected_rows(panel: ObjectsPanel) -> list[int]:
    return sorted(index.row() for index in table(panel).selectionModel().selectedRows())


def texts(panel: ObjectsPanel) -> list[str]:
    return [w.text() for w in panel.findChildren(QLabel) if w.isVisible()]


def at(panel: ObjectsPanel, row: int) -> QPoint:
    return table(panel).visualRect(model(panel).index(row, CLASS)).center()


def click_header(qtbot: QtBot, panel: ObjectsPanel, number: int) -> None:
    header = table(panel).horizontalHeader()
    where = QPoint(header.sectionViewportPosition(number) + header.sectionSize(number) // 2, 8)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_says_what_every_object_is(panel: ObjectsPanel, three: list[Instance]) -> None:
    assert rows(panel) == [
        ["plane", "60", "", "hand"],
        ["ship", "120", "0.87", "A"],
        ["plane", "box 20", "0.91", "B, edited"],
    ]
    assert texts(panel) == ["3 objects"]
    tips = [model(panel).index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert tips == [
        f"Object {three[0].id}. Drawn by hand.",
        f"Object {three[1].id}. Taken from A (two-stage), score 0.87.",
        f"Object {three[2].id}, a box without a mask. "
        "Taken from B (end-to-end), score 0.91, edited by hand since.",
    ]


def test_says_why_it_is_empty(qtbot: QtBot, session: Session, make_folder) -> None:
    panel = make_panel(qtbot, session)
    assert texts(panel) == [SENTENCE_NO_IMAGE]
    session.open_folder(make_folder("a.png"))
    assert texts(panel) == [SENTENCE_NO_OBJECTS]


@pytest.mark.parametrize("readable", [True, False])
def test_says_that_objects_are_being_read(
    qtbot: QtBot,
    panel: ObjectsPanel,
    opened: Session,
    monkeypatch: pytest.MonkeyPatch,
    readable: bool,
) -> None:
    def fail(*_: object) -> contents.Contents:
        raise ProjectError("A record of the project database is damaged.")

    monkeypatch.setattr(contents, "MANY", -1)
    if not readable:
        monkeypatch.setattr(contents, "read_contents", fail)
    opened.step(1, beside=True)
    assert texts(panel) == [SENTENCE_OPENING]
    qtbot.waitUntil(lambda: opened.picture is not None or bool(opened.unreadable))
    assert texts(panel) == [SENTENCE_NO_OBJECTS if readable else SENTENCE_NO_IMAGE]


def test_a_click_selects_in_the_session(
    qtbot: QtBot, panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    view = table(panel).viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(panel, 0))
    assert opened.selection == {three[0].id}
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, control, at(panel, 2))
    assert opened.selection == {three[0].id, three[2].id}
    assert texts(panel) == ["3 objects, 2 selected"]
    qtbot.keyClick(table(panel), Qt.Key.Key_Up)
    assert opened.selection == {three[1].id}


def test_the_session_selects_in_the_table(
    panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    heard: list[bool] = []
    opened.selection_changed.connect(lambda: heard.append(True))
    opened.select([three[0].id, three[2].id])
    assert selected_rows(panel) == [0, 2]
    opened.select([])
    assert selected_rows(panel) == []
    assert heard == [True, True], "the table does not echo"


def test_columns_sort_and_give_the_order_of_drawing_back(
    qtbot: QtBot, panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    opened.select([three[1].id])
    click_header(qtbot, panel, AREA)
    assert column(panel, AREA) == ["box 20", "60", "120"]
    assert selected_rows(panel) == [2], "the selection goes with its object"
    click_header(qtbot, panel, AREA)
    assert column(panel, AREA) == ["120", "60", "box 20"]
    assert selected_rows(panel) == [0]
    click_header(qtbot, panel, AREA)
    assert column(panel, AREA) == ["60", "120", "box 20"]
    click_header(qtbot, panel, CLASS)
    assert column(panel, CLASS) == ["plane", "plane", "ship"]
    click_header(qtbot, panel, SCORE)
    assert column(panel, SCORE) == ["", "0.87", "0.91"]
    click_header(qtbot, panel, ORIGIN)
    assert column(panel, ORIGIN) == ["A", "B, edited", "hand"]
    assert opened.selection == {three[1].id}


def test_only_touched_rows_change(
    panel: ObjectsPanel, opened: Session, three: list[Instance], make_instance: MakeInstance
) -> None:
    assert opened.image is not None
    data = model(panel)
    resets: list[bool] = []
    touched: list[int] = []
    data.modelReset.connect(lambda: resets.append(True))
    data.dataChanged.connect(lambda first, last: touched.extend((first.row(), last.row())))
    larger = replace(three[1], mask=Mask(4, 4, np.ones((9, 9), np.bool_)))
    opened.apply(change(opened.image.id, [(three[1], larger)], "Paint"))
    assert touched == [1, 1]
    assert column(panel, AREA) == ["60", "81", "box 20"]
    opened.select([three[2].id])
    opened.apply(remove(opened.image.id, [three[0]], "Delete"))
    assert column(panel, AREA) == ["81", "box 20"]
    assert selected_rows(panel) == [1]
    opened.apply(add(opened.image.id, [make_instance(width=1, height=1)], "Draw"))
    assert column(panel, AREA) == ["81", "box 20", "1"]
    assert opened.selection == {three[2].id}
    opened.undo()
    opened.undo()
    assert column(panel, AREA) == ["60", "81", "box 20"]
    assert resets == []


@pytest.mark.parametrize("descending", [False, True])
def test_changes_keep_a_sorted_table_sorted(
    qtbot: QtBot,
    panel: ObjectsPanel,
    opened: Session,
    three: list[Instance],
    make_instance: MakeInstance,
    descending: bool,
) -> None:
    assert opened.image is not None
    for _ in range(2 if descending else 1):
        click_header(qtbot, panel, AREA)
    drawn = [make_instance(width=w, height=3) for w in (1, 9, 30, 9)]
    opened.apply(add(opened.image.id, drawn, "Draw"))
    grown = replace(drawn[0], mask=Mask(0, 0, np.ones((10, 10), np.bool_)))
    opened.apply(change(opened.image.id, [(drawn[0], grown)], "Paint"))
    opened.apply(remove(opened.image.id, [drawn[1], three[0]], "Delete"))
    areas = [int(text.removeprefix("box ")) for text in column(panel, AREA)]
    assert areas == sorted([20, 27, 90, 100, 120], reverse=descending)


def test_deleting_the_selected_selects_nothing(
    panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    assert opened.image is not None
    opened.select([three[0].id, three[1].id])
    opened.apply(remove(opened.image.id, three[:2], "Delete"))
    assert opened.selection == frozenset()
    assert selected_rows(panel) == []


def test_a_double_click_and_enter_ask_for_the_object(
    qtbot: QtBot, panel: ObjectsPanel, three: list[Instance]
) -> None:
    asked: list[int] = []
    panel.object_activated.connect(asked.append)
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(table(panel).viewport(), left, pos=at(panel, 1))
    assert asked == []
    qtbot.mouseDClick(table(panel).viewport(), left, pos=at(panel, 1))
    assert asked == [three[1].id]
    qtbot.keyClick(table(panel), Qt.Key.Key_Return)
    assert asked == [three[1].id, three[1].id]


def test_another_image_and_renamed_classes_are_shown(
    panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    assert opened.project is not None
    opened.project.update_category(replace(opened.categories[0], name="jet"))
    opened.refresh_categories()
    assert column(panel, CLASS) == ["jet", "ship", "jet"]
    opened.step(1)
    assert rows(panel) == []
    opened.step(-1)
    assert column(panel, CLASS) == ["jet", "ship", "jet"]


def test_two_thousand_objects_select_both_ways(
    qtbot: QtBot, panel: ObjectsPanel, opened: Session
) -> None:
    assert opened.image is not None
    bit = Mask(3, 3, np.ones((2, 2), np.bool_))
    box = Box(3, 3, 5, 5)
    many = [Instance(number, 1, box, bit) for number in opened.new_ids(2000)]
    opened.apply(add(opened.image.id, many, "Import"))
    assert model(panel).rowCount() == 2000
    table(panel).selectAll()
    assert len(opened.selection) == 2000
    wanted = [i.id for i in many[1::2]]
    opened.select(wanted)
    assert selected_rows(panel) == list(range(1, 2000, 2))
    assert opened.selection == frozenset(wanted)


def test_many_changes_paint_the_table_once(
    qtbot: QtBot, panel: ObjectsPanel, opened: Session, three: list[Instance]
) -> None:
    assert opened.image is not None
    bit, box = Mask(3, 3, np.ones((2, 2), np.bool_)), Box(3, 3, 5, 5)
    first, many = (
        [Instance(number, 1, box, bit) for number in opened.new_ids(200)] for _ in range(2)
    )
    # With these there is a scroll bar already.
    opened.apply(add(opened.image.id, first, "Import"))
    qtbot.wait(50)
    paints = Paints(table(panel).viewport())
    for edit in (add(opened.image.id, many, "Import"), remove(opened.image.id, many, "Delete")):
        opened.apply(edit)
        qtbot.waitUntil(lambda: bool(paints.rects))
        qtbot.wait(50)
        assert len(paints.rects) == 1
        paints.rects.clear()


FILTERS: dict[str, list[str]] = {
    "": ["60", "120", "box 20"],
    "PLANE": ["60", "box 20"],
    "ship a": ["120"],
    "b, edited": ["box 20"],
    "hand": ["60"],
    "area > 50": ["60", "120"],
    "area>=60 area<120": ["60"],
    "score < 0.9": ["120"],
    "score>0.5 plane": ["box 20"],
    "area = 120": ["120"],
    "nowhere": [],
}


@pytest.mark.parametrize("text", list(FILTERS))
def test_the_filter_lets_through_what_it_says(
    qtbot: QtBot, panel: ObjectsPanel, three: list[Instance], text: str
) -> None:
    qtbot.keyClicks(panel.findChild(QLineEdit, "object_filter"), text)
    assert column(panel, AREA) == FILTERS[text]
    n = len(FILTERS[text])
    said = "3 objects" if n == 3 else f"3 objects, {n} shown"
    assert said in texts(panel)
    assert table(panel).isVisible() == bool(n)


def test_filtered_objects_come_go_and_are_selected_as_shown(
    qtbot: QtBot, panel: ObjectsPanel, opened: Session, three: list[Instance], make_instance
) -> None:
    panel.findChild(QLineEdit, "object_filter").setText("plane area < 100")
    more = make_instance(width=3, height=3)
    opened.apply(add(opened.image.id, [more, make_instance(width=30, height=30)], "More"))
    assert column(panel, AREA) == ["60", "box 20", "9"]
    opened.apply(change(opened.image.id, [(more, replace(more, category_id=2))], "Class"))
    assert column(panel, AREA) == ["60", "box 20"]
    opened.undo()
    table(panel).setFocus()
    qtbot.keyClick(table(panel), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert opened.selection == {three[0].id, three[2].id, more.id}
    set_class(opened, 2)
    assert rows(panel) == []
    assert [i.category_id for i in opened.instances] == [2, 2, 2, 2, 1]
    assert opened.undo().text == "Make 3 objects ship"
    assert column(panel, AREA) == ["60", "box 20", "9"]
