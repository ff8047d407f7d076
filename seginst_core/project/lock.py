"""A lock on a project that one process holds and that vanishes with it."""

import errno
import sys
from pathlib import Path
from typing import IO

from seginst_core.errors import ProjectError

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}


def take_lock(path: Path, folder: Path) -> IO[bytes]:
    """Lock ``path`` for the project in ``folder``; closing what is returned gives it back.

    The system drops the lock when the process ends, however it ends, so the file may stay: what
    counts is the lock on it. ProjectError if someone else, or this process, holds it.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise ProjectError(
            f"The folder {folder} cannot be written to ({error.strerror or error})."
        ) from error
    try:
        _lock(file)
    except OSError as error:
        file.close()
        if error.errno in _TAKEN:
            raise ProjectError(
                f"The project in {folder} is open in another window of SegInst; close it first."
            ) from error
        raise ProjectError(
            f"The project in {folder} cannot be locked ({error.strerror or error})."
        ) from error
    return file


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        # flock belongs to this open file, so a second open in the same process is refused too.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
