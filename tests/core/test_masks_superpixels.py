"""Superpixels cover the image, hang together and keep to its edges."""

import numpy as np
import pytest

from seginst_core.masks.classical.superpixels import BLOCK_PX, SuperpixelGrid, superpixels
from seginst_core.masks.morphology import parts
from seginst_core.types import ImageArray, Mask


def noise(height: int, width: int) -> ImageArray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def halves(height: int, width: int) -> ImageArray:
    """Two colours that meet at an angle, off the superpixels' own grid."""
    rows, columns = np.mgrid[:height, :width]
    return np.where((columns > 0.7 * rows + 13)[..., None], 180, 70).astype(np.uint8).repeat(3, 2)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (64, 64), (61, 83)])
@pytest.mark.parametrize("size_px", [6, 16, 64])
def test_every_pixel_is_in_one_superpixel_and_each_is_in_one_piece(shape, size_px):
    labels = superpixels(noise(*shape), size_px)
    assert labels.shape == shape
    assert labels.min() >= 1
    for label in np.unique(labels):
        assert len(parts(Mask(0, 0, labels == label))) == 1


@pytest.mark.parametrize("size_px", [8, 12, 20])
def test_superpixels_keep_to_edges_and_are_about_their_size(size_px):
    image = halves(96, 96)
    labels = superpixels(image, size_px)
    bright = image[..., 0] > 100
    for label in np.unique(labels):
        share = bright[labels == label].mean()
        assert min(share, 1 - share) < 0.1
    n_expected = (96 / size_px) ** 2
    assert 0.5 * n_expected < len(np.unique(labels)) < 2 * n_expected


def test_a_grid_gives_the_same_superpixel_for_all_its_pixels_also_at_the_border():
    grid = SuperpixelGrid(noise(BLOCK_PX + 40, BLOCK_PX + 30), 16)
    for x, y in ((0, 0), (BLOCK_PX + 29, BLOCK_PX + 39), (BLOCK_PX - 1, 50), (BLOCK_PX, 50)):
        mask = grid.at(x, y)
        assert mask.bits[y - mask.y0, x - mask.x0]
        for row, column in np.argwhere(mask.bits)[::7]:
            assert grid.at(mask.x0 + int(column), mask.y0 + int(row)) == mask
    assert grid.at(-1, 5) is None
    assert grid.at(5, BLOCK_PX + 40) is None
