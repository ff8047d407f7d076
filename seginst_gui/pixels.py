"""Decoding image files in the background, so that opening a large one never freezes the window."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QRunnable, QThreadPool, QTimer, Signal

from seginst_core.errors import ImageError
from seginst_core.images import Bands, Picture, read_picture, read_preview, read_size
from seginst_gui.jobs.background import give_way
from seginst_gui.language import later, tr

PREVIEW_FROM_BYTES = 3_000_000
"""Smaller files are whole before a preview would be seen."""
PREVIEW_SIDE_PX = 1000
"""Little more than what a window shows of a whole image: a JPEG of 8,000 px is read at 1 : 8."""
KEPT_BYTES = 150_000_000
"""What an image and its neighbours may take: 4,000 x 4,000 px each; larger ones are not kept."""
SENTENCE_OUT_OF_MEMORY = later("There is not enough memory to open this image.")
_PREVIEW, _WHOLE, _NEIGHBOUR = 2, 1, 0

_Key = tuple[Path, int, int, Bands | None]


class PixelLoader(QObject):
    """Decodes images; its signals speak of the last one asked for only.

    ``loaded`` carries a Picture, before it ``previewed`` a small array if the image is large.
    """

    previewed = Signal(object)
    loaded = Signal(object)
    failed = Signal(str)
    _answered = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted = 0
        self._whole = False
        self._kept = _Kept()
        self._answered.connect(self._receive)

    def load(self, path: Path, bands: Bands | None = None) -> bool:
        """Start decoding ``path``; an earlier image that has not begun is dropped.

        Return whether a preview comes first.
        """
        self._wanted += 1
        self._whole = False
        ticket, known = self._wanted, self._kept.find(path, bands)
        if known is not None:
            # In the event loop's next round: whoever asks is not answered before having asked.
            QTimer.singleShot(0, self, lambda: self._receive(ticket, known))
            return False
        # The application's own pool: one of ours would block whoever deletes it while it decodes.
        pool = QThreadPool.globalInstance()
        whole = _Decode(ticket, path, bands, self, small=False)
        if not _is_worth_a_preview(path):
            pool.start(whole, _WHOLE)
            return False
        # One after the other: side by side, the whole image would hold the preview up.
        pool.start(_Decode(ticket, path, bands, self, small=True, then=whole), _PREVIEW)
        return True

    def prefetch(self, paths: Sequence[Path], bands: Bands | None = None) -> None:
        """Decode images that are likely to be asked for next, as far as they may be kept."""
        job = _Prefetch(self._wanted, paths, bands, self)
        QThreadPool.globalInstance().start(job, _NEIGHBOUR)

    def forget(self) -> None:
        """Ignore whatever is still under way."""
        self._wanted += 1

    def forget_all(self) -> None:
        """Ignore whatever is under way, and give back what was decoded ahead."""
        self.forget()
        self._kept.clear()

    def wants(self, ticket: int) -> bool:
        """Return whether the image with this number is still the one asked for."""
        return ticket == self._wanted

    def _receive(self, ticket: int, answer: object) -> None:
        if not self.wants(ticket):
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        elif not isinstance(answer, np.ndarray):
            self._whole = True
            self.loaded.emit(answer)
        elif not self._whole:
            self.previewed.emit(answer)


class _Kept:
    """Decoded images, the least recently used dropped first; threads may ask at the same time."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[_Key, Picture] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, path: Path, bands: Bands | None) -> Picture | None:
        """Return an image if it is here and its file has not changed since."""
        key = _key(path, bands)
        with self._lock:
            if key is None or key not in self._pictures:
                return None
            self._pictures.move_to_end(key)
            return self._pictures[key]

    def keep(self, path: Path, bands: Bands | None, picture: Picture) -> None:
        """Keep an image unless it is large, and fewer others if need be."""
        key = _key(path, bands)
        if key is None or picture.pixels.nbytes > KEPT_BYTES // 3:
            return
        with self._lock:
            self._pictures[key] = picture
            while sum(p.pixels.nbytes for p in self._pictures.values()) > KEPT_BYTES:
                self._pictures.popitem(last=False)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._pictures.clear()


class _Decode(QRunnable):
    def __init__(
        self,
        ticket: int,
        path: Path,
        bands: Bands | None,
        loader: PixelLoader,
        *,
        small: bool,
        then: "_Decode | None" = None,
    ) -> None:
        super().__init__()
        self._ticket, self._path, self._bands, self._loader = ticket, path, bands, loader
        self._small, self._then = small, then

    def run(self) -> None:
        give_way()
        if self._loader.wants(self._ticket):
            self._decode()
        if self._then is not None:
            QThreadPool.globalInstance().start(self._then, _WHOLE)

    def _decode(self) -> None:
        answer: object
        try:
            if self._small:
                answer = read_preview(self._path, PREVIEW_SIDE_PX, bands=self._bands)
            else:
                answer = read_picture(self._path, bands=self._bands)
                self._loader._kept.keep(self._path, self._bands, answer)
        except (ImageError, MemoryError) as error:
            if self._small:
                return  # the whole image says what is wrong
            answer = str(error) if isinstance(error, ImageError) else tr(SENTENCE_OUT_OF_MEMORY)
        # The window may be gone by now, and its signals with it.
        with suppress(RuntimeError):
            self._loader._answered.emit(self._ticket, answer)


class _Prefetch(QRunnable):
    def __init__(
        self, ticket: int, paths: Sequence[Path], bands: Bands | None, loader: PixelLoader
    ) -> None:
        super().__init__()
        self._ticket, self._paths, self._bands, self._loader = ticket, paths, bands, loader

    def run(self) -> None:
        give_way()
        kept = self._loader._kept
        for path in self._paths:
            if not self._loader.wants(self._ticket) or kept.find(path, self._bands) is not None:
                continue
            # What is wrong with a neighbour is said when it is opened.
            with suppress(ImageError, MemoryError):
                width, height = read_size(path)
                if 3 * width * height <= KEPT_BYTES // 3:
                    kept.keep(path, self._bands, read_picture(path, bands=self._bands))


def _key(path: Path, bands: Bands | None) -> _Key | None:
    with suppress(OSError):
        facts = path.stat()
        return path, facts.st_mtime_ns, facts.st_size, bands
    return None


def _is_worth_a_preview(path: Path) -> bool:
    """Only a JPEG can be decoded small; for the others a preview costs as much as the whole."""
    with suppress(OSError):
        large = path.stat().st_size >= PREVIEW_FROM_BYTES
        return large and path.suffix.lower() in (".jpg", ".jpeg")
    return False
