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
Outcome = tuple[object, Exception | None]


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
        self._done, self._failed = done, failed
        self._wanted = True
        # Kept for as long as the thread has it: nothing of Qt's may end in a thread.
        self._work = work
        answer: Answer[Outcome] = Answer(self._tell, owner)
        _Messenger.of_application().pool.start(_Work(work, answer))

    def forget(self) -> None:
        """Say nothing of it any more; the work itself goes on to its end."""
        self._wanted = False

    def _tell(self, outcome: Outcome) -> None:
        made, error = outcome
        if not self._wanted:
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


class Answer(Generic[Made]):
    """What a thread has found, on its way to the window's: call it once, from any thread.

    Then ``tell`` is called in the window's thread, unless ``owner`` is gone. It is all that a
    thread may hold of Qt's: whoever asked could end in the thread, or while the thread speaks.
    """

    def __init__(self, tell: Callable[[Made], None], owner: QObject) -> None:
        self._messenger = _Messenger.of_application()
        self._number = self._messenger.expect(tell, owner)  # type: ignore[arg-type]

    def __call__(self, found: Made) -> None:
        """Say what was found."""
        # The application may be gone by now, and its messenger with it.
        with suppress(RuntimeError):
            self._messenger.said.emit(self._number, found)


class _Messenger(QObject):
    """Takes answers from threads to the window's; there is one, and it lives as long as they do."""

    said = Signal(int, object)
    _one: "_Messenger | None" = None

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self._numbers = count()
        self._asked: dict[int, tuple[Callable[[object], None], QObject]] = {}
        # The application's own pool decodes images, sometimes for seconds.
        self.pool = QThreadPool(self)
        self.said.connect(self._tell, Qt.ConnectionType.QueuedConnection)

    @classmethod
    def of_application(cls) -> "_Messenger":
        """Return the one of the running application."""
        if cls._one is None or not isValid(cls._one):
            cls._one = cls()
        return cls._one

    def expect(self, tell: Callable[[object], None], owner: QObject) -> int:
        """Keep who is to be told and whose it is; return the number to say it under."""
        number = next(self._numbers)
        self._asked[number] = tell, owner
        return number

    def _tell(self, number: int, found: object) -> None:
        tell, owner = self._asked.pop(number)
        if isValid(owner):
            tell(found)


class _Work(QRunnable):
    def __init__(self, work: Callable[[], object], answer: Answer[Outcome]) -> None:
        super().__init__()
        self._work: Callable[[], object] | None = work
        self._answer = answer

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
        self._answer((made, failure))
