"""Bringing a detectron2 model in, with real clicks and keys; the worker is the real one."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seginst_core import library
from seginst_core.models import detectron2
from seginst_core.models.card import read_card
from seginst_gui.dialogs.detectron2_model import Detectron2Dialog
from seginst_gui.panels.models import ModelsPanel
from seginst_gui.session import Session

LEFT = Qt.MouseButton.LeftButton
WORKER_MS = 90_000
needs_detectron2 = pytest.mark.skipif(
    not detectron2.is_installed(), reason="detectron2 is not installed"
)


class Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.trace), "w")


@pytest.fixture
def dialog(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Detectron2Dialog:
    """The dialog as it is where detectron2 is installed."""
    monkeypatch.setattr(detectron2, "is_installed", lambda: True)
    dialog = Detectron2Dialog([])
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def field(dialog: QWidget, name: str) -> QLineEdit:
    found = dialog.findChild(QLineEdit, f"detectron2_{name}")
    assert isinstance(found, QLineEdit)
    return found


def fill(qtbot: QtBot, dialog: QWidget, config: Path | str, weights: Path, names: str) -> None:
    for line, text in ((field(dialog, "config"), config), (field(dialog, "weights"), weights)):
        qtbot.mouseClick(line, LEFT)
        qtbot.keyClicks(line, str(text))
    editor = dialog.findChild(QPlainTextEdit)
    qtbot.mouseClick(editor.viewport(), LEFT)
    for number, line in enumerate(names.splitlines()):
        if number:
            qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.keyClicks(editor, line)


def said(dialog: QWidget) -> str:
    label = dialog.findChild(QLabel, "detectron2_said")
    assert isinstance(label, QLabel)
    return label.text()


def add_button(dialog: QWidget) -> QPushButton:
    found = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert found.text() == "Add"
    return found


def confirm(qtbot: QtBot, dialog: QWidget) -> None:
    box = dialog.findChild(QCheckBox, "detectron2_confirmed")
    # Its words, not the empty rest of its row.
    qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))


def order(dialog: QWidget) -> list[str]:
    rows = dialog.findChild(QListWidget, "detectron2_order")
    return [rows.item(k).text() for k in range(rows.count())]


def test_the_order_of_the_classes_is_shown_and_has_to_be_confirmed(
    qtbot: QtBot, dialog: Detectron2Dialog, tmp_path: Path
) -> None:
    weights = tmp_path / "model_final.pth"
    weights.write_bytes(b"weights")
    assert said(dialog) == "Choose the configuration the model was trained with."
    fill(qtbot, dialog, "mine.yaml", weights, "plane, ship\ntank")
    assert order(dialog) == ["0   plane", "1   ship", "2   tank"]
    assert field(dialog, "name").placeholderText() == "mine"
    assert not add_button(dialog).isEnabled()
    assert "confirm their order" in said(dialog)
    confirm(qtbot, dialog)
    assert add_button(dialog).isEnabled()
    editor = dialog.findChild(QPlainTextEdit)
    qtbot.keyClicks(editor, "er")
    assert order(dialog)[-1] == "2   tanker"
    assert not add_button(dialog).isEnabled(), "another order has to be confirmed anew"


def test_a_pickle_is_refused_as_soon_as_it_is_named(
    qtbot: QtBot, dialog: Detectron2Dialog, tmp_path: Path
) -> None:
    weights = tmp_path / "model_final.pkl"
    weights.write_bytes(pickle.dumps(Payload(tmp_path / "it_ran")))
    fill(qtbot, dialog, "mine.yaml", weights, "plane")
    confirm(qtbot, dialog)
    assert not add_button(dialog).isEnabled()
    assert "is a pickle, which can run any code" in said(dialog)
    assert "in a place you trust" in said(dialog)
    assert not (tmp_path / "it_ran").exists()
    field(dialog, "weights").setText(str(tmp_path / "absent.pth"))
    assert "There is no weights file" in said(dialog)


def test_the_worker_refuses_a_payload_and_nothing_typed_is_lost(
    qtbot: QtBot, dialog: Detectron2Dialog, tmp_path: Path
) -> None:
    weights = tmp_path / "model_final.pth"
    weights.write_bytes(pickle.dumps({"model": {}, "hook": Payload(tmp_path / "it_ran")}))
    fill(qtbot, dialog, "mine.yaml", weights, "plane")
    confirm(qtbot, dialog)
    qtbot.mouseClick(add_button(dialog), LEFT)
    assert not field(dialog, "config").isEnabled()
    qtbot.waitUntil(field(dialog, "config").isEnabled, timeout=WORKER_MS)
    assert "holds more than weights, which could run code" in said(dialog)
    assert dialog.isVisible()
    assert not add_button(dialog).isEnabled()
    assert field(dialog, "weights").text() == str(weights)
    assert not (tmp_path / "it_ran").exists()
    assert not [m for m in library.list_models().models if m.place == "user"]
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_escape_stops_the_work_first_and_then_closes(
    qtbot: QtBot, dialog: Detectron2Dialog, tmp_path: Path
) -> None:
    weights = tmp_path / "model_final.pth"
    weights.write_bytes(b"weights")
    fill(qtbot, dialog, "mine.yaml", weights, "plane")
    confirm(qtbot, dialog)
    qtbot.mouseClick(add_button(dialog), LEFT)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert said(dialog) == "Stopping…"
    qtbot.waitUntil(field(dialog, "config").isEnabled, timeout=WORKER_MS)
    assert add_button(dialog).isEnabled(), "what was typed can be tried again"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_its_absence_is_said_with_a_link(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectron2, "is_installed", lambda: False)
    dialog = Detectron2Dialog([])
    qtbot.addWidget(dialog)
    dialog.show()
    assert "is not installed here" in said(dialog)
    assert f'href="{detectron2.DETECTRON2_PAGE}"' in said(dialog)
    assert not add_button(dialog).isEnabled()


def pick(qtbot: QtBot, button: QPushButton, text: str) -> None:
    """Open a button's menu and click the entry that begins with ``text``."""
    qtbot.mouseClick(button, LEFT)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    entry = next(action for action in menu.actions() if action.text().startswith(text))
    qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())


