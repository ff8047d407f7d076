"""Predictions for the window: asks the worker, stores each answer as it comes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import QObject, Signal

from seginst_core.errors import SegInstError
from seginst_core.events import JsonValue
from seginst_core.library import LibraryModel
from seginst_core.masks.rle import decode
from seginst_core.types import Instance, Mask
from seginst_gui.jobs.model_choice import ModelChoice
from seginst_gui.jobs.results import prediction_from_event
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.language import tr
from seginst_gui.operations.boxes import fill_box
from seginst_gui.session import PIPELINE_LETTERS, Session


@dataclass(frozen=True, slots=True)
class _Request:
    """A running job: its project folder, and for a box the image and the object as it was."""

    title: str
    folder: str
    box: tuple[int, Instance, LibraryModel] | None = None
    answer: Callable[[Mapping[str, object]], None] | None = None
    """Takes the events and the result of a job that somebody else asked for."""
    ended: Callable[[], None] | None = None
    """Told when the job has ended, however it did."""


class Predictor(QObject):
    """One worker that pre-labels images and draws masks in boxes; models stay loaded in it."""

    progress = Signal(str, float)
    """What runs now and how far it is, 0..1."""
    idle = Signal()
    """Nothing runs any more."""
    noted = Signal(str)
    failed = Signal(str)
    device_named = Signal(str, str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._jobs: dict[str, _Request] = {}
        self._was_ready = False
        self._worker = WorkerClient(self)
        self._worker.ready.connect(self._on_ready)
        self._worker.event.connect(self._on_event)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._forget)
        self._worker.died.connect(self._on_died)

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return bool(self._jobs)

    def warm_up(self) -> None:
        """Start the worker ahead of its first job, so that its device is known."""
        self._worker.start()

    def hold(self) -> None:
        """Store and show nothing until ``release``; the worker goes on."""
        self._worker.hold()

    def release(self) -> None:
        """Store and show what came meanwhile."""
        self._worker.release()

    def stop(self) -> None:
        """End the worker."""
        self._jobs.clear()
        self._worker.stop()

    def cancel(self) -> None:
        """Stop all jobs; what they answered so far stays."""
        for job_id in list(self._jobs):
            self._worker.cancel(job_id)

    def predict(self, image_ids: Collection[int], models: ModelChoice) -> int:
        """Let each model look at the images it has not seen; return how many looks that takes."""
        project = self._session.project
        if project is None:
            return 0
        n_looks = 0
        for pipeline, model in models.items():
            unseen = [
                image_id
                for image_id in image_ids
                if project.prediction_model(image_id, pipeline) != model.card.id
            ]
            rows: list[JsonValue] = [
                {"image_id": image_id, "path": str(project.image_path(image_id))}
                for image_id in unseen
            ]
            if rows:
                title = f"{PIPELINE_LETTERS[pipeline]} · {model.name}"
                self._submit("predict", {"model": str(model.folder), "images": rows}, title)
                n_looks += len(rows)
        return n_looks

    def draw_mask(self, instance: Instance, model: LibraryModel) -> None:
        """Ask a two-stage model for the mask of the object in a box just drawn."""
        project, image = self._session.project, self._session.image
        if project is None or image is None:
            return
        box = instance.box
        params: dict[str, JsonValue] = {
            "model": str(model.folder),
            "path": str(project.image_path(image.id)),
            "boxes": [[box.x0, box.y0, box.x1, box.y1]],
        }
        self._submit("box_masks", params, tr("Drawing the mask"), (image.id, instance, model))

    def ask(
        self,
        job: str,
        params: Mapping[str, JsonValue],
        title: str,
        answer: Callable[[Mapping[str, object]], None],
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Let the worker do another job; ``answer`` takes its events, its result last.

        The models that are loaded stay so. Nothing is answered once another project is open.
        ``ended`` is called once the job is over, also if it failed, was cancelled or died.
        """
        self._submit(job, params, title, answer=answer, ended=ended)

    def _submit(
        self,
        job: str,
        params: Mapping[str, JsonValue],
        title: str,
        box: tuple[int, Instance, LibraryModel] | None = None,
        answer: Callable[[Mapping[str, object]], None] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        project = self._session.project
        assert project is not None
        job_id = self._worker.submit(job, params)
        self._jobs[job_id] = _Request(title, str(project.folder), box, answer, ended)
        self.progress.emit(title, 0.0)

    def _on_event(self, job_id: str, event: Mapping[str, object]) -> None:
        request = self._jobs.get(job_id)
        if request is None:
            return
        kind = event.get("event")
        if kind == "progress":
            done, total = cast(float, event["done"]), cast(float, event["total"])
            text = f"{request.title}: {event['text']}" if event["text"] else request.title
            self.progress.emit(text, done / total if total else 0.0)
        elif kind == "log":
            self.noted.emit(str(event["text"]))
        elif kind == "prediction":
            self._store(request, event)
        elif request.answer is not None:
            self._answer(request, event)

    def _store(self, request: _Request, event: Mapping[str, object]) -> None:
        """Keep an answer, unless another project is open by now."""
        project = self._session.project
        if project is None or not self._is_here(request):
            return
        try:
            names = [
                str(c["name"]) for c in cast(Sequence[Mapping[str, object]], event["categories"])
            ]
            prediction = prediction_from_event(event, self._category_ids(names))
            project.add_prediction(prediction, str(event["model_name"]))
        except SegInstError as error:
            self.failed.emit(str(error))
            return
        self._session.refresh_image(prediction.image_id)

    def _category_ids(self, names: Sequence[str]) -> dict[str, int]:
        """Map a model's classes to the project's by name; those it lacks are added."""
        project = self._session.project
        assert project is not None
        known = {c.name.casefold(): c.id for c in project.categories()}
        for former, name in project.learning.renamed().items():
            known[former] = known[name.casefold()]
        missing = [name for name in names if name.casefold() not in known]
        for name in missing:
            known[name.casefold()] = project.add_category(name).id
        if missing:
            self._session.refresh_categories()
        return {name: known[name.casefold()] for name in names}

    def _on_finished(self, job_id: str, result: Mapping[str, object]) -> None:
        request = self._jobs.get(job_id)
        if request is not None and request.box is not None:
            masks = cast(Sequence[Mapping[str, object] | None], result["masks"])
            mask = decode(masks[0]) if masks and masks[0] else None
            self._fill(request, mask)
        elif request is not None and request.answer is not None:
            self._answer(request, result)
        self._forget(job_id)

    def _answer(self, request: _Request, said: Mapping[str, object]) -> None:
        if request.answer is not None and self._is_here(request):
            request.answer(said)

    def _fill(self, request: _Request, mask: Mask | None) -> None:
        """Give the box that a job was asked for its mask, wherever the person went meanwhile."""
        if request.box is None or not self._is_here(request):
            return
        image_id, instance, model = request.box
        try:
            said = fill_box(self._session, image_id, instance, mask, model.card.id)
        except SegInstError as error:
            self.failed.emit(str(error))
            return
        if said:
            self.noted.emit(said)

    def _is_here(self, request: _Request) -> bool:
        project = self._session.project
        return project is not None and str(project.folder) == request.folder

    def _on_failed(self, job_id: str, sentence: str) -> None:
        self._forget(job_id)
        self.failed.emit(sentence)

    def _on_ready(self, device: str, name: str) -> None:
        self._was_ready = True
        self.device_named.emit(device, name)

    def _on_died(self, sentence: str) -> None:
        # Jobs that ran have failed by now and said so; a worker that dies idle is worth a word too.
        self._jobs.clear()
        self.failed.emit(sentence)
        self.idle.emit()
        # One that never got ready would die again at once; the next job gives it another try.
        if self._was_ready:
            self._was_ready = False
            self._worker.start()

    def _forget(self, job_id: str) -> None:
        request = self._jobs.pop(job_id, None)
        if request is not None and request.ended is not None:
            request.ended()
        if not self._jobs:
            self.idle.emit()
