"""Decoding image files in the background, so that opening a large one never freezes the window."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QRunnable, QThreadPool, QTimer, Signal

from seginst_core.errors import ImageError
from seginst_core.images import Bands, Picture, read_picture, read_preview, read_size
from seginst_core.types import ImageArray
from seginst_gui.jobs.aside import Answer
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

_Found = Picture | ImageArray | str | None
"""The whole image, its preview, or why there is none; None says nothing."""
_Key = tuple[Path, int, int, Bands | None]


class PixelLoader(QObject):
    """Decodes images; its signals speak of the last one asked for only.

    ``loaded`` carries a Picture, before it ``previewed`` a small array if the image is large.
    """

    previewed = Signal(object)
    loaded = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wish = _Wish()
        self._whole = False
        self._kept = _Kept()

    def load(self, path: Path, bands: Bands | None = None) -> bool:
        """Start decoding ``path``; an earlier image that has not begun is dropped.

        Return whether a preview comes first.
        """
        self.forget()
        self._whole = False
        wish, known = self._wish, self._kept.find(path, bands)
        if known is not None:
            # In the event loop's next round: whoever asks is not answered before having asked.
            QTimer.singleShot(0, self, lambda: self._receive(wish, known))
            return False
        # The application's own pool: one of ours would block whoever deletes it while it decodes.
        pool = QThreadPool.globalInstance()
        whole = _Decode(path, bands, wish, self._kept, self._answer())
        if not _is_worth_a_preview(path):
            pool.start(whole, _WHOLE)
            return False
        # One after the other: side by side, the whole image would hold the preview up.
        pool.start(_Preview(path, bands, wish, self._answer(), whole), _PREVIEW)
        return True

    def prefetch(self, paths: Sequence[Path], bands: Bands | None = None) -> None:
        """Decode images that are likely to be asked for next, as far as they may be kept."""
        job = _Prefetch(paths, bands, self._wish, self._kept)
        QThreadPool.globalInstance().start(job, _NEIGHBOUR)

    def forget(self) -> None:
        """Ignore whatever is still under way."""
        self._wish.wanted = False
        self._wish = _Wish()

    def forget_all(self) -> None:
        """Ignore whatever is under way, and give back what was decoded ahead."""
        self.forget()
        self._kept.clear()

    def _answer(self) -> Answer[_Found]:
        return Answer(partial(self._receive, self._wish), self)

    def _receive(self, wish: "_Wish", answer: _Found) -> None:
        if answer is None or not wish.wanted:
            return
        if isinstance(answer, str):
            self.failed.emit(answer)
        elif not isinstance(answer, np.ndarray):
            self._whole = True
            self.loaded.emit(answer)
        elif not self._whole:
            self.previewed.emit(answer)


class _Wish:
    """Whether an image is still the one asked for; threads may ask."""

    wanted = True


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


class _Preview(QRunnable):
    """Decodes an image small, then begins to decode all of it."""

    def __init__(
        self,
        path: Path,
        bands: Bands | None,
        wish: _Wish,
        answer: Answer[_Found],
        whole: "_Decode",
    ) -> None:
        super().__init__()
        self._path, self._bands, self._wish = path, bands, wish
        self._answer, self._whole = answer, whole

    def run(self) -> None:
        give_way()
        preview = None
        # The whole image says what is wrong.
        with suppress(ImageError, MemoryError):
            if self._wish.wanted:
                preview = read_preview(self._path, PREVIEW_SIDE_PX, bands=self._bands)
        self._answer(preview)
        QThreadPool.globalInstance().start(self._whole, _WHOLE)


class _Decode(QRunnable):
    def __init__(
        self,
        path: Path,
        bands: Bands | None,
        wish: _Wish,
        kept: _Kept,
        answer: Answer[_Found],
    ) -> None:
        super().__init__()
        self._path, self._bands, self._wish = path, bands, wish
        self._kept, self._answer = kept, answer

    def run(self) -> None:
        give_way()
        self._answer(self._decode() if self._wish.wanted else None)

    def _decode(self) -> _Found:
        try:
            picture = read_picture(self._path, bands=self._bands)
        except ImageError as error:
            return str(error)
        except MemoryError:
            return tr(SENTENCE_OUT_OF_MEMORY)
        self._kept.keep(self._path, self._bands, picture)
        return picture


class _Prefetch(QRunnable):
    def __init__(
        self, paths: Sequence[Path], bands: Bands | None, wish: _Wish, kept: _Kept
    ) -> None:
        super().__init__()
        self._paths, self._bands, self._wish, self._kept = paths, bands, wish, kept

    def run(self) -> None:
        give_way()
        for path in self._paths:
            if not self._wish.wanted or self._kept.find(path, self._bands) is not None:
                continue
            # What is wrong with a neighbour is said when it is opened.
            with suppress(ImageError, MemoryError):
                width, height = read_size(path)
                if 3 * width * height <= KEPT_BYTES // 3:
                    picture = read_picture(path, bands=self._bands)
                    self._kept.keep(path, self._bands, picture)


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
