"""The losses of a torchvision detector, all images of a batch at once.

Same mathematics as torchvision's own (Ren et al. 2015, sections 3.1.2 and 3.1.3; He et al. 2017,
section 3), which goes image by image: on a GPU that is thousands of small steps, each of which
takes longer to start than to do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.rpn import RegionProposalNetwork

from seginst_core.engines.mask_targets import cut_targets
from seginst_core.engines.rcnn.propose import Ranked, flat_answer, suppressed
from seginst_core.engines.rcnn.truths import Truths, draw, match_anchors, of_each, pair_ious

SMOOTH_BETA = 1 / 9
MASK_ROIS_PER_IMAGE = 32

Head = Callable[[list[Tensor]], Tensor]
"""From each image's boxes to the logits in them."""


@dataclass(frozen=True, slots=True, eq=False)
class Rois:
    """Boxes to learn from, those of one image behind those of the one before.

    ``boxes`` ``(R, 4)``; ``labels`` ``(R,)``, 0 for the background; ``truth``, the box of the
    object each stands for; ``counts``, how many of each image. ``for_masks`` are the numbers of
    those whose mask is learned, ``masks`` the targets' squares in their objects' boxes.
    """

    boxes: Tensor
    labels: Tensor
    truth: Tensor
    counts: list[int]
    for_masks: Tensor
    mask_counts: list[int]
    masks: Tensor

    def of_images(self) -> list[Tensor]:
        """Return each image's boxes."""
        return list(torch.split(self.boxes, self.counts))

    def mask_boxes(self) -> list[Tensor]:
        """Return each image's boxes whose masks are learned."""
        return list(torch.split(self.boxes[self.for_masks], self.mask_counts))


def rpn_losses(
    rpn: RegionProposalNetwork,
    anchors: Tensor,
    objectness: Sequence[Tensor],
    deltas: Sequence[Tensor],
    truths: Truths,
) -> tuple[Tensor, Tensor]:
    """Return the losses of objectness and of the boxes of positive anchors."""
    matcher, sampler = rpn.proposal_matcher, rpn.fg_bg_sampler
    positive, negative, objects = match_anchors(
        truths, anchors, matcher.low_threshold, matcher.high_threshold
    )
    index, is_one, counts = draw(
        positive, negative, sampler.batch_size_per_image, sampler.positive_fraction
    )
    logits, changes = flat_answer(objectness, deltas)
    n_drawn = counts.sum().clamp(min=1)
    loss = functional.binary_cross_entropy_with_logits(
        of_each(logits, index), is_one.float(), reduction="none"
    )
    loss = (loss * counts).sum() / n_drawn
    # The positive ones come first, so the others need not be looked at again.
    n_first = min(int(sampler.batch_size_per_image * sampler.positive_fraction), positive.shape[1])
    index, is_one = index[:, :n_first], is_one[:, :n_first]
    own = anchors[index]
    truth = of_each(truths.boxes, of_each(objects, index))
    box_loss = _box_loss(rpn.box_coder, of_each(changes, index), own, truth, is_one)
    return loss, box_loss / n_drawn


def _box_loss(
    coder: BoxCoder,
    changes: Tensor,
    boxes: Tensor,
    truth: Tensor,
    counts: Tensor,
) -> Tensor:
    """Sum the smooth L1 distance of the changes that count from those that lead to the truth."""
    # A box that does not count leads to itself: the truth it is given may be none.
    truth = torch.where(counts[..., None], truth, boxes)
    wanted = coder.encode_single(truth.reshape(-1, 4), boxes.reshape(-1, 4))
    loss = functional.smooth_l1_loss(
        changes, wanted.view(changes.shape), beta=SMOOTH_BETA, reduction="none"
    )
    return (loss * counts[..., None]).sum()


@torch.no_grad()
def draw_rois(net: FasterRCNN, found: Ranked, truths: Truths) -> Rois:
    """Draw the proposals that the heads learn from; the objects' own boxes are among them."""
    heads = net.roi_heads
    proposals = suppressed(net.rpn, found, 0.0)
    boxes = torch.cat([pad_sequence(proposals, batch_first=True), truths.boxes], 1)
    real = torch.cat([_first(proposals), truths.real], 1)
    values, objects = pair_ious(truths.boxes, boxes).max(1)
    matcher, sampler = heads.proposal_matcher, heads.fg_bg_sampler
    index, is_one, counts = draw(
        values >= matcher.high_threshold,
        real & (values < matcher.low_threshold),
        sampler.batch_size_per_image,
        sampler.positive_fraction,
    )
    objects = of_each(objects, index)
    labels = torch.where(is_one, of_each(truths.labels, objects) + 1, 0)
    masked = is_one & of_each(truths.drawn, objects)
    masked &= masked.cumsum(1) <= MASK_ROIS_PER_IMAGE
    # Places among those that count.
    place = counts.flatten().cumsum(0).view(counts.shape) - 1
    numbers = torch.stack([counts.sum(1), masked.sum(1)]).tolist()
    return Rois(
        boxes=of_each(boxes, index)[counts],
        labels=labels[counts],
        truth=of_each(truths.boxes, objects)[counts],
        counts=numbers[0],
        for_masks=place[masked],
        mask_counts=numbers[1],
        masks=of_each(truths.masks, objects)[masked] if heads.has_mask() else truths.masks[:0, 0],
    )


def _first(proposals: Sequence[Tensor]) -> Tensor:
    """Return which rows hold a box where boxes are filled up to one number, bool ``(n, K)``."""
    counts = torch.tensor([len(boxes) for boxes in proposals])
    return (torch.arange(int(counts.max())) < counts[:, None]).to(proposals[0].device)


def box_losses(
    net: FasterRCNN, logits: Tensor, deltas: Tensor, rois: Rois
) -> tuple[Tensor, Tensor]:
    """Return the losses of the classes ``(R, C)`` and of the changes ``(R, 4 C)`` of boxes."""
    changes = deltas.view(len(deltas), -1, 4)
    own = changes[torch.arange(len(changes), device=changes.device), rois.labels]
    box_loss = _box_loss(net.roi_heads.box_coder, own, rois.boxes, rois.truth, rois.labels > 0)
    return functional.cross_entropy(logits, rois.labels), box_loss / max(len(logits), 1)


def mask_loss(rois: Rois, head: Head, side: int) -> Tensor:
    """Return the cross-entropy of the true class's mask in positive proposals."""
    logits = head(rois.mask_boxes())
    if len(logits) == 0:
        return logits.sum() * 0
    own = rois.for_masks
    targets = cut_targets(rois.truth[own], rois.masks, rois.boxes[own], side)
    labels = torch.arange(len(logits), device=logits.device), rois.labels[own]
    return functional.binary_cross_entropy_with_logits(logits[labels], targets)
