"""The model panel on a real library, with real clicks."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMenu,
    QMessageBox,
    QPushButton,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
)
from pytestqt.qtbot import QtBot

from seginst_core import library
from seginst_core.models.card import CARD_NAME, ModelCard, file_digest, write_card
from seginst_core.models.config import DetectorConfig
from seginst_core.types import Category, PipelineName
from seginst_gui.panels.models import ModelsPanel
from seginst_gui.session import Session
from seginst_gui.theme import apply_theme

SCORES = {"segm_AP": 0.5512, "segm_AP50": 0.921, "bbox_AP": 0.6, "mean_iou": 0.79}
MakeModel = Callable[..., Path]


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for the starter models, which are not these tests' matter."""
    monkeypatch.setattr("resources.__file__", str(tmp_path / "shipped" / "__init__.py"))
    return tmp_path / "shipped" / "models"


@pytest.fixture
def make_model() -> MakeModel:
    def make(
        folder: Path, pipeline: PipelineName = "two-stage", scores=SCORES, description: str = ""
    ) -> Path:
        folder.mkdir(parents=True)
        weights = folder / "detector.safetensors"
        weights.write_bytes(b"weights of " + str(folder).encode())
        card = ModelCard(
            name=folder.name,
            pipeline=pipeline,
            engine="torchvision",
            preset="tiny",
            categories=(Category(1, "plane"), Category(2, "ship")),
            detector=DetectorConfig(),
            mask=None,
            description=description,
            training={
                "data": "train.json",
                "val": "val.json",
                "n_images": 58,
                "minutes": 15.0,
                "command": "seginst train --data train.json",
            },
            scores=scores,
            files={weights.name: file_digest(weights)},
        )
        write_card(folder, card)
        return folder

    return make


@pytest.fixture
def yours() -> Path:
    return library.user_folder() / "models"


@pytest.fixture
def panel(qtbot: QtBot, opened: Session) -> ModelsPanel:
    panel = ModelsPanel(opened)
    qtbot.addWidget(panel)
    panel.resize(340, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def problems(panel: ModelsPanel) -> list[str]:
    heard: list[str] = []
    panel.problem.connect(heard.append)
    return heard


def tree(panel: ModelsPanel) -> QTreeWidget:
    return panel.findChildren(QTreeWidget, "models")[0]


def items(panel: ModelsPanel) -> list[QTreeWidgetItem]:
    groups = [tree(panel).topLevelItem(k) for k in range(tree(panel).topLevelItemCount())]
    return [group.child(k) for group in groups if group for k in range(group.childCount())]


def names(panel: ModelsPanel) -> list[list[str]]:
    return [[item.text(column) for column in range(3)] for item in items(panel)]


def button(panel: ModelsPanel, name: str) -> QPushButton:
    found = panel.findChild(QPushButton, name)
    assert found is not None
    return found


def click(qtbot: QtBot, panel: ModelsPanel, name: str) -> None:
    qtbot.mouseClick(button(panel, name), Qt.MouseButton.LeftButton)


def add_directory(qtbot: QtBot, panel: ModelsPanel) -> None:
    """Open the button's menu and click its first entry."""
    click(qtbot, panel, "add_model")
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    entry = menu.actions()[0]
    assert entry.text() == "A model directory…"
    middle = menu.actionGeometry(entry).center()
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=middle)


def at(panel: ModelsPanel, name: str) -> QPoint:
    item = next(item for item in items(panel) if item.text(0) == name)
    return tree(panel).visualItemRect(item).center()


def click_row(qtbot: QtBot, panel: ModelsPanel, name: str) -> None:
    qtbot.mouseClick(tree(panel).viewport(), Qt.MouseButton.LeftButton, pos=at(panel, name))


def page(panel: ModelsPanel) -> str:
    return panel.findChildren(QTextBrowser, "model_facts")[0].toPlainText()


