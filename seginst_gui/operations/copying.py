"""Copies of objects: on the same image, or on another one of the project."""

from collections.abc import Sequence
from dataclasses import replace

from seginst_core.errors import ProjectError
from seginst_core.masks.geometry import clip, mask_box
from seginst_core.project.edits import add
from seginst_core.types import HUMAN, Box, ImageRef, Instance, Mask
from seginst_gui.clipboard import Copied
from seginst_gui.language import tr
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

SHIFT_PX = 10
"""How far right and down of itself an object's copy lies, so that both are seen."""


def copy_selected(session: Session) -> None:
    """Keep the selected objects for ``paste``."""
    if session.image is not None and session.selection:
        session.copied = Copied(session.image.id, session.selected)


def paste(session: Session) -> str:
    """Add what was copied and select it: on its own image beside itself, else at its place.

    What is kept for the next time stays whole. Return what did not fit, in a sentence.
    """
    if not session.copied.instances:
        raise ProjectError(tr("Nothing has been copied yet."))
    if session.image is None:
        return ""
    here = session.copied.image_id == session.image.id
    moved = [_moved(i, session.image, SHIFT_PX if here else 0) for i in session.copied.instances]
    said = _add(session, moved, tr("Paste {objects}"))
    # The next copy lies beside this one.
    session.copied = Copied(session.image.id, tuple(moved))
    return said


def duplicate(session: Session) -> str:
    """Add a copy beside each selected object, and select the copies; return what did not fit."""
    if session.image is None or not session.selection:
        return ""
    moved = [_moved(i, session.image, SHIFT_PX) for i in session.selected]
    return _add(session, moved, tr("Duplicate {objects}"))


def copy_to_next(session: Session) -> str:
    """Go to the next image and add the selected objects there, at the same place.

    Return what did not fit, in a sentence.
    """
    chosen = session.selected
    if not chosen:
        return ""
    copy_selected(session)
    before = session.image_id
    session.step(1)
    if session.image_id == before:
        raise ProjectError(tr("This is the last image."))
    if session.document is None:
        raise ProjectError(tr("The next image cannot be read, so nothing was added to it."))
    return paste(session)


def _add(session: Session, moved: Sequence[Instance], text: str) -> str:
    image = session.image
    assert image is not None
    fitting = [p for p in (_inside(i, image) for i in moved) if p is not None]
    if not fitting:
        raise ProjectError(tr("The copied objects lie outside this image."))
    ids = session.new_ids(len(fitting))
    made = [
        replace(i, id=new_id, category_id=_class_of(session, i), score=None, origin=HUMAN)
        for i, new_id in zip(fitting, ids, strict=True)
    ]
    edit = add(image.id, made, text.format(objects=count(len(made), "object")), tool="paste")
    session.apply(edit, select_added=True)
    return _say_lost(moved, fitting)


def _class_of(session: Session, copied: Instance) -> int:
    """Return the class to paste an object with: its own may have been removed since."""
    category = session.category_of(copied) or session.drawing_category()
    return category.id


def _moved(old: Instance, image: ImageRef, shift_px: int) -> Instance:
    """Return an object moved by so much, whole; one that lies outside the image stays there."""
    if _inside(old, image) is None:
        return old
    box = old.box
    # Where there is no room at the right or below, the copy goes to the other side.
    dx = shift_px if box.x1 + shift_px <= image.width else -min(shift_px, int(box.x0))
    dy = shift_px if box.y1 + shift_px <= image.height else -min(shift_px, int(box.y0))
    mask = old.mask and Mask(old.mask.x0 + dx, old.mask.y0 + dy, old.mask.bits)
    return replace(old, mask=mask, box=Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy))


def _inside(whole: Instance, image: ImageRef) -> Instance | None:
    """Return what of an object is inside the image; None if nothing is."""
    if whole.mask is not None:
        mask = clip(whole.mask, image.width, image.height)
        return None if mask is None else replace(whole, mask=mask, box=mask_box(mask))
    box = whole.box
    x0, y0 = max(box.x0, 0.0), max(box.y0, 0.0)
    x1, y1 = min(box.x1, float(image.width)), min(box.y1, float(image.height))
    return replace(whole, box=Box(x0, y0, x1, y1)) if x0 < x1 and y0 < y1 else None


def _say_lost(moved: Sequence[Instance], fitting: Sequence[Instance]) -> str:
    """Return what of the copied objects the image has no room for; empty if it has for all."""
    whole = {i.id: i for i in moved}
    n_cut = sum(i.box != whole[i.id].box for i in fitting)
    n_out = len(moved) - len(fitting)
    parts = []
    if n_cut:
        parts.append(tr("{objects} cut at the image's edge").format(objects=count(n_cut, "object")))
    if n_out:
        parts.append(
            tr("{objects} outside the image left out").format(objects=count(n_out, "object"))
        )
    return f"{', '.join(parts)}." if parts else ""
