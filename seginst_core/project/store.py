"""A project: a folder of images, and ``.seginst/project.db`` in it with all that was done."""

import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import list_images
from seginst_core.project import catalogue, datasets, history, predictions
from seginst_core.project.catalogue import Colour, ImageEntry
from seginst_core.project.codec import Recent
from seginst_core.project.document import Document
from seginst_core.project.edits import Edit
from seginst_core.project.history import HistoryStep, Step
from seginst_core.project.learning import Learning
from seginst_core.project.lock import is_lock, take_lock
from seginst_core.project.reviewing import Reviewing
from seginst_core.project.schema import connect, reading, set_setting, writing
from seginst_core.types import (
    Annotation,
    Category,
    Dataset,
    ImageRef,
    PipelineName,
    Prediction,
    State,
)

HOME = ".seginst"
_DATABASE = "project.db"
_LOCK = "lock"
_IDS_KEY = "next_instance_id"
_CURRENT_KEY = "current_image"
_IDS_AHEAD = 256
LONGEST_SECONDS = 60.0
"""What counts of a pause before an edit: who is away longer is not working on it."""


class Project:
    """The only way to a project's database; one process and one thread at a time.

    Every change is one transaction, and what is in memory follows only after the database has
    taken it. All methods raise ProjectError, in one sentence, when the database cannot be used.
    """

    def __init__(
        self, folder: Path, lock: IO[bytes], db: sqlite3.Connection, notes: tuple[str, ...]
    ) -> None:
        self.folder = folder
        self.notes = notes
        self._lock = lock
        self._db: sqlite3.Connection | None = db
        stored = self.setting(_IDS_KEY)
        # Ids below the first number may have been used; those up to the second are ours to give.
        self._next_id = self._ids_end = int(stored) if stored else 1
        self._last_act = time.monotonic()
        self._recent = Recent()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the project of a folder, making it the first time.

        ImageError if the folder is missing; ProjectError if it has no images, cannot be written
        to, is open elsewhere, or its database is damaged or newer than this program.
        """
        folder = folder.absolute()
        paths = list_images(folder)
        home = folder / HOME
        if not paths and not (home / _DATABASE).exists():
            raise ProjectError(f"There are no images in {folder}.")
        try:
            home.mkdir(exist_ok=True)
        except OSError as error:
            raise ProjectError(
                f"The folder {folder} cannot be written to ({error.strerror or error})."
            ) from error
        lock = take_lock(home / _LOCK, folder)
        try:
            db = connect(home / _DATABASE)
            try:
                with writing(db):
                    notes = catalogue.scan(db, paths)
                return cls(folder, lock, db, notes)
            except BaseException:
                db.close()
                raise
        except BaseException:
            lock.close()
            raise

    @contextmanager
    def beside(self) -> Iterator[Self]:
        """Open the project once more, for another thread.

        Its database is this one's and its connection its own, so neither waits for the other but
        while one writes. It may give ids (``merge_dataset``) between ``settle_ids`` and
        ``follow_ids``, while this one gives none.
        """
        db = connect(self.folder / HOME / _DATABASE)
        try:
            yield type(self)(self.folder, self._lock, db, ())
        finally:
            db.close()

    def is_in(self, folder: Path) -> bool:
        """Whether this is the project of ``folder``, which may have been renamed since."""
        return is_lock(self._lock, folder / HOME / _LOCK)

    def close(self) -> None:
        """Close the database and give the project back; closing twice is fine."""
        if self._db is None:
            return
        # Ids reserved but not given away; if this fails they are lost, which harms nothing.
        with suppress(ProjectError):
            self.settle_ids()
        self._db.close()
        self._db = None
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def models_folder(self) -> Path:
        """Where this project's models lie; made by who first puts one there."""
        return self.folder / HOME / "models"

    @property
    def runs_folder(self) -> Path:
        """Where training runs keep their snapshots and checkpoints."""
        return self.folder / HOME / "runs"

    @property
    def learning(self) -> Learning:
        """The frozen hold-out, the training runs and the history of the live models."""
        return Learning(self._reading, self._writing, self.folder)

    @property
    def reviewing(self) -> Reviewing:
        """Where objects come from and what their correction cost; what a review computed."""
        return Reviewing(self._reading, self._writing)

    # Images

    def rescan(self) -> None:
        """Take over new files, and mark as missing those that are gone; ``notes`` says which."""
        paths = list_images(self.folder)
        with self._writing() as db:
            self.notes = catalogue.scan(db, paths)

    def images(self) -> tuple[ImageEntry, ...]:
        """Return all images in the folder's order, those whose file is missing last."""
        with self._reading() as db:
            return catalogue.entries(db)

    def entry(self, image_id: int) -> ImageEntry:
        """Return one image."""
        with self._reading() as db:
            return catalogue.entry(db, image_id)

    def image_path(self, image_id: int) -> Path:
        """Return where an image's file is, or was."""
        return self.folder / self.entry(image_id).ref.path

    def ensure_size(self, image_id: int, *, anew: bool = False) -> ImageRef:
        """Return an image with its size, from its file at first or ``anew``; ImageError if not."""
        ref = self.entry(image_id).ref
        if ref.width and not (anew and catalogue.is_replaced(self.folder, ref)):
            return ref
        with self._writing() as db:
            return catalogue.size(db, self.folder, image_id, anew=anew)

    # Categories

    def categories(self) -> tuple[Category, ...]:
        """Return the categories in id order; undo may bring back one that was removed."""
        with self._reading() as db:
            return catalogue.categories(db)

    def add_category(self, name: str, colour: Colour | None = None) -> Category:
        """Add a category, with the palette's next colour unless told."""
        with self._writing() as db:
            return catalogue.add_category(db, name, colour)

    def update_category(self, category: Category) -> None:
        """Rename or recolour the category of that id."""
        with self._writing() as db:
            catalogue.update_category(db, category)

    def remove_category(self, category_id: int) -> None:
        """Remove a category that no instance uses."""
        with self._writing() as db:
            catalogue.remove_category(db, category_id)

    # Annotations and their history

    def annotation(self, image_id: int) -> Annotation:
        """Return an image's instances and state."""
        with self._reading() as db:
            catalogue.entry(db, image_id)
            return history.annotations(db, image_id=image_id)[image_id]

    def document(self, image_id: int) -> Document:
        """Return an image's annotation for editing; the size is 0 if its file cannot be read."""
        image = self.entry(image_id).ref
        with suppress(ImageError):
            image = self.ensure_size(image_id)
        self._last_act = time.monotonic()
        with self._reading() as db:
            return datasets.open_document(db, image)

    def new_ids(self, n: int) -> range:
        """Return ``n`` instance ids that were never used and never will be by anyone else."""
        ids = range(self._next_id, self._next_id + n)
        if ids.stop > self._ids_end:
            # Some more than needed, so that drawing object after object does not write each time.
            self._reserve(ids.stop + _IDS_AHEAD)
        self._next_id = ids.stop
        return ids

    def commit(self, document: Document, edit: Edit) -> None:
        """Make an edit, in the database first and then in ``document``; undone steps are dropped.

        The first objects of an untouched image make it a draft. The time since the last edit, or
        since the image was opened, is what went into it. ProjectError leaves both as they were.
        """
        if edit.is_empty:
            return
        now = time.monotonic()
        seconds = min(now - self._last_act, LONGEST_SECONDS)
        edit = history.with_draft(edit, document.state)
        document.check(edit)
        new = [c.id for c in edit.changes if c.before is None] + [i.id for i in edit.refused]
        next_id = 1 + max(new, default=0)
        with self._writing() as db:
            if next_id > self._ids_end:
                set_setting(db, _IDS_KEY, str(next_id))
            history.record(db, edit, document.revision, seconds, self._recent)
        self._last_act = now
        self._ids_used_to(next_id)
        document.apply(edit)

    def undo(self, document: Document) -> Edit | None:
        """Take the newest edit back, and return the edit that did it; None if there is none."""
        with self._reading() as db:
            step = history.step_back(db, document.image.id, document.get, self._recent)
        return self._take(document, step)

    def redo(self, document: Document) -> Edit | None:
        """Make the edit last taken back again, and return it; None if there is none."""
        with self._reading() as db:
            step = history.step_forward(db, document.image.id, document.get, self._recent)
        return self._take(document, step)

    def can_undo(self, image_id: int) -> bool:
        """Whether ``undo`` would do something."""
        return self.history_size(image_id)[1] > 0

    def can_redo(self, image_id: int) -> bool:
        """Whether ``redo`` would do something."""
        n_steps, n_done = self.history_size(image_id)
        return n_done < n_steps

    def history_size(self, image_id: int) -> tuple[int, int]:
        """Return how many steps an image's history has, and how many of them are not undone."""
        with self._reading() as db:
            return history.size(db, image_id)

    def history(
        self, image_id: int, first: int = 1, last: int = history.MAX_ID
    ) -> tuple[HistoryStep, ...]:
        """Return an image's edits, oldest first, those taken back last; all or some, from 1 on."""
        with self._reading() as db:
            return history.steps(db, image_id, first, last)

    # Predictions

    def add_prediction(self, prediction: Prediction, model_name: str) -> None:
        """Store a model's answer as it is; ImageError if the image's size cannot be known."""
        self.ensure_size(prediction.image_id)
        with self._writing() as db:
            predictions.add(db, prediction, model_name)

    def prediction(self, image_id: int, pipeline: PipelineName) -> Prediction | None:
        """Return the live model's answer for an image, else the newest; None if there is none."""
        with self._reading() as db:
            return predictions.shown(db, image_id, pipeline)

    def prediction_model(self, image_id: int, pipeline: PipelineName) -> str:
        """Return the id of the model behind ``prediction``; empty if there is none."""
        with self._reading() as db:
            return predictions.model_id(db, image_id, pipeline)

    def prediction_model_name(self, image_id: int, pipeline: PipelineName) -> str:
        """Return the name of the model behind ``prediction``; empty if there is none."""
        with self._reading() as db:
            return predictions.model_name(db, image_id, pipeline)

    # Data sets and settings

    def dataset(self, states: Collection[State]) -> Dataset:
        """Return the images in ``states`` with their annotations, and all categories.

        An image whose size cannot be read is left out; the data set's notes name it.
        """
        with self._reading() as db:
            notes = datasets.measure(db, self.folder, states)
            return datasets.collect(db, states, notes)

    def merge_dataset(self, dataset: Dataset) -> tuple[str, ...]:
        """Import a data set: all of it or nothing, as one undoable edit an image.

        Images are matched by path, categories by name. Objects that are here already are skipped.
        Returns sentences on what was skipped. Documents opened before must be opened again.
        """
        with self._writing() as db:
            notes, next_id = datasets.merge(db, self.folder, dataset, self._next_id)
            if next_id > self._ids_end:
                set_setting(db, _IDS_KEY, str(next_id))
        self._ids_used_to(next_id)
        return notes

    def settle_ids(self) -> None:
        """Take back the ids that were reserved ahead."""
        self._reserve(self._next_id)

    def follow_ids(self) -> None:
        """Give ids from now on that come after those that ``beside`` gave."""
        self._ids_used_to(int(self.setting(_IDS_KEY) or 1))

    def turn_to(self, image_id: int) -> None:
        """Remember that the person looks at an image now; their time counts from here on."""
        self.set_setting(_CURRENT_KEY, str(image_id))
        self._last_act = time.monotonic()

    def last_turned_to(self) -> int:
        """Return the image that the person looked at last, 0 the first time."""
        return int(self.setting(_CURRENT_KEY) or 0)

    def setting(self, key: str) -> str | None:
        """Return a setting of this project; None if it was never set."""
        with self._reading() as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, key: str, value: str) -> None:
        """Keep a setting with this project."""
        with self._writing() as db:
            set_setting(db, key, value)

    def _take(self, document: Document, step: Step | None) -> Edit | None:
        if step is None:
            return None
        document.check(step.edit)
        with self._writing() as db:
            history.take_step(db, step, document.revision)
        document.apply(step.edit)
        return step.edit

    def _reserve(self, end: int) -> None:
        if end != self._ids_end:
            with self._writing() as db:
                set_setting(db, _IDS_KEY, str(end))
            self._ids_end = end

    def _ids_used_to(self, next_id: int) -> None:
        self._next_id = max(self._next_id, next_id)
        self._ids_end = max(self._ids_end, next_id)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with reading(self._opened()) as db:
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with writing(self._opened()) as db:
            yield db

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise ProjectError(f"The project in {self.folder} is closed.")
        return self._db