def answer(monkeypatch: pytest.MonkeyPatch, button: QMessageBox.StandardButton) -> list[str]:
    asked: list[str] = []

    def question(*arguments: object) -> QMessageBox.StandardButton:
        asked.append(str(arguments[-1]))
        return button

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


def test_lists_models_of_every_place_by_pipeline(
    panel: ModelsPanel, opened: Session, make_model: MakeModel, shipped: Path, yours: Path
) -> None:
    assert opened.project is not None
    make_model(shipped / "first")
    make_model(shipped / "second", "end-to-end", scores={})
    make_model(yours / "mine", "end-to-end")
    make_model(opened.project.models_folder / "tuned")
    panel.refresh()
    assert names(panel) == [
        ["tuned", "project", "0.55"],
        ["first", "starter", "0.55"],
        ["mine", "yours", "0.55"],
        ["second", "starter", "–"],
    ]
    groups = [tree(panel).topLevelItem(k) for k in range(2)]
    assert [g.text(0) for g in groups if g] == ["A · two-stage", "B · end-to-end"]


def test_shows_what_a_model_is(
    qtbot: QtBot, panel: ModelsPanel, make_model: MakeModel, yours: Path
) -> None:
    make_model(yours / "a<b", description="Planes & ships.")
    make_model(yours / "unscored", scores={})
    panel.refresh()
    click_row(qtbot, panel, "a<b")
    text = page(panel)
    for fact in (
        "a<b",
        "Planes & ships.",
        "plane, ship",
        "two-stage, torchvision",
        "Scores on val.json",
        "0.551",
        "0.921",
        "0.600",
        "0.790",
        "train.json",
        "58",
        "15 min",
        "seginst train --data train.json",
    ):
        assert fact in text
    click_row(qtbot, panel, "unscored")
    assert "Not scored yet." in page(panel)


def test_a_model_is_used_for_its_own_pipeline(
    qtbot: QtBot, panel: ModelsPanel, make_model: MakeModel, yours: Path
) -> None:
    folders = [make_model(yours / "one"), make_model(yours / "two", "end-to-end")]
    chosen: list[tuple[str, str]] = []
    panel.model_chosen.connect(lambda pipeline, folder: chosen.append((pipeline, folder)))
    panel.refresh()
    click_row(qtbot, panel, "one")
    assert button(panel, "use_model").text() == "Use for A"
    click(qtbot, panel, "use_model")
    click_row(qtbot, panel, "two")
    assert button(panel, "use_model").text() == "Use for B"
    click(qtbot, panel, "use_model")
    assert chosen == [("two-stage", str(folders[0])), ("end-to-end", str(folders[1]))]


def test_the_model_in_use_is_marked(
    qtbot: QtBot, panel: ModelsPanel, make_model: MakeModel, yours: Path
) -> None:
    one, two = make_model(yours / "one"), make_model(yours / "two")
    chosen: list[str] = []
    panel.model_chosen.connect(lambda _pipeline, folder: chosen.append(folder))
    panel.refresh()
    panel.set_used("two-stage", one)
    assert [item.font(0).bold() for item in items(panel)] == [True, False]
    click_row(qtbot, panel, "one")
    assert button(panel, "use_model").text() == "In use for A"
    assert not button(panel, "use_model").isEnabled()
    left = Qt.MouseButton.LeftButton
    click_row(qtbot, panel, "two")
    qtbot.mouseDClick(tree(panel).viewport(), left, pos=at(panel, "two"))
    assert chosen == [str(two)]
    panel.set_used("two-stage", two)
    panel.refresh()
    assert [item.font(0).bold() for item in items(panel)] == [False, True]
    panel.set_used("two-stage", None)
    assert not any(item.font(0).bold() for item in items(panel))


