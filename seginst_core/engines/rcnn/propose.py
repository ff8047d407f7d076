"""From the RPN's answer to boxes that are worth a second look (Ren et al. 2015, section 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import batched_nms, nms

SMALLEST_PX = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The likeliest anchors of each level of each image, moved to where the RPN sees an object.

    ``boxes`` ``(n, B, 4)`` within the image, ``scores`` ``(n, B)`` in 0..1, ``levels`` ``(B,)``.
    """

    boxes: Tensor
    scores: Tensor
    levels: Tensor

    def large_enough(self) -> Tensor:
        """Return which boxes are more than a line, bool ``(n, B)``."""
        return ((self.boxes[..., 2:] - self.boxes[..., :2]) >= SMALLEST_PX).all(-1)


def flat_answer(objectness: Sequence[Tensor], deltas: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Lay all levels' answers in the order of the anchors: ``(n, A)`` and ``(n, A, 4)``."""
    logits = [level.permute(0, 2, 3, 1).flatten(1) for level in objectness]
    changes = [level.permute(0, 2, 3, 1).reshape(len(level), -1, 4) for level in deltas]
    return torch.cat(logits, 1), torch.cat(changes, 1)


@torch.no_grad()
def ranked(
    rpn: RegionProposalNetwork,
    anchors: Tensor,
    objectness: Sequence[Tensor],
    deltas: Sequence[Tensor],
    sizes: Sequence[tuple[int, int]],
) -> Ranked:
    """Decode the best of each level's boxes in float32; ``sizes`` are the images' own (H, W)."""
    n_anchors = [level[0].numel() for level in objectness]
    boxes, logits, levels = [], [], []
    for number, (level, change, own) in enumerate(
        zip(objectness, deltas, torch.split(anchors, n_anchors), strict=True)
    ):
        flat = level.permute(0, 2, 3, 1).flatten(1).float()
        best, index = flat.topk(min(rpn.pre_nms_top_n(), flat.shape[1]), dim=1)
        changes = change.permute(0, 2, 3, 1).reshape(len(flat), -1, 4)
        chosen = changes.gather(1, index[..., None].expand(-1, -1, 4)).float()
        decoded = rpn.box_coder.decode_single(chosen.reshape(-1, 4), own[index.reshape(-1)])
        boxes.append(decoded.view(len(flat), -1, 4))
        logits.append(best)
        levels.append(torch.full_like(index[0], number))
    where = torch.cat(boxes, 1)
    limits = torch.tensor([(w, h, w, h) for h, w in sizes], device=where.device)[:, None]
    inside = torch.minimum(where.clamp(min=0), limits.to(where.dtype))
    return Ranked(inside, torch.cat(logits, 1).sigmoid(), torch.cat(levels))


@torch.no_grad()
def proposals_of_batch(rpn: RegionProposalNetwork, found: Ranked) -> tuple[Tensor, Tensor]:
    """Suppress overlapping boxes in all images at once, for training.

    Returns boxes ``(n, K, 4)``, best first, and which of them are any, bool ``(n, K)``.
    """
    n, per_image = found.scores.shape
    n_levels = len(rpn.anchor_generator.sizes)
    most, device = rpn.post_nms_top_n(), found.boxes.device
    scores = found.scores.masked_fill(~found.large_enough(), -1).flatten()
    groups = (torch.arange(n, device=device)[:, None] * n_levels + found.levels).flatten()
    boxes = found.boxes.flatten(0, 1)
    kept = _suppressed(boxes, scores, groups, rpn.nms_thresh)
    image = kept // per_image
    image, order = image.sort(stable=True)
    kept = kept[order]
    begins = torch.searchsorted(image, torch.arange(n, device=device))
    rank = (torch.arange(len(kept), device=device) - begins[image]).clamp(max=most)
    # What is beyond the limit lands in a column of its own, so that nothing waits for a count.
    result = boxes.new_zeros(n, most + 1, 4)
    real = torch.zeros(n, most + 1, dtype=torch.bool, device=device)
    result[image, rank] = boxes[kept]
    real[image, rank] = scores[kept] >= 0
    return result[:, :most], real[:, :most]


def _suppressed(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float) -> Tensor:
    """Suppress within each group, best first."""
    if boxes.device.type == "cpu":
        kept: Tensor = batched_nms(boxes, scores, groups, threshold)
        return kept
    # One kernel for all groups, set apart from each other; torchvision's own asks each in turn.
    apart = groups.to(boxes) * (boxes.max() + 1)
    far: Tensor = nms(boxes + apart[:, None], scores, threshold)
    return far
