"""Work that would hold the window up: done in a thread, and what came of it told to the window."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThreadPool, Signal
from shiboken6 import isValid

from seginst_core.errors import SegInstError
from seginst_gui.jobs.background import give_way
from seginst_gui.language import tr

Made = TypeVar("Made")
Tell = Callable[[object, Exception | None], None]


class Aside(Generic[Made]):
    """One piece of work in a thread of its own; it touches nothing of Qt's.

    Then either ``done`` is called in the window's thread with what came of it, or ``failed`` with a
    sentence, whatever went wrong. After ``forget``, or when ``owner`` is gone, neither is.
    """

    def __init__(
        self,
        work: Callable[[], Made],
        done: Callable[[Made], None],
        failed: Callable[[str], None],
        owner: QObject,
    ) -> None:
        self._done, self._failed, self._owner = done, failed, owner
        self._wanted = True
        # Kept for as long as the thread has it: nothing of Qt's may end in a thread.
        self._work = work
        _Messenger.of_application().begin(work, self._tell)

    def forget(self) -> None:
        """Say nothing of it any more; the work itself goes on to its end."""
        self._wanted = False

    def _tell(self, made: object, error: Exception | None) -> None:
        if not self._wanted or not isValid(self._owner):
            return
        if error is None:
            self._done(made)  # type: ignore[arg-type]
        elif isinstance(error, SegInstError | OSError):
            self._failed(str(error))
        elif isinstance(error, MemoryError):
            self._failed(tr("There is not enough memory for it."))
        else:
            # Whoever waits must not wait for ever; what is wrong is for the log.
            self._failed(tr("Something went wrong inside SegInst."))
            raise error


class _Messenger(QObject):
    """Takes answers from threads to the window's; there is one, and it lives as long as they do.

    A thread that held on to whoever asked could be the last to let go of it, and end it while the
    window's thread still uses it.
    """

    ended = Signal(int, object, object)
    _one: "_Messenger | None" = None

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self._numbers = count()
        self._asked: dict[int, Tell] = {}
        # The application's own pool decodes images, sometimes for seconds.
        self._pool = QThreadPool(self)
        self.ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @classmethod
    def of_application(cls) -> "_Messenger":
        """Return the one of the running application."""
        if cls._one is None or not isValid(cls._one):
            cls._one = cls()
        return cls._one

    def begin(self, work: Callable[[], object], tell: Tell) -> None:
        """Start work in a thread, and call ``tell`` in this one when it has ended."""
        number = next(self._numbers)
        self._asked[number] = tell
        self._pool.start(_Work(work, number, self))

    def _tell(self, number: int, made: object, error: Exception | None) -> None:
        self._asked.pop(number)(made, error)


class _Work(QRunnable):
    def __init__(self, work: Callable[[], object], number: int, messenger: _Messenger) -> None:
        super().__init__()
        self._work: Callable[[], object] | None = work
        self._number, self._messenger = number, messenger

    def run(self) -> None:
        give_way()
        made, failure = None, None
        work, self._work = self._work, None
        assert work is not None
        try:
            made = work()
        except Exception as error:
            failure = error
        # Let go of it before the window hears that it is done.
        del work
        # The application may be gone by now, and its messenger with it.
        with suppress(RuntimeError):
            self._messenger.ended.emit(self._number, made, failure)
