"""A box gets the model's mask whatever the person does until it comes."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import subtract
from seginst_core.masks.rle import encode
from seginst_core.project.edits import add
from seginst_core.types import Box, Instance, Mask
from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow

from .review_scenes import let_go

LEFT, K = Qt.MouseButton.LeftButton, Qt.Key
WIDTH, HEIGHT = 80, 60
BOX, MASK = Box(20, 20, 50, 40), Mask(22, 22, np.ones((16, 26), np.bool_))
STAYS_A_BOX = "The model sees no object in this box, so it stays a box."


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    for name in ("a.png", "b.png"):
        _, data = cv2.imencode(".png", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        (tmp_path / name).write_bytes(data.tobytes())
    window = build_window()
    window.predictor.warm_up = lambda: None
    window.predictor._worker.submit = lambda *_of: "job"
    window.commands.open_folder(tmp_path)
    for name in ("plane", "ship"):
        window.session.project.add_category(name)
    window.session.refresh_categories()
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    yield window
    let_go(window)


def press(window: MainWindow, *keys: Qt.Key) -> None:
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    for key in keys:
        window.canvas.setFocus()
        QTest.keyClick(window.canvas, key)


def draw_box(window: MainWindow) -> Instance:
    """Drag a box, for which the model is asked at once."""
    canvas = window.canvas
    window.use_tool("box")
    QTest.mousePress(canvas, LEFT, pos=canvas.image_to_widget(BOX.x0, BOX.y0))
    for x, y in ((35, 30), (BOX.x1, BOX.y1)):
        QTest.mouseMove(canvas, canvas.image_to_widget(x, y))
    QTest.mouseRelease(canvas, LEFT, pos=canvas.image_to_widget(BOX.x1, BOX.y1))
    assert window.predictor.busy
    made = window.session.instances[-1]
    assert made.mask is None
    return made


def answer(window: MainWindow, mask: Mask | None = MASK) -> None:
    masks = [None if mask is None else encode(mask, WIDTH, HEIGHT)]
    window.predictor._worker.finished.emit("job", {"masks": masks})


def stored(window: MainWindow, name: str) -> list[Instance]:
    (image_id,) = [e.ref.id for e in window.session.entries if e.ref.path == name]
    return list(window.session.project.annotation(image_id).instances)


def test_the_mask_is_one_step_that_says_its_model(window: MainWindow) -> None:
    made = draw_box(window)
    answer(window)
    (filled,) = window.session.instances
    assert (filled.mask, filled.box) == (MASK, Box(22, 22, 48, 38))
    model = window.commands.models["two-stage"].card.id
    assert (filled.origin.kind, filled.origin.model) == ("model", model)
    window.session.undo()
    assert window.session.instances == (made,)


def test_a_class_given_before_the_mask_comes_is_kept(window: MainWindow) -> None:
    draw_box(window)
    press(window, K.Key_2)
    answer(window)
    (filled,) = window.session.instances
    assert (filled.mask, window.session.category_of(filled).name) == (MASK, "ship")


def test_on_the_next_image_the_mask_still_goes_into_its_box(window: MainWindow) -> None:
    session = window.session
    made = draw_box(window)
    press(window, K.Key_PageDown)
    assert session.image.path == "b.png"
    steps, shown = [], []
    session.stepped.connect(lambda *of: steps.append(of))
    session.images_changed.connect(shown.append)
    answer(window)
    assert (session.instances, stored(window, "b.png")) == ((), [])
    (filled,) = stored(window, "a.png")
    assert filled.mask == MASK
    image_id = session.entries[0].ref.id
    assert (steps, shown) == ([(image_id, 1)], [frozenset({image_id})])
    press(window, K.Key_PageUp)
    assert session.instances == (filled,)
    window.actions_by_id["undo"].trigger()
    assert session.instances == (made,)
    window.actions_by_id["redo"].trigger()
    assert session.instances == (filled,)


def test_a_box_that_was_deleted_or_drawn_in_meanwhile_is_left(window: MainWindow) -> None:
    draw_box(window)
    press(window, K.Key_Delete)
    answer(window)
    assert window.session.instances == ()
    made = draw_box(window)
    own = Mask(25, 25, np.ones((5, 5), np.bool_))
    by_hand = Instance(made.id, made.category_id, Box(25, 25, 30, 30), own)
    window.session.undo()
    window.session.apply(add(window.session.image_id, [by_hand], "Put"))
    answer(window)
    assert window.session.instances == (by_hand,)


@pytest.mark.parametrize("keys", [(), (K.Key_PageDown, K.Key_PageUp)])
def test_what_stays_a_box_is_said(
    qtbot: QtBot, window: MainWindow, keys: tuple[Qt.Key, ...]
) -> None:
    said: list[str] = []
    window.predictor.noted.connect(said.append)
    draw_box(window)
    press(window, *keys[:1])
    answer(window, None)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    made = draw_box(window)
    window.session.set_marks(locked=frozenset({made.id}))
    press(window, *keys[1:])
    answer(window)
    assert said == [
        STAYS_A_BOX,
        "The box is locked, so it did not get the mask that the model drew.",
    ]


@pytest.mark.parametrize("keys", [(), (K.Key_PageDown,)])
def test_kept_apart_the_mask_leaves_other_objects_their_pixels(
    window: MainWindow, keys: tuple[Qt.Key, ...]
) -> None:
    session, said = window.session, []
    window.predictor.noted.connect(said.append)
    there = Mask(40, 10, np.ones((40, 20), np.bool_))
    category = session.drawing_category().id
    other = Instance(session.new_ids()[0], category, Box(40, 10, 60, 50), there)
    session.apply(add(session.image_id, [other], "Put"))
    made = draw_box(window)
    press(window, K.Key_K, *keys)
    answer(window)
    filled = next(i for i in stored(window, "a.png") if i.id == made.id)
    assert (filled.mask, filled.box) == (subtract(MASK, there), Box(22, 22, 40, 38))
    assert said == []


def test_kept_apart_a_box_on_another_object_stays_one(window: MainWindow) -> None:
    session, said = window.session, []
    window.predictor.noted.connect(said.append)
    other = Instance(session.new_ids()[0], session.drawing_category().id, BOX, MASK)
    session.apply(add(session.image_id, [other], "Put"))
    press(window, K.Key_K)
    made = draw_box(window)
    answer(window)
    assert session.instances == (other, made)
    assert said == ["All that the model sees in this box is other objects', so it stays a box."]


def test_another_project_keeps_its_own_objects(window: MainWindow, tmp_path: Path) -> None:
    session = window.session
    made = draw_box(window)
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.png").write_bytes((tmp_path / "a.png").read_bytes())
    session.open_folder(other)
    category = session.drawing_category()
    twin = Instance(made.id, category.id, made.box, None)
    session.apply(add(session.image_id, [twin], "Put"))
    answer(window)
    assert session.instances == (twin,)
