"""The instances of an image and the edits that led to them, as rows of the database.

All functions here run inside the caller's ``reading`` or ``writing``.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from seginst_core.errors import ProjectError
from seginst_core.project.codec import (
    Known,
    Recent,
    Sides,
    edit_from_bytes,
    edit_to_bytes,
    instance_from_bytes,
    instance_to_bytes,
)
from seginst_core.project.edits import Edit, invert
from seginst_core.types import Annotation, Instance, State

MAX_ID = 2**53 - 1
"""The largest instance id: every JSON reader still reads it exactly."""


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One edit of an image's history, for people; ``made_at`` is UTC, ISO 8601."""

    step: int
    text: str
    undone: bool
    made_at: str


def annotations(
    db: sqlite3.Connection, states: Collection[State] | None = None, image_id: int | None = None
) -> dict[int, Annotation]:
    """Read the annotations of the images in ``states``, or of one image, in id order."""
    values: tuple[State, ...] | tuple[int]
    if image_id is None:
        values = tuple(sorted(states or ()))
        where = f"i.state IN ({', '.join('?' * len(values))})"
    else:
        values = (image_id,)
        where = "i.id = ?"
    rows = db.execute(
        "SELECT i.id, i.state, o.body FROM images i LEFT JOIN instances o ON o.image_id = i.id "
        f"WHERE {where} ORDER BY i.id, o.id",
        values,
    ).fetchall()
    found: dict[int, tuple[State, list[Instance]]] = {}
    for owner, state, body in rows:
        _, instances = found.setdefault(owner, (state, []))
        if body is not None:
            instances.append(instance_from_bytes(body))
    return {k: Annotation(k, tuple(found[k][1]), found[k][0]) for k in found}


def with_draft(edit: Edit, state: State) -> Edit:
    """Let the first objects of an untouched image make it a draft, as a part of the same edit."""
    if state == "todo" and (edit.changes or edit.refused) and edit.state is None:
        return replace(edit, state=("todo", "draft"))
    return edit


def refusals(db: sqlite3.Connection, image_id: int) -> tuple[Instance, ...]:
    """Read the predicted objects of an image that a person said are none."""
    query = "SELECT body FROM refusals WHERE image_id = ? ORDER BY id"
    return tuple(instance_from_bytes(body) for (body,) in db.execute(query, (image_id,)))


def record(
    db: sqlite3.Connection,
    edit: Edit,
    revision: int,
    seconds: float = 0.0,
    recent: Recent | None = None,
) -> None:
    """Make an edit and write it down as the newest step; steps that were undone are gone then.

    ``seconds`` is the person's time that went into it. ``recent`` learns the edit's instances.
    """
    known = _bodies(db, edit.image_id, [c.id for c in edit.changes if c.before is not None])
    sides: list[Sides] = [
        (
            None if change.before is None else known.get(change.id),
            None if change.after is None else instance_to_bytes(change.after),
        )
        for change in edit.changes
    ]
    if len(known) != sum(change.before is not None for change in edit.changes):
        raise _stale()
    _apply(db, edit, sides, revision)
    db.execute("DELETE FROM history WHERE image_id = ? AND undone = 1", (edit.image_id,))
    db.execute(
        "INSERT INTO history (image_id, step, text, body, seconds) VALUES "
        "(?1, 1 + (SELECT IFNULL(MAX(step), 0) FROM history WHERE image_id = ?1), ?2, ?3, ?4)",
        (edit.image_id, edit.text, edit_to_bytes(edit, sides), seconds),
    )
    if recent is not None:
        for change, (before, after) in zip(edit.changes, sides, strict=True):
            for body, instance in ((before, change.before), (after, change.after)):
                if body is not None and instance is not None:
                    recent.keep(body, instance)


@dataclass(frozen=True, slots=True)
class Step:
    """A step ready to be taken: the edit to apply, its records, and what the step is then."""

    number: int
    undone: bool
    edit: Edit
    sides: tuple[Sides, ...]


def step_back(db: sqlite3.Connection, image_id: int, known: Known, recent: Recent) -> Step | None:
    """Return the step that takes back the newest edit; None if there is none.

    ``known`` are the image's instances as they are now; ``take_step`` refuses if they are not.
    """
    row = db.execute(
        "SELECT step, text, body FROM history WHERE image_id = ? AND step <= ? "
        "ORDER BY step DESC LIMIT 1",
        (image_id, size(db, image_id)[1]),
    ).fetchone()
    if row is None:
        return None
    number, text, body = row
    edit, sides = edit_from_bytes(image_id, text, body, known, side=1, read=recent.read)
    return Step(number, True, invert(edit), tuple((a, b) for b, a in reversed(sides)))


def step_forward(
    db: sqlite3.Connection, image_id: int, known: Known, recent: Recent
) -> Step | None:
    """Return the step that makes the edit last taken back again; None if there is none."""
    row = db.execute(
        "SELECT step, text, body FROM history WHERE image_id = ? AND undone = 1 "
        "ORDER BY step LIMIT 1",
        (image_id,),
    ).fetchone()
    if row is None:
        return None
    number, text, body = row
    edit, sides = edit_from_bytes(image_id, text, body, known, side=0, read=recent.read)
    return Step(number, False, edit, sides)


