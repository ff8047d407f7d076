"""Training state on disk, so that a killed run goes on where it was."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seginst_core.errors import DataError, ModelError
from seginst_core.files import lock, write_atomic


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """All that the loop needs to go on: weights, averaged weights, optimiser, place and time."""

    iteration: int
    seconds: float
    network: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimiser: Mapping[str, object]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all."""
    buffer = io.BytesIO()
    torch.save({name: getattr(checkpoint, name) for name in Checkpoint.__slots__}, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, buffer.getvalue())


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint, weights-only; None where there is none."""
    if not path.is_file():
        return None
    try:
        table = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(**table)
    except Exception as error:  # torch raises whatever its unpickler met
        raise ModelError(
            f"The checkpoint {path} cannot be read; delete it to begin anew."
        ) from error


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep every other training from the folder ``out`` meanwhile; DataError if one is in it."""
    out.mkdir(parents=True, exist_ok=True)
    place = out / "training.lock"
    with place.open("ab") as file:
        try:
            lock(file)
        except BlockingIOError:
            raise DataError(
                f"Another training is writing to {out}; choose another --out, or wait for it."
            ) from None
        except OSError:
            pass  # the file system knows no locks
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps what is open
                place.unlink()
