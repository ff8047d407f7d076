"""RoIAlign as a table look-up gives what torchvision's own gives, wherever a box lies."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import MultiScaleRoIAlign

from seginst_core.engines.rcnn.roi_align import make_pyramid, roi_align

HEIGHT, WIDTH, CHANNELS = 96, 160, 5
STRIDES = (4, 8, 16, 32)


def pyramid_levels(n_images: int, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(n_images)
    sides = [(HEIGHT // stride, WIDTH // stride) for stride in STRIDES]
    return [torch.randn(n_images, CHANNELS, *side, generator=chance).to(dtype) for side in sides]


def expected(levels, boxes, side, n_samples):
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], side, n_samples)
    named = {str(k): level.float() for k, level in enumerate(levels)}
    return pool(named, boxes, [(HEIGHT, WIDTH)] * len(boxes))


def ours(levels, boxes, side, n_samples):
    image = torch.cat([torch.full((len(part),), k) for k, part in enumerate(boxes)])
    return roi_align(make_pyramid(levels), torch.cat(boxes), image, side, n_samples)


def random_boxes(n: int, seed: int) -> torch.Tensor:
    """Boxes of all sizes, some of them partly or wholly outside."""
    chance = torch.Generator().manual_seed(seed)
    corner = torch.rand(n, 2, generator=chance) * torch.tensor([WIDTH + 60.0, HEIGHT + 60.0]) - 30
    size = 600 ** torch.rand(n, 2, generator=chance)
    return torch.cat([corner, corner + size], 1)


@pytest.mark.parametrize("n_samples", [1, 2])
@pytest.mark.parametrize("side", [7, 14])
@pytest.mark.parametrize("n_images", [1, 3])
def test_equal_to_torchvisions(n_samples, side, n_images):
    levels = pyramid_levels(n_images)
    boxes = [random_boxes(40 + k, k) for k in range(n_images)]
    found = ours(levels, boxes, side, n_samples)
    assert found.shape == (sum(len(part) for part in boxes), CHANNELS, side, side)
    assert torch.allclose(found, expected(levels, boxes, side, n_samples), atol=1e-4)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, WIDTH, HEIGHT),
        (0, 0, 0, 0),
        (WIDTH, HEIGHT, WIDTH, HEIGHT),
        (WIDTH - 4, HEIGHT - 4, WIDTH, HEIGHT),
        (WIDTH - 0.01, 3, WIDTH, 9),
        (-4, -4, 3, 3),
        (-40, -40, -20, -20),
        (WIDTH + 3, 10, WIDTH + 8, 14),
        (3, HEIGHT + 20, 9, HEIGHT + 50),
        (7.3, 11.8, 7.4, 90.2),
        (-500, -500, 900, 900),
    ],
)
@pytest.mark.parametrize("n_samples", [1, 2])
def test_equal_at_borders_and_for_boxes_without_area(box, n_samples):
    levels = pyramid_levels(1)
    boxes = [torch.tensor([box], dtype=torch.float32)]
    found, wanted = (work(levels, boxes, 7, n_samples) for work in (ours, expected))
    assert torch.allclose(found, wanted, atol=1e-4)


@settings(max_examples=60)
@given(
    st.floats(-50, 200),
    st.floats(-50, 150),
    st.floats(0, 700),
    st.floats(0, 700),
    st.integers(1, 3),
)
def test_equal_for_any_box(x, y, width, height, n_samples):
    levels = pyramid_levels(1)
    boxes = [torch.tensor([[x, y, x + width, y + height]], dtype=torch.float32)]
    found, wanted = (work(levels, boxes, 4, n_samples) for work in (ours, expected))
    assert torch.allclose(found, wanted, atol=1e-3)


def test_bfloat16_features_are_summed_to_their_own_precision():
    levels = pyramid_levels(2, torch.bfloat16)
    boxes = [random_boxes(30, 1), random_boxes(20, 2)]
    found = ours(levels, boxes, 7, 2)
    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), expected(levels, boxes, 7, 2), atol=0.05)


def test_no_boxes_at_all():
    assert ours(pyramid_levels(1), [torch.zeros(0, 4)], 7, 2).shape == (0, CHANNELS, 7, 7)
