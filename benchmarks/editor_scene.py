"""What the editor is measured on: a large image full of objects, and three of middling size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from seginst_core.masks.geometry import mask_box
from seginst_core.project import Project, add
from seginst_core.types import Instance, Mask

LARGE, NEIGHBOURS = "a.jpg", ("b.jpg", "c.jpg", "d.jpg")


@dataclass(frozen=True, slots=True)
class Size:
    """Sides in pixels of the large image, its widest object and the other images; objects."""

    side_px: int
    wide_px: int
    n_objects: int
    next_px: int
    n_next: int


FULL = Size(10_000, 4_000, 2_000, 4_000, 200)
QUICK = Size(1_500, 700, 60, 700, 20)


def large_masks(size: Size) -> list[Mask]:
    """Return the large image's objects: one 50 px wide in the middle, one very wide, then others.

    The same in every run and process.
    """
    middle = size.side_px // 2
    high = size.wide_px // 4
    wide = _blob(size.wide_px // 2, high // 2, middle - size.wide_px // 2, middle + high)
    return [_blob(25, 25, middle - 25, middle - 25), wide, *_scattered(size, size.n_objects - 2)]


def next_masks(size: Size) -> list[Mask]:
    """Return the objects of each of the other images."""
    return _scattered(Size(size.next_px, 0, size.n_next, 0, 0), size.n_next)


def make_project(folder: Path, size: Size) -> None:
    """Write the images, and a project with the objects on them."""
    _write(folder / LARGE, size.side_px, seed=0)
    for seed, name in enumerate(NEIGHBOURS, 1):
        _write(folder / name, size.next_px, seed)
    with Project.open(folder) as project:
        project.add_category("thing")
        for entry in project.images():
            large = entry.ref.path == LARGE
            masks = large_masks(size) if large else next_masks(size)
            _fill(project, entry.ref.id, masks)


def _fill(project: Project, image_id: int, masks: Sequence[Mask]) -> None:
    project.ensure_size(image_id)
    (category,) = project.categories()
    made = [
        Instance(new, category.id, mask_box(mask), mask)
        for new, mask in zip(project.new_ids(len(masks)), masks, strict=True)
    ]
    project.commit(project.document(image_id), add(image_id, made, "Fill"))


def _scattered(size: Size, n: int) -> list[Mask]:
    rng = np.random.default_rng(0)
    masks = []
    for _ in range(n):
        radius = int(rng.integers(15, 60))
        x, y = (int(v) for v in rng.integers(0, size.side_px - 2 * radius, 2))
        masks.append(_blob(radius, radius, x, y))
    return masks


def _blob(across: int, down: int, x0: int, y0: int) -> Mask:
    """Return a star with five blunt points within an ellipse, its corner at (x0, y0)."""
    y, x = np.mgrid[-down:down, -across:across]
    u, v = x / across, y / down
    return Mask(x0, y0, np.hypot(u, v) < 0.85 + 0.15 * np.sin(5 * np.arctan2(v, u)))


def _write(path: Path, side_px: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (side_px // 40, side_px // 40, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    pixels[::7] ^= 9
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
