"""The open project as the window sees it; every part of the window looks at this and at no other.

Data moves in a straight line: a person's act becomes an edit, ``Session.apply`` hands it to the
project, and a signal names what changed.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import Picture
from seginst_core.project import ImageEntry, Project
from seginst_core.project.document import Document
from seginst_core.project.edits import Edit, dirty_rect
from seginst_core.types import Category, ImageArray, ImageRef, Instance, PipelineName, Prediction
from seginst_gui.clipboard import Copied
from seginst_gui.display.settings import Layers
from seginst_gui.display.state import DisplayState
from seginst_gui.jobs.contents import Contents, ImageReader, has_many, read_predictions
from seginst_gui.language import tr

PIPELINE_LETTERS: dict[PipelineName, str] = {"two-stage": "A", "end-to-end": "B"}
FIRST_CATEGORY = "object"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One predicted object: its pipeline and its id within that prediction."""

    pipeline: PipelineName
    id: int


class Session(QObject):
    """The project, the current image with its document and pixels, the selection, what is shown."""

    closing = Signal()
    project_changed = Signal()
    """Another folder is open: everything is new."""
    images_changed = Signal(object)
    """Rows of the image list changed: frozenset of image ids."""
    leaving_image = Signal()
    """Another image is asked for; what is being typed still belongs to this one."""
    image_changed = Signal()
    """Another image is current; its document is there, its pixels come later."""
    preview_changed = Signal()
    """``preview`` is there: a small picture of a large image that is still being read."""
    pixels_changed = Signal()
    """``picture`` is there, or ``unreadable`` says why not."""
    instances_changed = Signal(object, object)
    """Objects of the current image changed: ids, dirty rectangle; None if only their marks did."""
    stepped = Signal(int, int)
    """An image's history went so many steps on, or back (below zero); its objects follow."""
    selection_changed = Signal()
    categories_changed = Signal()
    category_changed = Signal()
    predictions_changed = Signal()
    layers_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        self.entries: tuple[ImageEntry, ...] = ()
        self.is_listed: Callable[[ImageEntry], bool] = lambda _: True
        """Whether the image list shows an image; whoever filters it sets this."""
        self.image_id: int | None = None
        """The current row of the image list, whether or not its image can be read."""
        self.image: ImageRef | None = None
        self.document: Document | None = None
        self.preview: ImageArray | None = None
        self.picture: Picture | None = None
        self.unreadable = ""
        self.selection: frozenset[int] = frozenset()
        self.proposal: Proposal | None = None
        self.locked: frozenset[int] = frozenset()
        """Objects that ``apply`` refuses to change, until the project is closed."""
        self.hidden: frozenset[int] = frozenset()
        """Objects that are not shown, until another image is opened."""
        self.copied = Copied()
        self.categories: tuple[Category, ...] = ()
        self.category: Category | None = None
        self.predictions: dict[PipelineName, Prediction] = {}
        self.layers = Layers()
        self.display = DisplayState(self)
        self.display.bands_changed.connect(self._read_pixels)
        self.keep_apart = False
        """Whether what is drawn leaves out the pixels of other objects."""
        self._places: dict[int, int] = {}
        self._reader = ImageReader(self)
        self._reader.opened.connect(self._take_contents)
        self._reader.previewed.connect(self._take_preview)
        self._reader.loaded.connect(self._take_picture)
        self._reader.failed.connect(self._take_failure)

    # --- the project -----------------------------------------------------------------------

    def open_folder(self, folder: Path) -> None:
        """Open a folder's project, or look again; SegInstError leaves the present one open."""
        if self.project is not None and self.project.is_in(folder):
            if self.project.folder.resolve() == folder.resolve():
                self.project.rescan()
                self.reload()
                return
            self.close()  # The folder was renamed, and it is this window that holds it.
        project = Project.open(folder)
        self.close()
        self.project = project
        self.display.open(project)
        self._refresh_images()
        self.categories = project.categories()
        self.category = self.categories[0] if self.categories else None
        self.project_changed.emit()
        if self.entries:
            last = project.last_turned_to()
            self.open_image(last if last in self._places else self.entries[0].ref.id, beside=True)

    def reload(self) -> None:
        """Show the project anew after it was changed as a whole, by an import say."""
        current = self.image_id
        self._refresh_images()
        self.refresh_categories()
        self.project_changed.emit()
        if current is not None:
            self.open_image(current, beside=True)

    def close(self) -> None:
        """Close the project; everything is saved already."""
        self._reader.forget_all()
        if self.project is not None:
            self.closing.emit()
            self.project.close()
        self.project = None
        self.entries, self._places = (), {}
        self.categories, self.category = (), None
        self.locked, self.copied = frozenset(), Copied()
        self._clear_image()
        self.display.open(None)

    def entry(self, image_id: int) -> ImageEntry:
        """Return a row of the image list."""
        return self.entries[self._places[image_id]]

    # --- the current image -----------------------------------------------------------------

    def open_image(self, image_id: int, *, beside: bool = False) -> None:
        """Make an image current; one that cannot be read shows its reason instead of pixels.

        If it has very many objects, ``beside`` reads them without holding the window up: until
        ``image_changed`` comes once more there may be a preview but no ``image`` to edit.
        """
        project = self._project()
        self.leaving_image.emit()
        self._clear_image()
        self.image_id = image_id
        try:
            image = project.ensure_size(image_id, anew=True)
        except ImageError as error:
            self.image_changed.emit()
            self._take_failure(str(error))
            return
        if project.entry(image_id).n_predicted != self.entry(image_id).n_predicted:
            self._show_entry(image_id)  # what was found in a file of another size is gone
        project.turn_to(image_id)
        beside = beside and has_many(self.entry(image_id))
        self._reader.open(project, image, self.display.now.bands, beside=beside)
        if self.image is None:
            self.image_changed.emit()

    def step(self, n: int, *, beside: bool = False) -> None:
        """Go ``n`` images on (or back) of those listed; ``beside`` as in ``open_image``."""
        here = self.image_id
        listed = [e.ref.id for e in self.entries if e.ref.id == here or self.is_listed(e)]
        place = 0 if here is None else listed.index(here) + n
        if 0 <= place < len(listed):
            self.open_image(listed[place], beside=beside)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The current image's objects."""
        return self.document.instances if self.document else ()

    @property
    def shown(self) -> tuple[Instance, ...]:
        """The current image's objects that are not hidden."""
        if not self.hidden:
            return self.instances
        return tuple(i for i in self.instances if i.id not in self.hidden)

    @property
    def open_to_change(self) -> tuple[Instance, ...]:
        """The objects that can be seen and are not locked: what acts on many may act on."""
        seen = self.shown if self.layers.annotation else ()
        return tuple(i for i in seen if i.id not in self.locked)

    @property
    def selected(self) -> tuple[Instance, ...]:
        """The selected objects, in id order."""
        return self.document.some(self.selection) if self.document else ()

    # --- edits -----------------------------------------------------------------------------

    def apply(self, edit: Edit, *, select_added: bool = False) -> None:
        """Store an edit and show it; ProjectError if it cannot be stored, and nothing changed."""
        if any(c.id in self.locked for c in edit.changes):
            raise ProjectError(tr("A locked object would change; unlock it first."))
        document = self._document()
        self._project().commit(document, edit)
        self._after([edit], 1)
        if select_added and (added := [c.id for c in edit.changes if c.before is None]):
            self.select(added)

    def undo(self) -> Edit | None:
        """Take back the last edit of the current image; return the edit that did so."""
        return next(iter(self.travel(-1)), None)

    def redo(self) -> Edit | None:
        """Do again what was undone; return the edit that did so."""
        return next(iter(self.travel(1)), None)

    def travel(self, n: int) -> list[Edit]:
        """Undo (below zero) or redo up to ``n`` steps, shown as one; return the edits made."""
        made: list[Edit] = []
        if self.document is None:
            return made
        step = self._project().undo if n < 0 else self._project().redo
        try:
            while len(made) < abs(n) and (edit := step(self.document)) is not None:
                made.append(edit)
        finally:
            if made:
                self._after(made, len(made) if n > 0 else -len(made))
        return made

    def can_undo(self) -> bool:
        """Return whether the current image has a step to take back."""
        return self.image is not None and self._project().can_undo(self.image.id)

    def can_redo(self) -> bool:
        """Return whether the current image has an undone step."""
        return self.image is not None and self._project().can_redo(self.image.id)

    def new_ids(self, n: int = 1) -> range:
        """Reserve ``n`` ids for new objects."""
        return self._project().new_ids(n)

    def refresh_image(self, image_id: int) -> None:
        """Show that the project changed an image by itself (a prediction came in, a state)."""
        if image_id in self._places and self.project is not None:
            self._show_entry(image_id)
            self._show_predictions({image_id})

    def refresh_predictions(self) -> None:
        """Show the predictions of all images anew: another model is live."""
        self._refresh_images()
        self.images_changed.emit(frozenset(self._places))
        self._show_predictions(self._places)

    # --- selection, classes, layers ---------------------------------------------------------

    def select(self, ids: Iterable[int]) -> None:
        """Select exactly these objects."""
        wanted = frozenset(i for i in ids if self.document is not None and i in self.document)
        if wanted != self.selection or self.proposal is not None:
            self.selection, self.proposal = wanted, None
            self.selection_changed.emit()

    def set_marks(
        self, *, hidden: frozenset[int] | None = None, locked: frozenset[int] | None = None
    ) -> None:
        """Hide or lock exactly these objects; what is hidden is selected no more."""
        hidden = self.hidden if hidden is None else hidden
        locked = self.locked if locked is None else locked
        changed = (hidden ^ self.hidden) | (locked ^ self.locked)
        self.hidden, self.locked = hidden, locked
        if changed:
            self.instances_changed.emit(changed, None)
            self.select(self.selection - hidden)

    def select_proposal(self, proposal: Proposal | None) -> None:
        """Select one predicted object, and no other."""
        if proposal != self.proposal or self.selection:
            self.selection, self.proposal = frozenset(), proposal
            self.selection_changed.emit()

    def choose_category(self, category_id: int) -> None:
        """Draw new objects as this class from now on."""
        for category in self.categories:
            if category.id == category_id and category != self.category:
                self.category = category
                self.category_changed.emit()

    def refresh_categories(self) -> None:
        """Show the project's classes as they are now."""
        self.categories = self._project().categories()
        by_id = {c.id: c for c in self.categories}
        here = by_id.get(self.category.id) if self.category else None
        self.category = here or (self.categories[0] if self.categories else None)
        self.categories_changed.emit()
        self.category_changed.emit()

    def drawing_category(self) -> Category:
        """Return the class to draw with; a project without any gets a first one."""
        if self.category is None:
            self._project().add_category(FIRST_CATEGORY)
            self.refresh_categories()
        assert self.category is not None
        return self.category

    def category_of(self, instance: Instance) -> Category | None:
        """Return an object's class."""
        return next((c for c in self.categories if c.id == instance.category_id), None)

    def set_layers(self, layers: Layers) -> None:
        """Show other layers."""
        if layers != self.layers:
            self.layers = layers
            self.layers_changed.emit()

    def proposals(self, pipeline: PipelineName) -> tuple[Instance, ...]:
        """Return a pipeline's predicted objects of the current image above the threshold."""
        found = self.predictions[pipeline].instances if pipeline in self.predictions else ()
        return tuple(i for i in found if (i.score or 0.0) >= self.layers.threshold)

    # ----------------------------------------------------------------------------------------

    def _project(self) -> Project:
        assert self.project is not None, "no project is open"
        return self.project

    def _document(self) -> Document:
        assert self.document is not None, "no image is open"
        return self.document

    def _after(self, edits: Sequence[Edit], n_steps: int) -> None:
        """Show what edits of the current image did; few of them change its row of the list."""
        document = self._document()
        # An object may have brought its removed class back.
        if self._project().categories() != self.categories:
            self.refresh_categories()
        self.stepped.emit(document.image.id, n_steps)
        ids = frozenset(change.id for edit in edits for change in edit.changes)
        self.instances_changed.emit(ids, dirty_rect(*edits))
        gone = frozenset(i for i in self.selection if i not in document)
        if gone:
            self.select(self.selection - gone)
        if self._project().entry(document.image.id) != self.entry(document.image.id):
            self._show_entry(document.image.id)

    def _show_entry(self, image_id: int) -> None:
        place, entry = self._places[image_id], self._project().entry(image_id)
        self.entries = (*self.entries[:place], entry, *self.entries[place + 1 :])
        self.images_changed.emit(frozenset({image_id}))

    def _show_predictions(self, image_ids: Container[int]) -> None:
        if self.image_id is None or self.image_id not in image_ids:
            return
        if self._reader.is_opening:  # and what is being read may be older
            self.open_image(self.image_id, beside=True)
        elif self.image is not None:
            self.predictions = read_predictions(self._project(), self.image.id)
            self.predictions_changed.emit()

    def _refresh_images(self) -> None:
        self.entries = self._project().images()
        self._places = {entry.ref.id: place for place, entry in enumerate(self.entries)}

    def _clear_image(self) -> None:
        self._reader.forget()
        self.image_id, self.image, self.document, self.unreadable = None, None, None, ""
        self.preview, self.picture, self.predictions = None, None, {}
        self.selection, self.proposal, self.hidden = frozenset(), None, frozenset()

    def _take_contents(self, contents: Contents) -> None:
        self.document, self.predictions = contents.document, contents.predictions
        self.image = self.document.image
        self.image_changed.emit()

    def _read_pixels(self) -> None:
        if self.image_id is not None:
            entry = self.entry(self.image_id)
            self._reader.read_pixels(self._project(), entry.ref, self.display.now.bands)

    def _take_preview(self, preview: ImageArray) -> None:
        self.preview = preview
        self.preview_changed.emit()

    def _take_picture(self, picture: Picture) -> None:
        self.preview, self.picture = None, picture
        self.pixels_changed.emit()
        if self.image_id is not None:
            here = self._places[self.image_id]
            beside = (*self.entries[here + 1 : here + 2], *self.entries[max(here - 1, 0) : here])
            self._reader.prefetch(self._project(), beside, self.display.now.bands)

    def _take_failure(self, sentence: str) -> None:
        self.preview, self.unreadable = None, sentence
        self.pixels_changed.emit()
