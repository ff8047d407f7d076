"""An image replaced by one of another size, or a folder renamed, while the window is open."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from seginst_core.types import Box, Instance, Prediction
from seginst_gui.main_window import MainWindow

from .canvas_scenes import GROUND, HEIGHT, WIDTH, block, drag, open_window, write
from .tool_hands import put

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    with open_window(qtbot, tmp_path) as window:
        yield window


def open_anew(qtbot: QtBot, window: MainWindow, tmp_path: Path, width: int, height: int) -> None:
    """Replace the image's file, and open the image again."""
    write(tmp_path / "images" / "a.png", np.full((height, width, 3), GROUND, np.uint8))
    window.session.open_image(window.session.image_id)
    qtbot.waitUntil(lambda: window.session.picture is not None)


def says(window: MainWindow, text: str) -> bool:
    return any(text in label.text() for label in window.status.findChildren(QLabel))


def test_nothing_is_said_where_nothing_was_drawn(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    session = window.session
    category = session.drawing_category().id
    mask = block(200, 100, 260, 150)
    found = Instance(1, category, Box(200, 100, 260, 150), mask, score=0.9)
    session.project.add_prediction(Prediction(session.image_id, "m", "two-stage", (found,)), "M")
    session.refresh_image(session.image_id)
    assert session.entries[0].n_predicted == 1
    open_anew(qtbot, window, tmp_path, 120, 100)
    assert (session.image.width, session.image.height) == (120, 100)
    assert says(window, "120 x 100 px")
    assert not window.notice.isVisible()
    assert session.entries[0].n_predicted == 0, "what was found in the old picture is gone"
    window.use_tool("box")
    drag(
        window.canvas, LEFT, *(window.canvas._camera.to_widget(*p) for p in ((60, 60), (150, 140)))
    )
    box = session.instances[0].box
    assert (box.x1, box.y1) == (120, 100)


def test_objects_stay_where_they_are_and_nothing_is_drawn_outside_of_the_new_picture(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    session, canvas = window.session, window.canvas
    old = put(session, block(200, 100, 260, 150))
    session.select(())
    for _ in range(2):
        open_anew(qtbot, window, tmp_path, 120, 100)
        assert window.notice.isVisible()
        expected = f"a.png was drawn on at {WIDTH} x {HEIGHT} px and is a file of 120 x 100 px now"
        assert expected in window.notice.text
        window.notice.hide()
    assert says(window, "120 x 100 px")
    assert session.instances == (old,)
    canvas.actual_size()
    window.use_tool("box")
    drag(canvas, LEFT, *(canvas._camera.to_widget(*p) for p in ((60, 60), (150, 90))))
    assert session.instances == (old,)
    assert "a.png was drawn on" in window.notice.text
    assert window.notice.isVisible()
    drag(canvas, LEFT, *(canvas._camera.to_widget(*p) for p in ((60, 60), (110, 90))))
    assert len(session.instances) == 2, "inside of it everything goes on"


def test_the_old_file_back_in_its_place_is_as_before(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    put(window.session, block(200, 100, 260, 150))
    open_anew(qtbot, window, tmp_path, 120, 100)
    window.notice.hide()
    open_anew(qtbot, window, tmp_path, WIDTH, HEIGHT)
    assert not window.notice.isVisible()
    assert window.session.image.width == WIDTH


def test_a_folder_renamed_while_it_is_open_opens_under_its_new_name(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    session = window.session
    first = put(session, block(200, 100, 260, 150))
    (tmp_path / "images").rename(tmp_path / "renamed")
    second = put(session, block(20, 10, 60, 50))
    assert not window.commands.open_folder(tmp_path / "images"), "the old name is nothing now"
    assert session.instances == (first, second)
    assert window.commands.open_folder(tmp_path / "renamed")
    qtbot.waitUntil(lambda: session.picture is not None)
    assert session.project.folder == tmp_path / "renamed"
    assert session.instances == (first, second)
