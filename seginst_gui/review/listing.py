"""The cases of all images, listed in the background and kept up to date."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal

from seginst_core.errors import SegInstError
from seginst_core.project.edits import Rect
from seginst_core.review.objects.cases import Items, image_cases
from seginst_core.review.objects.schema import Drawn, ImageObjects, ObjectCase
from seginst_core.types import Instance, Prediction
from seginst_gui.jobs.aside import Aside
from seginst_gui.session import Session

Cases = tuple[ObjectCase, ...]
AT_ONCE = 500
"""An image with fewer objects than this is listed while one waits: it takes a blink."""
_GATHER_MS = 150


class CaseListing(QObject):
    """Knows the cases of every image; ``changed`` comes when some are others than before.

    Nothing of it is stored: cases follow from the annotation, the predictions and what was said to
    be no object, and those are in the project.
    """

    changed = Signal()
    listed = Signal(int)
    """An image's cases are there."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._cases: dict[int, Cases] = {}
        self._items = Items()
        self._items_of: int | None = None
        self._waiting: dict[int, None] = {}
        self._running: int | None = None
        self._overtaken = False
        """Whether the running image was listed otherwise meanwhile, so that its answer is old."""
        self._listing: Aside[Cases] | None = None
        self._dirty: dict[int, list[Rect | None]] = {}
        """Where images changed since their cases were listed; None for everywhere."""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_GATHER_MS)
        self._soon.timeout.connect(self.changed)
        session.project_changed.connect(self.start)
        session.instances_changed.connect(self._on_instances)
        session.predictions_changed.connect(self._on_predictions)
        session.images_changed.connect(self._relist_others)
        self._threshold = session.layers.threshold
        session.layers_changed.connect(self._on_layers)

    @property
    def n_waiting(self) -> int:
        """How many images are still to be listed."""
        return len(self._waiting) + (self._running is not None)

    @property
    def settled(self) -> bool:
        """Whether every image is listed and ``changed`` has said so."""
        return not self.n_waiting and not self._soon.isActive()

    def start(self) -> None:
        """List everything anew, the current image first."""
        if self._listing is not None:
            self._listing.forget()
        self._cases, self._running, self._dirty = {}, None, {}
        here = self._session.image_id
        ids = [e.ref.id for e in self._session.entries if not e.missing]
        self._waiting = dict.fromkeys(sorted(ids, key=lambda k: k != here))
        if here is not None and self._session.document is not None:
            self._relist_current()
        self._go_on()

    def of(self, image_id: int) -> Cases:
        """Return the cases of one image, as far as they are known."""
        return self._cases.get(image_id, ())

    def all(self) -> Iterable[ObjectCase]:
        """Return the cases of all images, in the images' order."""
        for entry in self._session.entries:
            yield from self._cases.get(entry.ref.id, ())

    def is_old(self, case: ObjectCase) -> bool:
        """Return whether its image changed where a case is, and is still to be listed."""
        return any(_meets(case, rect) for rect in self._dirty.get(case.image_id, ()))

    def list_now(self) -> None:
        """List the current image while one waits, however many objects it has."""
        self._relist_current(at_once=True)

    def relist(self, image_id: int) -> None:
        """List an image anew: something about it is known that was not."""
        if self._session.image is not None and self._session.image.id == image_id:
            self._relist_current()
        else:
            self._waiting[image_id] = None
            self._go_on()

    # ----------------------------------------------------------------------------------------

    def _on_layers(self) -> None:
        if self._session.layers.threshold != self._threshold:
            self._threshold = self._session.layers.threshold
            self.start()

    def _on_instances(self, ids: frozenset[int], dirty: Rect | None) -> None:
        # Objects that were hidden or locked are the same objects.
        if dirty is not None or not ids:
            self._note_dirty(self._session.image_id, dirty)
            self._relist_current()

    def _on_predictions(self) -> None:
        self._note_dirty(self._session.image_id, None)
        self._relist_current()

    def _note_dirty(self, image_id: int | None, rect: Rect | None) -> None:
        if image_id is not None:
            self._dirty.setdefault(image_id, []).append(rect)

    def _waits(self, image_id: int) -> bool:
        """Whether an image is still to be listed as it is now."""
        return image_id in self._waiting or (self._running == image_id and not self._overtaken)

    def _relist_current(self, *, at_once: bool = False) -> None:
        image_id = self._session.image_id
        if image_id is None or self._session.document is None:
            return
        objects = self._gather(image_id)
        if objects is None:
            return
        self._waiting.pop(image_id, None)
        if at_once or len(objects.truth) + len(objects.a) + len(objects.b) <= AT_ONCE:
            self._overtaken = self._overtaken or self._running == image_id
            self._keep(image_id, _list(objects, self._items_for(image_id)))
            self.changed.emit()
        else:
            self._waiting = {image_id: None, **self._waiting}
            self._go_on()

    def _items_for(self, image_id: int) -> Items:
        """Return what is known of the pairs of the current image, which many edits leave alone."""
        if self._items_of != image_id:
            self._items, self._items_of = Items(), image_id
        return self._items

    def _relist_others(self, ids: frozenset[int]) -> None:
        others = ids - {self._session.image_id or 0}
        if others:
            self._waiting.update(dict.fromkeys(sorted(others)))
            for image_id in others:
                self._note_dirty(image_id, None)
            self._go_on()

    def _go_on(self) -> None:
        while self._running is None and self._waiting:
            image_id = next(iter(self._waiting))
            del self._waiting[image_id]
            objects = self._gather(image_id)
            if objects is None:
                self._keep(image_id, ())
            else:
                self._running, self._overtaken = image_id, False
                here = image_id == self._session.image_id
                items = self._items_for(image_id) if here else Items()
                tell, pool = partial(self._receive, image_id), QThreadPool.globalInstance()
                work = partial(_list, objects, items)
                self._listing = Aside(work, tell, self._fail, self, pool=pool)
        if not self.n_waiting:
            self._soon.start()

    def _receive(self, image_id: int, cases: Cases) -> None:
        self._running = None
        if not self._overtaken:
            self._keep(image_id, cases)
        if image_id == self._session.image_id:
            self.changed.emit()
        elif not self._soon.isActive():
            self._soon.start()
        self._go_on()

    def _fail(self, _sentence: str) -> None:
        if self._running is not None:
            self._receive(self._running, ())

    def _keep(self, image_id: int, cases: Cases) -> None:
        self._cases[image_id] = cases
        if not self._waits(image_id):
            self._dirty.pop(image_id, None)
        self.listed.emit(image_id)

    def _gather(self, image_id: int) -> ImageObjects | None:
        """Read what is known of an image; None if it cannot be read."""
        session, project = self._session, self._session.project
        if project is None:
            return None
        low = session.layers.threshold
        try:
            if session.image is not None and session.image.id == image_id and session.document:
                document = session.document
                image, truth, refusals = document.image, document.instances, document.refusals
                state = document.state
                a, b = session.predictions.get("two-stage"), session.predictions.get("end-to-end")
            else:
                image = project.ensure_size(image_id)
                annotation = project.annotation(image_id)
                truth, state = annotation.instances, annotation.state
                refusals = project.reviewing.refusals(image_id)
                a, b = (project.prediction(image_id, p) for p in ("two-stage", "end-to-end"))
            known = project.reviewing.substitutes(image_id, a.model) if a else {}
        except SegInstError:
            return None
        drawn = {key: Drawn(s.box, s.mask) for key, s in known.items()}
        found_a, found_b = _above(a, low), _above(b, low)
        return ImageObjects(image, state, truth, found_a, found_b, refusals, drawn, low)


def _above(prediction: Prediction | None, low: float) -> tuple[Instance, ...]:
    if prediction is None:
        return ()
    return tuple(i for i in prediction.instances if (i.score or 0.0) >= low)


def _meets(case: ObjectCase, rect: Rect | None) -> bool:
    box = case.box
    if rect is None:
        return True
    return box.x0 < rect[2] and rect[0] < box.x1 and box.y0 < rect[3] and rect[1] < box.y1


def _list(objects: ImageObjects, items: Items) -> Cases:
    return tuple(image_cases(objects, items))
