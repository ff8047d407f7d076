"""Writing files so that a crash, a full disk or Ctrl-C never leaves half of one."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path


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
    except BaseException:
        with suppress(OSError):  # the first error says more
            temporary.unlink(missing_ok=True)
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


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _os_error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
