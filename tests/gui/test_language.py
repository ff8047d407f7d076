"""A catalogue in which every text is marked: what is shown without the mark is not translatable."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QLineEdit,
    QTextEdit,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from seginst_core.errors import SegInstError
from seginst_core.library import user_folder
from seginst_core.project import add
from seginst_core.project.learning.stage import Faults
from seginst_core.types import PIPELINES, STAGES
from seginst_gui.app import build_window
from seginst_gui.canvas.messages import object_label
from seginst_gui.dialogs.command_palette import CommandPalette
from seginst_gui.dialogs.export import ExportDialog
from seginst_gui.dialogs.fine_tune import FineTuneDialog
from seginst_gui.dialogs.importing import ImportDialog
from seginst_gui.dialogs.shortcuts import ShortcutSheet
from seginst_gui.jobs.exchange import LossFinder
from seginst_gui.jobs.plan import Facts, decide, gather
from seginst_gui.language import load_language, tr
from seginst_gui.main_window import MainWindow
from seginst_gui.operations import repairs
from seginst_gui.review.page import ReviewPage

from . import review_scenes
from .canvas_scenes import picture, write
from .conftest import MakeFolder
from .fake_worker import make_model
from .learning_scenes import N_DONE, fill, idle, opened_window, say_verdict, states, train, wait
from .marked_texts import is_marked, unmarked

ROOT = Path(__file__).resolve().parents[2]
GERMAN = QLocale("de_DE")
OF_THE_TEST = ("The first\\.", "It is worse\\.", r"iteration \d+", "Detector", "N found")
"""What the fake worker and its models say, in the core's stead."""


def command(name: str) -> str:
    """The tool of PySide6 that stands beside this Python, or beside PySide6 itself."""
    import PySide6

    places = [Path(sys.executable).parent, Path(PySide6.__file__).parents[4] / "bin"]
    found = next((p for p in (shutil.which(name, path=str(b)) for b in places) if p), None)
    return found or shutil.which(name) or pytest.skip(f"{name} is not there")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled catalogue of all texts in the code, each between marks."""
    folder = tmp_path_factory.mktemp("catalogue")
    ts, qm = folder / "seginst_de.ts", folder / "seginst_de.qm"
    line = re.search(r"^pyside6-lupdate (.*) seginst_gui -ts", documented(), re.M)
    options = line[1].split()
    args = [command("pyside6-lupdate"), *options, str(ROOT / "seginst_gui"), "-ts", str(ts)]
    subprocess.run(args, check=True, capture_output=True)
    tree = ElementTree.parse(ts)
    for message in tree.iter("message"):
        source, translation = message.find("source"), message.find("translation")
        translation.text, _ = f"⟦{source.text}⟧", translation.attrib.pop("type", None)
    tree.write(ts, encoding="utf-8", xml_declaration=True)
    subprocess.run([command("pyside6-lrelease"), str(ts), "-qm", str(qm)], check=True)
    return qm


def documented() -> str:
    return (ROOT / "docs" / "translating.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A starter model that says nothing of its own."""
    monkeypatch.setattr("resources.__file__", str(tmp_path / "shipped" / "__init__.py"))
    make_model(tmp_path / "shipped" / "models" / "two-stage-0", "two-stage", 1, "starter")


@pytest.fixture
def translated(qtbot: QtBot, catalogue: Path) -> Iterator[None]:
    app = QCoreApplication.instance()
    (user_folder() / "translations").mkdir(parents=True)
    shutil.copy(catalogue, user_folder() / "translations" / "seginst_de.qm")
    assert load_language(app, GERMAN)
    yield
    for translator in app.findChildren(QTranslator):
        app.removeTranslator(translator)
        translator.setParent(None)


@pytest.fixture
def window(qtbot: QtBot, translated: None, tmp_path: Path) -> Iterator[MainWindow]:
    (tmp_path / "images").mkdir()
    write(tmp_path / "images" / "a.png", picture())
    window = build_window(tmp_path / "images")
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.session.picture is not None)
    window.session.project.add_category("plane")
    window.session.refresh_categories()
    yield window
    window.close()


PARTS = (
    *("images_panel", "objects_panel", "layers_panel", "display_panel", "categories_panel"),
    *("history_panel", "models_panel", "training_panel", "tool_options", "notice", "status"),
)


@pytest.mark.parametrize("part", PARTS)
def test_every_text_of_a_part_can_be_translated(window: MainWindow, part: str) -> None:
    assert unmarked(getattr(window, part), *OF_THE_TEST) == set()


