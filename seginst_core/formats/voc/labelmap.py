"""The classes of a VOC folder: ``labelmap.txt``, or ``class_names.txt`` as labelme writes it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seginst_core.errors import FormatError
from seginst_core.formats import index_png
from seginst_core.formats.folders import text_of
from seginst_core.lenient import shown

NAME = "labelmap.txt"
_NAMES_ALONE = "class_names.txt"
_PARTS = 4

Row = tuple[str, tuple[int, int, int] | None]
"""A class's name and its colour in ``SegmentationClass``, None if the file says none."""


def read(folder: Path) -> list[Row]:
    """Return the rows of a folder's file of classes, background first; none without such a file."""
    try:
        lines = text_of(folder / NAME).splitlines()
    except FormatError:
        return _names_alone(folder)
    rows = [line.rsplit(":", 3) for line in lines if not line.startswith("#")]
    return [
        (shown(row[0].strip()), _colour(row[1]))
        for row in rows
        if len(row) == _PARTS and row[0].strip()
    ]


def text(names: Sequence[str]) -> str:
    """Return the file for classes in the order of their numbers, after the background."""
    rows = zip(["background", *names], index_png.voc_palette().tolist(), strict=False)
    lines = [f"{name}:{red},{green},{blue}::\n" for name, (red, green, blue) in rows]
    return "# label:color_rgb:parts:actions\n" + "".join(lines)


def _names_alone(folder: Path) -> list[Row]:
    try:
        lines = text_of(folder / _NAMES_ALONE).splitlines()
    except FormatError:
        return []
    return [(shown(line.strip()), None) for line in lines if line.strip()]


def _colour(given: str) -> tuple[int, int, int] | None:
    parts = given.split(",")
    if len(parts) != 3 or not all(p.strip().isdecimal() for p in parts):
        return None
    red, green, blue = (int(part) for part in parts)
    return (red, green, blue) if max(red, green, blue) <= np.iinfo(np.uint8).max else None
