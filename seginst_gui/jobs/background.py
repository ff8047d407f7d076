"""Threads that work while the window is looked at let its own thread go first."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10


def give_way() -> None:
    """Lower the calling thread's priority for good, where the system knows one for threads."""
    if sys.platform.startswith("linux"):
        # On Linux a thread is a process to the scheduler. Others give the window's thread its turn.
        with suppress(OSError):
            thread = threading.get_native_id()
            now = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, max(now, NICENESS))
