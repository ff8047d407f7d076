"""Begin from other weights: copy what fits, keep class rows by name, leave the rest as built."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.error import URLError

import torch
from torch import Tensor
from torchvision.models import (
    ResNet18_Weights,
    ResNet34_Weights,
    ResNet50_Weights,
    WeightsEnum,
)

from seginst_core.errors import ModelError
from seginst_core.models.config import Encoder

ENCODER_WEIGHTS: Mapping[Encoder, WeightsEnum] = {
    "resnet18": ResNet18_Weights.IMAGENET1K_V1,
    "resnet34": ResNet34_Weights.IMAGENET1K_V1,
    "resnet50": ResNet50_Weights.IMAGENET1K_V2,
}

Background: TypeAlias = Literal["first", "last", "none"]
"""Where, in weights with one group of rows per category, the background's group stands."""


def fetch(weights: WeightsEnum) -> dict[str, Tensor]:
    """Fetch weights that torchvision publishes, with a progress bar, into torch's own cache.

    ModelError tells how to do without when there is no network.
    """
    try:
        return dict(weights.get_state_dict(progress=True, check_hash=True, weights_only=True))
    except (URLError, OSError) as error:
        name = weights.url.rsplit("/", 1)[-1]
        raise ModelError(
            f"The published weights could not be downloaded ({error}); place {name} in "
            f"{torch.hub.get_dir()}/checkpoints, or leave --from out to train from scratch."
        ) from error


def encoder_weights(encoder: Encoder, n_in: int) -> dict[str, Tensor]:
    """Fetch ImageNet weights for a nested U-Net's encoder; ModelError as for ``fetch``.

    Channels beyond red, green and blue begin at zero, so that the network starts as it was.
    """
    if encoder not in ENCODER_WEIGHTS:
        raise ModelError(f"There are no published weights for the {encoder} encoder.")
    state = fetch(ENCODER_WEIGHTS[encoder])
    stem = state["conv1.weight"]
    more = stem.new_zeros(stem.shape[0], n_in - stem.shape[1], *stem.shape[2:])
    state["conv1.weight"] = torch.cat([stem, more], 1)
    return {f"encoder.{name}": tensor for name, tensor in state.items()}


def adapt_weights(
    fresh: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    *,
    categories: Sequence[str],
    given_categories: Sequence[str],
    class_rows: Mapping[str, Background],
) -> tuple[dict[str, Tensor], int]:
    """Return ``fresh`` with all of ``given`` that fits, and how many tensors fitted.

    A class head's rows are copied for the background and for each category of the same name,
    whatever its place. ``class_rows`` tells the class heads by a part of their weights' names.
    """
    adapted, n_fitting = {}, 0
    for key, tensor in fresh.items():
        other = given.get(key)
        adapted[key] = tensor
        if other is None or other.ndim != tensor.ndim:
            continue
        background = next((class_rows[part] for part in class_rows if part in key), None)
        if background is not None:
            names, given_names = (
                _groups(categories, background),
                _groups(given_categories, background),
            )
            rows = _copy_rows(tensor, other, names, given_names)
            if rows is not None:
                adapted[key] = rows
                n_fitting += 1
        elif other.shape == tensor.shape:
            adapted[key] = other.to(tensor.dtype)
            n_fitting += 1
    return adapted, n_fitting


def _groups(categories: Sequence[str], background: Background) -> list[str | None]:
    """Return what each group of a class head's rows is of; None is the background."""
    before: list[str | None] = [None] if background == "first" else []
    after: list[str | None] = [None] if background == "last" else []
    return [*before, *(name.casefold() for name in categories), *after]


def _copy_rows(
    tensor: Tensor, other: Tensor, names: Sequence[str | None], given: Sequence[str | None]
) -> Tensor | None:
    if not given or len(other) % len(given):
        return None
    grouped = tensor.clone().reshape(len(names), -1, *tensor.shape[1:])
    source = other.reshape(len(given), -1, *other.shape[1:])
    if source.shape[1:] != grouped.shape[1:]:
        return None
    with torch.no_grad():
        for place, name in enumerate(names):
            if name in given:
                grouped[place] = source[given.index(name)]
    return grouped.reshape(tensor.shape)
