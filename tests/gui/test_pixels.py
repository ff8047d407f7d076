"""Images come in the background: large ones small at first, and the last one asked for only."""

import gc
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF, QRunnable, QThreadPool
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from seginst_core.images import Bands, Picture, read_picture
from seginst_gui import pixels
from seginst_gui.canvas.image.pyramid import Pyramid
from seginst_gui.canvas.view import Canvas
from seginst_gui.jobs import aside
from seginst_gui.panels.images.thumbnails import Thumbnails
from seginst_gui.pixels import PixelLoader
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS


def write(path: Path, level: int) -> Path:
    cv2.imwrite(str(path), np.full((600, 900, 3), level, np.uint8))
    return path


def test_a_large_jpeg_is_seen_small_before_it_is_there(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "PREVIEW_FROM_BYTES", 0)
    monkeypatch.setattr(pixels, "PREVIEW_SIDE_PX", 100)
    write(tmp_path / "a.jpg", 200)
    session = Session()
    canvas = Canvas(session)
    canvas.set_tool(TOOLS["brush"].make(session))
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    seen: list[str] = []

    def look(name: str) -> None:
        shade = canvas.grab().toImage().pixelColor(200, 150).red()
        ready = canvas._tool_at_work() is not None
        view = canvas.widget_to_image(QPointF(10, 10))
        seen.append(f"{name} {abs(shade - 200) < 4} {ready} {view[0]:.0f}")

    # The whole image waits until the small one was seen; on its own it may be the first to come.
    seen_small = threading.Event()

    def read_later(path: Path, *, bands: Bands | None = None) -> Picture:
        assert seen_small.wait(20)
        return read_picture(path, bands=bands)

    monkeypatch.setattr(pixels, "read_picture", read_later)
    session.preview_changed.connect(lambda: look("preview"))
    session.preview_changed.connect(seen_small.set)
    session.pixels_changed.connect(lambda: look("pixels"))
    session.open_folder(tmp_path)
    qtbot.waitUntil(lambda: session.picture is not None)
    view = f"{canvas.widget_to_image(QPointF(10, 10))[0]:.0f}"
    assert seen == [f"preview True False {view}", f"pixels True True {view}"]
    assert session.preview is None
    session.close()


def test_the_whole_image_waits_for_its_preview(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "PREVIEW_FROM_BYTES", 0)
    said: list[str] = []

    def noted(name: str, read: Callable[..., object]) -> Callable[..., object]:
        def reading(*what: object, **how: object) -> object:
            said.append(f"{name} begins")
            time.sleep(0.1)
            found = read(*what, **how)
            said.append(f"{name} ends")
            return found

        return reading

    for name in ("read_preview", "read_picture"):
        monkeypatch.setattr(pixels, name, noted(name, getattr(pixels, name)))
    loader = PixelLoader()
    with qtbot.waitSignal(loader.loaded):
        loader.load(write(tmp_path / "a.jpg", 10))
    names = ("read_preview", "read_picture")
    assert said == [f"{name} {what}" for name in names for what in ("begins", "ends")]