def in_dialog(act: Callable[[QDialog], None]) -> None:
    """Work in the dialog that opens next."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            act(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)


@needs_detectron2
@pytest.mark.slow
def test_a_model_comes_in_through_the_models_panel(
    qtbot: QtBot, opened: Session, tmp_path: Path
) -> None:
    import torch

    from seginst_core.engines import load_engine

    engine = load_engine("detectron2")
    from seginst_core.engines.detectron2_transfer import take_out

    config = engine.configure("tiny", masks=True, published=False, config="")
    network = engine.build(config, 2, masks=True, device=torch.device("cpu"))
    take_out(tmp_path / "theirs", config, network.state_dict(), ["plane", "ship"], masks=True)
    panel = ModelsPanel(opened)
    qtbot.addWidget(panel)
    panel.resize(340, 600)
    panel.show()
    panel.refresh()

    def bring(dialog: QDialog) -> None:
        donor = dialog.findChild(QComboBox, "detectron2_donor")
        assert donor.count() > 0
        files = tmp_path / "theirs"
        fill(qtbot, dialog, files / "config.yaml", files / "model_final.pth", "plane, ship")
        qtbot.keyClicks(field(dialog, "name"), "theirs")
        confirm(qtbot, dialog)
        qtbot.mouseClick(add_button(dialog), LEFT)
        assert not add_button(dialog).isEnabled()

    in_dialog(bring)
    pick(qtbot, panel.findChild(QPushButton, "add_model"), "A detectron2 model")
    folder = library.user_folder() / "models" / "theirs"
    card = read_card(folder)
    assert (card.engine, card.pipeline) == ("detectron2", "end-to-end")
    assert [category.name for category in card.categories] == ["plane", "ship"]
    tree = panel.findChildren(QTreeWidget, "models")[0]
    assert tree.currentItem().text(0) == "theirs"
