"""Exchange formats: one file each, a read and write pair. JSON is for exchange, never for work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seginst_core.formats import coco_json
from seginst_core.types import Dataset


class Write(Protocol):
    """Write a data set and return sentences on what was lost."""

    def __call__(self, dataset: Dataset, path: Path, *, polygons: bool = False) -> tuple[str, ...]:
        """Write ``dataset`` to ``path``, whole or not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format's name for people, its file suffix and its two directions."""

    name: str
    suffix: str
    read: Callable[[Path], Dataset]
    write: Write


FORMATS: Mapping[str, Format] = {
    "coco": Format("COCO JSON", ".json", coco_json.read, coco_json.write),
}