def test_actions_menus_and_tools_are_translated_and_keys_are_not(window: MainWindow) -> None:
    for name, action in window.actions_by_id.items():
        assert action.text().startswith("⟦"), name
        assert not action.statusTip() or action.statusTip().startswith("⟦"), name
    assert all(a.text().startswith("⟦") for a in window.menuBar().actions())
    assert all(dock.windowTitle().startswith("⟦") for dock in window.docks.values())
    assert window.actions_by_id["tool_brush"].shortcut().toString() == "B"
    assert window.actions_by_id["class_3"].text() == "⟦Class 3⟧"


def test_dialogs_are_translated(window: MainWindow, qtbot: QtBot) -> None:
    project = window.session.project
    losses = LossFinder(project)
    dialogs: list[QDialog] = [
        ShortcutSheet(window.actions_by_id, window),
        CommandPalette(window.actions_by_id.values(), window),
        ExportDialog(window.session.entries, project.folder / "out.json", losses, window),
        ImportDialog(project.folder, window),
    ]
    for dialog in dialogs:
        qtbot.addWidget(dialog)
        own = {t for t in unmarked(dialog) if "out.json" not in t}
        # Qt's own words come from Qt's catalogue.
        assert own <= {
            "Close",
            "Cancel",
            "Schließen",
            "Abbrechen",
            "Geben Sie ein Tastenkürzel ein",
        }, type(dialog)


def test_steps_and_refusals_are_in_the_persons_language(window: MainWindow) -> None:
    from seginst_core.types import Box, Instance

    session = window.session
    (number,) = session.new_ids()
    there = Instance(number, session.categories[0].id, Box(1, 1, 9, 9), None)
    session.apply(add(session.image.id, [there], "Put"))
    session.select([number])
    window.actions_by_id["merge"].trigger()
    assert window.notice.text == "⟦Select two objects or more to merge them.⟧"
    window.actions_by_id["delete"].trigger()
    assert session.undo().text == "⟦Delete ⟦1 object⟧⟧"


def test_a_part_without_marks_is_found(window: MainWindow) -> None:
    """A test of this file's own means."""
    window.models_panel.findChild(QTextEdit, "model_facts").setPlainText("Kept in ⟦yours⟧")
    assert unmarked(window.models_panel, *OF_THE_TEST) == {"Kept in ⟦yours⟧"}


def test_what_the_commands_say_is_in_the_persons_language(window: MainWindow) -> None:
    session, commands, notice = window.session, window.commands, window.notice
    commands.models.clear()
    commands.predict_image()
    assert notice.text == "⟦No model is in use yet; add or choose one in the Models panel.⟧"
    window.actions_by_id["fine_tune"].trigger()
    assert notice.text.startswith("⟦No image marked done holds an object;")
    commands.toggle_done()
    commands.next_todo()
    assert notice.text == "⟦Every image is done.⟧"
    commands.toggle_done()
    commands.next_todo()
    review_scenes.predict(session.project, session.image.id, PIPELINES[0], two_blocks())
    session.refresh_predictions()
    commands.accept_all(PIPELINES[0])
    session.select([session.instances[0].id])
    window.actions_by_id["delete"].trigger()
    commands.accept_all(PIPELINES[0])
    assert notice.text == "⟦1 taken⟧; ⟦1 were annotated already⟧."
    assert "⟦1 of 2⟧" in object_label(session, session.instances)


def two_blocks() -> list:
    return [review_scenes.block(1, 20, 20), review_scenes.block(2, 100, 20)]


@pytest.fixture
def learning(
    qtbot: QtBot, translated: None, make_folder: MakeFolder, verdict: Path
) -> Iterator[MainWindow]:
    """A window on images that are done, with live models and the worker without torch."""
    folder = make_folder(*(f"{k}.png" for k in range(N_DONE + 2)))
    fill(folder, N_DONE)
    window = opened_window(folder)
    wait(qtbot, lambda: window.session.picture is not None)
    yield window
    window.close()


