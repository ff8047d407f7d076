"""Drives the real window by events and prints seconds (and megabytes) by name, as JSON.

Run in processes of their own by ``benchmarks.editor``: ``opening FOLDER``, ``working FOLDER`` or
``undoing FOLDER N``.
"""

import gc
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from benchmarks.editor_scene import LARGE, NEIGHBOURS
from benchmarks.report import clock, clock_of_all, peak_megabytes
from seginst_core.masks.geometry import mask_box
from seginst_core.project import add, change
from seginst_core.types import Instance, Mask
from seginst_gui import operations
from seginst_gui.app import build_window, settle_memory
from seginst_gui.main_window import MainWindow

VIEW_PX = (1600, 1000)
N_FRAMES = 60
N_TIMES = 20
IDLE_SECONDS = 0.0002
Samples = dict[str, list[float]]
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def opening(folder: Path) -> Samples:
    """Open the project at the large image, until all of it and its objects are painted."""
    window = _window()
    session, canvas = window.session, window.canvas
    taken: Samples = {}
    seen: dict[str, float] = {}
    began = clock_of_all()
    session.preview_changed.connect(lambda: canvas.repaint())
    longest = seconds_of(lambda: window.commands.open_folder(folder))
    while not (session.picture is not None and canvas.settled):
        longest = max(longest, seconds_of(QApplication.processEvents))
        if session.preview is not None or session.picture is not None:
            seen.setdefault("first_picture", clock_of_all() - began)
        if session.picture is not None:
            seen.setdefault("full_detail", clock_of_all() - began)
        time.sleep(0.0005)
    seen["masks_painted"] = clock_of_all() - began
    taken |= {name: [seconds] for name, seconds in seen.items()}
    taken["longest_block"] = [longest]
    taken["open_rss"] = [peak_megabytes()]
    taken["longest_block_image"] = [_longest_block_of_image(window)]
    window.close()
    return taken


def _longest_block_of_image(window: MainWindow) -> float:
    """Go to another image and back to the large one; return the longest that nothing answered."""
    session = window.session
    large = session.image.id
    session.step(1)
    settle(window)
    longest = seconds_of(lambda: session.open_image(large, beside=True))
    while not (session.picture is not None and window.canvas.settled):
        longest = max(longest, seconds_of(QApplication.processEvents))
        time.sleep(0.0005)
    return longest


def working(folder: Path) -> Samples:
    """Look around, paint, select, hide, delete and undo on the large image, then go to others."""
    window = _window()
    window.commands.open_folder(folder)
    settle(window)
    taken = panning(window)
    small, wide = window.session.instances[:2]
    for name, instance in (("", small), ("_wide", wide)):
        for radius in (5, 50, 200):
            moves, end = stroke(window, instance, radius)
            taken[f"brush{radius}{name}"] = moves
            taken.setdefault(f"stroke_end{name}", []).append(end)
    taken |= changing(window, small)
    taken["peak_rss"] = [peak_megabytes()]
    taken["next_image"] = stepping(window)
    window.close()
    return taken


def panning(window: MainWindow) -> Samples:
    """Drag the image with the middle button; from the event to the painted frame."""
    canvas = window.canvas
    x, y = canvas.centre()
    taken: Samples = {}
    for name, zoom in (("pan_fit", 0.0), ("pan_1to1", 1.0), ("pan_4to1", 4.0)):
        canvas.fit() if not zoom else canvas.look_at(x, y, zoom)
        settle(window)
        place = canvas.rect().center()
        QTest.mousePress(canvas, MIDDLE, pos=place)
        taken[name] = []
        for _ in range(N_FRAMES):
            place += QPoint(7, 4)
            taken[name].append(_shown(lambda at=place: QTest.mouseMove(canvas, at)))
        QTest.mouseRelease(canvas, MIDDLE, pos=place)
    return taken


def stroke(window: MainWindow, instance: Instance, radius_px: int) -> tuple[list[float], float]:
    """Paint along an object's upper edge at 1:1, half of it outside, so that every event adds.

    Return the seconds of each event, and of the stroke's end.
    """
    canvas, session = window.canvas, window.session
    mask = session.document.get(instance.id).mask
    middle = mask.bits.shape[1] // 2
    canvas.look_at(mask.x0 + middle, mask.y0 + int(mask.bits[:, middle].argmax()), 1.0)
    window.use_tool("brush")
    window.tools["brush"].set_radius(float(radius_px))
    session.select([instance.id])
    settle(window)
    place = canvas.rect().center() - QPoint(180, 0)
    QTest.mousePress(canvas, LEFT, pos=place)
    moves = []
    for _ in range(N_FRAMES):
        place += QPoint(6, 0)
        moves.append(_shown(lambda at=place: QTest.mouseMove(canvas, at)))
    end = _shown(lambda: QTest.mouseRelease(canvas, LEFT, pos=place))
    settle(window)
    return moves, end


