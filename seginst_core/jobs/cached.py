"""Loaded pipelines and the last image, kept between a worker's jobs.

Loading a model takes seconds and a person draws the next box in the same image, so both stay;
a file that changed on disk is read again.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from seginst_core.errors import ImageError
from seginst_core.library import resolve
from seginst_core.models.card import CARD_NAME
from seginst_core.types import ImageArray

if TYPE_CHECKING:
    from seginst_core.pipelines.load import Pipeline


def loaded_pipeline(model: str, device: str) -> "Pipeline":
    """Return the pipeline of a model directory or library name; ModelError if it cannot load."""
    folder = resolve(model).resolve()
    return _load(folder, device, (folder / CARD_NAME).stat().st_mtime_ns)


def cached_image(path: Path) -> ImageArray:
    """Return an image's pixels; ImageError if they cannot be read."""
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise ImageError(f"The image {path} cannot be read: {error.strerror}.") from error
    return _read(path, changed_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, device: str, changed_ns: int) -> "Pipeline":
    del changed_ns
    from seginst_core.pipelines.load import load_pipeline

    return load_pipeline(folder, device)


@lru_cache(maxsize=1)
def _read(path: Path, changed_ns: int) -> ImageArray:
    del changed_ns
    from seginst_core.images import read_image

    return read_image(path)
