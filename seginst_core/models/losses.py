"""Losses of the mask network."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice coefficient, averaged over the batch (Milletari et al. 2016, eq. 5).

    Args:
        logits, target: float ``(n, 1, H, W)``; target in 0..1.
    """
    probability = logits.sigmoid().flatten(1)
    truth = target.flatten(1)
    shared = (probability * truth).sum(1)
    total = probability.sum(1) + truth.sum(1)
    return (1 - (2 * shared + 1) / (total + 1)).mean()


def deep_mask_loss(outputs: Sequence[Tensor], target: Tensor) -> dict[str, Tensor]:
    """Binary cross-entropy and Dice, averaged over all outputs (Zhou et al. 2018, eq. 2)."""
    bce = torch.stack([functional.binary_cross_entropy_with_logits(o, target) for o in outputs])
    dice = torch.stack([dice_loss(o, target) for o in outputs])
    return {"mask_bce": bce.mean(), "mask_dice": dice.mean()}
