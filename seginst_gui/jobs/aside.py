"""Work that would hold the window up: done in a thread, and what came of it told to the window."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThreadPool, Signal
from shiboken6 import isValid

from seginst_core.errors import SegInstError, plain
from seginst_gui.jobs.background import give_way
from seginst_gui.language import tr

Made = TypeVar("Made")
Outcome = tuple[object, Exception | None]
Tell = Callable[[Outcome], None]


class Aside(Generic[Made]):
    """One piece of work in a thread of its own; it touches nothing of Qt's.

    Then either ``done`` is called in the window's thread with what came of it, or ``failed`` with a
    sentence, whatever went wrong. After ``forget``, or when ``owner`` is gone, neither is.

    It waits its turn in ``pool`` if one is given, by ``priority``; else it has not long to wait.
    """

    def __init__(
        self,
        work: Callable[[], Made],
        done: Callable[[Made], None],
        failed: Callable[[str], None],
        owner: QObject,
        *,
        pool: QThreadPool | None = None,
        priority: int = 0,
    ) -> None:
        self._done, self._failed = done, failed
        self._wish = _Wish()
        # Kept for as long as the thread has it: nothing of Qt's may end in a thread.
        self._work = work
        messenger = _Messenger.of_application()
        number = messenger.expect(self._tell, owner)
        job = _Work(work, self._wish, messenger, number)
        (pool or messenger.pool).start(job, priority)

    def forget(self) -> None:
        """Say nothing of it any more; work that has begun goes on to its end."""
        self._wish.wanted = False

    def _tell(self, outcome: Outcome) -> None:
        if not self._wish.wanted:
            return
        made, error = outcome
        if error is None:
            self._done(made)  # type: ignore[arg-type]
        elif isinstance(error, SegInstError | OSError):
            self._failed(plain(error))
        elif isinstance(error, MemoryError):
            self._failed(tr("There is not enough memory for it."))
        else:
            # Whoever waits must not wait for ever; what is wrong is for the log.
            self._failed(tr("Something went wrong inside SegInst."))
            raise error


class _Wish:
    """Whether anybody still waits for some work; its thread may ask."""

    wanted = True


class _Messenger(QObject):
    """Takes answers from threads to the window's; there is one, and it lives as long as they do.

    A thread that held on to whoever asked could be the last to let go of it, or speak to it while
    it ends.
    """

    ended = Signal(int, object)
    _one: "_Messenger | None" = None

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self._numbers = count()
        self._asked: dict[int, tuple[Tell, QObject]] = {}
        # The application's own pool decodes images, sometimes for seconds.
        self.pool = QThreadPool(self)
        self.ended.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @classmethod
    def of_application(cls) -> "_Messenger":
        """Return the one of the running application."""
        if cls._one is None or not isValid(cls._one):
            cls._one = cls()
        return cls._one

    def expect(self, tell: Tell, owner: QObject) -> int:
        """Keep whom to tell, for whom; return the number of the work it is about."""
        number = next(self._numbers)
        self._asked[number] = tell, owner
        return number

    def _tell(self, number: int, outcome: Outcome) -> None:
        tell, owner = self._asked.pop(number)
        if isValid(owner):
            tell(outcome)


class _Work(QRunnable):
    def __init__(
        self, work: Callable[[], object], wish: _Wish, messenger: _Messenger, number: int
    ) -> None:
        super().__init__()
        self._work: Callable[[], object] | None = work
        self._wish, self._messenger, self._number = wish, messenger, number

    def run(self) -> None:
        give_way()
        made, failure = None, None
        work, self._work = self._work, None
        try:
            if work is not None and self._wish.wanted:
                made = work()
        except Exception as error:
            failure = error
        # Let go of it before the window hears that it is done.
        del work
        # The application may be gone by now, and its messenger with it.
        with suppress(RuntimeError):
            self._messenger.ended.emit(self._number, (made, failure))
