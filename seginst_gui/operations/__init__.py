"""What a person can do to the objects of the current image: one function each."""

from collections.abc import Callable, Mapping

from seginst_gui.operations.copying import copy_selected, copy_to_next, duplicate, paste
from seginst_gui.operations.marks import show_all, solo, switch_hidden, switch_lock
from seginst_gui.operations.objects import (
    Accepted,
    accept_all,
    accept_selected,
    delete_selected,
    select_below,
    select_next,
    set_class,
    set_state,
    stack_at,
)
from seginst_gui.operations.shapes import (
    fill_holes,
    grow,
    merge,
    shrink,
    smooth,
    split_parts,
    subtract,
)
from seginst_gui.session import Session

__all__ = (
    "ON_SELECTION",
    "Accepted",
    "accept_all",
    "accept_selected",
    "delete_selected",
    "paste",
    "select_below",
    "select_next",
    "set_class",
    "set_state",
    "show_all",
    "stack_at",
)

ON_SELECTION: Mapping[str, Callable[[Session], str | None]] = {
    "delete": delete_selected,
    "copy": copy_selected,
    "copy_to_next": copy_to_next,
    "duplicate": duplicate,
    "lock": switch_lock,
    "hide": switch_hidden,
    "solo": solo,
    "fill_holes": fill_holes,
    "smooth": smooth,
    "grow": grow,
    "shrink": shrink,
    "merge": merge,
    "subtract": subtract,
    "split_parts": split_parts,
}
"""By the id of its action, all that works on the selected objects, and on nothing without any.

Each returns a sentence if it did less than asked.
"""
