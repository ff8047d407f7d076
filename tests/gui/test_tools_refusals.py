"""What a tool cannot do, the window's notice says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seginst_gui.main_window import MainWindow

from .canvas_scenes import drag, open_window, write


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on an image of one colour."""
    with open_window(qtbot, tmp_path) as window:
        picture = window.session.picture
        folder = window.session.project.folder
        write(folder / "a.png", np.full_like(picture.pixels, 90))
        window.session.open_image(window.session.image_id)
        qtbot.waitUntil(lambda: window.session.picture not in (None, picture))
        yield window


def test_grabcut_says_that_nothing_stands_out(window: MainWindow) -> None:
    window.use_tool("grabcut")
    places = [window.canvas._camera.to_widget(*place) for place in ((60, 40), (90, 60), (140, 100))]
    drag(window.canvas, Qt.MouseButton.LeftButton, *places)
    assert window.notice.isVisible()
    assert window.notice.text == "GrabCut finds nothing that stands out in this box."
    assert window.session.instances == ()
