"""A window on a project with truth and predictions, for the tests of the review."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seginst_core.masks.geometry import mask_box
from seginst_core.project import Project
from seginst_core.project.edits import Edit, add
from seginst_core.review.objects.schema import ObjectCase
from seginst_core.types import PIPELINES, Instance, Mask, Origin, PipelineName, Prediction
from seginst_gui.app import build_window
from seginst_gui.main_window import MainWindow
from seginst_gui.review.page import ReviewPage

CTRL = Qt.KeyboardModifier.ControlModifier

WIDTH, HEIGHT = 320, 240


def write_images(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in names:
        pixels = rng.integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8)
        _, data = cv2.imencode(".png", pixels)
        (folder / name).write_bytes(data.tobytes())
    return folder


def block(
    number: int,
    x0: int,
    y0: int,
    side: int = 30,
    *,
    category: int = 1,
    score: float | None = 0.9,
    origin: Origin | None = None,
) -> Instance:
    mask = Mask(x0, y0, np.ones((side, side), np.bool_))
    made = Instance(number, category, mask_box(mask), mask, score=score)
    return made if origin is None else replace(made, origin=origin)


def predict(
    project: Project,
    image_id: int,
    pipeline: PipelineName,
    found: Sequence[Instance],
    *,
    model: str = "",
) -> None:
    model = model or ("card-a" if pipeline == "two-stage" else "card-b")
    origin = Origin("model", model, pipeline)
    named = tuple(replace(i, origin=replace(origin, score=i.score)) for i in found)
    project.add_prediction(Prediction(image_id, model, pipeline, named), f"model {model}")


def make_project(folder: Path) -> Path:
    """Two images without a truth, one that is done; planes and ships.

    a.png: agreed, differing, A alone, B alone, differing classes; b.png: A alone; c.png: truth.
    """
    write_images(folder, "a.png", "b.png", "c.png")
    with Project.open(folder) as project:
        project.add_category("plane")
        project.add_category("ship")
        a, b, c = (entry.ref.id for entry in project.images())
        predict(
            project,
            a,
            PIPELINES[0],
            [
                block(1, 20, 20),
                block(2, 100, 20),
                block(3, 180, 20),
                block(5, 20, 120, score=0.8),
            ],
        )
        predict(
            project,
            a,
            PIPELINES[1],
            [
                block(1, 21, 20),
                block(2, 112, 20),
                block(4, 180, 120),
                block(5, 20, 120, category=2, score=0.8),
            ],
        )
        predict(project, b, PIPELINES[0], [block(1, 60, 60)])
        predict(project, b, PIPELINES[1], [])
        document = project.document(c)
        ids = iter(project.new_ids(3))
        truth = [block(next(ids), x0, 40, score=None) for x0 in (40, 120, 200)]
        project.commit(document, add(c, truth, "Draw"))
        project.commit(document, Edit(c, (), "Done", state=("draft", "done")))
        predict(project, c, PIPELINES[0], [block(1, 40, 40), block(2, 130, 40), block(3, 40, 150)])
        predict(project, c, PIPELINES[1], [block(1, 42, 40)])
    return folder


def open_window(qtbot: QtBot, folder: Path) -> Iterator[MainWindow]:
    window = build_window()
    # Drawing in true boxes is the worker's, and has tests of its own.
    window.predictor.warm_up = lambda: None
    window.predictor.ask = lambda *_of: None
    window.commands.open_folder(folder)
    window.resize(1300, 800)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    yield window
    let_go(window)


def let_go(window: MainWindow) -> None:
    """Delete a window: later ones would take their time for it as well."""
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def enter(qtbot: QtBot, window: MainWindow) -> ReviewPage:
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_R, CTRL)
    page = window.review_page
    assert page is not None
    qtbot.waitUntil(lambda: page.state.listing.settled and page.state.focus is not None)
    qtbot.waitUntil(lambda: page.side_a._size is not None and page.side_b._size is not None)
    return page


def press(page: ReviewPage, *keys: Qt.Key) -> None:
    page.window().activateWindow()
    QTest.qWaitForWindowActive(page.window())
    for key in keys:
        QTest.keyClick(page.side_a, key)


def go_to(page: ReviewPage, kind: str, path: str = "a.png") -> ObjectCase:
    (case,) = [c for c in page.state.order if c.kind == kind and c.path == path]
    page.state.look_at(case)
    return case
