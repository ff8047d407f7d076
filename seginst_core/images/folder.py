"""The images of a folder."""

import os
import re
import unicodedata
from pathlib import Path

from seginst_core.errors import ImageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""Lower-case file name endings of the formats that can be read."""

EXPORT_LISTING = ".seginst-export"
"""Names the files of an export in its folder, so that nobody takes them for something else."""

_DIGITS = re.compile(r"([0-9]+)")


def list_images(folder: Path) -> list[str]:
    """List a folder's image files, sub-folders included, as relative POSIX paths.

    Numbers in names sort by value; hidden files and folders are left out, and so are the pictures
    of masks that an export wrote there. ImageError if the folder is missing.
    """
    if not folder.is_dir():
        raise ImageError(f"The folder {folder} does not exist.")
    found: list[str] = []
    written: set[str] = set()
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder).as_posix()
        prefix = "" if below == "." else f"{below}/"
        if EXPORT_LISTING in files:
            written |= {prefix + name for name in export_listing(Path(parent))}
        found += [
            prefix + name
            for name in files
            if name.lower().endswith(SUFFIXES)
            and not name.startswith(".")
            and prefix + name not in written
        ]
    return sorted(found, key=_natural)


def image_file(folder: Path, name: str) -> Path:
    """Return where an image is that a data set names, in the spelling of the same letters there."""
    forms = (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
    # Path.exists raises where a name is too long; such an image is only left out later on.
    there = [folder / form for form in forms if os.path.exists(folder / form)]  # noqa: PTH110
    return there[0] if there else folder / name


def export_listing(folder: Path) -> list[str]:
    """Return the names of the files that an export wrote into a folder; none if there is none."""
    try:
        return (folder / EXPORT_LISTING).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def is_text(path: str) -> bool:
    """Whether a path is Unicode text, so that a file or a database can name it."""
    # Linux allows any bytes in a name; Python shows what is not UTF-8 as half characters.
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _natural(path: str) -> tuple[list[list[str | int]], str]:
    # Splitting at digits alternates text and number, so like is always compared with like.
    parts: list[list[str | int]] = [
        [int(piece) if i % 2 else piece for i, piece in enumerate(_DIGITS.split(part))]
        for part in path.casefold().split("/")
    ]
    return parts, path
