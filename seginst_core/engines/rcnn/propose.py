"""From the RPN's answer to boxes that are worth a second look (Ren et al. 2015, section 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import batched_nms

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
def suppressed(rpn: RegionProposalNetwork, found: Ranked, least: float) -> list[Tensor]:
    """Return each image's boxes ``(k, 4)`` of a score of ``least`` that no better one overlaps.

    Image by image also on a GPU: there suppression takes one step after the other for each box,
    and each step looks at all boxes it was given.
    """
    worth = found.large_enough() & (found.scores >= least)
    proposals = []
    for boxes, scores, likely in zip(found.boxes, found.scores, worth, strict=True):
        some = boxes[likely]
        kept = batched_nms(some, scores[likely], found.levels[likely], rpn.nms_thresh)
        proposals.append(some[kept[: rpn.post_nms_top_n()]])
    return proposals
