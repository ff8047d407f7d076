"""An image with very many objects is read beside the window, and nothing is lost or mixed up."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from seginst_core.errors import ProjectError
from seginst_core.project import add
from seginst_core.project.codec import instance_to_bytes
from seginst_core.types import Prediction
from seginst_gui import operations, pixels
from seginst_gui.app import build_window
from seginst_gui.canvas.image import pyramid
from seginst_gui.canvas.messages import message
from seginst_gui.canvas.view import Canvas
from seginst_gui.jobs import contents
from seginst_gui.jobs.background import NICENESS
from seginst_gui.panels.images import thumbnails
from seginst_gui.panels.images.thumbnails import Thumbnails
from seginst_gui.review import listing
from seginst_gui.review.listing import CaseListing
from seginst_gui.session import Session
from seginst_gui.settings import load_folder

from .conftest import MakeFolder, MakeInstance

MANY = 30


@pytest.fixture
def crowded(
    opened: Session, make_instance: MakeInstance, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Session:
    """Give a session whose second image counts as one with very many objects; the first is open."""
    monkeypatch.setattr(contents, "MANY", MANY - 1)
    ids = [entry.ref.id for entry in opened.entries]
    opened.open_image(ids[1])
    opened.apply(add(ids[1], [make_instance(x0=k) for k in range(MANY)], "Draw"))
    opened.open_image(ids[0])
    qtbot.waitUntil(lambda: opened.picture is not None)
    return opened


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return what reading beside the window waits for."""
    event, read = threading.Event(), contents.read_contents

    def read_later(*what: object) -> contents.Contents:
        if threading.current_thread() is not threading.main_thread():
            assert event.wait(10)
        return read(*what)  # type: ignore[arg-type]

    monkeypatch.setattr(contents, "read_contents", read_later)
    return event


def test_the_objects_come_first_and_then_the_pixels(
    crowded: Session, gate: threading.Event, qtbot: QtBot
) -> None:
    said: list[str] = []
    crowded.image_changed.connect(
        lambda: said.append(f"image, {len(crowded.instances)} objects, {crowded.image is not None}")
    )
    crowded.pixels_changed.connect(lambda: said.append("pixels"))
    crowded.step(1, beside=True)
    assert message(crowded)[0] == "Opening b.png…"
    qtbot.wait(200)
    assert said == ["image, 0 objects, False"], "the pixels wait, though they are there"
    gate.set()
    qtbot.waitUntil(lambda: crowded.picture is not None)
    assert said == ["image, 0 objects, False", f"image, {MANY} objects, True", "pixels"]
    assert crowded.document is not None
    assert crowded.document.image == crowded.image


def test_what_is_edited_then_is_stored_and_taken_back(
    crowded: Session, make_instance: MakeInstance, qtbot: QtBot
) -> None:
    crowded.step(1, beside=True)
    qtbot.waitUntil(lambda: crowded.document is not None)
    image = crowded.image
    assert image is not None
    crowded.apply(add(image.id, [make_instance()], "Draw one more"))
    assert len(crowded.instances) == MANY + 1
    assert crowded.undo() is not None
    assert len(crowded.instances) == MANY


def test_few_objects_are_there_at_once(crowded: Session) -> None:
    crowded.step(2, beside=True)
    assert crowded.image is not None
    assert crowded.image.path == "sub/c.png"


def test_whoever_needs_the_objects_gets_them_at_once(crowded: Session) -> None:
    crowded.step(1)
    assert len(crowded.instances) == MANY


def test_an_image_left_meanwhile_does_not_come_back(
    crowded: Session, gate: threading.Event, qtbot: QtBot
) -> None:
    crowded.step(1, beside=True)
    crowded.step(1, beside=True)
    gate.set()
    qtbot.wait(200)
    assert crowded.image is not None
    assert crowded.image.path == "sub/c.png"
    assert not crowded.instances


def test_a_prediction_that_comes_meanwhile_is_shown(
    crowded: Session, gate: threading.Event, make_instance: MakeInstance, qtbot: QtBot
) -> None:
    crowded.step(1, beside=True)
    project, image_id = crowded.project, crowded.image_id
    assert project is not None
    assert image_id is not None
    found = (make_instance(),)
    project.add_prediction(Prediction(image_id, "m", "two-stage", found, 1.0), "model")
    crowded.refresh_image(image_id)
    gate.set()
    qtbot.waitUntil(lambda: crowded.document is not None)
    assert [len(p.instances) for p in crowded.predictions.values()] == [1]