def test_a_loader_that_ends_meanwhile_is_told_nothing(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, ended, read = threading.Event(), threading.Event(), threading.Event()
    loader = PixelLoader()

    def read_later(path: Path, *, bands: Bands | None = None) -> Picture:
        going.set()
        assert ended.wait(10)
        read.set()
        return read_picture(path, bands=bands)

    monkeypatch.setattr(pixels, "read_picture", read_later)
    told: list[object] = []
    for signal in (loader.loaded, loader.failed):
        signal.connect(told.append)
    loader.load(write(tmp_path / "a.png", 10))
    assert going.wait(10)
    delete(loader)
    ended.set()
    assert read.wait(10)
    qtbot.wait(100)
    assert told == []


def test_no_thread_holds_what_may_end_in_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[QRunnable] = []
    pool = QThreadPool.globalInstance()
    monkeypatch.setattr(QThreadPool, "start", lambda _pool, job, _priority=0: jobs.append(job))
    loader = PixelLoader()
    loader.load(write(tmp_path / "a.png", 10))
    loader.prefetch([tmp_path / "a.png"])
    kept = Thumbnails()
    kept.use_folder(tmp_path)
    kept.get(1, "a.png")
    levels = Pyramid()
    levels.show(np.zeros((2000, 2000, 3), np.uint8))
    assert len(jobs) == 4
    messengers = (aside._Messenger.of_application(), pool)
    for job in jobs:
        held = [one for one in reachable(job) if isinstance(one, QObject)]
        assert all(one in messengers for one in held), "only what lives as long as the application"


def reachable(start: object) -> list[object]:
    """Return all that an object holds on to, without classes, modules and what Qt holds."""
    found: dict[int, object] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if id(here) in found or isinstance(here, type | ModuleType):
            continue
        found[id(here)] = here
        if isinstance(here, FunctionType):
            waiting += here.__closure__ or ()
        elif not isinstance(here, QObject):
            waiting += gc.get_referents(here)
    return list(found.values())


def test_a_png_comes_at_once(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "PREVIEW_FROM_BYTES", 0)
    loader = PixelLoader()
    previews: list[object] = []
    loader.previewed.connect(previews.append)
    with qtbot.waitSignal(loader.loaded) as loaded:
        loader.load(write(tmp_path / "a.png", 10))
    assert loaded.args[0].pixels.shape == (600, 900, 3)
    assert not previews


def test_only_the_last_image_asked_for_comes(qtbot: QtBot, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{k}.png", 20 * k) for k in range(6)]
    loader = PixelLoader()
    shades: list[int] = []
    loader.loaded.connect(lambda picture: shades.append(int(picture.pixels[0, 0, 0])))
    for path in paths:
        loader.load(path)
    qtbot.waitUntil(lambda: bool(shades))
    qtbot.wait(200)
    assert shades == [100]


def test_what_cannot_be_read_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    loader = PixelLoader()
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with qtbot.waitSignal(loader.failed) as failed:
        loader.load(tmp_path / "a.jpg")
    assert "a.jpg" in failed.args[0]


def test_neighbours_are_decoded_ahead_and_then_at_once_there(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        write(tmp_path / f"{name}.png", 10 + ord(name))
    session = Session()
    session.open_folder(tmp_path)
    kept = session._reader._loader._kept
    ahead = [tmp_path / f"{name}.png" for name in "ab"]
    qtbot.waitUntil(lambda: all(kept.find(path, None) for path in ahead))
    assert kept.find(tmp_path / "c.png", None) is None, "only neighbours"

    decoded: list[str] = []

    def read_noted(path: Path, *, bands: Bands | None = None) -> Picture:
        decoded.append(path.name)
        return read_picture(path, bands=bands)

    monkeypatch.setattr(pixels, "read_picture", read_noted)
    session.step(1)
    assert session.picture is None, "nobody is answered before having asked"
    qtbot.waitUntil(lambda: session.picture is not None)
    assert session.picture.pixels[0, 0, 0] == 10 + ord("b")
    qtbot.waitUntil(lambda: bool(decoded))
    assert decoded == ["c.png"], "the next neighbour, and no other"
    session.close()


def test_a_file_that_changed_is_decoded_anew(qtbot: QtBot, tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", 10)
    loader = PixelLoader()
    for level in (10, 77):
        write(path, level)
        os.utime(path, ns=(level, level))
        with qtbot.waitSignal(loader.loaded) as loaded:
            loader.load(path)
        assert loaded.args[0].pixels[0, 0, 0] == level


def test_what_is_kept_stays_within_its_bounds(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = 600 * 900 * 3
    monkeypatch.setattr(pixels, "KEPT_BYTES", 3 * one)
    loader = PixelLoader()
    paths = [write(tmp_path / f"{k}.png", k) for k in range(6)]
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.zeros((700, 900, 3), np.uint8))
    for path in (*paths, large):
        with qtbot.waitSignal(loader.loaded):
            loader.load(path)
    there = [loader._kept.find(path, None) is not None for path in (*paths, large)]
    assert there == [False, False, False, True, True, True, False]


def test_other_bands_are_read_anew(qtbot: QtBot, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((60, 90, 3), (10, 20, 30), np.uint8))
    session = Session()
    session.open_folder(tmp_path)
    qtbot.waitUntil(lambda: session.picture is not None)
    session.display.set(replace(session.display.now, bands=(2, 1, 0)))
    qtbot.waitUntil(lambda: tuple(session.picture.pixels[0, 0]) == (10, 20, 30))
    session.display.set(replace(session.display.now, bands=None))
    qtbot.waitUntil(lambda: tuple(session.picture.pixels[0, 0]) == (30, 20, 10))
    session.close()
