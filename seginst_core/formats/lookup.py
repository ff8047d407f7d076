"""Which image a label file means: names are only ever compared, never opened as they stand."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from seginst_core.errors import FormatError
from seginst_core.formats.coco_parts import stays_inside
from seginst_core.images import list_images, read_size
from seginst_core.images.names import Parts, is_end, parts_of
from seginst_core.lenient import shown
from seginst_core.types import ImageRef


class ImageIndex:
    """The images of a folder, found by the ends of their paths.

    ``labels/train/sub/a.txt`` means ``sub/a.png`` in one folder and ``train/sub/a.png`` in
    another: a name fits an image if either path is the end of the other, the longest counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths = list_images(folder) if folder.is_dir() else []
        self._by_name = _grouped(self._paths, parts_of)
        self._by_stem = _grouped(self._paths, _stem)

    def find(self, names: Sequence[str], *, with_suffix: bool) -> str | None:
        """Return the image that the first fitting name means; None if none fits.

        FormatError if two images fit equally well.
        """
        groups = self._by_name if with_suffix else self._by_stem
        for name in names:
            wanted = parts_of(name)
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
