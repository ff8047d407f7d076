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
from seginst_core.types import ImageArray, Runtime

if TYPE_CHECKING:
    from seginst_core.pipelines.load import Pipeline


def loaded_pipeline(model: str, runtime: Runtime) -> "Pipeline":
    """Return the pipeline of a model directory or library name; ModelError if it cannot load."""
    folder = resolve(model).resolve()
    return _load(folder, runtime, (folder / CARD_NAME).stat().st_mtime_ns)


def refined_pipeline(boxes: str, masks: str, runtime: Runtime) -> "Pipeline":
    """Return one model's detector with another's nested U-Net; ModelError if they cannot load."""
    folders = [resolve(name).resolve() for name in (boxes, masks)]
    changed_ns = tuple((folder / CARD_NAME).stat().st_mtime_ns for folder in folders)
    return _load_refined(*folders, runtime, changed_ns)


def cached_image(path: Path) -> ImageArray:
    """Return an image's pixels; ImageError if they cannot be read."""
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise ImageError(f"The image {path} cannot be read: {error.strerror}.") from error
    return _read(path, changed_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, runtime: Runtime, changed_ns: int) -> "Pipeline":
    del changed_ns
    from seginst_core.pipelines.load import load_pipeline

    return load_pipeline(folder, runtime)


@lru_cache(maxsize=1)
def _load_refined(
    boxes: Path, masks: Path, runtime: Runtime, changed_ns: tuple[int, ...]
) -> "Pipeline":
    del changed_ns
    from seginst_core.pipelines.load import load_refined

    return load_refined(boxes, masks, runtime)


@lru_cache(maxsize=1)
def _read(path: Path, changed_ns: int) -> ImageArray:
    del changed_ns
    from seginst_core.images import read_image

    return read_image(path)
