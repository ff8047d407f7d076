"""Exports that are folders: written whole or not at all, read file by file."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from seginst_core.errors import FormatError, ImageError
from seginst_core.formats.coco_parts import stays_inside
from seginst_core.images.folder import EXPORT_LISTING, export_listing
from seginst_core.lenient import shown
from seginst_core.types import ImageRef

MAX_FIRST = 20
_N_AT_ONCE = 16
MAX_TEXT_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Target:
    """A folder being written; ``put`` adds one file to it."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def put(self, name: str, content: bytes | str) -> None:
        """Write one file; ``name`` is POSIX and relative to the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(content.encode("utf-8") if isinstance(content, str) else content)
        self.names.append(name)


@contextmanager
def whole_folder(path: Path, images: Sequence[ImageRef]) -> Iterator[Target]:
    """Give a new folder beside ``path`` that takes its place at the end, or leaves no trace.

    An earlier export at ``path`` is replaced only then. FormatError if ``path`` holds anything
    else, if it cannot be written, or if an image's path leads out of its folder.
    """
    astray = next((image.path for image in images if not stays_inside(image.path)), None)
    if astray is not None:
        raise FormatError(f"An image's name leads out of its folder: {shown(astray)}.")
    try:
        place = path.resolve()
        _check_replaceable(path, place)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{secrets.token_hex(8)}.tmp")
        fresh.mkdir()
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        target = Target(fresh)
        yield target
        # A later export replaces these and nothing else.
        target.put(EXPORT_LISTING, "\n".join(sorted(target.names)) + "\n")
        # Disks take many files at once in little more time than one.
        with ThreadPoolExecutor(_N_AT_ONCE) as pool:
            list(pool.map(_settle, [fresh / name for name in target.names]))
        _take_place(fresh, place)
    except OSError as error:
        raise _not_written(path, error) from error
    except UnicodeEncodeError as error:
        raise FormatError(
            f"{path} could not be written: a name in it is not Unicode text; nothing was changed."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _settle(path: Path) -> None:
    """Have a file on the disk, not only on its way there."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _check_replaceable(path: Path, place: Path) -> None:
    if not place.exists():
        return
    if not place.is_dir():
        raise FormatError(f"{path} is a file, and this format needs a folder.")
    ours = {EXPORT_LISTING, *export_listing(place)}
    for file in sorted(place.rglob("*")):
        name = file.relative_to(place).as_posix()
        if name not in ours and not (file.is_dir() and not file.is_symlink()):
            raise FormatError(
                f"{path} holds other files, such as {shown(name)}; choose a new or empty folder."
            )


def _take_place(fresh: Path, place: Path) -> None:
    """Put the new folder where the old one is; the old one comes back if that fails."""
    if not place.exists():
        fresh.rename(place)
        return
    old = place.with_name(f".{secrets.token_hex(8)}.old")
    place.rename(old)
    try:
        fresh.rename(place)
    except BaseException:
        old.rename(place)
        raise
    with suppress(OSError):
        shutil.rmtree(old)


def _not_written(path: Path, error: OSError) -> FormatError:
    return FormatError(
        f"{path} could not be written ({error.strerror or error}); nothing was changed."
    )


def files_of(path: Path, suffix: str, images: Path | None) -> tuple[Path, list[Path]]:
    """Return a folder's files of one suffix, without hidden ones, and what they are named from.

    A file stands for itself. Names start at ``path``'s folder, or at the images folder where that
    is further up. FormatError if there is nothing at ``path``.
    """
    if not path.exists():
        raise FormatError(f"{path} cannot be read: it does not exist.")
    path = Path(os.path.abspath(path))  # noqa: PTH100 - without a look at links
    folder = path.parent if path.is_file() else path
    if images is not None:
        above = Path(os.path.abspath(images))  # noqa: PTH100
        folder = above if folder.is_relative_to(above) else folder
    return folder, [path] if path.is_file() else _below(path, suffix)


def first_files(path: Path, suffix: str) -> list[Path]:
    """Return a few files of one suffix, to tell a format by; none if there is nothing there."""
    if path.is_file():
        return [path] if path.suffix.lower() == suffix else []
    return _below(path, suffix)[:MAX_FIRST]


def _below(folder: Path, suffix: str) -> list[Path]:
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = [n for n in files if n.lower().endswith(suffix) and not n.startswith(".")]
        found += [Path(parent, name) for name in sorted(names)]
    return found


def contents(path: Path) -> bytes:
    """Read a file; FormatError, as a clause, says why it cannot be."""
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise FormatError("it is larger than any such file")
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"it cannot be read ({error.strerror or error})") from error


def text_of(path: Path) -> str:
    """Read a UTF-8 text file, with or without a byte order mark; FormatError as ``contents``."""
    try:
        return contents(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("it is not UTF-8 text") from error


def each_file(
    files: Sequence[Path], root: Path, notes: list[str], take: Callable[[Path, str], None]
) -> None:
    """Call ``take`` with each file and its name below ``root``; a bad one is named in ``notes``.

    FormatError if there are files and none of them is good.
    """
    n_bad = 0
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            take(file, name)
        except (FormatError, ImageError) as error:
            n_bad += 1
            why = str(error).rstrip(".")
            notes.append(f"{shown(name)} was skipped: {why}.")
    if n_bad and n_bad == len(files):
        raise FormatError(
            notes[-1] if n_bad == 1 else f"None of the {n_bad} files can be used: {notes[-n_bad]}"
        )
