"""What every drawing tool ends in: a new object, or more of the selected one."""

from seginst_core.masks.geometry import mask_box, union
from seginst_core.project.edits import Edit, add, change, painted, remove
from seginst_core.types import HUMAN, Box, Instance, Mask
from seginst_gui.operations.apart import kept_apart, others, reshaped_apart
from seginst_gui.session import Session


def draw(session: Session, mask: Mask, tool: str, more: str, new: str) -> Edit | None:
    """Return the edit that adds a mask to the one selected object, or makes a new one of it.

    ``more`` and ``new`` name the step in either case. None if nothing changes.
    """
    chosen = session.selected
    if len(chosen) != 1:
        return new_object(session, mask, new, tool)
    old, image = chosen[0], session.image
    assert image is not None
    free = kept_apart(session, mask, others(session, old))
    if free is None:
        return None
    grown = free if old.mask is None else union(old.mask, free)
    if old.mask is not None and grown.area == old.mask.area:
        return None
    return change(image.id, [(old, painted(old, grown))], more, tool=tool)


def redraw(session: Session, old: Instance, mask: Mask | None, tool: str, text: str) -> Edit | None:
    """Return the edit that gives an object another mask, or deletes it if nothing is left."""
    image = session.image
    assert image is not None
    if mask is not None:
        mask = reshaped_apart(session, old, mask, others(session, old))
    if mask is None:
        return remove(image.id, [old], text, tool=tool)
    return None if mask == old.mask else change(image.id, [(old, painted(old, mask))], text, tool)


def new_object(session: Session, mask: Mask, text: str, tool: str) -> Edit | None:
    """Return the edit that adds an object of the current class; None if no pixel is free for it."""
    free = kept_apart(session, mask, session.instances)
    return None if free is None else _add(session, mask_box(free), free, text, tool)


def new_box(session: Session, box: Box, text: str, tool: str) -> Edit:
    """Return the edit that adds an object of the current class that has no mask yet."""
    return _add(session, box, None, text, tool)


def _add(session: Session, box: Box, mask: Mask | None, text: str, tool: str) -> Edit:
    assert session.image is not None
    category = session.drawing_category()
    instance = Instance(session.new_ids()[0], category.id, box, mask, origin=HUMAN)
    return add(session.image.id, [instance], text, tool=tool)
