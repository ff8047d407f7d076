"""A network's soft square lands in its box as detectron2 pastes it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import grid_sample

from seginst_core.masks.geometry import mask_box
from seginst_core.masks.paste import paste_soft
from seginst_core.types import Box, Mask

CORNERS = st.floats(-30, 60).map(lambda v: round(v, 3))
SIDES = st.floats(0.3, 70).map(lambda v: round(v, 3))
SQUARES = st.tuples(st.sampled_from([1, 2, 14, 28]), st.integers(0, 99))


def soft(side: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((side, side), dtype=np.float32)


def sampled(probabilities: np.ndarray, box: Box, width: int, height: int) -> np.ndarray:
    """The whole image, sampled as in Mask R-CNN: bilinear, zero outside, corners not aligned."""
    x = (torch.arange(width, dtype=torch.float64) + 0.5 - box.x0) / box.width * 2 - 1
    y = (torch.arange(height, dtype=torch.float64) + 0.5 - box.y0) / box.height * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=2)[None]
    square = torch.from_numpy(probabilities.astype(np.float64))[None, None]
    return grid_sample(square, grid, align_corners=False)[0, 0].numpy()


def whole(mask: Mask | None, width: int, height: int) -> np.ndarray:
    array = np.zeros((height, width), np.bool_)
    if mask is not None:
        array[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return array


@given(SQUARES, CORNERS, CORNERS, SIDES, SIDES, st.sampled_from([0.5, 0.6, 0.9]))
@settings(max_examples=300)
def test_pasting_equals_sampling_the_whole_image(square, x0, y0, wide, high, threshold):
    probabilities, box = soft(*square), Box(x0, y0, x0 + wide, y0 + high)
    values = sampled(probabilities, box, 50, 40)
    sure = np.abs(values - threshold) > 1e-5
    pasted = whole(paste_soft(probabilities, box, 50, 40, threshold), 50, 40)
    assert np.array_equal(pasted[sure], values[sure] >= threshold)


@given(SQUARES, CORNERS, CORNERS, SIDES, SIDES, st.floats(0.01, 1))
@settings(max_examples=200)
def test_a_mask_is_never_larger_than_its_box_nor_outside_the_image(
    square, x0, y0, wide, high, threshold
):
    box = Box(x0, y0, x0 + wide, y0 + high)
    mask = paste_soft(soft(*square), box, 50, 40, threshold)
    if mask is not None:
        assert max(math.floor(box.x0), 0) <= mask.x0
        assert max(math.floor(box.y0), 0) <= mask.y0
        assert mask.x1 <= min(math.ceil(box.x1), 50)
        assert mask.y1 <= min(math.ceil(box.y1), 40)
        assert mask_box(mask) == Box(mask.x0, mask.y0, mask.x1, mask.y1)


def test_a_sure_square_fills_whole_pixels_of_its_box():
    ones = np.ones((28, 28), np.float32)
    assert paste_soft(ones, Box(3, 4, 9, 12), 20, 20) == Mask(3, 4, np.ones((8, 6), np.bool_))
    edge = paste_soft(ones, Box(-5, -5, 4, 3), 20, 20)
    assert edge == Mask(0, 0, np.ones((3, 4), np.bool_))


@pytest.mark.parametrize(
    "box",
    [Box(3, 3, 3, 9), Box(3, 3, 9, 3), Box(-9, 2, -1, 8), Box(20, 2, 25, 8), Box(2, 15, 8, 30)],
)
def test_no_box_in_the_image_is_no_mask(box):
    assert paste_soft(np.ones((28, 28), np.float32), box, 20, 15) is None


def test_an_unsure_square_is_no_mask():
    assert paste_soft(np.full((28, 28), 0.49, np.float32), Box(2, 2, 9, 9), 20, 20) is None
    assert paste_soft(np.full((28, 28), np.nan, np.float32), Box(2, 2, 9, 9), 20, 20) is None


def test_other_number_types_are_taken():
    box = Box(2.5, 2.25, 19, 18)
    single = paste_soft(soft(28, 3), box, 20, 20)
    assert single is not None
    assert paste_soft(soft(28, 3).astype(np.float64), box, 20, 20) == single