def test_training_and_what_comes_of_it_is_in_the_persons_language(
    qtbot: QtBot, learning: MainWindow, verdict: Path
) -> None:
    window, project = learning, learning.session.project
    panel, models = window.training_panel, window.models_panel
    place = {"image_id": 1, "truth_id": 1, "bbox": [0, 30, 12, 10], "before": 0.9, "after": 0.5}
    say_verdict(verdict, "worse", [place, {**place, "image_id": 999, "after": 1.0}])
    train(window, 100_000, *PIPELINES)
    wait(qtbot, lambda: window.trainer.running is not None)
    assert unmarked(panel, *OF_THE_TEST) == set()
    window.trainer.pause()
    wait(qtbot, lambda: states(window) == ["paused", "paused"])
    assert unmarked(panel, *OF_THE_TEST) == set()
    window.learner.offer_to_resume()
    assert unmarked(window.notice) == set()
    window.trainer.cancel()
    assert unmarked(panel, *OF_THE_TEST) == set()
    train(window, 3)
    wait(qtbot, lambda: states(window)[-1] == "finished" and idle(window)())
    assert "does not go live.⟧ It is worse." in window.notice.text
    assert unmarked(panel, *OF_THE_TEST) == set()
    assert panel.verdict.isVisible()
    window.learner.take(project.learning.runs()[-1])
    assert window.notice.text.startswith("⟦Taken by hand.⟧ It is worse. ⟦")
    for name in ("models", "history"):
        window.docks[name].show()
    models.refresh()
    models.show_history()
    assert project.learning.live_models()[-1].note.startswith("⟦Taken by hand.⟧")
    assert unmarked(models, *OF_THE_TEST) == set()


FACTS = (
    Facts(3, 9, 0, 3),
    Facts(6, 20, 0, 2, Faults(12, 1)),
    Facts(6, 20, 2, 6, Faults(1, 12)),
)


@pytest.mark.parametrize("facts", FACTS)
def test_the_fine_tune_dialog_is_in_the_persons_language(
    qtbot: QtBot, learning: MainWindow, facts: Facts
) -> None:
    models = dict(learning.commands.models)
    assert gather(learning.session.project).n_images == N_DONE
    plan = decide(facts, models)
    dialog = FineTuneDialog(facts, plan, models, learning.commands.library(), 1, learning)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.findChild(QToolButton, "fine_tune_more").click()
    for name in ("start_two-stage", "stage", "data", "unit"):
        combo = dialog.findChild(QComboBox, f"fine_tune_{name}")
        for k in range(combo.count()):
            combo.setCurrentIndex(k)
            assert unmarked(dialog) <= {"Abbrechen", "Cancel"}, (name, k)
        combo.setCurrentIndex(0)
    assert dialog.findChild(QComboBox, "fine_tune_stage").count() == len(STAGES)
    assert dialog.findChild(QCheckBox, "fine_tune_two-stage").isVisible()


@pytest.fixture
def page(qtbot: QtBot, translated: None, tmp_path: Path) -> Iterator[ReviewPage]:
    folder = review_scenes.make_project(tmp_path / "images")
    for window in review_scenes.open_window(qtbot, folder):
        yield review_scenes.enter(qtbot, window)


def test_the_review_is_in_the_persons_language(page: ReviewPage) -> None:
    state = page.state
    whys = {why for case in state.listing.all() for why in case.why}
    spoken = (*(f"(?i:{re.escape(why)})" for why in whys), "model card-[ab]")
    cases = list(state.order)
    assert len({case.kind for case in cases}) == 5
    for scope in ("scope_queue", "scope_all"):
        page.findChild(QToolButton, scope).click()
        for case in cases:
            state.look_at(case)
            assert unmarked(page, *spoken) == set(), case
            for side in page.sides:
                letter, text = side._chip()
                assert is_marked(text), letter
    page.findChild(QLineEdit, "case_search").setText("nothing is called so")
    assert unmarked(page, *spoken) == set()


REPAIRS = {
    "take A": lambda session, case: repairs.take(session, case, "two-stage"),
    "take B": lambda session, case: repairs.take(session, case, "end-to-end"),
    "union": lambda session, case: repairs.combine(session, case, "union"),
    "intersection": lambda session, case: repairs.combine(session, case, "intersection"),
    "class of B": repairs.name_as_b,
    "none": repairs.refuse,
    "right": repairs.confirm,
    "drawn": lambda session, case: repairs.take_drawn(session, case, two_blocks()[0].mask),
}


def test_repairs_and_what_they_refuse_are_in_the_persons_language(page: ReviewPage) -> None:
    session = page.state.session
    refused = set()
    for kind in ("masks_differ", "a_alone", "b_alone"):
        case = review_scenes.go_to(page, kind)
        for name, repair in REPAIRS.items():
            try:
                repair(session, case)
                said = session.undo().text
            except SegInstError as error:
                refused.add(name)
                said = str(error)
            assert is_marked(said), (kind, name)
    assert refused == set(REPAIRS) - {"none", "right"}


def test_without_a_catalogue_the_texts_are_english(qtbot: QtBot) -> None:
    assert not load_language(QCoreApplication.instance(), QLocale("fr_FR"))
    assert tr("Open folder…") == "Open folder…"
