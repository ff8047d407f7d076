"""Copies of objects: on the same image, or on another one of the project."""

from collections.abc import Sequence
from dataclasses import replace

from seginst_core.errors import ProjectError
from seginst_core.masks.geometry import clip, mask_box
from seginst_core.project.edits import add
from seginst_core.types import HUMAN, Box, ImageRef, Instance, Mask
from seginst_gui.clipboard import Copied
from seginst_gui.language import tr
from seginst_gui.operations.objects import objects
from seginst_gui.session import Session

SHIFT_PX = 10
"""How far right and down of itself an object's copy lies, so that both are seen."""


def copy_selected(session: Session) -> None:
    """Keep the selected objects for ``paste``."""
    if session.image is not None and session.selection:
        session.copied = Copied(session.image.id, session.selected)


def paste(session: Session) -> None:
    """Add what was copied and select it: on its own image beside itself, else at its place."""
    if not session.copied.instances:
        raise ProjectError(tr("Nothing has been copied yet."))
    if session.image is not None:
        here = session.copied.image_id == session.image.id
        pasted = _add(
            session, session.copied.instances, tr("Paste {objects}"), SHIFT_PX if here else 0
        )
        # The next copy lies beside this one.
        session.copied = Copied(session.image.id, pasted)


def duplicate(session: Session) -> None:
    """Add a copy beside each selected object, and select the copies."""
    if session.selection:
        _add(session, session.selected, tr("Duplicate {objects}"), SHIFT_PX)


def copy_to_next(session: Session) -> None:
    """Go to the next image and add the selected objects there, at the same place."""
    chosen = session.selected
    if not chosen:
        return
    copy_selected(session)
    before = session.image_id
    session.step(1)
    if session.image_id == before:
        raise ProjectError(tr("This is the last image."))
    if session.document is None:
        raise ProjectError(tr("The next image cannot be read, so nothing was added to it."))
    paste(session)


def _add(
    session: Session, copied: Sequence[Instance], text: str, shift_px: int
) -> tuple[Instance, ...]:
    image = session.image
    assert image is not None
    fitting = [p for p in (_placed(i, image, shift_px) for i in copied) if p is not None]
    if not fitting:
        raise ProjectError(tr("The copied objects lie outside this image."))
    ids = session.new_ids(len(fitting))
    made = tuple(
        replace(i, id=new_id, category_id=_class_of(session, i), score=None, origin=HUMAN)
        for i, new_id in zip(fitting, ids, strict=True)
    )
    edit = add(image.id, made, text.format(objects=objects(len(made))), tool="paste")
    session.apply(edit, select_added=True)
    return made


def _class_of(session: Session, copied: Instance) -> int:
    """Return the class to paste an object with: its own may have been removed since."""
    category = session.category_of(copied) or session.drawing_category()
    return category.id


def _placed(old: Instance, image: ImageRef, shift_px: int) -> Instance | None:
    """Return an object moved by so much, but inside the image; None if it lies outside."""
    box = old.box
    # Where there is no room at the right or below, the copy goes to the other side.
    dx = shift_px if box.x1 + shift_px <= image.width else -min(shift_px, int(box.x0))
    dy = shift_px if box.y1 + shift_px <= image.height else -min(shift_px, int(box.y0))
    if old.mask is not None:
        moved = Mask(old.mask.x0 + dx, old.mask.y0 + dy, old.mask.bits)
        mask = clip(moved, image.width, image.height)
        return None if mask is None else replace(old, mask=mask, box=mask_box(mask))
    x0, y0 = max(box.x0 + dx, 0.0), max(box.y0 + dy, 0.0)
    x1, y1 = min(box.x1 + dx, float(image.width)), min(box.y1 + dy, float(image.height))
    return replace(old, box=Box(x0, y0, x1, y1)) if x0 < x1 and y0 < y1 else None
