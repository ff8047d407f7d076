"""The objects of a training batch as tensors of one shape, and which boxes stand for which."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seginst_core.engines.base import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """The objects of ``n`` images, filled up to ``G`` each; ``real`` says which are objects.

    The others have a box without area, which overlaps nothing.

    ``boxes`` float32 ``(n, G, 4)``; ``labels`` int64 ``(n, G)``, 0-based; ``masks`` uint8
    ``(n, G, M, M)``, each within its box; ``drawn`` and ``real`` bool ``(n, G)``.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor
    drawn: Tensor
    real: Tensor


def truths_of(samples: Sequence[Sample], device: torch.device) -> Truths:
    """Lay the objects of a batch together; each kind of number goes to the device at once."""
    n, most = len(samples), max(1, *(len(sample.boxes) for sample in samples))
    side = samples[0].masks.shape[-1]
    boxes, labels = torch.zeros(n, most, 4), torch.zeros(n, most, dtype=torch.int64)
    masks = torch.zeros(n, most, side, side, dtype=torch.uint8)
    drawn, real = (torch.zeros(n, most, dtype=torch.bool) for _ in range(2))
    for k, sample in enumerate(samples):
        some = slice(len(sample.boxes))
        boxes[k, some], labels[k, some] = sample.boxes, sample.labels
        masks[k, some], drawn[k, some], real[k, some] = sample.masks, sample.has_mask, True
    return Truths(*(part.to(device) for part in (boxes, labels, masks, drawn, real)))


def pair_ious(truths: Tensor, boxes: Tensor) -> Tensor:
    """Return the IoU ``(..., G, B)`` of each of ``truths`` ``(..., G, 4)`` and ``boxes``."""
    one, other = truths.unsqueeze(-2), boxes.unsqueeze(-3)
    sides = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(
        one[..., :2], other[..., :2]
    )
    common = sides.clamp(min=0).prod(-1)
    areas = [(part[..., 2:] - part[..., :2]).prod(-1) for part in (one, other)]
    return common / (areas[0] + areas[1] - common).clamp(min=1e-9)


def match_anchors(
    truths: Truths, anchors: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Say which anchors ``(A, 4)`` stand for which object (Ren et al. 2015, section 3.1.2).

    Returns which are positive and which negative, bool ``(n, A)``, and each one's object. Positive
    are those with an IoU of ``high`` and those that are an object's best; negative those below
    ``low`` with all. Image by image: the IoUs of a crowded batch would not fit into a small GPU.
    """
    positives, negatives, objects = [], [], []
    for boxes in truths.boxes:
        ious = pair_ious(boxes, anchors)
        values, index = ious.max(0)
        highest = ious.amax(1, keepdim=True)
        best = ((ious == highest) & (highest > 0)).any(0)
        positives.append(best | (values >= high))
        negatives.append(~best & (values < low))
        objects.append(index)
    return torch.stack(positives), torch.stack(negatives), torch.stack(objects)


def draw(positive: Tensor, negative: Tensor, n: int, share: float) -> tuple[Tensor, Tensor, Tensor]:
    """Draw up to ``n`` boxes of each image, at most ``share`` of them positive, at random.

    Of bools ``(images, B)``; returns the indices ``(images, k)``, the positive ones first and both
    kinds in random order, which of them are positive, and which count at all.
    """
    n_boxes = positive.shape[1]
    chance = torch.rand(positive.shape, device=positive.device)
    ones, others = (
        chance.masked_fill(~kind, -1).topk(min(most, n_boxes), dim=1)
        for kind, most in ((positive, int(n * share)), (negative, n))
    )
    is_one = ones.values >= 0
    room = n - is_one.sum(1, keepdim=True)
    ranks = torch.arange(others.values.shape[1], device=positive.device)
    is_other = (others.values >= 0) & (ranks < room)
    return (
        torch.cat([ones.indices, others.indices], 1),
        torch.cat([is_one, torch.zeros_like(is_other)], 1),
        torch.cat([is_one, is_other], 1),
    )


def of_each(values: Tensor, index: Tensor) -> Tensor:
    """Take of ``values`` ``(n, B, ...)`` those at ``index`` ``(n, k)``."""
    rows = torch.arange(len(values), device=values.device)[:, None]
    return values[rows, index]