def test_adds_a_model_directory(
    qtbot: QtBot,
    panel: ModelsPanel,
    make_model: MakeModel,
    yours: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    problems: list[str],
) -> None:
    source = make_model(tmp_path / "made" / "planes")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(source))
    add_directory(qtbot, panel)
    assert (yours / "planes" / CARD_NAME).is_file()
    assert [row[0] for row in names(panel)] == ["planes"]
    assert page(panel).startswith("planes")
    assert problems == []
    add_directory(qtbot, panel)
    assert problems == ["There already is a model named planes; give another name, or remove it."]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    add_directory(qtbot, panel)
    assert "is not a model directory" in problems[1]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    add_directory(qtbot, panel)
    assert len(problems) == 2, "cancelled"


def test_a_disk_that_is_full_is_said_in_words(
    qtbot: QtBot,
    panel: ModelsPanel,
    make_model: MakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    problems: list[str],
) -> None:
    source = make_model(tmp_path / "made" / "planes")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(source))

    def full(_from: Path, to: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))

    monkeypatch.setattr("shutil.copyfile", full)
    add_directory(qtbot, panel)
    (said,) = problems
    assert said.startswith("The disk is full, so nothing was changed: ")


def test_removes_only_after_a_yes(
    qtbot: QtBot,
    panel: ModelsPanel,
    make_model: MakeModel,
    yours: Path,
    monkeypatch: pytest.MonkeyPatch,
    problems: list[str],
) -> None:
    folder = make_model(yours / "one")
    panel.refresh()
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    click(qtbot, panel, "remove_model")
    assert folder.is_dir()
    assert asked == ["Delete the model one and its weights? This cannot be undone."]
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    click(qtbot, panel, "remove_model")
    assert not folder.exists()
    assert names(panel) == []
    assert page(panel) == ""
    assert problems == []


def test_removing_yours_leaves_the_projects_of_the_same_name(
    qtbot: QtBot,
    panel: ModelsPanel,
    opened: Session,
    make_model: MakeModel,
    yours: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert opened.project is not None
    kept = make_model(opened.project.models_folder / "same")
    make_model(yours / "same")
    panel.refresh()
    tree(panel).setCurrentItem(items(panel)[1])
    assert items(panel)[1].text(1) == "yours"
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    click(qtbot, panel, "remove_model")
    assert kept.is_dir()
    assert names(panel) == [["same", "project", "0.55"]]


def test_what_must_stay_stays(
    qtbot: QtBot,
    panel: ModelsPanel,
    make_model: MakeModel,
    shipped: Path,
    yours: Path,
    monkeypatch: pytest.MonkeyPatch,
    problems: list[str],
) -> None:
    make_model(shipped / "starter")
    used = make_model(yours / "used")
    panel.refresh()
    panel.set_used("two-stage", used)
    click_row(qtbot, panel, "starter")
    assert not button(panel, "remove_model").isEnabled()
    click_row(qtbot, panel, "used")
    asked = answer(monkeypatch, QMessageBox.StandardButton.Yes)
    click(qtbot, panel, "remove_model")
    assert problems == ["used is in use; choose another model first."]
    assert asked == []
    assert used.is_dir()


def test_a_directory_without_a_model_is_named(
    panel: ModelsPanel, yours: Path, problems: list[str]
) -> None:
    (yours / "broken").mkdir(parents=True)
    panel.refresh()
    assert len(problems) == 1
    assert "broken is not a model directory" in problems[0]


def test_without_a_project_models_can_be_read_but_not_used(
    qtbot: QtBot, session: Session, make_model: MakeModel, yours: Path
) -> None:
    make_model(yours / "one")
    panel = ModelsPanel(session)
    qtbot.addWidget(panel)
    panel.refresh()
    assert names(panel) == [["one", "yours", "0.55"]]
    assert not button(panel, "use_model").isEnabled()


def test_the_page_follows_the_theme(
    qapp: QApplication, panel: ModelsPanel, make_model: MakeModel, yours: Path
) -> None:
    make_model(yours / "one")
    apply_theme(qapp, "light")
    panel.refresh()
    browser = panel.findChildren(QTextBrowser, "model_facts")[0]
    light = browser.toHtml()
    apply_theme(qapp, "dark")
    qapp.processEvents()
    assert browser.toHtml() != light
    apply_theme(qapp, "light")
