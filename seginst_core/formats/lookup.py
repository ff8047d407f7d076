"""Which image a label file means: names are only ever compared, never opened as they stand."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from seginst_core.errors import FormatError
from seginst_core.formats.coco_parts import stays_inside
from seginst_core.images import list_images, read_size
from seginst_core.images.names import Parts, is_end, parts_of
from seginst_core.lenient import shown
from seginst_core.types import ImageRef

_Groups: TypeAlias = Mapping[Parts, Sequence[tuple[Parts, str]]]


class ImageIndex:
    """The images of a folder, found by the ends of their paths.

    ``labels/train/sub/a.txt`` means ``sub/a.png`` in one folder and ``train/sub/a.png`` in
    another: a name fits an image if either path is the end of the other, the longest counts.
    Where the folder lies below ``root``, at which names start, ``test/a.txt`` means the image
    there, never the ``a.png`` of a folder ``train``.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self.folder = folder
        paths = _listed(folder)
        self._by_name = _grouped(paths, parts_of)
        self._by_stem = _grouped(paths, _stem)
        root = root or folder
        here, above = (Path(os.path.abspath(p)) for p in (folder, root))  # noqa: PTH100
        self._place = here.relative_to(above).parts if here.is_relative_to(above) else ()
        around = [parts_of(path) for path in _listed(root)] if self._place else []
        beside = [parts for parts in around if parts[: len(self._place)] != self._place]
        self._names_beside = set(beside)
        self._stems_beside = {_stem("/".join(parts)) for parts in beside}

    def find(self, names: Sequence[str], *, with_suffix: bool) -> str | None:
        """Return the image that the first fitting name means; None if none fits.

        FormatError if two images fit equally well, or if it is an image beside the folder.
        """
        groups = self._by_name if with_suffix else self._by_stem
        beside = self._names_beside if with_suffix else self._stems_beside
        given = [parts_of(name) for name in names]
        if not beside.isdisjoint(given) and not any(self._is_at(parts, groups) for parts in given):
            raise FormatError(f"its image is not in {self.folder}")
        for wanted in given:
            fits = [
                (len(key), path)
                for key, path in groups.get(wanted[-1:], ())
                if is_end(key, wanted) or is_end(wanted, key)
            ]
            exact = [path for n_parts, path in fits if n_parts == len(wanted)]
            longer = [path for n_parts, path in fits if n_parts > len(wanted)]
            most = max((n_parts for n_parts, _ in fits), default=0)
            best = exact or longer or [path for n_parts, path in fits if n_parts == most]
            if len(best) > 1:
                raise FormatError(f"it may belong to {shown(best[0])} or to {shown(best[1])}")
            if best:
                return best[0]
        return None

    def _is_at(self, name: Parts, groups: _Groups) -> bool:
        """Whether a name, from the root on, is exactly an image of this folder."""
        n_above = len(self._place)
        keys = [key for key, _ in groups.get(name[-1:], ())]
        return name[:n_above] == self._place and name[n_above:] in keys

    def size(self, path: str) -> tuple[int, int]:
        """Width and height of an image of this folder; ImageError if it cannot be read."""
        return read_size(self.folder / path)


def inside(name: str) -> str:
    """Return a file name with forward slashes; FormatError if it leads out of its folder."""
    plain = str(PurePosixPath(name.replace("\\", "/")))
    if not stays_inside(plain):
        raise FormatError(f"it names a file outside the images folder: {shown(name)}")
    return plain


def stems_taken(images: Sequence[ImageRef]) -> list[ImageRef]:
    """Return the images whose path without its ending belongs to an earlier image."""
    seen: set[Parts] = set()
    later = []
    for image in images:
        stem = _stem(image.path)
        if stem in seen:
            later.append(image)
        seen.add(stem)
    return later


def without_suffix(path: str) -> str:
    """Return a POSIX path without its ending: ``sub/a.png`` is ``sub/a``."""
    return str(PurePosixPath(path).with_suffix(""))


def _listed(folder: Path) -> list[str]:
    return list_images(folder) if folder.is_dir() else []


def _grouped(
    paths: Sequence[str], key: Callable[[str], Parts]
) -> dict[Parts, list[tuple[Parts, str]]]:
    groups: dict[Parts, list[tuple[Parts, str]]] = {}
    for path in paths:
        parts = key(path)
        groups.setdefault(parts[-1:], []).append((parts, path))
    return groups


def _stem(path: str) -> Parts:
    return parts_of(without_suffix(path))
