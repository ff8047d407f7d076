"""The quick refresh: after so many corrected objects, the nested U-Net learns from them."""

import time
from collections import Counter
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from seginst_core.errors import DataError, SegInstError, plain
from seginst_core.events import JsonValue
from seginst_core.formats import coco_json
from seginst_core.library import LibraryModel
from seginst_core.project import Project
from seginst_core.project.learning.data import (
    corrections,
    is_corrected,
    n_objects,
    newest,
    there,
)
from seginst_gui import settings
from seginst_gui.jobs.training import Job, Trainer
from seginst_gui.language import tr
from seginst_gui.session import Session

ITERATIONS = 150
"""Two to four minutes on two cores, in batches of sixteen crops."""
MOST_TRAIN, MOST_TRIED = 1000, 200
"""Of more corrections the newest are taken, so that a refresh stays quick in a large project."""
MIN_TRIED = 5
MOST_DOUBLINGS = 5
"""So often, at most, the wait is doubled for a model whose refreshes bring nothing."""


class Refresher(QObject):
    """Counts the objects whose masks are corrected, and begins a refresh when it is due.

    The count is of this session of the project: after a restart it begins anew. Each refresh that
    did not better the live model doubles the wait for its next one: some models have learned what
    there is to learn, and the machine has better things to do.
    """

    said = Signal(str)
    """How it stands, in one sentence."""

    def __init__(
        self,
        session: Session,
        trainer: Trainer,
        model: Callable[[], LibraryModel | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._trainer = trainer
        self._model = model
        self._corrected: set[int] = set()
        self._in_vain: Counter[str] = Counter()
        self.every = settings.load_refresh()
        """After how many corrected objects; 0 is never."""
        trainer.declined.connect(self.said)
        trainer.ended.connect(self.look_back)
        session.instances_changed.connect(self._count)
        session.project_changed.connect(self._forget)

    def set_every(self, n: int) -> None:
        """Refresh after every ``n`` corrected objects from now on, never with 0."""
        self.every = n
        settings.save_refresh(n)
        self._say()

    def _forget(self) -> None:
        self._corrected.clear()
        self.look_back()

    def look_back(self) -> None:
        """Count the refreshes that brought nothing, by the model they began with, and say so."""
        project = self._session.project
        runs = project.learning.runs(["finished"]) if project else ()
        self._in_vain = Counter(
            str(run.params.get("model"))
            for run in runs
            if run.kind == "refresh_masks" and run.outcome.get("better") is not True
        )
        self._say()

    def _wait(self) -> int:
        """Return after how many corrected objects the live model is refreshed."""
        model = self._model()
        in_vain = self._in_vain[str(model.folder)] if model else 0
        return self.every << min(in_vain, MOST_DOUBLINGS)

    def _count(self, ids: frozenset[int], dirty: object) -> None:
        document = self._session.document
        # What is merely hidden or locked comes without a dirty rectangle.
        if document is None or dirty is None:
            return
        self._corrected.update(i.id for i in document.some(ids) if is_corrected(i))
        model = self._model()
        due = self.every and len(self._corrected) >= self._wait() and not self._trainer.busy
        if not due or model is None or model.card.mask is None:
            self._say()
        else:
            # Whatever comes of it, the count for the next one begins.
            self._corrected.clear()
            self._say()
            try:
                self._trainer.start(lambda project: [_job(project, model)], quiet=True)
            except (SegInstError, OSError) as error:
                self.said.emit(plain(error))

    def _say(self) -> None:
        if not self.every:
            self.said.emit("")
            return
        wait = self._wait()
        if wait > self.every:
            text = tr("{n} of {every} objects corrected since the last, in vain.")
        else:
            text = tr("{n} of {every} objects corrected since the last.")
        self.said.emit(text.format(n=len(self._corrected), every=wait))


def _job(project: Project, model: LibraryModel) -> Job:
    """Write the corrected objects; DataError if there are too few to learn from and try it on."""
    learning = project.learning
    learning.draw_sides()
    begun = there(project.dataset(["draft", "done"]), project.images())
    train, tried = corrections(begun, learning.sides_with_drafts())
    train, tried = newest(train, MOST_TRAIN), newest(tried, MOST_TRIED)
    if n_objects(tried) < MIN_TRIED or not n_objects(train):
        raise DataError(
            tr(
                "The quick refresh waits: it is tried on corrected objects in images kept out of "
                "training, and there are {n} of at least {least}."
            ).format(n=n_objects(tried), least=MIN_TRIED)
        )
    names = [category.name for category in train.categories]
    if len(model.card.lacks(names, learning.renamed())) == len(names):
        text = tr("The quick refresh waits: {name} knows none of the classes; fine-tune it first.")
        raise DataError(text.format(name=model.name))
    # Drafts have no side yet; once learned from, they are never held out.
    learning.train_on([ref.id for ref in train.images])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    run = project.runs_folder / f"{stamp}-masks"
    coco_json.write(train, run / "train.json")
    coco_json.write(tried, run / "val.json")
    params: dict[str, JsonValue] = {
        "model": str(model.folder),
        "train": str(run / "train.json"),
        "val": str(run / "val.json"),
        "images": str(project.folder),
        "out": str(project.models_folder / f"two-stage-{stamp}-masks"),
        "iterations": ITERATIONS,
        "renamed": dict(learning.renamed()),
        "description": tr("Masks refreshed in SegInst on {name}.").format(name=project.folder.name),
    }
    title = tr("Quick refresh of {name}'s masks").format(name=model.name)
    return Job("refresh_masks", title, params)
