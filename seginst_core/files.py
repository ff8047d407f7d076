"""Writing files so that a crash, a full disk or Ctrl-C never leaves half of one, and locks."""

import errno
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``: the old file stays whole until the new one is on the disk.

    A link stays, and what it points to is written. What is there and is no file, such as a pipe, is
    written into. Missing folders are made. OSError if it cannot be written; nothing is left behind
    then.
    """
    if _is_stream(path):
        path.write_bytes(data)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the file's own name, which may be as long as a name can be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):  # the first error says more
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # writing to an open file names none
        raise


def check_place(path: Path) -> None:
    """Raise the OSError that ``write_atomic`` would end in, as far as it can be seen before."""
    if path.is_dir():
        raise _os_error(errno.EISDIR, path)
    if _is_stream(path):
        return
    place = Path(os.path.realpath(path))
    folder = next(above for above in place.parents if above.exists())
    if not folder.is_dir():
        raise _os_error(errno.ENOTDIR, path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _os_error(errno.EACCES, path)


def lock(file: IO[bytes]) -> None:
    """Lock an open file until it is closed or the process ends, however it ends.

    BlockingIOError if someone else, or this process, holds it; OSError if it cannot be locked.
    """
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _TAKEN:
            raise BlockingIOError(error.errno, error.strerror) from error
        raise


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


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _os_error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
