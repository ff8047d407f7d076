"""Several processes that train one network together, as ``torchrun`` starts them.

Each draws batches of its own and all take the same step, that of the mean gradient, so their
weights stay equal (synchronous data parallelism; Goyal et al. 2017, section 2). The first process
alone reports, writes and keeps the clock. In a process on its own every function here does nothing.
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch import distributed as dist

from seginst_core.errors import ModelError


@contextmanager
def joined() -> Iterator[None]:
    """Join the other processes if ``torchrun`` started this one.

    Networks on a GPU talk by NCCL, all else by gloo. ModelError if the others cannot be met.
    """
    if not dist.is_torchelastic_launched() or dist.is_initialized():
        yield
        return
    # Torch imports this with its first optimiser, and keeps for good a group that is there by then:
    # its threads would run on while the interpreter ends, which now and then aborts the process.
    importlib.import_module("torch._dynamo")
    has_nccl = torch.cuda.is_available() and dist.is_nccl_available()
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_nccl else "gloo")
    except (RuntimeError, ValueError) as error:
        raise ModelError("The processes that train together could not find each other.") from error
    yield
    # Not after a failure: the others may never answer, and the process ends anyway.
    dist.destroy_process_group()


def n_processes() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number among them, from zero."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process is the one that reports and writes."""
    return rank() == 0


def own_device(device: torch.device) -> torch.device:
    """Return the GPU of this process on its machine; any other device is shared."""
    if n_processes() == 1 or device.type != "cuda" or device.index is not None:
        return device
    number = int(os.environ.get("LOCAL_RANK", "0"))
    if number >= torch.cuda.device_count():
        raise ModelError(
            f"Each process needs a GPU of its own, and this machine has "
            f"{torch.cuda.device_count()}; give torchrun a smaller --nproc-per-node."
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def wait_for_all() -> None:
    """Return once every process has come here."""
    anyone(False)


def anyone(wish: bool) -> bool:
    """Whether any process has this wish, such as to stop; the same answer in all of them."""
    if n_processes() == 1:
        return wish
    votes = torch.tensor([int(wish)])
    _reduce(votes)
    return bool(votes.item())


def first_says(number: float) -> float:
    """Return the first process's number, such as the time on its clock."""
    if n_processes() == 1:
        return number
    said = torch.tensor([number if is_first() else 0.0], dtype=torch.float64)
    _reduce(said)
    return float(said.item())


@torch.no_grad()
def share_weights(network: nn.Module) -> None:
    """Give every process the first one's weights."""
    if n_processes() == 1:
        return
    for tensor in network.state_dict().values():
        if not is_first():
            tensor.zero_()
        _reduce(tensor)


@torch.no_grad()
def average_gradients(
    parameters: Sequence[nn.Parameter], statistics: Sequence[Tensor], losses: Tensor
) -> Tensor:
    """Set all gradients to their mean over the processes and return the mean of ``losses``.

    ``losses`` ``(n,)`` are one process's; ``statistics``, such as the running means of batch
    normalisation, become their mean too. All travels in one message. A parameter without a gradient
    counts as zero, and stays without one where no process has it, so that the optimiser leaves it
    alone as it would in a process on its own.
    """
    if n_processes() == 1:
        return losses
    has_one = losses.new_tensor([float(p.grad is not None) for p in parameters])
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    pieces = [losses, has_one, *(t.flatten() for t in (*gradients, *statistics))]
    message = torch.cat(pieces)
    _reduce(message)
    message /= n_processes()
    losses, has_one, *means = torch.split(message, [len(piece) for piece in pieces])
    for target, mean in zip((*gradients, *statistics), means, strict=True):
        target.copy_(mean.view_as(target))
    for parameter, gradient, known in zip(parameters, gradients, has_one.tolist(), strict=True):
        parameter.grad = gradient if known > 0 else None
    return losses


def _reduce(tensor: Tensor) -> None:
    """Sum a tensor over all processes, in place."""
    try:
        dist.all_reduce(tensor)
    except RuntimeError as error:
        raise ModelError(
            "Another of the processes that train together has ended; what it said tells why."
        ) from error
