"""The shapes of the selected objects: each function is one step that can be undone.

What an operation cannot do anything for is said in one sentence, as ProjectError.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from seginst_core.errors import ProjectError
from seginst_core.masks import geometry, morphology
from seginst_core.project.edits import Change, Edit, change, painted
from seginst_core.types import Instance, Mask
from seginst_gui.language import tr
from seginst_gui.operations.apart import all_reshaped_apart
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

Reshape = Callable[[Mask, int, int], Mask | None]
"""A mask, the image's width and height -> the mask it becomes; None if nothing is left of it."""


def fill_holes(session: Session) -> None:
    """Fill the holes of the selected objects."""
    _reshape(
        session,
        tr("Fill holes"),
        lambda mask, _width, _height: morphology.fill_holes(mask),
        tr("The selected objects have no holes."),
    )


def smooth(session: Session) -> None:
    """Smooth the outlines of the selected objects (see ``morphology.smooth``)."""
    _reshape(
        session,
        tr("Smooth"),
        morphology.smooth,
        tr("The selected objects are as smooth as can be."),
    )


def grow(session: Session) -> None:
    """Grow the selected objects by one pixel."""
    _reshape(session, tr("Grow"), morphology.grow, tr("The selected objects have no room to grow."))


def shrink(session: Session) -> None:
    """Shrink the selected objects by one pixel; what would vanish stays."""
    _reshape(
        session,
        tr("Shrink"),
        morphology.shrink,
        tr("The selected objects are too small to shrink."),
    )


def merge(session: Session) -> None:
    """Make one object of the selected ones; the one drawn first gives it its class."""
    if len(session.selected) < 2:
        raise ProjectError(tr("Select two objects or more to merge them."))
    first, *others = session.selected
    merged = reduce(geometry.union, (_mask(session, i) for i in session.selected))
    steps = [Change(first, painted(first, merged)), *(Change(i, None) for i in others)]
    session.apply(
        _edit(
            session, steps, tr("Merge {objects}").format(objects=count(len(others) + 1, "object"))
        )
    )


def subtract(session: Session) -> None:
    """Take the selected object that was drawn last out of the others, and keep it."""
    if len(session.selected) < 2:
        raise ProjectError(
            tr("Select two objects or more: the one drawn last is cut out of the rest.")
        )
    *others, last = session.selected
    hole = _mask(session, last)
    steps = []
    for old in others:
        mask = _mask(session, old)
        if geometry.overlap(mask, hole):
            left = geometry.subtract(mask, hole)
            steps.append(Change(old, painted(old, left) if left is not None else None))
    if not steps:
        raise ProjectError(tr("The selected objects do not overlap."))
    session.apply(
        _edit(
            session,
            steps,
            tr("Subtract from {objects}").format(objects=count(len(steps), "object")),
        )
    )


def split_parts(session: Session) -> None:
    """Make an object of each part of the selected ones; the largest part keeps the identity."""
    found = [(i, morphology.parts(i.mask)) for i in session.selected if i.mask is not None]
    found = [(old, masks) for old, masks in found if len(masks) > 1]
    if not found:
        raise ProjectError(tr("The selected objects are in one part each."))
    session.apply(split(session, found, tr("Split the parts of {objects}")))


def split(
    session: Session, found: list[tuple[Instance, list[Mask]]], text: str, tool: str = ""
) -> Edit:
    """Return the edit that makes of each object one for each of its masks; the first stays it.

    ``text`` names the step, with ``{objects}`` for how many there are.
    """
    new_ids = iter(session.new_ids(sum(len(masks) - 1 for _, masks in found)))
    steps = []
    for old, (first, *others) in found:
        steps.append(Change(old, painted(old, first)))
        for mask in others:
            piece = painted(replace(old, id=next(new_ids)), mask)
            steps.append(Change(None, piece))
    return _edit(session, steps, text.format(objects=count(len(found), "object")), tool)


def _reshape(session: Session, text: str, reshaped: Reshape, nothing: str) -> None:
    image = session.image
    if image is None:
        return
    wanted = {}
    for old in session.selected:
        mask = old.mask and reshaped(old.mask, image.width, image.height)
        if mask is not None and mask != old.mask:
            wanted[old.id] = mask
    made = all_reshaped_apart(session, wanted)
    pairs = [(old, painted(old, made[old.id])) for old in session.selected if old.id in made]
    if not pairs:
        in_the_way = tr("Other objects are in the way, and “Keep apart” is on.")
        raise ProjectError(in_the_way if wanted else nothing)
    session.apply(change(image.id, pairs, f"{text} {count(len(pairs), 'object')}"))


def _mask(session: Session, instance: Instance) -> Mask:
    """Return an object's mask; one that is only a box so far counts as filled."""
    image = session.image
    assert image is not None
    mask = instance.mask or geometry.from_box(instance.box, image.width, image.height)
    if mask is None:
        raise ProjectError(tr("One of the selected boxes holds no pixel."))
    return mask


def _edit(session: Session, steps: list[Change], text: str, tool: str = "") -> Edit:
    assert session.image is not None
    return Edit(session.image.id, tuple(steps), text, tool=tool)
