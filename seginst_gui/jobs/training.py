"""Training for the window: runs in a worker of their own, kept in the project, never lost."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

from PySide6.QtCore import QObject, Signal

from seginst_core.errors import DataError, SegInstError, plain
from seginst_core.events import JsonValue
from seginst_core.models.card import CARD_NAME, CHECKPOINT_FOLDER
from seginst_core.project import Project
from seginst_core.project.learning import UNFINISHED, Run, RunKind, RunState
from seginst_gui.jobs.aside import Aside
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.language import tr
from seginst_gui.session import Session

Wish = Literal["", "paused", "cancelled"]
QUIT_MS = 8000
"""How long a worker may take to write where it was when the project closes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A training run before it begins: the worker's job, its title and parameters."""

    kind: RunKind
    title: str
    params: Mapping[str, JsonValue]


MakeJobs: TypeAlias = Callable[[Project], Sequence[Job]]
"""Draws the hold-out and writes the data; SegInstError if there is nothing to learn from.

It runs in a thread, on a project of its own (``Project.beside``)."""


class Trainer(QObject):
    """Runs the project's training runs one after another, in a worker that ends after the last.

    A run is written down before it begins and again when its state changes, so whatever ends (the
    worker, the window, the machine), ``resume`` goes on from the last checkpoint.
    """

    preparing = Signal(str)
    """What is looked at before a run begins."""
    started = Signal(object)
    """The ``Run`` that works now."""
    reported = Signal(dict)
    ended = Signal(object, str)
    """A ``Run`` as it stands after it stopped working, and a sentence if it failed or died."""
    declined = Signal(str)
    """Why nothing was begun in the background."""
    idle = Signal()
    """The last of the runs has ended, and nothing waits."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._waiting: list[Run] = []
        self._run: Run | None = None
        self._make: MakeJobs | None = None
        self._making: Aside[Sequence[Job]] | None = None
        self._quiet = False
        self._then: MakeJobs | None = None
        self._job = ""
        self._wish: Wish = ""
        self._worker = WorkerClient(self)
        self._worker.event.connect(lambda _job, event: self.reported.emit(event))
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)
        self._left: tuple[Run, ...] = ()
        session.closing.connect(self.suspend)
        session.project_changed.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether a training runs, waits or is prepared."""
        return bool(self._run or self._make)

    @property
    def in_background(self) -> bool:
        """Whether what is under way was not asked for, so that it makes way for what is."""
        if self._run is not None:
            return self._run.kind == "refresh_masks" and not self._waiting
        return self._make is not None and self._quiet

    @property
    def running(self) -> Run | None:
        """The run that works now."""
        return self._run

    def unfinished(self) -> tuple[Run, ...]:
        """The runs that were paused or cut short and that nobody works on."""
        return () if self.busy else self._left

    def start(self, make: MakeJobs, *, quiet: bool = False) -> None:
        """Look at new images for near-duplicates, write down what ``make`` says, and begin.

        What a person asks for takes the place of what runs in the background; ``quiet`` is what
        nobody asked for, and ``declined`` then says if there is nothing to do.
        """
        if self.in_background and not quiet:
            if self._run is not None:
                self._then = make
                self._ask("cancelled")
            else:
                self._quiet = False
                self._make = make
                if self._making is not None:
                    self._begin(make)
            return
        project = self._ready()
        self._quiet = quiet
        begun = [e.ref.id for e in project.images() if e.state != "todo" and not e.missing]
        rows: list[JsonValue] = [
            {"image_id": image_id, "path": str(project.image_path(image_id))}
            for image_id in project.learning.unseen(begun)
        ]
        self._make = make
        if not rows:
            self._begin(make)
            return
        self._job = self._worker.submit("image_looks", {"images": rows})
        self.preparing.emit(tr("Looking for near-duplicates among the images"))

    def resume(self) -> None:
        """Go on with all runs that are unfinished."""
        project = self._ready()
        self._take(project, {run.id for run in project.learning.runs(UNFINISHED)})

    def pause(self) -> None:
        """Stop working; ``resume`` goes on from here."""
        self._ask("paused")

    def cancel(self) -> None:
        """Give up the runs at work and waiting, or those that are paused; no model comes of them.

        What was made of them on disk is taken away.
        """
        if self.busy:
            self._ask("cancelled")
            return
        given_up = self.unfinished()
        self._set_aside(given_up, "cancelled")
        self._look()
        for run in given_up:
            self.ended.emit(_as(run, "cancelled"), "")

    def hold(self) -> None:
        """Store and show nothing until ``release``; training goes on."""
        self._worker.hold()

    def release(self) -> None:
        """Store and show what came meanwhile."""
        self._worker.release()

    def suspend(self) -> None:
        """Let go of everything because the project closes: what was under way is paused."""
        runs = [self._run, *self._waiting] if self._run else self._waiting
        project = self._session.project
        self._forget()
        self._then = None
        self._worker.stop(QUIT_MS)
        for run in runs:
            if project is not None and run is not None:
                project.learning.set_run(run.id, "paused")

    # ----------------------------------------------------------------------------------------

    def _ready(self) -> Project:
        if self.busy:
            raise DataError(
                tr("A training is running already; wait for its end, or pause it first.")
            )
        assert self._session.project is not None
        return self._session.project

    def _ask(self, wish: Wish) -> None:
        if self._making is not None:
            self._on_nothing("")
            return
        self._wish = wish
        self._worker.cancel(self._job)

    def _begin(self, make: MakeJobs) -> None:
        """Write what is to be learned from in a thread: thousands of objects take seconds."""
        project = self._session.project
        assert project is not None
        if self._making is not None:
            self._making.forget()

        def work() -> Sequence[Job]:
            with project.beside() as own:
                return make(own)

        self._making = Aside(work, self._on_made, self._on_nothing, self)
        if not self._quiet:
            self.preparing.emit(tr("Writing what is to be learned from"))

    def _on_made(self, jobs: Sequence[Job]) -> None:
        """Write down all runs before the first begins."""
        project = self._session.project
        assert project is not None
        self._forget()
        try:
            ids = {project.learning.begin(job.kind, job.title, job.params) for job in jobs}
            self._take(project, ids)
        except SegInstError as error:
            self._on_nothing(str(error))

    def _on_nothing(self, sentence: str) -> None:
        self._forget()
        self._worker.retire()
        if self._quiet:
            self.declined.emit(sentence)
        else:
            self.ended.emit(None, sentence)

    def _take(self, project: Project, run_ids: set[int]) -> None:
        runs = project.learning.runs(UNFINISHED)
        self._waiting = [run for run in runs if run.id in run_ids]
        self._next()

    def _next(self) -> None:
        if self._wish and self._waiting:
            # The run at work ended before it heard of the wish, which is for the others too.
            self._set_aside(self._waiting, self._wish)
            self._waiting = []
        self._forget_run()
        project = self._session.project
        if not self._waiting or project is None:
            self._waiting.clear()
            self._look()
            self._worker.retire()
            self._start_next()
            if not self.busy:
                self.idle.emit()
            return
        run = self._waiting.pop(0)
        # Always: a run that was cut short before its first checkpoint begins anew.
        params = {**run.params, "resume": True}
        project.learning.set_run(run.id, "running")
        self._run = _as(run, "running")
        self._job = self._worker.submit(run.kind, params)
        self.started.emit(self._run)

    def _on_finished(self, job_id: str, result: Mapping[str, JsonValue]) -> None:
        del job_id
        if self._make is not None:
            self._on_looks(self._make, result)
        elif self._run is not None:
            self._end("finished", result)
            self._next()

    def _on_looks(self, make: MakeJobs, result: Mapping[str, JsonValue]) -> None:
        project = self._session.project
        assert project is not None
        given_up, self._job, self._wish = bool(self._wish), "", ""
        if given_up:
            # It ended before it heard so.
            self._on_nothing("")
            return
        try:
            project.learning.set_looks(dict(cast(list[tuple[int, str]], result["looks"])))
        except SegInstError as error:
            self._on_nothing(str(error))
            return
        self._begin(make)

    def _on_failed(self, job_id: str, sentence: str) -> None:
        del job_id
        # A worker that died did not finish; a job that failed may have left something to keep.
        state: RunState = "failed" if self._worker.running else "paused"
        self._stop(state, sentence)

    def _on_cancelled(self, job_id: str) -> None:
        del job_id
        self._stop("cancelled" if self._wish == "cancelled" else "paused", "")

    def _stop(self, state: RunState, sentence: str) -> None:
        """End the run at work in a state; those that wait share its fate unless it failed."""
        waiting, self._waiting = self._waiting, []
        project = self._session.project
        if self._run is None or project is None:
            self._on_nothing(sentence)
            return
        run = self._run
        if state == "failed":
            if _has_learned(run):
                self._set_aside((run,), "paused")
                self.ended.emit(_as(run, "paused"), sentence)
            else:
                _take_away(run, project)
                self._end("failed", {"sentence": sentence}, sentence)
            self._waiting = waiting
            self._next()
            return
        self._set_aside((run, *waiting), state)
        self._forget()
        self._look()
        self._worker.retire()
        self.ended.emit(_as(run, state), sentence)
        self._start_next()

    def _end(self, state: RunState, outcome: Mapping[str, JsonValue], sentence: str = "") -> None:
        project, run = self._session.project, self._run
        assert project is not None
        assert run is not None
        project.learning.set_run(run.id, state, outcome)
        self.ended.emit(_as(run, state, outcome), sentence)

    def _set_aside(self, runs: Sequence[Run], state: RunState) -> None:
        """Pause runs, or give them up with what was made of them."""
        project = self._session.project
        assert project is not None
        for run in runs:
            project.learning.set_run(run.id, state)
            if state == "cancelled":
                _take_away(run, project)

    def _start_next(self) -> None:
        """Begin what a person asked for while something ran in the background."""
        then, self._then = self._then, None
        if then is None:
            return
        try:
            self.start(then)
        except (SegInstError, OSError) as error:
            self.ended.emit(None, plain(error))

    def _look(self) -> None:
        """See which runs are unfinished; asked for at every change, so it is kept."""
        project = self._session.project
        self._left = () if project is None else project.learning.runs(UNFINISHED)

    def _forget(self) -> None:
        self._waiting, self._make = [], None
        if self._making is not None:
            self._making.forget()
            self._making = None
        self._forget_run()

    def _forget_run(self) -> None:
        self._run, self._job, self._wish = None, "", ""


def _as(run: Run, state: RunState, outcome: Mapping[str, JsonValue] | None = None) -> Run:
    return replace(run, state=state, outcome=outcome or run.outcome)


def _has_learned(run: Run) -> bool:
    """Whether there is a model or a checkpoint to go on from, so that what fails may be mended."""
    out = Path(str(run.params.get("out", "")))
    checkpoints = out / CHECKPOINT_FOLDER
    return (out / CARD_NAME).is_file() or any(p.is_file() for p in checkpoints.glob("*"))


def _take_away(run: Run, project: Project) -> None:
    """Delete what was made of a run, if that is the project's own."""
    out = Path(str(run.params.get("out", "")))
    if out.parent == project.models_folder:
        # The card goes first, so that what is left of an unlucky deletion is no model.
        (out / CARD_NAME).unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
