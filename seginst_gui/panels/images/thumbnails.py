"""Small pictures of image files, decoded in the background and only when one is to be painted."""

from collections import OrderedDict
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QThreadPool, Signal
from PySide6.QtGui import QImage, QPixmap

from seginst_core.images import read_preview
from seginst_gui.jobs.aside import Aside

SIDE_PX = 64
N_KEPT = 600
# A little more than a tall screen shows; whoever scrolls past does not leave a queue behind.
N_WAITING = 40


class Thumbnails(QObject):
    """Keeps the last ``n_kept`` thumbnails by image id.

    Asking for one that is not there queues it, the newest wish first; ``ready(image_id)`` follows.
    """

    ready = Signal(int)

    def __init__(self, parent: QObject | None = None, *, n_kept: int = N_KEPT) -> None:
        super().__init__(parent)
        self._n_kept = n_kept
        self._folder = Path()
        self._reading: Aside[QImage] | None = None
        self._kept: OrderedDict[int, QPixmap | None] = OrderedDict()
        self._waiting: OrderedDict[int, str] = OrderedDict()
        self._running: int | None = None

    def use_folder(self, folder: Path) -> None:
        """Forget all thumbnails: ids now mean the images of ``folder``."""
        self._folder = folder
        if self._reading is not None:
            self._reading.forget()
        self._kept.clear()
        self._waiting.clear()
        self._running = None

    def get(self, image_id: int, path: str) -> QPixmap | None:
        """Return a thumbnail; None while it is unknown, or if the file cannot be shown."""
        if image_id in self._kept:
            self._kept.move_to_end(image_id)
            return self._kept[image_id]
        if image_id != self._running:
            self._waiting[image_id] = path
            self._waiting.move_to_end(image_id)
            if len(self._waiting) > N_WAITING:
                self._waiting.popitem(last=False)
            self._start_next()
        return None

    def failed(self, image_id: int) -> bool:
        """Return whether the file was tried and cannot be shown."""
        return image_id in self._kept and self._kept[image_id] is None

    def asked(self) -> frozenset[int]:
        """Return the ids of the images that are known, under way or waiting."""
        running = set() if self._running is None else {self._running}
        return frozenset(self._kept.keys() | self._waiting.keys() | running)

    def _start_next(self) -> None:
        if self._running is None and self._waiting:
            self._running, path = self._waiting.popitem()
            # One at a time: the image that is opened needs the other cores. In the global pool: one
            # that this object owned would wait, when it is deleted, for a thread that waits for
            # Python's lock, which the deletion holds.
            tell, work = partial(self._receive, self._running), partial(_read, self._folder / path)
            pool = QThreadPool.globalInstance()
            self._reading = Aside(work, tell, lambda _: tell(None), self, pool=pool)

    def _receive(self, image_id: int, image: QImage | None) -> None:
        self._running = None
        self._kept[image_id] = None if image is None else QPixmap.fromImage(image)
        if len(self._kept) > self._n_kept:
            self._kept.popitem(last=False)
        self._start_next()
        self.ready.emit(image_id)


def _read(path: Path) -> QImage:
    # Twice the side, for screens with twice the pixels.
    pixels = read_preview(path, 2 * SIDE_PX)
    height, width = pixels.shape[:2]
    rgb = QImage.Format.Format_RGB888
    return QImage(pixels.tobytes(), width, height, 3 * width, rgb).copy()