def take_step(db: sqlite3.Connection, step: Step, revision: int) -> None:
    """Apply a step from ``step_back`` or ``step_forward``."""
    _apply(db, step.edit, step.sides, revision)
    db.execute(
        "UPDATE history SET undone = ? WHERE image_id = ? AND step = ?",
        (step.undone, step.edit.image_id, step.number),
    )


def size(db: sqlite3.Connection, image_id: int) -> tuple[int, int]:
    """Return how many steps an image's history has, and how many of them are not undone.

    Steps are numbered from 1, and those that were undone are the last ones.
    """
    (newest,) = db.execute(
        "SELECT IFNULL(MAX(step), 0) FROM history WHERE image_id = ?", (image_id,)
    ).fetchone()
    (undone,) = db.execute(
        "SELECT MIN(step) FROM history WHERE image_id = ? AND undone = 1", (image_id,)
    ).fetchone()
    return newest, newest if undone is None else undone - 1


def steps(db: sqlite3.Connection, image_id: int, first: int, last: int) -> tuple[HistoryStep, ...]:
    """Return the steps of an image from one number to another, oldest first."""
    rows = db.execute(
        "SELECT step, text, undone, made_at FROM history "
        "WHERE image_id = ? AND step BETWEEN ? AND ? ORDER BY step",
        (image_id, first, last),
    ).fetchall()
    return tuple(HistoryStep(step, text, bool(undone), at) for step, text, undone, at in rows)


def _apply(db: sqlite3.Connection, edit: Edit, sides: Sequence[Sides], revision: int) -> None:
    state = None if edit.state is None else edit.state[1]
    # The revision says whether the caller saw the newest instances, whatever it wants to change.
    cursor = db.execute(
        "UPDATE images SET revision = revision + 1, state = IFNULL(?, state) "
        "WHERE id = ? AND revision = ?",
        (state, edit.image_id, revision),
    )
    if cursor.rowcount != 1:
        raise _stale()
    pairs = list(zip(edit.changes, sides, strict=True))
    after = [(c.after, body) for c, (_, body) in pairs if c.after is not None]
    _revive(db, {instance.category_id for instance, _ in after})
    if any(not 0 < instance.id <= MAX_ID for instance, _ in after):
        raise ProjectError(f"The number of an object is not between 1 and {MAX_ID}.")
    gone = [(c.id, edit.image_id) for c in edit.changes if c.after is None]
    new = [
        (c.after.id, edit.image_id, c.after.category_id, body)
        for c, (_, body) in pairs
        if c.after is not None and c.before is None
    ]
    changed = [
        (c.after.category_id, body, c.id, edit.image_id)
        for c, (_, body) in pairs
        if c.after is not None and c.before is not None
    ]
    _all(db, "DELETE FROM instances WHERE id = ? AND image_id = ?", gone)
    _all(db, "DELETE FROM refusals WHERE id = ?", [(i.id,) for i in edit.allowed])
    _all(
        db,
        "INSERT INTO refusals (id, image_id, body) VALUES (?, ?, ?)",
        [(i.id, edit.image_id, instance_to_bytes(i)) for i in edit.refused],
    )
    _all(db, "INSERT INTO instances (id, image_id, category_id, body) VALUES (?, ?, ?, ?)", new)
    _all(
        db,
        "UPDATE instances SET category_id = ?, body = ? WHERE id = ? AND image_id = ?",
        changed,
    )


def _all(
    db: sqlite3.Connection, query: str, values: Sequence[tuple[int | bytes | None, ...]]
) -> None:
    if values and db.executemany(query, values).rowcount != len(values):
        raise _stale()


def _bodies(db: sqlite3.Connection, image_id: int, ids: Iterable[int]) -> dict[int, bytes]:
    """Return the records as they are: what is in the database need not be packed again."""
    found: dict[int, bytes] = {}
    for instance_id in ids:
        row = db.execute(
            "SELECT body FROM instances WHERE id = ? AND image_id = ?", (instance_id, image_id)
        ).fetchone()
        if row is not None:
            found[instance_id] = row[0]
    return found


def _revive(db: sqlite3.Connection, ids: Collection[int]) -> None:
    """Bring back removed categories that an undone or redone step needs, under a free name."""
    for category_id in sorted(ids):
        row = db.execute(
            "SELECT name, removed FROM categories WHERE id = ?", (category_id,)
        ).fetchone()
        if row is None:
            raise ProjectError(f"Category {category_id} is not in this project.")
        name, removed = row
        if not removed:
            continue
        taken = {
            other.casefold()
            for (other,) in db.execute("SELECT name FROM categories WHERE removed = 0")
        }
        free, number = name, 2
        while free.casefold() in taken:
            free, number = f"{name} {number}", number + 1
        db.execute("UPDATE categories SET removed = 0, name = ? WHERE id = ?", (free, category_id))


def _stale() -> ProjectError:
    return ProjectError(
        "The image's objects have changed in the meantime; nothing was done, open it again."
    )
