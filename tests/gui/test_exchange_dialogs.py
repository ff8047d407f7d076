"""Export and import in the window: any format, with its losses said before it is written."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from seginst_core.formats import FORMATS
from seginst_core.project import Project
from seginst_core.project.edits import add
from seginst_core.types import STATES, Annotation, Box, Category, Dataset, ImageRef, Instance, Mask
from seginst_gui.app import build_window
from seginst_gui.dialogs.export import ExportDialog
from seginst_gui.jobs import exchange
from seginst_gui.jobs.exchange import LossFinder
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.main_window import MainWindow

SAYS_READY = """
import sys
print('{"event": "ready", "device": "cpu", "device_name": "one"}', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window on two images, one of which holds an object with a hole."""
    for name in ("a.png", "sub/a.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", np.full((60, 80, 3), 90, np.uint8))[1].tobytes())
    window = build_window(tmp_path / "images")
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    session = window.session
    bits = np.ones((10, 12), np.bool_)
    bits[3:6, 4:8] = False
    holed = Instance(
        session.new_ids()[0],
        session.drawing_category().id,
        Box(5, 10, 17, 20),
        Mask(5, 10, bits),
        score=0.5,
    )
    session.apply(add(session.image_id, [holed], "Add", "brush"))
    yield window
    window.close()


def told(dialog: QDialog) -> str:
    """Wait until the dialog has found what would be lost; return it."""
    save = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Export")
    while not save.isEnabled():
        QApplication.processEvents()
    return dialog.findChild(QLabel, "export_losses").text()


def in_dialog(act: Callable[[QDialog], None]) -> None:
    """Work in the dialog that opens next."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            act(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)


def click(dialog: QDialog, text: str) -> None:
    next(b for b in dialog.findChildren(QPushButton) if b.text() == text).click()


def choose(dialog: QDialog, name: str, data: object) -> None:
    box = dialog.findChild(QComboBox, name)
    box.setCurrentIndex(box.findData(data))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_goes_out_and_comes_in(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "new" / f"out{FORMATS[name].suffix}"
    session = window.session
    said: list[str] = []

    def export(dialog: QDialog) -> None:
        choose(dialog, "export_format", name)
        dialog.findChild(QLineEdit, "export_path").setText(str(out))
        said.append(told(dialog))
        assert not out.exists()
        click(dialog, "Export")

    in_dialog(export)
    window.commands.export_coco()
    qtbot.waitUntil(lambda: "Written to" in window.notice.text)
    assert out.exists()
    assert f"Written to {out}: 1 object in 2 images." in window.notice.text
    lost = FORMATS[name].losses(session.project.dataset(STATES))
    assert said == ["\n".join(("What will be lost:", *lost)) if lost else ""]
    before = session.instances
    session.undo()
    assert session.instances == ()

    def bring_in(dialog: QDialog) -> None:
        dialog.findChild(QLineEdit, "import_path").setText(str(out))
        click(dialog, "Import")

    in_dialog(bring_in)
    window.commands.import_coco()
    assert "holds 1 object in 2 images; 1 object came in." in window.notice.text
    assert [i.mask for i in session.instances] == [i.mask for i in before]
    assert session.instances[0].origin.kind == "import"
    in_dialog(bring_in)
    window.commands.import_coco()
    assert "holds 1 object in 2 images; 0 objects came in." in window.notice.text


def test_what_has_another_id_than_in_the_file_is_said(tmp_path: Path) -> None:
    file = write_one(tmp_path / "a.png", Category(4, "plane"))
    with Project.open(tmp_path) as project:
        project.add_category("plane")
        said = exchange.bring_in(project, exchange.ImportChoice(file, ""))
    assert "Images that have another id here than in x.json: 1;" in said
    assert "Classes that have another id here than in x.json: 1;" in said


def test_annotations_of_images_that_came_after_the_window_come_in(tmp_path: Path) -> None:
    write_one(tmp_path / "a.png", Category(1, "plane"))
    with Project.open(tmp_path) as project:
        file = write_one(tmp_path / "b.png", Category(1, "plane"))
        said = exchange.bring_in(project, exchange.ImportChoice(file, ""))
    assert "1 object came in." in said


def write_one(image: Path, category: Category) -> Path:
    """Write an image and a COCO file beside it with an object in it, and return that."""
    image.write_bytes(cv2.imencode(".png", np.zeros((60, 80, 3), np.uint8))[1].tobytes())
    mask = Mask(5, 10, np.ones((4, 4), np.bool_))
    one = Instance(1, category.id, Box(5, 10, 9, 14), mask)
    ref, found = ImageRef(9, image.name, 80, 60), Annotation(9, (one,), "done")
    FORMATS["coco"].write(Dataset((ref,), (category,), {9: found}), image.with_name("x.json"))
    return image.with_name("x.json")


def test_the_place_follows_the_format_until_it_is_typed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    find = LossFinder(window.session.project)
    dialog = ExportDialog(window.session.entries, tmp_path / "x.json", find)
    qtbot.addWidget(dialog)
    dialog.show()
    path = dialog.findChild(QLineEdit, "export_path")
    masks = dialog.findChild(QComboBox, "export_masks")
    losses = dialog.findChild(QLabel, "export_losses")
    assert not losses.isVisible()
    masks.setCurrentIndex(1)
    save = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Export")
    assert not save.isEnabled(), "not before it is known what is lost"
    assert told(dialog) == "What will be lost:\nMasks with holes will be filled: 1."
    assert dialog.choice().polygons
    choose(dialog, "export_format", "voc")
    assert path.text() == str(tmp_path / "x_voc")
    assert not masks.isVisible()
    assert not dialog.choice().polygons
    assert "Scores of objects are not kept: 1." in told(dialog)
    choose(dialog, "export_format", "coco")
    assert path.text() == str(tmp_path / "x.json")
    path.setText(str(tmp_path / "mine"))
    choose(dialog, "export_format", "yolo")
    assert path.text() == str(tmp_path / "mine")


def test_a_place_without_annotations_is_one_sentence(window: MainWindow, tmp_path: Path) -> None:
    def bring_in(dialog: QDialog) -> None:
        button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Import")
        path = dialog.findChild(QLineEdit, "import_path")
        assert not button.isEnabled()
        path.setText(str(tmp_path / "none"))
        assert not button.isEnabled()
        path.setText(str(tmp_path / "images"))
        button.click()

    in_dialog(bring_in)
    window.commands.import_coco()
    assert "holds no annotations of a known format" in window.notice.text


def test_a_project_is_imported_into_beside_the_window(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    session = window.session
    out = tmp_path / "out.json"
    FORMATS["coco"].write(session.project.dataset(STATES), out)
    drawn = session.instances[0].id
    session.undo()
    ticks: list[bool] = []

    def bring_in(dialog: QDialog) -> None:
        dialog.findChild(QLineEdit, "import_path").setText(str(out))
        QTimer.singleShot(0, press_escape)
        click(dialog, "Import")

    def press_escape() -> None:
        waiting = QApplication.activeModalWidget()
        if waiting is not None and waiting.objectName() == "waiting_dialog":
            QTest.keyClick(waiting, Qt.Key.Key_Escape)
            ticks.append(waiting.isVisible())
        elif not ticks:
            QTimer.singleShot(0, press_escape)

    in_dialog(bring_in)
    window.commands.import_coco()
    assert ticks == [True], "the window lives on, and Escape does not leave it half done"
    assert [i.mask for i in session.instances] == [session.document.get(drawn + 1).mask]
    new = session.new_ids(3)
    assert new.start > max(i.id for i in session.instances)


def test_a_place_that_cannot_be_written_is_one_sentence(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")

    def export(dialog: QDialog) -> None:
        path = dialog.findChild(QLineEdit, "export_path")
        path.setText(str(tmp_path / "file" / "out.json"))
        click(dialog, "Export")

    in_dialog(export)
    window.commands.export_coco()
    qtbot.waitUntil(lambda: "Writing" not in window.notice.text)
    assert str(tmp_path / "file") in window.notice.text


def test_a_fault_while_importing_ends_the_waiting(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(exchange, "bring_in", fail)

    def bring_in(dialog: QDialog) -> None:
        dialog.findChild(QLineEdit, "import_path").setText(str(tmp_path / "images"))
        click(dialog, "Import")

    in_dialog(bring_in)
    with qtbot.captureExceptions() as faults:
        window.commands.import_coco()
    assert [str(error) for _, error, _ in faults] == ["a fault of ours"], "and the log has it"
    assert "Something went wrong" in window.notice.text
    assert len(window.session.instances) == 1


def test_what_a_worker_answers_waits_for_an_import(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.predictor.stop()
    worker = WorkerClient(window, command=(sys.executable, "-c", SAYS_READY))
    monkeypatch.setattr(window.predictor, "_worker", worker)
    out = tmp_path / "out.json"
    FORMATS["coco"].write(window.session.project.dataset(STATES), out)
    said: list[str] = []
    read = exchange.bring_in

    def read_later(*what: object) -> str:
        time.sleep(1.0)
        said.append("imported")
        return read(*what)

    monkeypatch.setattr(exchange, "bring_in", read_later)
    worker.ready.connect(lambda *_: said.append("answered"))

    def bring_in(dialog: QDialog) -> None:
        dialog.findChild(QLineEdit, "import_path").setText(str(out))
        worker.start()
        click(dialog, "Import")

    in_dialog(bring_in)
    window.commands.import_coco()
    qtbot.waitUntil(lambda: len(said) == 2)
    assert said == ["imported", "answered"]
    worker.stop()
