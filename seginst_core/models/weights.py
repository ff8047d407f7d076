"""Weights on disk: safetensors only, so that loading a model never runs code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from seginst_core.errors import ModelError
from seginst_core.files import write_atomic
from seginst_core.models.card import ModelCard, file_digest


def save_weights(path: Path, state: Mapping[str, torch.Tensor], *, half: bool = False) -> str:
    """Write ``state`` to ``path`` and return its SHA-256; ``half`` stores floats as float16."""
    tensors = {}
    for name, tensor in state.items():
        value = tensor.detach().cpu()
        if half and value.is_floating_point():
            value = value.half()
        tensors[name] = value.contiguous()
    write_atomic(path, save(tensors))
    return file_digest(path)


def load_weights(path: Path, digest: str | None = None) -> dict[str, torch.Tensor]:
    """Read a safetensors file as float32 tensors.

    ModelError if it is missing, damaged, not what the card says, or not safetensors at all: a
    pickle is refused before a byte of it is interpreted.
    """
    if not path.is_file():
        raise ModelError(f"The weights file {path} is missing.")
    if digest is not None and file_digest(path) != digest:
        raise ModelError(
            f"The weights file {path} is not the one its model card names "
            "(it was changed, or is damaged), so it is not loaded."
        )
    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{path} is not a safetensors file; other kinds, pickles among them, are refused "
            "because loading them can run code."
        ) from error
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def load_part(model: Path, card: ModelCard, name: str) -> dict[str, torch.Tensor]:
    """Read the weights file of a model that its card names ``name``; ModelError as above."""
    if name not in card.files:
        raise ModelError(f"The model card of {card.name} names no file {name}.")
    return load_weights(model / name, card.files[name])
