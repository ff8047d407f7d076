"""Weights out of torch's own files, read without running what such a file may hold."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from seginst_core.errors import ModelError
from seginst_core.files import write_atomic
from seginst_core.models.detectron2 import check_weights_name


def read_torch_weights(path: Path) -> dict[str, Tensor]:
    """Read the weights of a ``.pth`` file, alone or under ``model``, as float32 tensors.

    ModelError for a ``.pkl``, for a file that holds more than plain values, and for one that is
    damaged or holds no weights; in no case is anything of it run.
    """
    check_weights_name(path)
    try:
        with warnings.catch_warnings():
            # Torch warns of other pickles, and refuses them as well: one sentence is enough.
            warnings.simplefilter("ignore")
            table = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler met
        raise ModelError(
            f"{path.name} is damaged or holds more than weights, which could run code when it is "
            "loaded, so it is refused; in a place you trust, save "
            "torch.save({'model': model.state_dict()}, 'model.pth'), and add that."
        ) from error
    if isinstance(table, Mapping) and isinstance(table.get("model"), Mapping):
        table = table["model"]
    if not isinstance(table, Mapping):
        raise ModelError(f"{path.name} holds no table of weights.")
    state = {str(name): value for name, value in table.items() if isinstance(value, Tensor)}
    if not state:
        raise ModelError(f"{path.name} holds no weights.")
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def write_torch_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write weights under ``model``, as detectron2 does, whole or not at all."""
    buffer = io.BytesIO()
    torch.save({"model": {k: v.detach().cpu() for k, v in state.items()}}, buffer)
    write_atomic(path, buffer.getvalue())
