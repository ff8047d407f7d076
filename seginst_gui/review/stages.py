"""Asks the worker what A's mask stage would have drawn, and keeps the answers in the project."""

from collections.abc import Mapping, Sequence
from typing import cast

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from seginst_core.errors import SegInstError
from seginst_core.events import JsonValue
from seginst_core.library import LibraryModel, list_models
from seginst_core.masks.geometry import mask_box
from seginst_core.masks.rle import decode
from seginst_core.project.reviewing import Substitute
from seginst_core.review.objects.schema import ObjectCase
from seginst_core.types import Box, Mask
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.language import tr
from seginst_gui.operations import repairs
from seginst_gui.review.state import ReviewState


class StageFinder(QObject):
    """Draws in the true boxes of objects that A drew poorly, one image after another.

    So the fault of each is found by substitution. The current image comes first, and a job of the
    person's own waits for one image at most.
    """

    noted = Signal(str)
    failed = Signal(str)

    def __init__(self, state: ReviewState, predictor: Predictor, parent: QObject) -> None:
        super().__init__(parent)
        self._state, self._predictor = state, predictor
        self._waiting: dict[int, None] = {}
        self._asked: set[tuple[int, int, str, Box]] = set()
        self._busy = False
        self._models: dict[str, LibraryModel] = {}
        project = state.session.project
        if project is not None:
            self._models = {m.card.id: m for m in list_models(project.folder).models}
        state.listing.listed.connect(self._on_listed)

    def redraw(self, case: ObjectCase) -> None:
        """Let A's nested U-Net draw the mask in B's box, and make that the object."""
        session = self._state.session
        project, b = session.project, repairs.found_by(session, case, "end-to-end")
        if project is None or b is None:
            self.noted.emit(tr("B sees no object here."))
            return
        model = self._model_of(case.image_id)
        if model is None:
            self.noted.emit(
                tr("The two-stage model that A is from is not in the library any more.")
            )
            return
        box = b.box
        params: dict[str, JsonValue] = {
            "model": str(model.folder),
            "path": str(project.image_path(case.image_id)),
            "boxes": [[box.x0, box.y0, box.x1, box.y1]],
            "guessed": True,
        }

        def take(said: Mapping[str, object]) -> None:
            if not isValid(self):
                # The review was left meanwhile.
                return
            masks = cast(Sequence[Mapping[str, object] | None], said.get("masks", ()))
            self._take(case, decode(masks[0]) if masks and masks[0] else None)

        self._predictor.ask("box_masks", params, tr("A's mask in B's box"), take)

    def _take(self, case: ObjectCase, mask: Mask | None) -> None:
        if mask is None:
            self.noted.emit(tr("A's nested U-Net sees no object in B's box."))
            return
        if self._state.session.image_id != case.image_id or self._state.focus is None:
            return
        if self._state.focus.key != case.key:
            return
        try:
            self._state.decide(lambda session, one: repairs.take_drawn(session, one, mask))
        except SegInstError as error:
            self.failed.emit(str(error))

    # ----------------------------------------------------------------------------------------

    def _on_listed(self, image_id: int) -> None:
        if self._wanted(image_id):
            self._waiting[image_id] = None
            self._go_on()

    def _wanted(self, image_id: int) -> list[tuple[int, Box]]:
        """Return the true objects of an image whose boxes A has not drawn in yet."""
        session, model = self._state.session, self._model_of(image_id)
        poor = {
            c.truth_id for c in self._state.listing.of(image_id) if c.fault_a in ("box", "mask")
        }
        if session.project is None or model is None or not poor:
            return []
        known = session.project.reviewing.substitutes(image_id, model.card.id)
        wanted = []
        for instance in session.project.annotation(image_id).instances:
            if instance.id in poor and instance.mask is not None:
                box = mask_box(instance.mask)
                there = known.get(instance.id)
                asked = (image_id, instance.id, model.card.id, box) in self._asked
                if not asked and (there is None or there.box != box):
                    wanted.append((instance.id, box))
        return wanted

    def _go_on(self) -> None:
        session = self._state.session
        if self._busy or not self._waiting or session.project is None:
            return
        here = session.image_id
        image_id = here if here in self._waiting and here else next(iter(self._waiting))
        del self._waiting[image_id]
        wanted, model = self._wanted(image_id), self._model_of(image_id)
        if not wanted or model is None:
            self._go_on()
            return
        self._busy = True
        boxes = dict(wanted)
        self._asked |= {(image_id, key, model.card.id, box) for key, box in wanted}
        row: dict[str, JsonValue] = {
            "image_id": image_id,
            "path": str(session.project.image_path(image_id)),
            "objects": [[key, box.x0, box.y0, box.x1, box.y1] for key, box in wanted],
        }
        params: dict[str, JsonValue] = {"model": str(model.folder), "images": [row]}

        finished = False

        def take(said: Mapping[str, object]) -> None:
            nonlocal finished
            # The review may have been left by now.
            if said.get("event") == "drawn" and isValid(self):
                self._keep(image_id, model.card.id, boxes, said)
            finished = finished or "n_objects" in said

        def end() -> None:
            if not isValid(self):
                return
            self._busy = False
            if not finished:
                # What failed or was cancelled would be so for the other images, too.
                self._waiting.clear()
            self._go_on()

        title = tr("Finding the stage at fault")
        self._predictor.ask("true_box_masks", params, title, take, end)

    def _keep(
        self, image_id: int, model: str, boxes: Mapping[int, Box], said: Mapping[str, object]
    ) -> None:
        project = self._state.session.project
        rows = cast(Sequence[tuple[int, Mapping[str, object] | None]], said["masks"])
        drawn = {
            key: Substitute(boxes[key], decode(rle) if rle else None)
            for key, rle in rows
            if key in boxes
        }
        if project is None:
            return
        try:
            project.reviewing.keep_substitutes(image_id, model, drawn)
        except SegInstError as error:
            self.failed.emit(str(error))
            return
        self._state.listing.relist(image_id)

    def _model_of(self, image_id: int) -> LibraryModel | None:
        """Return the two-stage model whose prediction of an image is shown, if it is here."""
        project = self._state.session.project
        model = "" if project is None else project.prediction_model(image_id, "two-stage")
        return self._models.get(model)
