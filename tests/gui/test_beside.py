"""Work beside the window: what was forgotten is not done, and its answers come to nobody."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QObject, QThreadPool
from pytestqt.qtbot import QtBot

from seginst_core.images import Bands, Picture, halve, read_picture
from seginst_core.project import Project, add
from seginst_core.review.objects.cases import Items
from seginst_core.review.objects.schema import ImageObjects, ObjectCase
from seginst_core.types import ImageArray
from seginst_gui import pixels
from seginst_gui.canvas.image import pyramid
from seginst_gui.canvas.image.pyramid import Pyramid
from seginst_gui.jobs.aside import Aside
from seginst_gui.panels.images import thumbnails
from seginst_gui.panels.images.thumbnails import Thumbnails
from seginst_gui.pixels import PixelLoader
from seginst_gui.review import listing
from seginst_gui.review.listing import CaseListing
from seginst_gui.session import Session

from .conftest import MakeInstance


def write(path: Path, level: int) -> Path:
    cv2.imwrite(str(path), np.full((60, 90, 3), level, np.uint8))
    return path


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Have a second thread, on whatever machine, while a first one is held."""
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(max(before, 2))
    yield
    pool.setMaxThreadCount(before)


class Gate:
    """Holds a thread until it is let through."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self._open.wait(20)

    def let_through(self) -> None:
        self._open.set()


def test_what_was_forgotten_before_it_began_is_not_done(qtbot: QtBot) -> None:
    owner, pool, gate = QObject(), QThreadPool(), Gate()
    pool.setMaxThreadCount(1)
    done: list[str] = []

    def ask(name: str, work: Callable[[], object]) -> Aside[object]:
        return Aside(work, lambda _: done.append(name), done.append, owner, pool=pool)

    ask("first", gate.wait)
    assert gate.reached.wait(20)
    worked: list[str] = []
    ask("second", lambda: worked.append("second")).forget()
    ask("third", lambda: worked.append("third"))
    gate.let_through()
    qtbot.waitUntil(lambda: done == ["first", "third"])
    assert worked == ["third"]


def test_what_is_wrong_comes_to_the_owner_as_a_sentence(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(path: Path, *, bands: Bands | None = None) -> Picture:
        raise MemoryError

    monkeypatch.setattr(pixels, "read_picture", too_large)
    loader = PixelLoader()
    with qtbot.waitSignal(loader.failed) as said:
        loader.load(write(tmp_path / "a.png", 10))
    assert said.args == ["There is not enough memory to open this image."]


def test_a_kept_image_does_not_come_after_all(qtbot: QtBot, tmp_path: Path) -> None:
    path, loader = write(tmp_path / "a.png", 10), PixelLoader()
    with qtbot.waitSignal(loader.loaded):
        loader.load(path)
    came: list[object] = []
    loader.loaded.connect(came.append)
    loader.load(path)
    loader.forget()
    qtbot.wait(50)
    assert came == []
    loader.load(path)
    qtbot.waitUntil(lambda: len(came) == 1)


def test_neighbours_are_decoded_one_by_one_whatever_is_wrong_with_one(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write(tmp_path / f"{name}.png", 10) for name in "abc"]
    paths[1].write_bytes(b"no image")
    at_once, most, read = [0], [0], []

    def read_noted(path: Path, *, bands: Bands | None = None) -> Picture:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        try:
            read.append(path)
            return read_picture(path, bands=bands)
        finally:
            at_once[0] -= 1

    monkeypatch.setattr(pixels, "read_picture", read_noted)
    loader = PixelLoader()
    loader.prefetch(paths)
    qtbot.waitUntil(lambda: paths[2] in read)
    assert (read, most) == ([paths[0], paths[2]], [1])


def test_a_level_of_an_earlier_image_does_not_come_to_a_later_one(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    def halve_later(level: ImageArray) -> ImageArray:
        if level[0, 0, 0] == 1:
            gate.wait()
        return halve(level)

    monkeypatch.setattr(pyramid, "halve", halve_later)
    levels = Pyramid()
    levels.show(np.full((1000, 1200, 3), 1, np.uint8))
    assert gate.reached.wait(20)
    levels.show(np.full((900, 1000, 3), 2, np.uint8))
    qtbot.waitUntil(lambda: levels.complete)
    gate.let_through()
    qtbot.wait(50)
    assert [(level.shape[1], int(level.max())) for level in levels.levels] == [(1000, 2), (500, 2)]


def test_a_thumbnail_of_an_earlier_folder_does_not_come_to_a_later_one(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, read = Gate(), thumbnails.read_preview

    def read_later(path: Path, side_px: int) -> ImageArray:
        if path.parent.name == "one":
            gate.wait()
        return read(path, side_px)

    monkeypatch.setattr(thumbnails, "read_preview", read_later)
    kept, answers = Thumbnails(), list[int]()
    kept.ready.connect(answers.append)
    for folder, level in (("one", 10), ("two", 200)):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.png", level)
    kept.use_folder(tmp_path / "one")
    kept.get(1, "a.png")
    assert gate.reached.wait(20)
    kept.use_folder(tmp_path / "two")
    kept.get(1, "a.png")
    qtbot.waitUntil(lambda: answers == [1])
    gate.let_through()
    qtbot.wait(50)
    assert answers == [1]
    shown = kept.get(1, "a.png")
    assert shown is not None
    assert shown.toImage().pixelColor(5, 5).red() == 200


def test_cases_of_an_earlier_folder_do_not_come_to_a_later_one(
    qtbot: QtBot, tmp_path: Path, make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "AT_ONCE", -1)
    gate, make = Gate(), listing._list

    def list_later(objects: ImageObjects, items: Items) -> tuple[ObjectCase, ...]:
        if objects.truth:
            gate.wait()
        return make(objects, items)

    monkeypatch.setattr(listing, "_list", list_later)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.png", 10)
    with Project.open(tmp_path / "one") as project:
        project.add_category("object")
        image_id = project.images()[0].ref.id
        project.ensure_size(image_id)
        project.commit(project.document(image_id), add(image_id, [make_instance()], "Draw"))
    session = Session()
    cases = CaseListing(session)
    session.open_folder(tmp_path / "one")
    assert gate.reached.wait(20)
    listed: list[int] = []
    cases.listed.connect(listed.append)
    session.open_folder(tmp_path / "two")
    qtbot.waitUntil(lambda: bool(listed) and cases.settled)
    n_listed = len(listed)
    gate.let_through()
    qtbot.wait(50)
    assert len(listed) == n_listed
    assert [cases.of(image_id) for image_id in set(listed)] == [()]
    session.close()
