"""Names of image files, compared by whole parts."""

import unicodedata
from pathlib import PurePosixPath
from typing import TypeAlias

Parts: TypeAlias = tuple[str, ...]


def parts_of(path: str) -> Parts:
    """Return a POSIX path's folders and file, without ``.`` and doubled slashes."""
    # The same letters may be spelled in two ways, and macOS changes one into the other.
    return PurePosixPath(unicodedata.normalize("NFC", path)).parts


def is_end(end: Parts, path: Parts) -> bool:
    """Whether a path ends in another one, or is it."""
    return path[len(path) - len(end) :] == end if len(end) <= len(path) else False
