"""Reading an image for the window: its objects, what the models found, and its pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal, SignalInstance

from seginst_core.errors import ProjectError
from seginst_core.images import Bands
from seginst_core.project import ImageEntry, Project
from seginst_core.project.document import Document
from seginst_core.types import PIPELINES, ImageRef, PipelineName, Prediction
from seginst_gui.jobs.aside import Aside
from seginst_gui.pixels import PixelLoader

MANY = 500
"""So many objects are read in about a frame's time."""


@dataclass(frozen=True, slots=True)
class Contents:
    """An image's document and the predictions shown."""

    document: Document
    predictions: dict[PipelineName, Prediction]


def has_many(entry: ImageEntry) -> bool:
    """Whether reading an image's objects at once would be felt."""
    return max(entry.n_instances, entry.n_predicted) > MANY


def read_contents(project: Project, image_id: int) -> Contents:
    """Read an image's objects and predictions; ProjectError if they cannot be read."""
    return Contents(project.document(image_id), read_predictions(project, image_id))


def read_predictions(project: Project, image_id: int) -> dict[PipelineName, Prediction]:
    """Read what each pipeline found; a pipeline that has not looked yet is left out."""
    found = ((name, project.prediction(image_id, name)) for name in PIPELINES)
    return {name: prediction for name, prediction in found if prediction is not None}


def read_beside(project: Project, image_id: int) -> Contents:
    """Do as ``read_contents`` in any thread, while the project is used in its own."""
    with project.beside() as other:
        return read_contents(other, image_id)


class ImageReader(QObject):
    """Reads one image at a time; what it says is of the one asked for last.

    ``opened`` carries the Contents, and then the pixels come as PixelLoader has them; the preview
    alone may come earlier. ``failed`` says in a sentence what could not be read.
    """

    opened = Signal(object)
    previewed = Signal(object)
    loaded = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._opening: Aside[Contents] | None = None
        self._later: Callable[[], Contents] | None = None
        self._early: tuple[SignalInstance, object] | None = None
        self._loader = PixelLoader(self)
        self._loader.previewed.connect(partial(self._tell, self.previewed))
        self._loader.loaded.connect(partial(self._tell, self.loaded))
        self._loader.failed.connect(partial(self._tell, self.failed))

    @property
    def is_opening(self) -> bool:
        """Whether objects are being read beside the window."""
        return self._opening is not None or self._later is not None

    def open(self, project: Project, image: ImageRef, bands: Bands | None, *, beside: bool) -> None:
        """Read an image, its objects ``beside`` the window or at once, its pixels beside it."""
        self.forget()
        # Begins before the objects are read, and goes on meanwhile.
        has_preview = self.read_pixels(project, image, bands)
        if beside:
            self._later = partial(read_beside, project, image.id)
            if not has_preview:
                self._begin()
            return
        try:
            contents = read_contents(project, image.id)
        except ProjectError as error:
            self._fail(str(error))
        else:
            self.opened.emit(contents)

    def read_pixels(self, project: Project, image: ImageRef, bands: Bands | None) -> bool:
        """Read the pixels alone, other bands of them say; return whether a preview comes first."""
        return self._loader.load(project.folder / image.path, bands)

    def prefetch(self, project: Project, images: Sequence[ImageEntry], bands: Bands | None) -> None:
        """Decode images that are likely to be asked for next."""
        self._loader.prefetch([project.folder / entry.ref.path for entry in images], bands)

    def forget(self) -> None:
        """Say nothing of what is still under way."""
        self._loader.forget()
        if self._opening is not None:
            self._opening.forget()
        self._opening, self._later, self._early = None, None, None

    def forget_all(self) -> None:
        """Say nothing more, and give back what was decoded ahead."""
        self.forget()
        self._loader.forget_all()

    def _begin(self) -> None:
        read, self._later = self._later, None
        if read is not None:
            self._opening = Aside(read, self._open, self._fail, self)

    def _tell(self, signal: SignalInstance, value: object) -> None:
        # Side by side, the objects would hold the preview up.
        self._begin()
        if self._opening is None or signal is self.previewed:
            signal.emit(value)
        else:
            # The last word on the pixels counts, once the objects are there.
            self._early = signal, value

    def _open(self, contents: Contents) -> None:
        self._opening = None
        self.opened.emit(contents)
        # Taken only now: if another image was asked for meanwhile, there is nothing early any more.
        early, self._early = self._early, None
        if early is not None:
            early[0].emit(early[1])

    def _fail(self, sentence: str) -> None:
        self.forget()
        self.failed.emit(sentence)