def changing(window: MainWindow, small: Instance) -> Samples:
    """Undo and redo a stroke, select, hide all, change one object, delete 500 and take it back."""
    session, canvas, actions = window.session, window.canvas, window.actions_by_id
    taken: Samples = {"undo": [], "edit_saved": [], "select": [], "hide_all": []}
    # One that was not painted on before, where a wider stroke would leave nothing to add.
    stroke(window, session.instances[2], 50)
    for _ in range(N_TIMES):
        taken["undo"].append(_shown(session.undo))
        _shown(session.redo)
    category = session.project.add_category("other")
    session.refresh_categories()
    session.select([small.id])
    for turn in range(N_TIMES):
        wanted = (category, session.categories[0])[turn % 2].id
        taken["edit_saved"].append(seconds_of(lambda w=wanted: operations.set_class(session, w)))
        settle(window)
    window.use_tool("select")
    canvas.fit()
    settle(window)
    for instance in session.instances[5 : 5 + N_TIMES]:
        box = instance.box
        place = canvas.image_to_widget((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        taken["select"].append(_shown(lambda p=place: QTest.mouseClick(canvas, LEFT, pos=p)))
    for _ in range(N_TIMES):
        taken["hide_all"].append(_shown(actions["show_annotation"].trigger))
    ids = [i.id for i in session.instances[:500]]
    taken["delete500"], taken["delete500_undo"] = [], []
    for _ in range(5):
        session.select(ids)
        settle(window)
        taken["delete500"].append(_settled(window, actions["delete"].trigger))
        taken["delete500_undo"].append(_settled(window, actions["undo"].trigger))
    return taken


def stepping(window: MainWindow) -> list[float]:
    """Go through the other images, each decoded ahead while the one before is looked at."""
    session = window.session
    taken = []
    others = [e.ref for e in session.entries if e.ref.path != LARGE]
    session.open_image(others[0].id)
    for turn in range(6):
        settle(window)
        _as_long_as_a_look()
        step = 1 if turn % 4 < 2 else -1
        taken.append(_settled(window, lambda step=step: session.step(step, beside=True)))
    return taken


def _as_long_as_a_look() -> None:
    """Give the background as long as a person would look at an image: a second."""
    began = time.perf_counter()
    wait(lambda: time.perf_counter() - began > 1.0)


def undoing(folder: Path, n_steps: int) -> Samples:
    """Make many edits on one of the smaller images; return the memory and time they take."""
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(folder / NEIGHBOURS[0], alone)
        window = _window()
        window.commands.open_folder(Path(alone))
        settle(window)
        _as_long_as_a_look()
        # The first ones fill caches that later ones do not grow.
        _edit(window, max(n_steps // 20, 10))
        before = _megabytes()
        took = _edit(window, n_steps)
        gc.collect()
        grown = _megabytes() - before
        back = [seconds_of(window.session.undo) for _ in range(min(n_steps, 100))]
        window.close()
    return {"undo_steps_rss": [grown], "undo_steps_edit": [took / n_steps], "undo_deep": back}


def _edit(window: MainWindow, n_steps: int) -> float:
    """Draw an object, and change a pixel of it so many times; return the seconds."""
    session = window.session
    bits = np.ones((40, 40), np.bool_)
    mask = Mask(100, 100, bits)
    category = session.drawing_category()
    old = Instance(session.new_ids()[0], category.id, mask_box(mask), mask)
    session.apply(add(session.image.id, [old], "Draw"))
    began = clock()
    for step in range(n_steps):
        bits = bits.copy()
        # The last pixel is left alone, so that the object never vanishes.
        bits.reshape(-1)[step % (bits.size - 1)] ^= True
        new = Instance(old.id, category.id, old.box, Mask(100, 100, bits))
        session.apply(change(session.image.id, [(old, new)], "Paint"))
        old = new
        if step % 50 == 0:
            QApplication.processEvents()
    return clock() - began


def settle(window: MainWindow) -> None:
    """Wait until the image is there and the canvas has nothing left to draw."""
    window.canvas.update()
    wait(lambda: window.session.picture is not None and window.canvas.settled)


def wait(done: Callable[[], bool]) -> None:
    """Run the event loop until something is so."""
    QApplication.processEvents()
    while not done():
        # The program's own loop rests when there is nothing to do, and not after each frame.
        if seconds_of(QApplication.processEvents) < IDLE_SECONDS:
            time.sleep(0.0005)


def seconds_of(work: Callable[[], object]) -> float:
    """Time one call."""
    began = clock()
    work()
    return clock() - began


def _shown(work: Callable[[], object]) -> float:
    """Time something until what follows of it is painted."""
    return seconds_of(lambda: (work(), QApplication.processEvents()))


def _settled(window: MainWindow, work: Callable[[], object]) -> float:
    """Time something until all that follows of it is painted."""
    return seconds_of(lambda: (work(), settle(window)))


def _window() -> MainWindow:
    window = build_window()
    # The canvas itself has the size that is spoken of.
    window.resize(VIEW_PX[0] + 600, VIEW_PX[1] + 200)
    window.show()
    for _ in range(3):
        QApplication.processEvents()
        gap = VIEW_PX[0] - window.canvas.width(), VIEW_PX[1] - window.canvas.height()
        window.resize(window.width() + gap[0], window.height() + gap[1])
    QApplication.processEvents()
    settle_memory()
    return window


def _megabytes() -> float:
    """Return what this process holds now; 0 where the system does not tell in this way."""
    status = Path("/proc/self/statm")
    if not status.is_file():
        return 0.0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1_048_576


if __name__ == "__main__":
    application = QApplication([])
    part, place = sys.argv[1], Path(sys.argv[2])
    if part == "undoing":
        print(json.dumps(undoing(place, int(sys.argv[3]))))
    else:
        print(json.dumps({"opening": opening, "working": working}[part](place)))
