"""Which keys an action has: those of its table, unless the person gave it others."""

from collections.abc import Mapping

from PySide6.QtGui import QAction, QKeySequence

from seginst_gui import settings
from seginst_gui.actions import ActionEntry, show_keys
from seginst_gui.language import later

Keys = Mapping[str, tuple[str, ...]]
"""By the id of an action, its keys as Qt spells them on every platform, ``Ctrl+Shift+Z``."""

RESERVED: Mapping[str, str] = {
    "Esc": later("Esc gives up what is under way; it cannot have another meaning."),
    "Space": later("Space moves the image; it cannot have another meaning."),
    "Shift+Tab": later("Shift+Tab goes back to the field before; it cannot have another meaning."),
}


def default_keys(entries: Mapping[str, ActionEntry]) -> Keys:
    """Return the keys that the actions have at first."""
    return {name: tuple(map(spelled, entry.shortcuts)) for name, entry in entries.items()}


def load_keys(entries: Mapping[str, ActionEntry]) -> Keys:
    """Return the keys that the person chose, and the usual ones for all the rest.

    A key means one thing: what the person chose is taken from whichever action has it by default.
    """
    usual = default_keys(entries)
    own: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set(RESERVED)
    for name, chosen in settings.load_keys().items():
        if name in usual:
            free = [k for k in dict.fromkeys(map(spelled, chosen)) if k and k not in taken]
            own[name] = tuple(free)
            taken.update(free)
    return {
        name: own[name] if name in own else tuple(k for k in keys if k not in taken)
        for name, keys in usual.items()
    }


def save_keys(keys: Keys, entries: Mapping[str, ActionEntry]) -> None:
    """Remember the keys that differ from the usual ones."""
    usual = default_keys(entries)
    settings.save_keys({name: own for name, own in keys.items() if own != usual[name]})


def owner(keys: Keys, key: str) -> str | None:
    """Return the action that has a key now."""
    return next((name for name, own in keys.items() if key in own), None)


def given(keys: Keys, name: str, own: tuple[str, ...]) -> Keys:
    """Return the keys with ``own`` for one action, taken from whichever other has them."""
    return {
        other: own if other == name else tuple(k for k in theirs if k not in own)
        for other, theirs in keys.items()
    }


def apply_keys(
    actions: Mapping[str, QAction], keys: Keys, entries: Mapping[str, ActionEntry]
) -> None:
    """Give all actions their keys; their tool tips name them."""
    for name, own in keys.items():
        show_keys(actions[name], entries[name], own)


def spelled(key: str) -> str:
    """Return a key as Qt spells it; empty if it knows no such key."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def shown(own: tuple[str, ...]) -> str:
    """Return keys as this platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(key).toString(native) for key in own)
