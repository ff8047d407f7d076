"""Work that would hold the window up: done in a thread, and what came of it told to the window."""

from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from seginst_core.errors import SegInstError

Made = TypeVar("Made")


class Aside(QObject, Generic[Made]):
    """One piece of work in a thread of the application's pool; it touches nothing of Qt's.

    Then either ``done`` is called in the window's thread with what came of it, or ``failed`` with a
    sentence. After ``forget``, or when ``parent`` is gone, neither is.
    """

    _ended = Signal(object, object)

    def __init__(
        self,
        work: Callable[[], Made],
        done: Callable[[Made], None],
        failed: Callable[[str], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._done, self._failed = done, failed
        self._wanted = True
        self._ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        QThreadPool.globalInstance().start(_Work(work, self))

    def forget(self) -> None:
        """Say nothing of it any more; the work itself goes on to its end."""
        self._wanted = False

    def _tell(self, made: Made, error: Exception | None) -> None:
        self.deleteLater()
        if not self._wanted:
            return
        if error is None:
            self._done(made)
        elif isinstance(error, SegInstError | OSError):
            self._failed(str(error))
        else:
            raise error


class _Work(QRunnable):
    def __init__(self, work: Callable[[], object], aside: "Aside[Made]") -> None:
        super().__init__()
        self._work, self._aside = work, aside

    def run(self) -> None:
        made, failure = None, None
        try:
            made = self._work()
        except Exception as error:
            failure = error
        # The window may be gone by now, and its signals with it.
        with suppress(RuntimeError):
            self._aside._ended.emit(made, failure)
