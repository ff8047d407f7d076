"""The whole job in the real window, by mouse and keys, with the starter models and real workers."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from PySide6.QtCore import QElapsedTimer, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import subtract
from seginst_core.masks.geometry import window as crop
from seginst_core.sample import write_sample
from seginst_core.types import Mask
from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow

from .hands import CTRL, LEFT, PATIENT_MS, Hands, button


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window on a folder of two generated images."""
    write_sample(tmp_path, n_images=2, seed=3)
    window = build_window(tmp_path / "images")
    window.resize(1500, 950)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: window.session.picture is not None)
    window.canvas.setFocus()
    yield window
    window.close()


class Stall:
    """The longest time for which the event loop did not come round."""

    def __init__(self) -> None:
        self.longest_ms = 0
        self._clock = QElapsedTimer()
        self._clock.start()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    def _tick(self) -> None:
        self.longest_ms = max(self.longest_ms, self._clock.restart())

    def stop(self) -> int:
        self._timer.stop()
        return self.longest_ms


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_from_a_folder_to_corrected_coco_and_a_new_model(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    hands, session = Hands(window), window.session

    # Both pipelines look at the image; the status bar names the device.
    hands.press(Qt.Key.Key_L, CTRL)
    qtbot.waitUntil(
        lambda: len(session.predictions) == 2 and not window.predictor.busy, timeout=PATIENT_MS
    )
    assert "starting" not in window.status.device_text
    proposed = session.proposals("two-stage")
    assert proposed, "A found nothing on a synthetic airfield"
    assert session.proposals("end-to-end"), "B found nothing on a synthetic airfield"

    # Accept one by click and Enter, then the rest of A.
    first = proposed[0]
    assert first.mask is not None
    hands.press(Qt.Key.Key_V)
    hands.click(*_deepest(first.mask))
    assert session.proposal is not None
    hands.press(Qt.Key.Key_Return)
    assert len(session.instances) == 1
    assert session.instances[0].origin.kind == "model"
    window.canvas.setFocus()
    hands.press(Qt.Key.Key_Return, CTRL)
    assert len(session.instances) >= len(proposed) - 1
    n_accepted = len(session.instances)

    # Paint a new object, erase a part of it, undo, redo.
    hands.press(Qt.Key.Key_N)
    hands.press(Qt.Key.Key_B)
    painted_at = hands.drag((100, 100), (160, 100), (160, 140))
    assert len(session.instances) == n_accepted + 1
    (new,) = session.selection
    painted = stroke(painted_at, 10)
    assert session.document.get(new).mask == painted
    hands.press(Qt.Key.Key_E)
    erased_at = hands.drag((130, 90), (130, 112))
    left = subtract(painted, stroke(erased_at, 10))
    assert session.document.get(new).mask == left
    hands.press(Qt.Key.Key_Z, CTRL)
    assert session.document.get(new).mask == painted
    hands.press(Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert session.document.get(new).mask == left

    # A box: the nested U-Net draws the mask of the aeroplane in it.
    plane = proposed[0].box
    hands.press(Qt.Key.Key_R)
    hands.drag((plane.x0 - 2, plane.y0 - 2), (plane.x1 + 2, plane.y1 + 2))
    (boxed,) = session.selection
    assert session.document.get(boxed).mask is None
    qtbot.waitUntil(lambda: session.document.get(boxed).mask is not None, timeout=PATIENT_MS)
    assert session.document.get(boxed).origin.kind == "model"
    hands.press(Qt.Key.Key_Delete)
    assert session.document.get(boxed) is None

    # Done, and out to COCO; another reader finds the painted pixels exactly.
    hands.press(Qt.Key.Key_M, CTRL)
    assert session.entries[0].state == "done"
    out = tmp_path / "out.json"

    def export(dialog: QDialog) -> None:
        dialog.findChild(QLineEdit, "export_path").setText(str(out))
        button(dialog, "Export").click()

    hands.in_dialog(export)
    hands.press(Qt.Key.Key_E, CTRL)
    qtbot.waitUntil(lambda: "Written to" in window.notice.text, timeout=PATIENT_MS)
    coco = COCO(str(out))
    ours = next(a for a in coco.anns.values() if a["id"] == new)
    pixels = coco.annToMask(ours).astype(bool)
    assert (pixels == crop(left, 0, 0, session.image.width, session.image.height)).all()
    assert ours["area"] == left.area
    assert len(coco.anns) == len(session.instances)

    # Closing and opening again loses nothing.
    before = session.instances
    folder = session.project.folder
    session.close()
    window.commands.open_folder(folder)
    assert session.instances == before
    qtbot.waitUntil(lambda: session.picture is not None)

    # Fine-tune in the background while the person goes on. One image is too few to test a model
    # on, so it is for the person to say that the new one goes live.
    def start(dialog: QDialog) -> None:
        unit = dialog.findChild(QComboBox, "fine_tune_unit")
        unit.setCurrentIndex(unit.findData("iterations"))
        dialog.findChild(QSpinBox, "fine_tune_amount").setValue(3)
        button(dialog, "Fine-tune").click()

    old = dict(window.commands.models)
    window.canvas.setFocus()
    hands.in_dialog(start)
    hands.press(Qt.Key.Key_T, CTRL)
    assert window.trainer.busy, window.notice.text
    stall = Stall()
    hands.press(Qt.Key.Key_N)
    hands.press(Qt.Key.Key_B)
    hands.drag((300, 300), (330, 310))
    qtbot.waitUntil(lambda: not window.trainer.busy, timeout=PATIENT_MS)
    record_property("longest_stall_ms", stall.stop())
    sys.stderr.write(f"longest event-loop stall while training: {stall.longest_ms} ms\n")
    assert window.notice.isVisible()
    assert "nothing to test it on" in window.notice.text
    take = window.notice.findChild(QPushButton, "notice_button")
    assert take is not None
    qtbot.waitUntil(lambda: take.isVisible() and take.rect().contains(5, 5))
    QTest.mouseClick(take, LEFT, pos=QPoint(5, 5))
    new_model = window.commands.models["end-to-end"]
    assert new_model.place == "project"
    assert new_model.folder != old["end-to-end"].folder
    hands.press(Qt.Key.Key_L, CTRL)
    qtbot.waitUntil(
        lambda: (
            session.predictions["end-to-end"].model == new_model.card.id
            and not window.predictor.busy
        ),
        timeout=PATIENT_MS,
    )


def _deepest(mask: Mask) -> tuple[float, float]:
    """The point of a mask that is farthest from its edge."""
    depth = cv2.distanceTransform(np.pad(mask.bits, 1).astype(np.uint8), cv2.DIST_L2, 5)
    row, column = divmod(int(depth.argmax()), depth.shape[1])
    return mask.x0 + column - 0.5, mask.y0 + row - 0.5
