"""A catalogue in which every text is marked: what is shown without the mark is not translatable."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, Qt, QTranslator
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QTableView,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seginst_core.library import user_folder
from seginst_core.project import add
from seginst_gui.app import build_window
from seginst_gui.dialogs.command_palette import CommandPalette
from seginst_gui.dialogs.export import ExportDialog
from seginst_gui.dialogs.importing import ImportDialog
from seginst_gui.dialogs.shortcuts import ShortcutSheet
from seginst_gui.language import load_language, tr
from seginst_gui.main_window import MainWindow

from .canvas_scenes import picture, write

ROOT = Path(__file__).resolve().parents[2]
GERMAN = QLocale("de_DE")
NAMES = re.compile(
    r"a\.png|images|plane|two-stage|end-to-end|COCO JSON|YOLO segmentation|Pascal VOC|labelme"
    r"|Mask PNG|GrabCut|SegInst|px|RGB|CPU|GPU|Device|cpu|cuda|mps"
)
"""Words that are nobody's to translate: of files, classes, formats, devices."""
KEYS = re.compile("Ctrl|Shift|Alt|Backspace|Return|Enter|Esc|Tab|PgUp|PgDown|Del")


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


def texts_of(widget: QWidget) -> Iterator[str]:
    """Whatever a person may read, or be read, of one widget."""
    yield widget.toolTip()
    yield widget.accessibleName()
    yield widget.windowTitle()
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    if isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(k) for k in range(widget.count()))
    if isinstance(widget, QTreeWidget):
        yield from (widget.headerItem().text(k) for k in range(widget.columnCount()))
    if isinstance(widget, QTableView) and widget.model() is not None:
        across, shown = Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole
        for k in range(widget.model().columnCount()):
            yield str(widget.model().headerData(k, across, shown))


def unmarked(part: QWidget) -> set[str]:
    """The texts that hold a word which is neither between marks nor a name."""
    found = set()
    for widget in (part, *part.findChildren(QWidget)):
        for text in texts_of(widget):
            rest = text
            # From the inside out, as a text may stand in another.
            while rest != (less := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)):
                rest = less
            rest = NAMES.sub("", rest)
            rest = re.sub(
                r"(Ctrl|Shift|Alt|Backspace|Return|Enter|Esc|Tab|PgUp|PgDown|Del)", "", rest
            )
            if re.search(r"[A-Za-z]{3,}", rest):
                found.add(text)
    return found


PARTS = ("images_panel", "objects_panel", "layers_panel", "display_panel", "tool_options", "notice")


@pytest.mark.parametrize("part", PARTS)
def test_every_text_of_a_part_can_be_translated(window: MainWindow, part: str) -> None:
    assert unmarked(getattr(window, part)) == set()


def test_actions_menus_and_tools_are_translated_and_keys_are_not(window: MainWindow) -> None:
    for name, action in window.actions_by_id.items():
        assert action.text().startswith("⟦"), name
        assert not action.statusTip() or action.statusTip().startswith("⟦"), name
    assert all(a.text().startswith("⟦") for a in window.menuBar().actions())
    assert window.actions_by_id["tool_brush"].shortcut().toString() == "B"
    assert window.actions_by_id["class_3"].text() == "⟦Class 3⟧"


def test_dialogs_are_translated(window: MainWindow, qtbot: QtBot) -> None:
    project = window.session.project
    dialogs: list[QDialog] = [
        ShortcutSheet(window.actions_by_id, window),
        CommandPalette(window.actions_by_id.values(), window),
        ExportDialog(window.session.entries, project.folder / "out.json", project.dataset, window),
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


def test_without_a_catalogue_the_texts_are_english(qtbot: QtBot) -> None:
    assert not load_language(QCoreApplication.instance(), QLocale("fr_FR"))
    assert tr("Open folder…") == "Open folder…"
