"""What a project knows of learning: the frozen hold-out, training runs, and which model was live.

All of it survives a crash: a row is written before what it speaks of begins.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import orjson

from seginst_core.errors import ProjectError
from seginst_core.events import JsonValue
from seginst_core.project.catalogue import former_names
from seginst_core.project.learning.places import packed, unpacked
from seginst_core.project.learning.sides import Candidate, draw_sides, sides_of_drafts
from seginst_core.types import PipelineName

RunKind = Literal["fine_tune", "refresh_masks"]
RunState = Literal["running", "paused", "finished", "failed", "cancelled"]
RUN_STATES: tuple[RunState, ...] = get_args(RunState)
UNFINISHED: tuple[RunState, ...] = ("running", "paused")
Database: TypeAlias = Callable[[], AbstractContextManager[sqlite3.Connection]]


@dataclass(frozen=True, slots=True)
class Run:
    """One training run; ``params`` are the job's, ``outcome`` what it ended with, {} before.

    A run that is ``running`` although no worker works on it was cut short by a crash.
    """

    id: int
    kind: RunKind
    title: str
    state: RunState
    params: Mapping[str, JsonValue]
    outcome: Mapping[str, JsonValue]
    began_at: str


@dataclass(frozen=True, slots=True)
class LiveModel:
    """One step of the history of a pipeline's live model; ``model`` is a card's id."""

    id: int
    pipeline: PipelineName
    model: str
    name: str
    folder: str
    note: str
    since: str


@dataclass(frozen=True, slots=True)
class Learning:
    """The rows about learning; ``reading`` and ``writing`` are the transactions of its ``folder``.

    Paths inside the folder are stored from there, so that it can be moved and copied.
    """

    reading: Database
    writing: Database
    folder: Path

    # The hold-out

    def unseen(self, image_ids: Collection[int]) -> tuple[int, ...]:
        """Return those images whose look (perceptual hash) is not known yet."""
        with self.reading() as db:
            known = {k for (k,) in db.execute("SELECT id FROM images WHERE look <> ''")}
        return tuple(k for k in image_ids if k not in known)

    def set_looks(self, looks: Mapping[int, str]) -> None:
        """Keep the looks of images."""
        with self.writing() as db:
            db.executemany(
                "UPDATE images SET look = ? WHERE id = ?", [(v, k) for k, v in looks.items()]
            )

    def held_out(self) -> dict[int, bool]:
        """Return the images with a side: whether they are held out of training, for good."""
        with self.reading() as db:
            rows = db.execute("SELECT image_id, held_out FROM sides ORDER BY image_id").fetchall()
        return {image_id: bool(side) for image_id, side in rows}

    def draw_sides(self) -> dict[int, bool]:
        """Give each image that is done a side, and return all sides; none ever changes."""
        with self.writing() as db:
            _freeze(db, draw_sides(_candidates(db, "i.state = 'done'")))
        return self.held_out()

    def sides_with_drafts(self) -> dict[int, bool]:
        """Return all sides, and those that drafts would have if they were used now.

        A draft that shows the same as an image held out is held out too; ``train_on`` freezes the
        others, once they are learned from.
        """
        with self.reading() as db:
            return sides_of_drafts(_candidates(db, "i.state <> 'todo'"))

    def train_on(self, image_ids: Collection[int]) -> None:
        """Put images on the training side for good, unless they have a side."""
        with self.writing() as db:
            _freeze(db, dict.fromkeys(image_ids, False))

    # Classes

    def renamed(self) -> dict[str, str]:
        """Return the classes' former names, in small letters, with their names now.

        A model goes on calling a class what it was called when the model learned it.
        """
        with self.reading() as db:
            return former_names(db)

    # Runs

    def begin(self, kind: RunKind, title: str, params: Mapping[str, JsonValue]) -> int:
        """Write down a run that begins now, and return its id."""
        with self.writing() as db:
            cursor = db.execute(
                "INSERT INTO runs (kind, title, state, params) VALUES (?, ?, 'running', ?)",
                (kind, title, self._text(params)),
            )
        return int(cursor.lastrowid or 0)

    def set_run(
        self, run_id: int, state: RunState, outcome: Mapping[str, JsonValue] | None = None
    ) -> None:
        """Say how a run stands, and what it ended with."""
        with self.writing() as db:
            db.execute(
                "UPDATE runs SET state = ?, outcome = IFNULL(?, outcome) WHERE id = ?",
                (state, None if outcome is None else self._text(outcome), run_id),
            )

    def runs(self, states: Collection[RunState] = RUN_STATES) -> tuple[Run, ...]:
        """Return the runs in ``states``, oldest first."""
        marks = ", ".join("?" * len(states))
        with self.reading() as db:
            rows = db.execute(
                "SELECT id, kind, title, state, params, outcome, began_at FROM runs "
                f"WHERE state IN ({marks}) ORDER BY id",
                tuple(states),
            ).fetchall()
        return tuple(
            Run(k, kind, title, state, self._table(params), self._table(outcome), at)
            for k, kind, title, state, params, outcome, at in rows
        )

    def _text(self, table: Mapping[str, JsonValue]) -> str:
        return orjson.dumps(packed(table, self.folder)).decode()

    def _table(self, text: str) -> dict[str, JsonValue]:
        if not text:
            return {}
        try:
            table = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ProjectError("A training run written in the project cannot be read.") from error
        return unpacked(table, self.folder)

    # The live model

    def go_live(
        self, pipeline: PipelineName, model: str, name: str, folder: str, note: str = ""
    ) -> None:
        """Let a model be its pipeline's live one: its predictions are the ones shown."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO live_models (pipeline, model, name, folder, note) "
                "VALUES (?, ?, ?, ?, ?)",
                (pipeline, model, name, folder, note),
            )

    def live_models(self, pipeline: PipelineName | None = None) -> tuple[LiveModel, ...]:
        """Return which models were live, oldest first; the last of a pipeline is so now."""
        where = "" if pipeline is None else "WHERE pipeline = ? "
        with self.reading() as db:
            rows = db.execute(
                "SELECT id, pipeline, model, name, folder, note, since FROM live_models "
                f"{where}ORDER BY id",
                () if pipeline is None else (pipeline,),
            ).fetchall()
        return tuple(LiveModel(*row) for row in rows)

    def note_live(self, live_id: int, note: str) -> None:
        """Keep a person's note on a step of the history."""
        with self.writing() as db:
            db.execute("UPDATE live_models SET note = ? WHERE id = ?", (note, live_id))


def _candidates(db: sqlite3.Connection, which: str) -> list[Candidate]:
    """Return the images that have a side and ``which`` others."""
    rows = db.execute(
        "SELECT i.id, i.path, i.look, s.held_out, "
        "EXISTS (SELECT 1 FROM instances WHERE image_id = i.id) "
        "FROM images i LEFT JOIN sides s ON s.image_id = i.id "
        f"WHERE {which} OR s.image_id IS NOT NULL ORDER BY i.id"
    ).fetchall()
    return [
        Candidate(k, path, look, None if side is None else bool(side), bool(objects))
        for k, path, look, side, objects in rows
    ]


def _freeze(db: sqlite3.Connection, sides: Mapping[int, bool]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO sides (image_id, held_out) VALUES (?, ?)",
        [(image_id, int(side)) for image_id, side in sides.items()],
    )
