"""The project database: its tables, the numbered steps to them, and the way in for every query."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seginst_core.errors import ProjectError

MIGRATIONS = (
    """
    CREATE TABLE images (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        place INTEGER NOT NULL,
        width INTEGER NOT NULL DEFAULT 0,
        height INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'todo',
        missing INTEGER NOT NULL DEFAULT 0,
        revision INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE categories (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        colour TEXT NOT NULL,
        supercategory TEXT NOT NULL DEFAULT '',
        removed INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE instances (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES images (id),
        category_id INTEGER NOT NULL REFERENCES categories (id),
        body BLOB NOT NULL
    );
    CREATE INDEX instances_by_image ON instances (image_id);
    CREATE INDEX instances_by_category ON instances (category_id);
    CREATE TABLE history (
        image_id INTEGER NOT NULL REFERENCES images (id),
        step INTEGER NOT NULL,
        text TEXT NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0,
        made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        body BLOB NOT NULL,
        PRIMARY KEY (image_id, step)
    );
    CREATE TABLE predictions (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES images (id),
        pipeline TEXT NOT NULL,
        model TEXT NOT NULL,
        model_name TEXT NOT NULL,
        seconds REAL NOT NULL,
        n_instances INTEGER NOT NULL,
        made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        body BLOB NOT NULL
    );
    CREATE INDEX predictions_by_image ON predictions (image_id, pipeline, id, n_instances);
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    """,
    # What a project learned: looks of images, the frozen hold-out, runs, and who was live when.
    """
    ALTER TABLE images ADD COLUMN look TEXT NOT NULL DEFAULT '';
    CREATE TABLE sides (
        image_id INTEGER PRIMARY KEY REFERENCES images (id),
        held_out INTEGER NOT NULL,
        drawn_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        state TEXT NOT NULL,
        params TEXT NOT NULL,
        outcome TEXT NOT NULL DEFAULT '',
        began_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
    CREATE TABLE live_models (
        id INTEGER PRIMARY KEY,
        pipeline TEXT NOT NULL,
        model TEXT NOT NULL,
        name TEXT NOT NULL,
        folder TEXT NOT NULL,
        note TEXT NOT NULL DEFAULT '',
        since TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
    );
    CREATE INDEX live_models_by_pipeline ON live_models (pipeline, id, model);
    DROP INDEX predictions_by_image;
    CREATE INDEX predictions_by_image
        ON predictions (image_id, pipeline, id, model, n_instances);
    """,
    # What a review adds: predicted objects that are none, and the time that went into each edit.
    """
    CREATE TABLE refusals (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES images (id),
        body BLOB NOT NULL
    );
    CREATE INDEX refusals_by_image ON refusals (image_id);
    ALTER TABLE history ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
    CREATE TABLE substitutes (
        image_id INTEGER NOT NULL REFERENCES images (id),
        instance_id INTEGER NOT NULL,
        model TEXT NOT NULL,
        box TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (image_id, instance_id, model)
    );
    """,
    # However long a history is, what was undone of it is found at once.
    """
    CREATE INDEX undone_steps ON history (image_id, step) WHERE undone = 1;
    """,
    # Models go on calling a class what it was called when they learned it.
    """
    CREATE TABLE former_names (
        name TEXT PRIMARY KEY,
        category_id INTEGER NOT NULL REFERENCES categories (id)
    );
    """,
)

SHOWN_PREDICTION = """
    id = (
        SELECT p.id FROM predictions p WHERE p.image_id = :image AND p.pipeline = :pipeline
        ORDER BY p.model = (
            SELECT model FROM live_models WHERE pipeline = :pipeline ORDER BY id DESC LIMIT 1
        ) DESC, p.id DESC LIMIT 1
    )
"""
"""The prediction an image shows: the live model's own, else the newest of all."""

BUSY_SECONDS = 1.0

_REASONS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "another program is using the project database",
    "SQLITE_LOCKED": "another program is using the project database",
    "SQLITE_READONLY": "the project database cannot be written to",
    "SQLITE_PERM": "the project database may not be opened",
    "SQLITE_CANTOPEN": "the project database cannot be opened",
    "SQLITE_CORRUPT": "the project database is damaged",
    "SQLITE_NOTADB": "the project database is damaged",
    "SQLITE_IOERR": "the disk does not answer",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "an object with the same number is in the project already",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "its image or category is not in the project",
}
# Text with half a character and numbers beyond 64 bits are refused before SQLite sees them; what
# comes out of a damaged file may be no text.
_STORE_ERRORS = (sqlite3.Error, UnicodeError, OverflowError)


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, making or migrating it as needed; ProjectError if it cannot be used.

    WAL with ``synchronous = NORMAL``: a killed process loses nothing, a power cut at most the
    last few edits and never the file.
    """
    try:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise ProjectError(f"{path} cannot be opened: {_reason(error)}.") from error
    try:
        # First of all, so that a newer version's file is not touched.
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise ProjectError(
                "This project was made by a newer version of SegInst; update SegInst to open it."
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        for number in range(version, len(MIGRATIONS)):
            script = f"BEGIN; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
            db.executescript(script)
        # SQLite opens a read-only file without a word; a write that changes nothing finds out.
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except (sqlite3.Error, UnicodeError) as error:
        db.close()
        raise ProjectError(f"{path} cannot be opened: {_reason(error)}.") from error
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Turn what goes wrong while reading into a ProjectError."""
    try:
        yield db
    except _STORE_ERRORS as error:
        raise ProjectError(f"The project could not be read: {_reason(error)}.") from error


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make what happens inside one transaction: all of it, or none and an error.

    Database errors become a ProjectError. Inside another ``writing`` the outer one decides.
    """
    if db.in_transaction:
        yield db
        return
    try:
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
    except BaseException as error:
        if db.in_transaction:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        if isinstance(error, _STORE_ERRORS):
            raise ProjectError(f"The change was not saved: {_reason(error)}.") from error
        raise


def set_setting(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a setting, instead of what it was."""
    db.execute(
        "INSERT INTO settings (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return _REASONS["SQLITE_CORRUPT"]
    if not isinstance(error, sqlite3.Error):
        return f"a text or number cannot be stored ({error})"
    # Python's own complaints, such as use from another thread, carry no code of SQLite's.
    name: str = getattr(error, "sqlite_errorname", "")
    short = "_".join(name.split("_")[:2])
    return _REASONS.get(name) or _REASONS.get(short) or str(error).rstrip(".")
