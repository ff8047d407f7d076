"""The exceptions whose text a person reads: each message is one plain sentence."""

import errno
import os

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "insufficient memory",
    "bad_alloc",
)


class SegInstError(Exception):
    """Something the person can mend; the message says what, in one sentence."""


class ImageError(SegInstError):
    """An image file that cannot be read, or is larger than the limit."""


class FormatError(SegInstError):
    """An annotation file that is not what it claims to be."""


class ProjectError(SegInstError):
    """A folder or project database that cannot be opened, or an edit that does not fit it."""


class ModelError(SegInstError):
    """A model directory, weights file or engine that cannot be used."""


class DataError(SegInstError):
    """Training or evaluation data that does not make sense together."""


class Cancelled(Exception):  # noqa: N818 - not an error: the person asked for it
    """A job stopped because it was asked to."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: torch says so by a RuntimeError's text, OpenCV by that of its own."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    from_library = isinstance(error, RuntimeError) or type(error).__module__ == "cv2"
    return from_library and any(words in str(error).casefold() for words in _OUT_OF_MEMORY)


def plain(error: SegInstError | OSError) -> str:
    """Return what a person is told: our own message, or in words what the system said."""
    if isinstance(error, SegInstError):
        return " ".join(str(error).split())
    place = error.filename2 or error.filename
    where = f": {os.fsdecode(place)}" if isinstance(place, str | bytes) else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full, so nothing was changed{where}."
    return f"{error.strerror or error}{where}."
