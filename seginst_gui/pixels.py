"""Decoding image files in the background, so that opening a large one never freezes the window."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal

from seginst_core.errors import ImageError
from seginst_core.images import Bands, Picture, read_picture, read_preview, read_size
from seginst_core.types import ImageArray
from seginst_gui.jobs.aside import Aside
from seginst_gui.language import later, tr

PREVIEW_FROM_BYTES = 3_000_000
"""Smaller files are whole before a preview would be seen."""
PREVIEW_SIDE_PX = 1000
"""Little more than what a window shows of a whole image: a JPEG of 8,000 px is read at 1 : 8."""
KEPT_BYTES = 150_000_000
"""What an image and its neighbours may take: 4,000 x 4,000 px each; larger ones are not kept."""
SENTENCE_OUT_OF_MEMORY = later("There is not enough memory to open this image.")
_PREVIEW, _WHOLE, _NEIGHBOUR = 2, 1, 0

_Read = TypeVar("_Read", Picture, ImageArray, None)
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
        self._under_way: list[Aside[Picture] | Aside[ImageArray] | Aside[None]] = []
        self._known: Picture | None = None
        self._kept = _Kept()
        # In the event loop's next round: whoever asks is not answered before having asked.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._hand_over)

    def load(self, path: Path, bands: Bands | None = None) -> bool:
        """Start decoding ``path``; an earlier image that has not begun is dropped.

        Return whether a preview comes first.
        """
        self.forget()
        self._known = self._kept.find(path, bands)
        if self._known is not None:
            self._soon.start()
            return False
        if not _is_worth_a_preview(path):
            self._load_whole(path, bands)
            return False

        def go_on(preview: ImageArray) -> None:
            self._load_whole(path, bands)
            self.previewed.emit(preview)

        # One after the other: side by side, the whole image would hold the preview up. What is
        # wrong with a preview is wrong with the whole image, which says so.
        read = partial(read_preview, path, PREVIEW_SIDE_PX, bands=bands)
        self._begin(read, go_on, lambda _: self._load_whole(path, bands), _PREVIEW)
        return True

    def prefetch(self, paths: Sequence[Path], bands: Bands | None = None) -> None:
        """Decode images that are likely to be asked for next, as far as they may be kept."""
        if paths:
            read = partial(_read_neighbour, paths[0], bands, self._kept)

            def go_on(_: object) -> None:
                self.prefetch(paths[1:], bands)

            # One at a time: the window needs the other cores.
            self._begin(read, go_on, go_on, _NEIGHBOUR)

    def forget(self) -> None:
        """Ignore whatever is still under way."""
        for job in self._under_way:
            job.forget()
        self._under_way.clear()
        self._known = None

    def forget_all(self) -> None:
        """Ignore whatever is under way, and give back what was decoded ahead."""
        self.forget()
        self._kept.clear()

    def _load_whole(self, path: Path, bands: Bands | None) -> None:
        read = partial(_read_whole, path, bands, self._kept)
        self._begin(read, self.loaded.emit, self.failed.emit, _WHOLE)

    def _begin(
        self,
        read: Callable[[], _Read],
        done: Callable[[_Read], None],
        failed: Callable[[str], None],
        priority: int,
    ) -> None:
        # The application's own pool: one of ours would block whoever deletes it while it decodes.
        pool = QThreadPool.globalInstance()
        self._under_way.append(Aside(read, done, failed, self, pool=pool, priority=priority))

    def _hand_over(self) -> None:
        picture, self._known = self._known, None
        if picture is not None:
            self.loaded.emit(picture)


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


def _read_whole(path: Path, bands: Bands | None, kept: _Kept) -> Picture:
    try:
        picture = read_picture(path, bands=bands)
    except MemoryError as error:
        raise ImageError(tr(SENTENCE_OUT_OF_MEMORY)) from error
    kept.keep(path, bands, picture)
    return picture


def _read_neighbour(path: Path, bands: Bands | None, kept: _Kept) -> None:
    if kept.find(path, bands) is None:
        # What is wrong with a neighbour is said when it is opened.
        with suppress(ImageError, MemoryError):
            width, height = read_size(path)
            if 3 * width * height <= KEPT_BYTES // 3:
                kept.keep(path, bands, read_picture(path, bands=bands))


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
