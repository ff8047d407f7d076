"""A lock on a project that one process holds and that vanishes with it."""

import os
from pathlib import Path
from typing import IO

from seginst_core.errors import ProjectError
from seginst_core.files import lock


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
        lock(file)
    except BlockingIOError as error:
        file.close()
        raise ProjectError(
            f"The project in {folder} is open in another window of SegInst; close it first."
        ) from error
    except OSError as error:
        file.close()
        raise ProjectError(
            f"The project in {folder} cannot be locked ({error.strerror or error})."
        ) from error
    return file


def is_lock(file: IO[bytes], path: Path) -> bool:
    """Whether ``path`` is the file that was locked, whatever its folder was called then."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
