"""Hands for the tests of tools: a project of one small image, and drags in image pixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import Edit, add
from seginst_core.types import Box, ImageArray, Instance, Mask
from seginst_gui.session import Session
from seginst_gui.tools.base import Pointer, Tool


@contextmanager
def session_on(qtbot: QtBot, folder: Path, pixels: ImageArray) -> Iterator[Session]:
    """Open a project of two images with these pixels (RGB)."""
    for name in ("a.png", "b.png"):
        _, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
        (folder / name).write_bytes(data.tobytes())
    session = Session()
    session.open_folder(folder)
    qtbot.waitUntil(lambda: session.picture is not None)
    yield session
    session.close()


def drag(tool: Tool, *points: tuple[float, float], **held: bool) -> Edit | None:
    """Press at the first point, move through the rest, release at the last."""
    edit = tool.press(Pointer(*points[0], reach_px=2, **held))
    for point in points[1:]:
        tool.move(Pointer(*point, reach_px=2, **held), held=True)
    return tool.release(Pointer(*points[-1], reach_px=2, **held)) or edit


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


def put(session: Session, mask: Mask, **fields: object) -> Instance:
    """Store an object as if it had been drawn."""
    category = session.drawing_category()
    box = Box(mask.x0, mask.y0, mask.x1, mask.y1)
    instance = Instance(session.new_ids()[0], category.id, box, mask, **fields)
    session.apply(add(session.image.id, [instance], "Put"))
    return instance


def undone(session: Session, edit: Edit | None) -> tuple[Instance, ...]:
    """Store an edit, check that undo and redo are exact, return the objects after it."""
    assert edit is not None
    before = session.instances
    session.apply(edit)
    after = session.instances
    session.undo()
    assert session.instances == before
    session.redo()
    assert session.instances == after
    return after
