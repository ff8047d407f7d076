"""Attributes of objects: typed in the panel, one step for all selected, kept by COCO."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton, QTreeWidget
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_core.formats import FORMATS
from seginst_core.project import Project, add
from seginst_core.types import STATES, Instance
from seginst_gui.operations.attributes import names_for, set_attribute, value_of
from seginst_gui.panels.objects import ObjectsPanel
from seginst_gui.session import Session

MakeInstance = Callable[..., Instance]


@pytest.fixture
def two(opened: Session, make_instance: MakeInstance) -> list[Instance]:
    made = [make_instance(), make_instance(x0=30)]
    opened.apply(add(opened.image.id, made, "Two"))
    opened.select(i.id for i in made)
    return made


@pytest.fixture
def panel(qtbot: QtBot, opened: Session, two: list[Instance]) -> ObjectsPanel:
    panel = ObjectsPanel(opened)
    qtbot.addWidget(panel)
    panel.resize(360, 500)
    panel.show()
    return panel


def field(panel: ObjectsPanel) -> QLineEdit:
    return panel.findChild(QLineEdit, "attribute_field")


def table(panel: ObjectsPanel) -> QTreeWidget:
    return panel.findChild(QTreeWidget, "attributes")


def rows(panel: ObjectsPanel) -> list[tuple[str, str]]:
    items = [table(panel).topLevelItem(k) for k in range(table(panel).topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]


def test_what_is_typed_is_one_step_for_all_selected(panel: ObjectsPanel, opened: Session) -> None:
    QTest.keyClicks(field(panel), "occluded = yes")
    QTest.keyClick(field(panel), Qt.Key.Key_Return)
    assert [i.attributes for i in opened.instances] == [{"occluded": "yes"}] * 2
    assert rows(panel) == [("occluded", "yes")]
    assert field(panel).text() == ""
    assert opened.undo().text == "Set occluded = yes, 2 objects"
    assert [i.attributes for i in opened.instances] == [{}, {}]
    opened.redo()
    assert rows(panel) == [("occluded", "yes")]


def test_a_value_is_changed_in_its_row_and_taken_away(
    panel: ObjectsPanel, opened: Session, two: list[Instance]
) -> None:
    opened.select([two[0].id])
    set_attribute(opened, "side", "left")
    opened.select(i.id for i in two)
    assert rows(panel) == [("side", "several")]
    item = table(panel).topLevelItem(0)
    table(panel).editItem(item, 1)
    # Opened and left: nothing is stored.
    editor = table(panel).findChildren(QLineEdit)[-1]
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert value_of(opened, "side") is None
    table(panel).editItem(item, 1)
    editor = table(panel).findChildren(QLineEdit)[-1]
    editor.selectAll()
    QTest.keyClicks(editor, "right")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert [i.attributes for i in opened.instances] == [{"side": "right"}] * 2
    table(panel).setCurrentItem(table(panel).topLevelItem(0))
    QTest.keyClick(table(panel), Qt.Key.Key_Delete)
    assert [i.attributes for i in opened.instances] == [{}, {}]
    assert len(opened.instances) == 2, "the objects stay"
    # The class still offers the name, until it is taken away once more.
    assert rows(panel) == [("side", "")]
    QTest.keyClick(table(panel), Qt.Key.Key_Delete)
    assert rows(panel) == []


@pytest.mark.parametrize("way", ["step", "close"])
def test_what_is_typed_but_not_confirmed_is_kept_when_the_image_is_left(
    panel: ObjectsPanel, opened: Session, two: list[Instance], way: str
) -> None:
    set_attribute(opened, "side", "left")
    table(panel).editItem(table(panel).topLevelItem(0), 1)
    editor = table(panel).findChildren(QLineEdit)[-1]
    editor.selectAll()
    QTest.keyClicks(editor, "right")
    folder = opened.project.folder
    if way == "step":
        opened.step(1)
        assert opened.image.path == "b.png"
        opened.step(-1)
    else:
        opened.close()
        opened.open_folder(folder)
    assert [i.attributes for i in opened.instances] == [{"side": "right"}] * 2


def test_a_class_offers_its_names_on_other_images_and_other_classes_do_not(
    panel: ObjectsPanel, opened: Session, make_instance: MakeInstance
) -> None:
    set_attribute(opened, "engine", "jet")
    opened.step(1)
    plane, ship = make_instance(), make_instance(category=2)
    opened.apply(add(opened.image.id, [plane, ship], "Two"))
    opened.select([ship.id])
    assert names_for(opened) == []
    opened.select([plane.id])
    assert rows(panel) == [("engine", "")]


def test_names_of_the_image_are_those_of_the_selected_class_alone(
    opened: Session, make_instance: MakeInstance
) -> None:
    plane, ship = make_instance(), make_instance(x0=30, category=2)
    with_names = [
        replace(plane, attributes={"wings": "2"}),
        replace(ship, attributes={"masts": "1"}),
    ]
    opened.apply(add(opened.image.id, with_names, "Two classes"))
    opened.select([plane.id])
    assert names_for(opened) == ["wings"]
    opened.select([plane.id, ship.id])
    assert names_for(opened) == ["masts", "wings"]


def test_a_name_alone_is_a_mark_and_refusals_are_one_sentence(
    panel: ObjectsPanel, opened: Session, two: list[Instance]
) -> None:
    heard: list[str] = []
    panel.problem.connect(heard.append)
    field(panel).setText("truncated")
    QTest.mouseClick(panel.findChild(QToolButton, "attribute_add"), Qt.MouseButton.LeftButton)
    assert opened.instances[0].attributes == {"truncated": "yes"}
    for text in ("  = yes", "x" * 201, "x = " + "y" * 201):
        field(panel).setText(text)
        QTest.keyClick(field(panel), Qt.Key.Key_Return)
        assert field(panel).text() == text, "what was typed is there to be mended"
    assert len(heard) == 3
    opened.set_marks(locked=frozenset({two[0].id}))
    with pytest.raises(ProjectError, match="locked"):
        set_attribute(opened, "truncated", "no")
    assert value_of(opened, "truncated") == "yes"


def test_nothing_selected_shows_no_attributes(panel: ObjectsPanel, opened: Session) -> None:
    assert field(panel).isVisible()
    opened.select([])
    assert not field(panel).isVisible()


@pytest.mark.parametrize("name", list(FORMATS))
def test_attributes_leave_and_come_back_or_their_loss_is_said(
    opened: Session, two: list[Instance], tmp_path: Path, name: str
) -> None:
    given = {"occluded": "yes", "näme": "ä = b, c; „x“", "n": "3"}
    for key, value in given.items():
        set_attribute(opened, key, value)
    dataset = opened.project.dataset(list(STATES))
    form = FORMATS[name]
    path = tmp_path / f"out{form.suffix}"
    said = " ".join(form.losses(dataset))
    form.write(dataset, path)
    back = form.read(path, opened.project.folder)
    found = [dict(i.attributes) for a in back.annotations.values() for i in a.instances]
    if "Attributes of objects" in said:
        assert found != [given, given]
    else:
        assert found == [given, given]
    assert name != "coco" or "Attributes" not in said


def test_coco_brings_attributes_into_another_project(
    opened: Session, two: list[Instance], tmp_path: Path
) -> None:
    set_attribute(opened, "occluded", "yes")
    path = tmp_path / "out.json"
    FORMATS["coco"].write(opened.project.dataset(list(STATES)), path)
    folder = tmp_path / "other"
    folder.mkdir()
    image = opened.project.folder / opened.image.path
    (folder / opened.image.path).write_bytes(image.read_bytes())
    with Project.open(folder) as other:
        other.merge_dataset(FORMATS["coco"].read(path, folder))
        (entry,) = other.images()
        other.ensure_size(entry.ref.id)
        copies = other.document(entry.ref.id).instances
        assert [i.attributes for i in copies] == [{"occluded": "yes"}] * 2


def test_attributes_outlive_a_restart(opened: Session, two: list[Instance]) -> None:
    set_attribute(opened, "occluded", "yes")
    folder = opened.project.folder
    opened.close()
    opened.open_folder(folder)
    assert [i.attributes for i in opened.instances] == [{"occluded": "yes"}] * 2
