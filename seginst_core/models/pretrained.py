"""Begin from other weights: copy what fits, keep class rows by name, leave the rest as built."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

CLASS_HEADS = ("box_predictor.cls_score.", "box_predictor.bbox_pred.", "mask_fcn_logits.")


def adapt_weights(
    fresh: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    *,
    categories: Sequence[str],
    given_categories: Sequence[str],
) -> tuple[dict[str, Tensor], int]:
    """Return ``fresh`` with all of ``given`` that fits, and how many tensors fitted.

    A class head's rows (background first, then one group of rows per category) are copied for
    the background and for each category of the same name, whatever its place.
    """
    adapted, n_fitting = {}, 0
    pairs = [(0, 0)]
    for place, name in enumerate(categories):
        if name in given_categories:
            pairs.append((place + 1, given_categories.index(name) + 1))
    for key, tensor in fresh.items():
        other = given.get(key)
        adapted[key] = tensor
        if other is None or other.ndim != tensor.ndim:
            continue
        if any(head in key for head in CLASS_HEADS):
            rows = _copy_rows(tensor, other, pairs, len(categories) + 1, len(given_categories) + 1)
            if rows is not None:
                adapted[key] = rows
                n_fitting += 1
        elif other.shape == tensor.shape:
            adapted[key] = other.to(tensor.dtype)
            n_fitting += 1
    return adapted, n_fitting


def _copy_rows(
    tensor: Tensor, other: Tensor, pairs: Sequence[tuple[int, int]], n_to: int, n_from: int
) -> Tensor | None:
    grouped = tensor.clone().reshape(n_to, -1, *tensor.shape[1:])
    if len(other) % n_from:
        return None
    source = other.reshape(n_from, -1, *other.shape[1:])
    if source.shape[1:] != grouped.shape[1:]:
        return None
    with torch.no_grad():
        for to, origin in pairs:
            grouped[to] = source[origin]
    return grouped.reshape(tensor.shape)
