"""The loop in the real window: draw, fine-tune, review what the better model finds, go back.

The networks are tiny and learn bright discs, but they are real, and so are the workers: a model
that has seen next to nothing is live at first, and what a person paints makes a better one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QPushButton,
    QSpinBox,
    QToolButton,
    QTreeWidget,
)
from pytestqt.qtbot import QtBot

from seginst_core.formats import coco_json
from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import iou, mask_box
from seginst_core.masks.geometry import window as window_of
from seginst_core.project import Project
from seginst_core.training.plan import TrainConfig
from seginst_core.training.run import train
from seginst_core.types import PIPELINES, Annotation, Category, Dataset, ImageRef, Instance, Mask
from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow

from .hands import CTRL, LEFT, PATIENT_MS, Hands, button

N_IMAGES, N_PAINTED, SIDE_PX, N_A_SIDE = 7, 5, 240, 3
# The first models find little, but A's nested U-Net draws something: only its detector learns more.
FIRST, ITERATIONS = 60, 200
B = "end-to-end"


@dataclass(frozen=True, slots=True)
class World:
    """The window, and the true discs of each image by its file name."""

    window: MainWindow
    truth: dict[str, list[Mask]]


def draw_discs(folder: Path) -> dict[str, list[Mask]]:
    """Write images of nine bright discs on dark noise; return the discs by file name."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    truth: dict[str, list[Mask]] = {}
    for name in (f"{k}.png" for k in range(N_IMAGES)):
        pixels = rng.integers(20, 60, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
        truth[name] = []
        cell = SIDE_PX // N_A_SIDE
        for corner in np.ndindex(N_A_SIDE, N_A_SIDE):
            centre = np.array(corner) * cell + rng.integers(24, cell - 24, 2)
            disc = stroke([(float(centre[0]), float(centre[1]))], float(rng.integers(12, 22)))
            truth[name].append(disc)
            pixels[window_of(disc, 0, 0, SIDE_PX, SIDE_PX)] = (40, 220, 240)
        cv2.imwrite(str(folder / name), pixels)
    return truth


@pytest.fixture
def world(qtbot: QtBot, tmp_path: Path) -> Iterator[World]:
    images = tmp_path / "images"
    truth = draw_discs(images)
    data = tmp_path / "truth.json"
    refs = [ImageRef(k, name, SIDE_PX, SIDE_PX) for k, name in enumerate(truth, 1)]
    objects = {
        ref.id: Annotation(
            ref.id,
            tuple(
                Instance(10 * ref.id + k, 1, mask_box(m), m) for k, m in enumerate(truth[ref.path])
            ),
        )
        for ref in refs
    }
    coco_json.write(Dataset(tuple(refs), (Category(1, "disc"),), objects), data)
    with Project.open(images) as project:
        project.add_category("disc")
        for pipeline in PIPELINES:
            place = project.models_folder / f"first-{pipeline}"
            card = train(
                TrainConfig(data, images, place, pipeline, preset="tiny", iterations=FIRST, seed=1)
            )
            project.learning.go_live(pipeline, card.id, card.name, str(place), "The first.")
    window = build_window(images)
    window.resize(1500, 950)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(lambda: window.session.picture is not None)
    window.canvas.setFocus()
    yield World(window, truth)
    window.close()


def paint(world: World, hands: Hands, mask: Mask) -> None:
    """Paint a disc with one touch of a brush of its size."""
    window, box = world.window, mask_box(mask)
    hands.press(Qt.Key.Key_N)
    hands.press(Qt.Key.Key_B)
    QApplication.processEvents()  # The strip shows the brush's settings.
    size = window.tool_options.findChild(QSpinBox, "option_size")
    assert size is not None
    size.setFocus()
    size.selectAll()
    QTest.keyClicks(size, str(round(box.width)))
    QTest.keyClick(size, Qt.Key.Key_Return)
    hands.click((box.x0 + box.x1) / 2 - 0.5, (box.y0 + box.y1) / 2 - 0.5)


def states(window: MainWindow) -> list[str]:
    return [run.state for run in window.session.project.learning.runs()]


def idle(window: MainWindow) -> bool:
    return not window.trainer.busy and not window.predictor.busy


def overlaps(world: World) -> list[float]:
    """How well each true disc of the current image is annotated."""
    session = world.window.session
    masks = [i.mask for i in session.instances if i.mask is not None]
    return [
        max((iou(mask, true) for mask in masks), default=0.0)
        for true in world.truth[session.image.path]
    ]


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_what_is_painted_makes_a_model_that_is_reviewed_and_can_be_left(
    qtbot: QtBot, world: World
) -> None:
    window, hands = world.window, Hands(world.window)
    session = window.session
    project = session.project
    first = window.commands.models[B]

    # What the first models see of all images; then six are painted by hand and marked done.
    hands.press(Qt.Key.Key_L, CTRL | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: idle(window), timeout=PATIENT_MS)
    for _ in range(N_PAINTED):
        for mask in world.truth[session.image.path]:
            paint(world, hands, mask)
        assert min(overlaps(world)) > 0.85
        hands.press(Qt.Key.Key_M, CTRL)
        hands.press(Qt.Key.Key_D)
        qtbot.waitUntil(lambda: session.picture is not None)
    todo = [e.ref.id for e in session.entries if e.state != "done"]
    assert len(todo) == N_IMAGES - N_PAINTED
    seen_before = {k: project.prediction(k, B) for k in todo}
    painted = [project.annotation(e.ref.id) for e in session.entries if e.state == "done"]

    # Fine-tune both. The new B is better on what was held out, and goes live by itself.
    def start(dialog: QDialog) -> None:
        more = dialog.findChild(QToolButton, "fine_tune_more")
        QTest.mouseClick(more, LEFT)
        unit = dialog.findChild(QComboBox, "fine_tune_unit")
        unit.setCurrentIndex(unit.findData("iterations"))
        dialog.findChild(QSpinBox, "fine_tune_amount").setValue(ITERATIONS)
        QTest.mouseClick(button(dialog, "Fine-tune"), LEFT)

    hands.in_dialog(start)
    hands.press(Qt.Key.Key_T, CTRL)
    assert window.trainer.busy, window.notice.text
    qtbot.waitUntil(lambda: states(window) == ["finished", "finished"], timeout=PATIENT_MS)
    verdicts = {run.params["pipeline"]: run.outcome["verdict"] for run in project.learning.runs()}
    for verdict in verdicts.values():
        assert verdict["after"]["segm_AP"] > verdict["before"]["segm_AP"]
    assert verdicts[B]["word"] == "better", verdicts[B]
    live = window.commands.models[B]
    assert live.card.id != first.card.id
    qtbot.waitUntil(lambda: idle(window), timeout=PATIENT_MS)
    assert {project.prediction(k, B).model for k in todo} == {live.card.id}
    assert painted == [project.annotation(e.ref.id) for e in session.entries if e.state == "done"]

    # The verdict's objects are flown to by a click.
    changed = window.findChild(QTreeWidget, "verdict_objects")
    rect = changed.visualItemRect(changed.topLevelItem(0))
    QTest.mouseClick(changed.viewport(), LEFT, pos=rect.center())
    qtbot.waitUntil(lambda: len(session.selection) == 1)
    assert session.entry(session.image_id).state == "done"

    # Review: whatever one of both sees is taken by Enter, image after image, to the end.
    hands.press(Qt.Key.Key_R, CTRL)
    page = window.review_page
    assert page is not None
    qtbot.waitUntil(lambda: page.state.listing.settled and page.state.focus is not None)
    n_cases = len(page.state.order)
    assert n_cases >= 0.75 * len(todo) * N_A_SIDE**2
    reviewer = Hands(window, page.side_a)
    for _ in range(n_cases):
        qtbot.waitUntil(lambda: session.picture is not None)
        reviewer.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.state.order)
    QTest.mouseClick(page.findChild(QToolButton, "review_leave"), LEFT)
    for image_id in todo:
        session.open_image(image_id)
        found = overlaps(world)
        assert sum(value > 0.7 for value in found) >= 0.75 * len(found)
        assert {i.origin.kind for i in session.instances} == {"model"}
        assert all(i.origin.vouched for i in session.instances)

    # And back: the first B is live again with what it saw; what was accepted stays.
    accepted = [project.annotation(k) for k in todo]
    window.docks["models"].raise_()
    window.models_panel.show_history()
    tree = window.findChild(QTreeWidget, "model_history")
    rows = [tree.topLevelItem(k) for k in range(tree.topLevelItemCount())]
    (row,) = [row for row in rows if row.text(0) == f"B · {first.name}"]
    QTest.mouseClick(tree.viewport(), LEFT, pos=tree.visualItemRect(row).center())
    QTest.mouseClick(window.findChild(QPushButton, "history_go_back"), LEFT)
    assert window.commands.models[B].card.id == first.card.id
    qtbot.waitUntil(lambda: idle(window), timeout=PATIENT_MS)
    assert {k: project.prediction(k, B) for k in todo} == seen_before
    assert [project.annotation(k) for k in todo] == accepted
