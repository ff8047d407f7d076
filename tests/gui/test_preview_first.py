"""The small picture of a large image comes before anything else, and stays until there is more."""

import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_core.images import Bands, halve, read_preview
from seginst_core.project import Project, add
from seginst_core.types import ImageArray
from seginst_gui import pixels
from seginst_gui.canvas.image import pyramid
from seginst_gui.canvas.image.pyramid import Pyramid
from seginst_gui.canvas.messages import message
from seginst_gui.canvas.view import Canvas
from seginst_gui.jobs import contents
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS

from .conftest import MakeInstance

WHITE, BLACK, GREY = 255, 0, 100


@pytest.fixture
def crowded(
    tmp_path: Path, make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Path:
    """Give a folder whose only image counts as a large one with very many objects."""
    monkeypatch.setattr(pixels, "PREVIEW_FROM_BYTES", 0)
    monkeypatch.setattr(pixels, "PREVIEW_SIDE_PX", 100)
    monkeypatch.setattr(contents, "MANY", 0)
    cv2.imwrite(str(tmp_path / "a.jpg"), np.full((600, 900, 3), GREY, np.uint8))
    with Project.open(tmp_path) as project:
        project.add_category("object")
        image = project.images()[0].ref.id
        project.ensure_size(image)
        project.commit(project.document(image), add(image, [make_instance()], "Draw"))
    return tmp_path


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    """Give a canvas with a brush in hand."""
    session = Session()
    canvas = Canvas(session)
    canvas.set_tool(TOOLS["brush"].make(session))
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    return canvas


def shade(canvas: Canvas) -> int:
    return canvas.grab().toImage().pixelColor(200, 150).red()


def test_it_is_seen_before_the_objects_are_read(
    crowded: Path, canvas: Canvas, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, said, read = canvas.session, list[str](), contents.read_contents

    def reading(*what: object) -> contents.Contents:
        said.append("objects are read")
        return read(*what)  # type: ignore[arg-type]

    def previewing(path: Path, side_px: int, *, bands: Bands | None = None) -> ImageArray:
        preview = read_preview(path, side_px, bands=bands)
        said.append("the preview is read")
        return preview

    def look(name: str) -> None:
        seen = "seen" if abs(shade(canvas) - GREY) < 4 else "not seen"
        ready = canvas._tool_at_work() is not None
        said.append(f"{name}: {seen}, {len(session.instances)} objects, {ready}")

    monkeypatch.setattr(contents, "read_contents", reading)
    monkeypatch.setattr(pixels, "read_preview", previewing)
    session.preview_changed.connect(lambda: look("preview"))
    session.image_changed.connect(lambda: look("image"))
    session.pixels_changed.connect(lambda: look("pixels"))
    session.open_folder(crowded)
    qtbot.waitUntil(lambda: session.picture is not None)
    # Reading may begin while the preview is being painted, and not before it is there.
    order = [line for line in said if not line.endswith("read")]
    assert order == [
        "image: not seen, 0 objects, False",
        "preview: seen, 0 objects, False",
        "image: seen, 1 objects, False",
        "pixels: seen, 1 objects, True",
    ]
    assert said.index("objects are read") > said.index("the preview is read")
    assert said.count("objects are read") == 1
    session.close()


def test_the_objects_are_read_when_there_is_no_preview_after_all(
    crowded: Path, canvas: Canvas, qtbot: QtBot
) -> None:
    session = canvas.session
    (crowded / "a.jpg").write_bytes((crowded / "a.jpg").read_bytes()[:400])
    session.open_folder(crowded)
    qtbot.waitUntil(lambda: bool(session.unreadable))
    assert "a.jpg" in message(session)[0]
    assert len(session.instances) == 1
    session.close()


def test_objects_that_cannot_be_read_take_it_away(
    crowded: Path, canvas: Canvas, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> contents.Contents:
        raise ProjectError("A record of the project database is damaged.")

    session = canvas.session
    monkeypatch.setattr(contents, "read_contents", fail)
    seen: list[int] = []
    session.preview_changed.connect(lambda: seen.append(shade(canvas)))
    session.open_folder(crowded)
    qtbot.waitUntil(lambda: bool(session.unreadable))
    qtbot.wait(100)
    assert len(seen) == 1
    assert abs(seen[0] - GREY) < 4
    assert canvas._size is None
    assert abs(shade(canvas) - GREY) > 20
    session.close()


def painted(levels: Pyramid, zoom: float) -> int:
    """Return the red of the whole image's middle."""
    image = QImage(400, 400, QImage.Format.Format_RGB32)
    image.fill(0x123456)
    painter = QPainter(image)
    side = round(levels.size[0] * zoom) if levels.size else 0
    levels.paint(painter, zoom, QRect(0, 0, side, side).intersected(QRect(0, 0, 400, 400)))
    painter.end()
    return image.pixelColor(min(side, 400) // 2, min(side, 400) // 2).red()


def test_it_stands_in_for_levels_that_are_to_come(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyramid, "SMALLEST_PX", 100)
    monkeypatch.setattr(Pyramid, "_go_on", lambda _: None)
    levels, preview = Pyramid(), np.full((100, 100, 3), BLACK, np.uint8)
    kept = weakref.ref(preview)
    levels.show_preview(preview, (800, 800))
    del preview
    assert painted(levels, 0.25) == BLACK
    whole = np.full((800, 800, 3), WHITE, np.uint8)
    levels.show(whole)
    assert painted(levels, 0.25) == BLACK, "until level 2 is there"
    assert painted(levels, 0.5) == WHITE, "it is too small for that"
    assert painted(levels, 1.0) == WHITE
    assert painted(levels, 4.0) == WHITE
    for _ in range(3):
        assert not levels.complete
        whole = halve(whole)
        levels._take(whole)
    assert levels.complete
    assert painted(levels, 0.25) == WHITE
    assert kept() is None, "it is not needed any more"
    levels.show(np.full((800, 800, 3), GREY, np.uint8))
    assert painted(levels, 0.25) == GREY, "a preview belongs to the pixels after it alone"


@pytest.mark.parametrize("zoom", [0.4, 0.5, 0.9, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("kept_px", [0, 4_000_000])
def test_part_by_part_the_image_is_the_same_as_at_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, zoom: float, kept_px: int
) -> None:
    monkeypatch.setattr(pyramid, "_READY_PIXELS", kept_px)
    noise = np.random.default_rng(0).integers(0, 255, (700, 800, 3)).astype(np.uint8)
    levels = Pyramid()
    levels.show(cv2.blur(noise, (9, 9)))
    qtbot.waitUntil(lambda: levels.complete)
    shots = []
    for side in (300, 100):
        image = QImage(300, 300, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        for x in range(0, 300, side):
            for y in range(0, 300, side):
                levels.paint(painter, zoom, QRect(x, y, side, side))
        painter.end()
        shots.append(np.frombuffer(image.constBits(), np.uint8).astype(int))
    assert shots[0].any()
    assert abs(shots[0] - shots[1]).max() <= 2