def test_a_damaged_record_is_one_sentence(
    crowded: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> contents.Contents:
        raise ProjectError("A record of the project database is damaged.")

    monkeypatch.setattr(contents, "read_contents", fail)
    crowded.step(1, beside=True)
    qtbot.waitUntil(lambda: bool(crowded.unreadable))
    assert message(crowded)[0] == "A record of the project database is damaged."
    assert crowded.document is None
    assert crowded.picture is None


def test_closing_the_folder_meanwhile_is_silent(
    crowded: Session, gate: threading.Event, make_folder: Callable[..., Path], qtbot: QtBot
) -> None:
    crowded.step(1, beside=True)
    crowded.open_folder(make_folder("other.png", folder="others"))
    gate.set()
    qtbot.wait(200)
    assert crowded.image is not None
    assert crowded.image.path == "other.png"


def test_what_was_deleted_comes_back_as_the_very_objects(crowded: Session, qtbot: QtBot) -> None:
    crowded.step(1)
    before = crowded.instances
    crowded.select([i.id for i in before])
    operations.delete_selected(crowded)
    assert not crowded.instances
    crowded.undo()
    assert all(a is b for a, b in zip(crowded.instances, before, strict=True))
    assert [*map(instance_to_bytes, crowded.instances)] == [*map(instance_to_bytes, before)]


def test_the_worker_starts_once_the_first_picture_is_there(
    qtbot: QtBot, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = build_window()
    started: list[bool] = []
    monkeypatch.setattr(
        window.predictor, "warm_up", lambda: started.append(window.session.picture is not None)
    )
    window.commands.open_folder(make_folder("a.png", "b.png"))
    assert started == []
    qtbot.waitUntil(lambda: bool(started))
    window.session.step(1)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    assert started == [True], "once a folder"
    broken = make_folder("c.png", folder="others")
    (broken / "c.png").write_bytes(b"no picture")
    window.commands.open_folder(broken)
    qtbot.waitUntil(lambda: len(started) == 2)
    assert load_folder() == broken
    window.close()


def test_a_damaged_record_is_one_sentence_for_few_objects_too(
    opened: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> contents.Contents:
        raise ProjectError("A record of the project database is damaged.")

    monkeypatch.setattr(contents, "read_contents", fail)
    opened.step(1)
    qtbot.wait(200)
    assert message(opened)[0] == "A record of the project database is damaged."
    assert opened.document is None
    assert opened.picture is None
    monkeypatch.undo()
    opened.step(1)
    qtbot.waitUntil(lambda: opened.picture is not None)


def test_pixels_of_an_image_that_was_left_in_between_do_not_come(
    crowded: Session, gate: threading.Event, qtbot: QtBot
) -> None:
    crowded.step(1, beside=True)
    qtbot.wait(200)
    left = False

    def leave() -> None:
        nonlocal left
        if crowded.image is not None and not left:
            left = True
            crowded.step(1)

    shown: list[str] = []
    crowded.image_changed.connect(leave)
    crowded.pixels_changed.connect(
        lambda: shown.append(crowded.image.path if crowded.image is not None else "")
    )
    gate.set()
    qtbot.waitUntil(lambda: crowded.picture is not None)
    qtbot.wait(100)
    assert shown == ["sub/c.png"]


WORK = {
    "objects": (contents, "read_contents"),
    "pixels": (pixels, "read_picture"),
    "a level": (pyramid, "halve"),
    "a thumbnail": (thumbnails, "read_preview"),
    "cases": (listing, "image_cases"),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has it for threads")
@pytest.mark.parametrize("what", WORK)
def test_threads_beside_the_window_let_it_go_first(
    crowded: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    module, name = WORK[what]
    work, before, seen = getattr(module, name), priority(), set[int]()

    def noted(*given: object, **more: object) -> object:
        if threading.current_thread() is not threading.main_thread():
            seen.add(priority())
        return work(*given, **more)

    monkeypatch.setattr(module, name, noted)
    monkeypatch.setattr(pyramid, "SMALLEST_PX", 1)
    canvas, kept, cases = Canvas(crowded), Thumbnails(), CaseListing(crowded)
    qtbot.addWidget(canvas)
    crowded.step(1, beside=True)
    kept.get(1, str(crowded.project.image_path(crowded.image_id)))
    cases.start()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == {max(before, NICENESS)}
    assert priority() == before
    qtbot.waitUntil(lambda: crowded.picture is not None and canvas.settled and cases.settled)


def priority() -> int:
    """Return how nice the present thread is to others."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
