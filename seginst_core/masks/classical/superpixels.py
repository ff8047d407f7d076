"""Superpixels: small pieces of an image that keep to its edges (SLIC, Achanta and others 2012)."""

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import trim
from seginst_core.masks.morphology import spread
from seginst_core.types import ImageArray, Mask

BLOCK_PX = 128
"""Images are worked on block by block, as far as they are looked at."""
MAX_BLOCKS = 200
N_ROUNDS = 4
COMPACTNESS = 12.0
"""How many steps of lightness (0..100) weigh as much as one superpixel's size of distance."""

Labels = npt.NDArray[np.int32]


def superpixels(crop: ImageArray, size_px: int) -> Labels:
    """Return the number ``(H, W)``, from 1 on, of the superpixel of each pixel of an RGB crop.

    Superpixels are about ``size_px`` wide and each in one piece. Every pixel compares itself with
    the nine centres around it, which are moved to their pixels' means, and so on.
    """
    height, width = crop.shape[:2]
    n_rows, n_columns = max(1, round(height / size_px)), max(1, round(width / size_px))
    lab = np.asarray(cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    weight = np.float32(COMPACTNESS / size_px)
    # Five numbers a pixel: its place, weighed, and its colour.
    pixels = np.dstack([rows * weight, columns * weight, lab]).reshape(-1, 5)
    cell_row = (rows * n_rows / height).astype(np.int32).ravel()
    cell_column = (columns * n_columns / width).astype(np.int32).ravel()
    nearest = cell_row * n_columns + cell_column
    for _ in range(N_ROUNDS):
        centres = _means(pixels, nearest, n_rows * n_columns)
        best = np.full(len(pixels), np.inf, np.float32)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                row = np.clip(cell_row + down, 0, n_rows - 1)
                candidate = row * n_columns + np.clip(cell_column + right, 0, n_columns - 1)
                away = pixels - centres[candidate]
                distance = np.einsum("ij,ij->i", away, away)
                closer = distance < best
                best[closer], nearest[closer] = distance[closer], candidate[closer]
    return _in_one_piece(nearest.reshape(height, width), size_px)


class SuperpixelGrid:
    """The superpixels of an image, made where they are asked for; no block is made twice."""

    def __init__(self, image: ImageArray, size_px: int) -> None:
        self.image, self.size_px = image, size_px
        self._blocks: dict[tuple[int, int], Labels] = {}

    def at(self, x: int, y: int) -> Mask | None:
        """Return the superpixel of a pixel; None outside the image."""
        height, width = self.image.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            return None
        x0, y0 = x - x % BLOCK_PX, y - y % BLOCK_PX
        labels = self._block(x0, y0)
        return trim(labels == labels[y - y0, x - x0], x0, y0)

    def _block(self, x0: int, y0: int) -> Labels:
        if (x0, y0) not in self._blocks:
            while len(self._blocks) >= MAX_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            crop = np.ascontiguousarray(self.image[y0 : y0 + BLOCK_PX, x0 : x0 + BLOCK_PX])
            self._blocks[x0, y0] = superpixels(crop, self.size_px)
        return self._blocks[x0, y0]


def _means(
    pixels: npt.NDArray[np.float32], nearest: npt.NDArray[np.int32], n: int
) -> npt.NDArray[np.float32]:
    counts = np.bincount(nearest, minlength=n)
    sums = [np.bincount(nearest, weights=channel, minlength=n) for channel in pixels.T]
    # A centre that lost all its pixels lies so far off that none comes back to it.
    empty = counts == 0
    means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
    means[empty] = 1e6
    return means.astype(np.float32)


def _in_one_piece(labels: Labels, size_px: int) -> Labels:
    """Number the pieces in which labels hang together over sides; give crumbs to a neighbour."""
    height, width = labels.shape
    # Between two pixels there is a bridge if they have the same label.
    joined = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    joined[::2, ::2] = 1
    joined[::2, 1::2] = labels[:, 1:] == labels[:, :-1]
    joined[1::2, ::2] = labels[1:] == labels[:-1]
    _, numbered = cv2.connectedComponents(joined, connectivity=4)
    pieces = np.asarray(numbered, np.int32)[::2, ::2]
    large = np.bincount(pieces.ravel()) >= size_px * size_px / 8
    if not large[pieces].any():
        return pieces
    return spread(np.where(large[pieces], pieces, 0), np.ones(pieces.shape, np.bool_))
