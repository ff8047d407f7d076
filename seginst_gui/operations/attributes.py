"""Attributes of objects: free names with values, as ``occluded = yes``; exported with them."""

import json
from dataclasses import replace
from operator import attrgetter

from seginst_core.errors import ProjectError
from seginst_core.project.edits import change
from seginst_core.types import Instance
from seginst_gui.language import tr
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

MAX_CHARACTERS = 200
_SETTING = "attribute_names"


def set_attribute(session: Session, name: str, value: str) -> None:
    """Give the selected objects an attribute, in one step; an empty value takes it away.

    ProjectError if the name is empty, or either is too long.
    """
    name, value = " ".join(name.split()), " ".join(value.split())
    if not name:
        raise ProjectError(tr("An attribute needs a name, as in occluded = yes."))
    if max(len(name), len(value)) > MAX_CHARACTERS:
        raise ProjectError(
            tr("An attribute has at most {max_characters} characters.").format(
                max_characters=MAX_CHARACTERS
            )
        )
    pairs = [
        (old, _with(old, name, value))
        for old in session.selected
        if old.attributes.get(name, "") != value
    ]
    if not value and not pairs:
        _remember(session, name, offered=False)
    if pairs and session.image is not None:
        what = (
            tr("Set {name} = {value}").format(name=name, value=value)
            if value
            else tr("Take {name} away").format(name=name)
        )
        session.apply(change(session.image.id, pairs, f"{what}, {count(len(pairs), 'object')}"))
        if value:
            _remember(session, name, offered=True)


def names_for(session: Session) -> list[str]:
    """Return the names of attributes that the classes of the selected objects have.

    These are the ones given in this project, and those of the current image's objects.
    """
    classes = {i.category_id for i in session.selected}
    # Most objects have none: that is asked first, and of thousands after every stroke.
    having = filter(attrgetter("attributes"), session.instances)
    there = {name for i in having if i.category_id in classes for name in i.attributes}
    remembered = _remembered(session)
    return sorted(there.union(*(remembered.get(str(k), ()) for k in classes)))


def value_of(session: Session, name: str) -> str | None:
    """Return the value that all selected objects have, empty for none; None if they differ."""
    values = {i.attributes.get(name, "") for i in session.selected}
    return values.pop() if len(values) == 1 else None


def _remembered(session: Session) -> dict[str, list[str]]:
    """Return the names given in this project, by the id of the class."""
    stored = session.project.setting(_SETTING) if session.project is not None else None
    found: dict[str, list[str]] = json.loads(stored or "{}")
    return found


def _remember(session: Session, name: str, *, offered: bool) -> None:
    """Offer a name for the classes of the selected objects from now on, or no more."""
    names = _remembered(session)
    before = json.dumps(names)
    for category_id in {str(i.category_id) for i in session.selected}:
        others = [other for other in names.get(category_id, []) if other != name]
        names[category_id] = sorted([*others, name]) if offered else others
    if session.project is not None and json.dumps(names) != before:
        session.project.set_setting(_SETTING, json.dumps(names))


def _with(old: Instance, name: str, value: str) -> Instance:
    others = {key: held for key, held in old.attributes.items() if key != name}
    return replace(old, attributes={**others, name: value} if value else others)
