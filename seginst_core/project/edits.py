"""Edits: one undoable change each, as the before and after of the instances it touched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from seginst_core.masks.geometry import mask_box
from seginst_core.types import Instance, Mask, State

Rect = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One instance's change: ``before`` None adds it, ``after`` None deletes it."""

    before: Instance | None
    after: Instance | None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError("a change has a before or an after")
        if self.before and self.after and self.before.id != self.after.id:
            raise ValueError("a change keeps the instance's id")

    @property
    def id(self) -> int:
        """The id of the instance that changes."""
        instance = self.after or self.before
        assert instance is not None
        return instance.id


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of one image's history; ``text`` names it for people, ``state`` is before, after.

    ``refused`` are predicted objects that the person says are none, ``allowed`` are those of which
    that is taken back.
    """

    image_id: int
    changes: tuple[Change, ...]
    text: str
    state: tuple[State, State] | None = None
    tool: str = ""
    refused: tuple[Instance, ...] = ()
    allowed: tuple[Instance, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the edit changes nothing."""
        return not (self.changes or self.refused or self.allowed) and self.state is None


def invert(edit: Edit) -> Edit:
    """Return the edit that takes ``edit`` back."""
    changes = tuple(Change(c.after, c.before) for c in reversed(edit.changes))
    state = None if edit.state is None else (edit.state[1], edit.state[0])
    return replace(edit, changes=changes, state=state, refused=edit.allowed, allowed=edit.refused)


def add(image_id: int, instances: Sequence[Instance], text: str, tool: str = "") -> Edit:
    """Return an edit that adds ``instances``."""
    return Edit(image_id, tuple(Change(None, i) for i in instances), text, tool=tool)


def remove(image_id: int, instances: Sequence[Instance], text: str, tool: str = "") -> Edit:
    """Return an edit that deletes ``instances``."""
    return Edit(image_id, tuple(Change(i, None) for i in instances), text, tool=tool)


def change(
    image_id: int, pairs: Iterable[tuple[Instance, Instance]], text: str, tool: str = ""
) -> Edit:
    """Return an edit that turns each first instance into its second."""
    return Edit(image_id, tuple(Change(b, a) for b, a in pairs), text, tool=tool)


def painted(instance: Instance, mask: Mask) -> Instance:
    """Return ``instance`` with a mask drawn by hand: its box follows, its origin says so."""
    return replace(
        instance, mask=mask, box=mask_box(mask), origin=replace(instance.origin, edited=True)
    )


def dirty_rect(*edits: Edit) -> Rect | None:
    """Return the pixels whose look edits may change, x0, y0, x1, y1; None if there are none."""
    objects: list[Instance | None] = []
    for edit in edits:
        objects += [i for change in edit.changes for i in (change.before, change.after)]
        objects += (*edit.refused, *edit.allowed)
    boxes = [i.box for i in objects if i is not None]
    if not boxes:
        return None
    return (
        int(min(b.x0 for b in boxes)) - 1,
        int(min(b.y0 for b in boxes)) - 1,
        int(max(b.x1 for b in boxes)) + 2,
        int(max(b.y1 for b in boxes)) + 2,
    )
