"""Exchange formats: one file each, a read and write pair. They are for exchange, never for work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seginst_core.errors import FormatError
from seginst_core.formats import coco_json, labelme_json, mask_png, voc, yolo_txt
from seginst_core.types import Dataset


class Read(Protocol):
    """Read a data set; its notes say what was skipped or mended."""

    def __call__(self, path: Path, images: Path | None = None) -> Dataset:
        """Read a file or folder; image paths come back relative to the folder ``images``.

        Formats that hold no image sizes or paths find them there; None means beside ``path``.
        """
        ...


class Write(Protocol):
    """Write a data set and return sentences on what was lost beyond what ``losses`` says."""

    def __call__(self, dataset: Dataset, path: Path) -> tuple[str, ...]:
        """Write ``dataset`` to ``path``, whole or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format's name for people, its file suffix (none: a folder) and its two directions.

    ``losses`` says before writing what would be lost, ``recognise`` tells a file or folder of this
    format by its content.
    """

    name: str
    suffix: str
    read: Read
    write: Write
    losses: Callable[[Dataset], tuple[str, ...]]
    recognise: Callable[[Path], bool]


FORMATS: Mapping[str, Format] = {
    "coco": Format(
        "COCO JSON",
        ".json",
        coco_json.read,
        coco_json.write,
        coco_json.losses,
        coco_json.recognise,
    ),
    "yolo": Format(
        "YOLO segmentation",
        "",
        yolo_txt.read,
        yolo_txt.write,
        yolo_txt.losses,
        yolo_txt.recognise,
    ),
    "voc": Format(
        "Pascal VOC",
        "",
        voc.read,
        voc.write,
        voc.losses,
        voc.recognise,
    ),
    "labelme": Format(
        "labelme",
        "",
        labelme_json.read,
        labelme_json.write,
        labelme_json.losses,
        labelme_json.recognise,
    ),
    "mask-png": Format(
        "Mask PNG",
        "",
        mask_png.read,
        mask_png.write,
        mask_png.losses,
        mask_png.recognise,
    ),
}


def recognise(path: Path) -> str:
    """Return the name of the format at ``path``, told by its content.

    FormatError if a folder is of no format.
    """
    # COCO comes last: it takes any file.
    for name in reversed(list(FORMATS)):
        if FORMATS[name].recognise(path):
            return name
    known = ", ".join(entry.name for entry in FORMATS.values() if not entry.suffix)
    raise FormatError(
        f"{path} holds no annotations of a known format ({known}); of COCO JSON choose the file."
    )
