"""Our way through a detector gives what torchvision's own path gives, for one image and for many.

The networks are the starter models; the pictures the synthetic airfield.
"""

import numpy as np
import pytest
import torch

from seginst_core.engines.rcnn.detect import MIN_OBJECTNESS, Pool

from .detect_scenes import airfield, box_ious, starter_network

SCORE = 0.05


@pytest.fixture(scope="module")
def images():
    return [airfield(320, 1), airfield(256, 2)[:200]]


@torch.inference_mode()
def own_path(network, images):
    """Run torchvision's RPN and heads; the masks stay in their boxes, as ours do."""
    net, batch = network.net, network._batch(images)
    net.rpn.score_thresh, net.roi_heads.score_thresh = MIN_OBJECTNESS, SCORE
    features = net.backbone(batch.tensors)
    proposals, _ = net.rpn(batch, features)
    found, _ = net.roi_heads(features, proposals, batch.image_sizes)
    return found


@pytest.mark.parametrize("name", ["airplane-end-to-end", "airplane-two-stage"])
def test_equal_to_torchvisions_own_path(name, images):
    network = starter_network(name)
    for some in ([images[0]], images):
        theirs = own_path(network, some)
        ours = network.detect(some, SCORE)
        assert sum(len(found.scores) for found in ours) > 3
        for want, found in zip(theirs, ours, strict=True):
            assert found.boxes.shape == tuple(want["boxes"].shape)
            assert np.allclose(found.boxes, want["boxes"].numpy(), atol=0.02)
            assert np.allclose(found.scores, want["scores"].numpy(), atol=1e-4)
            assert list(found.labels) == [int(label) - 1 for label in want["labels"]]
            if "masks" in want:
                assert np.allclose(found.masks, want["masks"].numpy()[:, 0], atol=1e-3)
            else:
                assert found.masks is None


def test_an_image_says_the_same_alone_and_in_a_batch(images):
    network = starter_network("airplane-end-to-end")
    together = network.detect([images[0]] * 3, SCORE)
    (alone,) = network.detect([images[0]], SCORE)
    for found in together:
        assert np.allclose(found.boxes, alone.boxes, atol=0.02)
        assert np.allclose(found.scores, alone.scores, atol=1e-4)
        assert np.allclose(found.masks, alone.masks, atol=1e-3)


def test_bfloat16_moves_a_box_by_less_than_a_pixel_and_a_score_by_little(images):
    sure = 0.3
    (plain,) = starter_network("airplane-end-to-end").detect([images[0]], sure)
    (rough,) = starter_network("airplane-end-to-end", in_bfloat16=True).detect([images[0]], 0.05)
    nearest = box_ious(plain.boxes, rough.boxes).argmax(1)
    assert np.abs(rough.boxes[nearest] - plain.boxes).max() < 1.5
    assert np.abs(rough.scores[nearest] - plain.scores).max() < 0.1
    drawn = (rough.masks[nearest] >= 0.5) == (plain.masks >= 0.5)
    assert drawn.mean() > 0.98


@pytest.mark.parametrize("name", ["airplane-end-to-end", "airplane-two-stage"])
def test_an_image_in_which_nothing_is_likely_has_no_objects(name):
    network = starter_network(name)
    head = network.net.rpn.head.cls_logits
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -20.0)
    first, second = network.detect([airfield(128), airfield(128, 2)], SCORE)
    for found in (first, second):
        assert found.boxes.shape == (0, 4)
        assert len(found.scores) == len(found.labels) == 0
        assert found.masks is None or found.masks.shape == (0, 28, 28)


def test_an_image_without_objects_beside_one_with_them(images):
    network = starter_network("airplane-end-to-end")
    blank = np.full((320, 320, 3), 90, np.uint8)
    empty, found = network.detect([blank, images[0]], 0.5)
    (alone,) = network.detect([images[0]], 0.5)
    assert len(empty.scores) == 0
    assert np.allclose(found.boxes, alone.boxes, atol=0.02)
    assert np.allclose(found.masks, alone.masks, atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("in_bfloat16", [False, True])
def test_where_torchvisions_roi_align_is_used_it_pools_the_same(in_bfloat16, images):
    network = starter_network("airplane-end-to-end", in_bfloat16=in_bfloat16)
    batch = network._batch(images)
    features, _, _ = network.parts.trunk(batch.tensors)
    boxes = [torch.tensor([[5.0, 9, 60, 70], [100, 3, 280, 199]]), torch.tensor([[0.0, 0, 9, 8]])]
    ours, own = (
        Pool(network.net, features, batch.image_sizes, as_table=way) for way in (True, False)
    )
    for side in (7, 14):
        found = own(boxes, side)
        assert found.dtype == torch.float32
        assert torch.allclose(ours(boxes, side).float(), found, atol=0.05)
