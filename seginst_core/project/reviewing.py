"""What a review asks of a project: where objects come from, what correcting them cost.

All of it is read from the history of edits, in which nothing is ever changed.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TypeAlias

from seginst_core.errors import FormatError, ProjectError
from seginst_core.masks.geometry import overlap
from seginst_core.masks.rle import pack, unpack
from seginst_core.project import history
from seginst_core.project.codec import edit_from_bytes
from seginst_core.project.edits import Change
from seginst_core.types import Box, Instance, Mask, PipelineName

Database: TypeAlias = Callable[[], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One edit of one object; ``n_pixels`` changed, ``seconds`` are its share of the edit's time.

    ``made_at`` is UTC, ISO 8601; ``after`` is what the object was then, None once it was deleted.
    """

    text: str
    tool: str
    made_at: str
    seconds: float
    n_pixels: int
    after: Instance | None


@dataclass(frozen=True, slots=True)
class Taken:
    """An object that was taken over from a model and is still there, and what it cost the person.

    ``taken_at`` is UTC, ISO 8601; ``n_edits`` are edits after that, ``seconds`` holds both, but not
    what was done to the object before.
    """

    instance: Instance
    taken_at: str
    n_edits: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a person spent on one model's accepted objects that are still there.

    ``n_kept`` of the ``n_accepted`` are as the model drew them; ``n_vouched`` were looked at one
    by one. ``n_edits`` are edits after the acceptance; ``seconds`` holds both.
    """

    model: str
    pipeline: PipelineName | None
    n_accepted: int
    n_kept: int
    n_vouched: int
    n_edits: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Substitute:
    """The mask that a model's nested U-Net drew in an object's own box; None if it saw nothing."""

    box: Box
    mask: Mask | None


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The queries of a review; ``reading`` and ``writing`` are the project's transactions."""

    reading: Database
    writing: Database

    def refusals(self, image_id: int) -> tuple[Instance, ...]:
        """Return the predicted objects of an image that a person said are none."""
        with self.reading() as db:
            return history.refusals(db, image_id)

    def story(self, image_id: int, instance_id: int) -> tuple[StoryStep, ...]:
        """Return the edits of an object, oldest first, without those that were undone."""
        with self.reading() as db:
            rows = _steps(db, "image_id = ?", (image_id,))
            return tuple(
                _story_step(change, *step)
                for step, changes in rows
                for change in changes
                if change.id == instance_id
            )

    def taken(self) -> tuple[Taken, ...]:
        """Return what each object cost that was taken over from a model, the first one first."""
        spent: dict[int, tuple[str, int, float]] = {}
        with self.reading() as db:
            for (_, _, made_at, seconds, n_changes), changes in _steps(db, "1", ()):
                for change in changes:
                    begun = made_at, 0, 0.0
                    is_taking = _is_taking(change)
                    first, n_edits, so_far = begun if is_taking else spent.get(change.id, begun)
                    n_edits += not is_taking and not _is_verdict(change)
                    spent[change.id] = first, n_edits, so_far + seconds / n_changes
            found = history.annotations(db, ("todo", "draft", "done"))
        taken = [
            Taken(instance, *spent.get(instance.id, ("", 0, 0.0)))
            for annotation in found.values()
            for instance in annotation.instances
            if instance.origin.kind == "model"
        ]
        return tuple(sorted(taken, key=lambda one: one.taken_at))

    def costs(self) -> tuple[ModelCost, ...]:
        """Return what the accepted objects of each model cost, in the order of their first use."""
        by_model: dict[str, list[Taken]] = {}
        for one in self.taken():
            by_model.setdefault(one.instance.origin.model, []).append(one)
        return tuple(
            ModelCost(
                model=model,
                pipeline=taken[0].instance.origin.pipeline,
                n_accepted=len(taken),
                n_kept=sum(not one.instance.origin.edited for one in taken),
                n_vouched=sum(one.instance.origin.vouched for one in taken),
                n_edits=sum(one.n_edits for one in taken),
                seconds=sum(one.seconds for one in taken),
            )
            for model, taken in by_model.items()
        )

    def substitutes(self, image_id: int, model: str) -> dict[int, Substitute]:
        """Return the masks that a model drew in objects' own boxes, by the objects' ids."""
        query = "SELECT instance_id, box, body FROM substitutes WHERE image_id = ? AND model = ?"
        with self.reading() as db:
            rows = db.execute(query, (image_id, model)).fetchall()
        try:
            return {
                key: Substitute(_box(box), unpack(body) if body else None)
                for key, box, body in rows
            }
        except (FormatError, ValueError) as error:
            raise ProjectError("A record of the project database is damaged.") from error

    def keep_substitutes(self, image_id: int, model: str, drawn: Mapping[int, Substitute]) -> None:
        """Keep such masks; what was kept of the same objects before is replaced."""
        rows = [
            (image_id, key, model, _box_text(s.box), b"" if s.mask is None else pack(s.mask))
            for key, s in drawn.items()
        ]
        with self.writing() as db:
            db.executemany("INSERT OR REPLACE INTO substitutes VALUES (?, ?, ?, ?, ?)", rows)


def changed_pixels(before: Mask | None, after: Mask | None) -> int:
    """Return how many pixels are in one of two masks only."""
    areas = (0 if mask is None else mask.area for mask in (before, after))
    shared = 0 if before is None or after is None else overlap(before, after)
    return sum(areas) - 2 * shared


_Facts: TypeAlias = tuple[str, str, str, float, int]


def _steps(
    db: sqlite3.Connection, where: str, values: tuple[int, ...]
) -> Iterable[tuple[_Facts, tuple[Change, ...]]]:
    """Yield the edits that stand: text, tool, time, seconds, number of changes; and the changes."""
    rows = db.execute(
        "SELECT image_id, text, made_at, seconds, body FROM history "
        f"WHERE undone = 0 AND {where} ORDER BY image_id, step",
        values,
    )
    for image_id, text, made_at, seconds, body in rows:
        edit, _ = edit_from_bytes(image_id, text, body)
        yield (text, edit.tool, made_at, seconds, max(len(edit.changes), 1)), edit.changes


def _story_step(
    change: Change, text: str, tool: str, made_at: str, seconds: float, n_changes: int
) -> StoryStep:
    before = None if change.before is None else change.before.mask
    after = None if change.after is None else change.after.mask
    n_pixels = changed_pixels(before, after)
    return StoryStep(text, tool, made_at, seconds / n_changes, n_pixels, change.after)


def _is_taking(change: Change) -> bool:
    """Whether a change makes the object the drawing of a model that it was not one of before."""
    before, after = change.before, change.after
    if after is None or after.origin.kind != "model":
        return False
    return before is None or _source(before) != _source(after)


def _source(instance: Instance) -> tuple[str, str, PipelineName | None]:
    origin = instance.origin
    return origin.kind, origin.model, origin.pipeline


def _is_verdict(change: Change) -> bool:
    """Whether a change only says that the object was looked at."""
    before, after = change.before, change.after
    if before is None or after is None or before.origin.seen == after.origin.seen:
        return False
    return replace(before, origin=replace(before.origin, seen=after.origin.seen)) == after


def _box_text(box: Box) -> str:
    return f"{box.x0!r} {box.y0!r} {box.x1!r} {box.y1!r}"


def _box(text: str) -> Box:
    x0, y0, x1, y1 = (float(side) for side in text.split())
    return Box(x0, y0, x1, y1)
