"""The losses of a whole batch at once are those that torchvision makes image by image."""

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import fastrcnn_loss

from seginst_core.engines.base import Sample
from seginst_core.engines.mask_targets import cut_targets
from seginst_core.engines.rcnn.losses import box_losses, draw_rois, mask_loss, rpn_losses
from seginst_core.engines.rcnn.propose import ranked, suppressed
from seginst_core.engines.rcnn.truths import draw, truths_of
from seginst_core.engines.torchvision_engine import TorchvisionNetwork
from seginst_core.models.config import DETECTORS

CPU = torch.device("cpu")
ALL = 10**6


def sample(n: int, rng: np.random.Generator, height: int = 96, width: int = 128) -> Sample:
    corners = rng.uniform(0, 60, (n, 2))
    sides = rng.uniform(8, 36, (n, 2))
    if n:
        sides[0] = 60, 3  # so thin that its best anchor is far from fitting
    return Sample(
        image=rng.integers(0, 256, (height, width, 3), np.uint8),
        boxes=torch.from_numpy(np.concatenate([corners, corners + sides], 1).astype(np.float32)),
        labels=torch.from_numpy(rng.integers(0, 2, n)),
        masks=torch.from_numpy(rng.integers(0, 2, (n, 56, 56), np.uint8)),
        has_mask=torch.from_numpy(rng.random(n) < 0.7),
    )


@pytest.fixture
def network() -> TorchvisionNetwork:
    torch.manual_seed(0)
    made = TorchvisionNetwork(DETECTORS["tiny"], 2, masks=True, device=CPU).train()
    made.in_bfloat16 = False
    with torch.no_grad():
        # Answers that differ: of equal ones rounding would choose.
        made.net.rpn.head.cls_logits.weight.mul_(20)
        made.net.rpn.head.cls_logits.bias.fill_(-6)
    return made


@pytest.fixture(params=[(5, 3), (4, 0, 7), (0, 0)], ids=str)
def batch(request) -> list[Sample]:
    rng = np.random.default_rng(len(request.param))
    # The second image is smaller than the batch.
    return [
        sample(n, rng, *((96, 128) if k != 1 else (90, 100))) for k, n in enumerate(request.param)
    ]


def targets_of(batch):
    return [{"boxes": s.boxes, "labels": s.labels + 1, "masks": s.masks} for s in batch]


def take_all(sampler):
    """Let chance choose nothing: every box is drawn."""
    sampler.batch_size_per_image, sampler.positive_fraction = ALL, 0.5


def test_the_rpns_losses_are_torchvisions(network, batch):
    rpn = network.net.rpn
    take_all(rpn.fg_bg_sampler)
    images = network._batch([s.image for s in batch])
    features = network._features(images.tensors)
    _, wanted = rpn(images, features, targets_of(batch))
    objectness, deltas = rpn.head(list(features.values()))
    anchors = rpn.anchor_generator(images, objectness)[0]
    found = rpn_losses(rpn, anchors, objectness, deltas, truths_of(batch, CPU))
    for ours, theirs in zip(
        found, (wanted["loss_objectness"], wanted["loss_rpn_box_reg"]), strict=True
    ):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-7)
        assert ours.requires_grad


def test_the_proposals_are_torchvisions(network, batch):
    rpn = network.net.rpn
    images = network._batch([s.image for s in batch])
    features = network._features(images.tensors)
    theirs, _ = rpn(images, features, targets_of(batch))
    objectness, deltas = rpn.head(list(features.values()))
    anchors = rpn.anchor_generator(images, objectness)[0]
    found = suppressed(rpn, ranked(rpn, anchors, objectness, deltas, images.image_sizes), 0.0)
    for own, want in zip(found, theirs, strict=True):
        # Of two that are as likely either may come first.
        apart = (own[:, None] - want).abs().amax(-1)
        assert len(own) == len(want)
        assert float(apart.amin(0).max()) < 0.01
        assert float(apart.amin(1).max()) < 0.01


def test_no_more_proposals_than_there_may_be_and_the_best_of_them(network):
    rpn = network.net.rpn
    rng = np.random.default_rng(0)
    batch = [sample(2, rng), sample(1, rng)]
    images = network._batch([s.image for s in batch])
    objectness, deltas = rpn.head(list(network._features(images.tensors).values()))
    anchors = rpn.anchor_generator(images, objectness)[0]
    found = ranked(rpn, anchors, objectness, deltas, images.image_sizes)
    every = suppressed(rpn, found, 0.0)
    rpn._post_nms_top_n["training"] = 7
    some = suppressed(rpn, found, 0.0)
    assert all(torch.equal(few, all_of[:7]) for few, all_of in zip(some, every, strict=True))
    least = float(found.scores.median())
    likely = suppressed(rpn, found, least)
    assert sum(map(len, likely)) < sum(map(len, every))


