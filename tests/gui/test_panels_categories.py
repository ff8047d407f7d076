"""The class panel on a real project, with real clicks and keys."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QLabel, QLineEdit, QTableView, QToolButton, QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_core.project import add
from seginst_core.types import Instance, Origin, Prediction
from seginst_gui import operations
from seginst_gui.panels.categories import SENTENCE_EMPTY, CategoriesPanel
from seginst_gui.panels.objects.panel import ObjectsPanel
from seginst_gui.panels.objects.rows import CLASS
from seginst_gui.session import Session


def make_panel(qtbot: QtBot, session: Session) -> CategoriesPanel:
    panel = CategoriesPanel(session)
    panel.show_keys("123456789")
    panel.class_wanted.connect(lambda number: operations.set_class(session, number))
    qtbot.addWidget(panel)
    panel.resize(300, 240)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def panel(qtbot: QtBot, opened: Session) -> CategoriesPanel:
    return make_panel(qtbot, opened)


@pytest.fixture
def problems(panel: CategoriesPanel) -> list[str]:
    heard: list[str] = []
    panel.problem.connect(heard.append)
    return heard


def tree(panel: CategoriesPanel) -> QTreeWidget:
    return panel.findChildren(QTreeWidget, "categories")[0]


def rows(panel: CategoriesPanel) -> list[list[str]]:
    items = [tree(panel).topLevelItem(k) for k in range(tree(panel).topLevelItemCount())]
    return [[item.text(column) for column in range(3)] for item in items if item]


def current(panel: CategoriesPanel) -> str:
    item = tree(panel).currentItem()
    return item.text(0) if item else ""


def at(panel: CategoriesPanel, row: int) -> QPoint:
    item = tree(panel).topLevelItem(row)
    assert item is not None
    return tree(panel).visualItemRect(item).center()


def click_row(qtbot: QtBot, panel: CategoriesPanel, row: int) -> None:
    qtbot.mouseClick(tree(panel).viewport(), Qt.MouseButton.LeftButton, pos=at(panel, row))


def click(qtbot: QtBot, panel: CategoriesPanel, name: str) -> None:
    button = panel.findChild(QToolButton, f"category_{name}")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def type_name(qtbot: QtBot, panel: CategoriesPanel, name: str) -> None:
    (editor,) = editors(panel)
    editor.selectAll()
    qtbot.keyClicks(editor, name)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not editors(panel))


def editors(panel: CategoriesPanel) -> list[QLineEdit]:
    return tree(panel).viewport().findChildren(QLineEdit)


def test_lists_classes_with_keys_and_counts(
    panel: CategoriesPanel, opened: Session, make_instance: Callable[..., Instance]
) -> None:
    assert opened.image is not None
    assert rows(panel) == [["plane", "1", "0"], ["ship", "2", "0"]]
    assert current(panel) == "plane"
    drawn = [make_instance(category=number) for number in (1, 2, 2)]
    opened.apply(add(opened.image.id, drawn, "Draw"))
    assert rows(panel) == [["plane", "1", "1"], ["ship", "2", "2"]]
    opened.step(1)
    assert rows(panel) == [["plane", "1", "0"], ["ship", "2", "0"]]


def test_only_nine_classes_have_keys(panel: CategoriesPanel, opened: Session) -> None:
    assert opened.project is not None
    for number in range(3, 12):
        opened.project.add_category(f"class {number}")
    opened.refresh_categories()
    assert [row[1] for row in rows(panel)] == [*"123456789", "", ""]


def test_a_click_chooses_and_gives_the_class_to_the_selected(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, make_instance
) -> None:
    assert opened.image is not None
    drawn = [make_instance(), make_instance()]
    opened.apply(add(opened.image.id, drawn, "Draw"))
    opened.select([drawn[0].id])
    click_row(qtbot, panel, 1)
    assert opened.category is not None
    assert opened.category.name == "ship"
    assert [i.category_id for i in opened.instances] == [2, 1]


def test_arrow_keys_choose_and_leave_the_selected_alone(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, make_instance
) -> None:
    assert opened.image is not None
    drawn = make_instance()
    opened.apply(add(opened.image.id, [drawn], "Draw"))
    opened.select([drawn.id])
    qtbot.keyClick(tree(panel), Qt.Key.Key_Down)
    assert opened.category is not None
    assert opened.category.name == "ship"
    assert opened.instances[0].category_id == 1


def test_follows_the_session(panel: CategoriesPanel, opened: Session) -> None:
    opened.choose_category(2)
    assert current(panel) == "ship"


def test_a_new_class_is_named_at_once_and_draws(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session
) -> None:
    click(qtbot, panel, "add")
    type_name(qtbot, panel, "bird")
    assert [category.name for category in opened.categories] == ["plane", "ship", "bird"]
    assert rows(panel)[2] == ["bird", "3", "0"]
    assert opened.category is not None
    assert opened.category.name == "bird"
    click(qtbot, panel, "add")
    qtbot.keyClick(editors(panel)[0], Qt.Key.Key_Escape)
    assert opened.categories[-1].name == "class 1"


@pytest.mark.parametrize("way", ["double click", "F2", "button"])
def test_renames(qtbot: QtBot, panel: CategoriesPanel, opened: Session, way: str) -> None:
    click_row(qtbot, panel, 1)
    if way == "double click":
        left = Qt.MouseButton.LeftButton
        qtbot.mouseDClick(tree(panel).viewport(), left, pos=at(panel, 1))
    elif way == "F2":
        qtbot.keyClick(tree(panel), Qt.Key.Key_F2)
    else:
        click(qtbot, panel, "rename")
    type_name(qtbot, panel, "boat")
    assert opened.project is not None
    assert [c.name for c in opened.project.categories()] == ["plane", "boat"]
    assert current(panel) == "boat"


def test_a_taken_name_is_refused_in_words(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, problems: list[str]
) -> None:
    click_row(qtbot, panel, 1)
    click(qtbot, panel, "rename")
    type_name(qtbot, panel, "Plane")
    assert problems == ["There is a category plane already."]
    assert [row[0] for row in rows(panel)] == ["plane", "ship"]


def test_recolours(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor(10, 20, 30))
    click(qtbot, panel, "recolour")
    assert opened.categories[0].colour == (10, 20, 30)
    item = tree(panel).topLevelItem(0)
    assert item is not None
    assert item.icon(0).pixmap(14, 14).toImage().pixelColor(7, 7) == QColor(10, 20, 30)
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())
    click(qtbot, panel, "recolour")
    assert opened.categories[0].colour == (10, 20, 30), "cancelled"


def test_removes_only_what_no_object_uses(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, make_instance, problems: list[str]
) -> None:
    assert opened.image is not None
    opened.apply(add(opened.image.id, [make_instance()], "Draw"))
    click(qtbot, panel, "delete")
    assert problems == ["The category plane cannot be removed: 1 object uses it."]
    assert len(rows(panel)) == 2
    click_row(qtbot, panel, 1)
    click(qtbot, panel, "delete")
    assert [row[0] for row in rows(panel)] == ["plane"]
    assert len(problems) == 1


def test_a_removed_class_is_back_with_the_prediction_that_has_it(
    qtbot: QtBot, panel: CategoriesPanel, opened: Session, make_instance, problems: list[str]
) -> None:
    found = (make_instance(category=2, score=0.9, origin=Origin("model", "m", "two-stage")),)
    opened.project.add_prediction(Prediction(opened.image.id, "m", "two-stage", found, 0.1), "m")
    opened.refresh_image(opened.image.id)
    click_row(qtbot, panel, 1)
    click(qtbot, panel, "delete")
    assert [row[0] for row in rows(panel)] == ["plane"]
    objects = ObjectsPanel(opened)
    qtbot.addWidget(objects)
    operations.accept_all(opened, "two-stage")
    assert [(row[0], row[2]) for row in rows(panel)] == [("plane", "0"), ("ship", "1")]
    assert objects.findChild(QTableView).model().index(0, CLASS).data() == "ship"
    assert opened.category.name == "plane"
    assert problems == []


def test_empty_until_there_is_a_class(qtbot: QtBot, session: Session, make_folder) -> None:
    panel = make_panel(qtbot, session)
    add_button = panel.findChild(QToolButton, "category_add")
    assert add_button is not None
    assert not add_button.isEnabled()
    session.open_folder(make_folder("a.png"))
    assert [w.text() for w in panel.findChildren(QLabel) if w.isVisible()] == [SENTENCE_EMPTY]
    session.drawing_category()
    assert [row[0] for row in rows(panel)] == ["object"]


def test_another_project_has_other_classes(
    panel: CategoriesPanel, opened: Session, make_folder
) -> None:
    opened.open_folder(make_folder("x.png", folder="others"))
    assert rows(panel) == []
