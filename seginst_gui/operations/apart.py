"""Keep apart: what is drawn leaves out the pixels of other objects, while the person wants that."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import meet, subtract
from seginst_core.types import Instance, Mask
from seginst_gui.session import Session


def others(session: Session, own: Instance | None) -> list[Instance]:
    """Return the current image's objects but one."""
    return [i for i in session.instances if i is not own]


def kept_apart(session: Session, mask: Mask, beside: Iterable[Instance]) -> Mask | None:
    """Return the pixels of a mask that may be drawn: all, or those that no object beside has."""
    left: Mask | None = mask
    for other in beside if session.keep_apart else ():
        if left is not None and other.mask is not None and meet(left, other.mask):
            left = subtract(left, other.mask)
    return left


def reshaped_apart(
    session: Session, old: Instance, mask: Mask, beside: Iterable[Instance]
) -> Mask | None:
    """Return an object's new mask less what it may not gain; what it shared already stays."""
    gained = mask if old.mask is None else subtract(mask, old.mask)
    free = None if gained is None else kept_apart(session, gained, beside)
    if gained is None or free == gained:
        return mask
    taken = gained if free is None else subtract(gained, free)
    return mask if taken is None else subtract(mask, taken)


def all_reshaped_apart(session: Session, wanted: Mapping[int, Mask]) -> dict[int, Mask]:
    """Do as ``reshaped_apart`` for many objects, by their ids; those that stay are left out.

    Of two that would gain the same pixels, the first gets them.
    """
    if not session.keep_apart:
        return dict(wanted)
    now = {i.id: i for i in session.instances if i.mask is not None}
    ids, made = list(now), {}
    extents = np.array(
        [_extent(i.mask, wanted.get(i.id)) for i in now.values() if i.mask], np.int64
    )
    for key, mask in wanted.items():
        beside = [now[ids[k]] for k in _near(extents, mask) if ids[k] != key]
        free = reshaped_apart(session, now[key], mask, beside)
        if free is not None and free != now[key].mask:
            made[key] = free
            now[key] = replace(now[key], mask=free)
    return made


def _extent(old: Mask, new: Mask | None) -> tuple[int, int, int, int]:
    new = new or old
    x0, y0 = min(old.x0, new.x0), min(old.y0, new.y0)
    return x0, y0, max(old.x1, new.x1), max(old.y1, new.y1)


def _near(extents: npt.NDArray[np.int64], mask: Mask) -> list[int]:
    """Return the rows of ``extents`` (n, 4: x0, y0, x1, y1) that meet a mask's crop."""
    x0, y0, x1, y1 = extents.T
    hits = (x0 < mask.x1) & (mask.x0 < x1) & (y0 < mask.y1) & (mask.y0 < y1)
    return [int(k) for k in np.flatnonzero(hits)]