def test_the_heads_losses_are_torchvisions(network, batch, monkeypatch):
    net = network.net
    monkeypatch.setattr("seginst_core.engines.rcnn.losses.MASK_ROIS_PER_IMAGE", ALL)
    take_all(net.roi_heads.fg_bg_sampler)
    images = network._batch([s.image for s in batch])
    sizes = images.image_sizes
    features = network._features(images.tensors)
    objectness, deltas = net.rpn.head(list(features.values()))
    anchors = net.rpn.anchor_generator(images, objectness)[0]
    rois = draw_rois(
        net, ranked(net.rpn, anchors, objectness, deltas, sizes), truths_of(batch, CPU)
    )
    logits, changes = network._box_head(features, rois.of_images(), sizes)
    found = box_losses(net, logits, changes, rois)

    proposals, _ = net.rpn(images, features, targets_of(batch))
    proposals, matched, labels, regression = net.roi_heads.select_training_samples(
        proposals, targets_of(batch)
    )
    assert rois.counts == [len(boxes) for boxes in proposals]
    wanted = fastrcnn_loss(*network._box_head(features, proposals, sizes), labels, regression)
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-6)

    own = mask_loss(rois, lambda boxes: network._mask_logits(features, boxes, sizes), 28)
    kept = [
        torch.where((label > 0) & s.has_mask[match])[0] if len(s.boxes) else label[:0]
        for s, label, match in zip(batch, labels, matched, strict=True)
    ]
    assert rois.mask_counts == [len(some) for some in kept]
    if not sum(rois.mask_counts):
        assert float(own.detach()) == 0
        return
    parts = list(zip(batch, proposals, matched, labels, kept, strict=True))
    theirs = network._mask_logits(features, [boxes[some] for _, boxes, _, _, some in parts], sizes)
    true = torch.cat(
        [
            cut_targets(s.boxes[match[some]], s.masks[match[some]], boxes[some], 28)
            for s, boxes, match, _, some in parts
        ]
    )
    classes = torch.cat([label[some] for *_, label, some in parts])
    want = torch.nn.functional.binary_cross_entropy_with_logits(
        theirs[torch.arange(len(theirs)), classes], true
    )
    assert torch.allclose(own, want, rtol=1e-3)


def test_what_fills_up_a_batch_is_nothing_to_the_network(network):
    rng = np.random.default_rng(0)
    batch = [sample(1, rng, 96, 128).image, sample(1, rng, 70, 40).image]
    pixels = network._batch(batch).tensors
    assert pixels.shape == (2, 3, 96, 128)
    assert bool((pixels[1, :, :70, :40] != 0).all())
    assert not pixels[1, :, 70:].any()
    assert not pixels[1, :, :, 40:].any()
    alone = network._batch(batch[:1]).tensors
    assert torch.equal(pixels[:1], alone)
    want = batch[0] / 255 - np.array((0.485, 0.456, 0.406))
    want /= np.array((0.229, 0.224, 0.225))
    assert np.allclose(alone[0].permute(1, 2, 0).numpy(), want, atol=1e-5)


def test_boxes_are_drawn_at_random_and_as_many_as_asked_for():
    positive, negative = torch.zeros(2, 50, dtype=torch.bool), torch.zeros(2, 50, dtype=torch.bool)
    positive[0, :20], negative[0, 25:] = True, True
    positive[1, :2], negative[1, 10:45] = True, True
    torch.manual_seed(0)
    seen = set()
    for _ in range(200):
        index, is_one, counts = draw(positive, negative, 12, 0.5)
        assert counts.sum(1).tolist() == [12, 12]
        assert is_one.sum(1).tolist() == [6, 2]
        for k in range(2):
            some = index[k][counts[k]]
            assert len(set(some.tolist())) == 12
            assert bool(positive[k][index[k][is_one[k]]].all())
            assert bool(negative[k][index[k][counts[k] & ~is_one[k]]].all())
        seen.update(index[0][counts[0]].tolist())
    assert seen == set(range(20)) | set(range(25, 50))
    index, is_one, counts = draw(positive & False, negative & False, 12, 0.5)
    assert not counts.any()


def test_so_many_masks_of_an_image_are_learned_at_most(network, monkeypatch):
    monkeypatch.setattr("seginst_core.engines.rcnn.losses.MASK_ROIS_PER_IMAGE", 3)
    rng = np.random.default_rng(0)
    batch = [sample(9, rng), sample(1, rng)]
    for s in batch:
        s.has_mask[:] = True
    images = network._batch([s.image for s in batch])
    objectness, deltas = network.net.rpn.head(list(network._features(images.tensors).values()))
    anchors = network.net.rpn.anchor_generator(images, objectness)[0]
    found = ranked(network.net.rpn, anchors, objectness, deltas, images.image_sizes)
    rois = draw_rois(network.net, found, truths_of(batch, CPU))
    assert rois.mask_counts[0] == 3
    assert 1 <= rois.mask_counts[1] <= 3
    assert bool((rois.labels[rois.for_masks] > 0).all())
