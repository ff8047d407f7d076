"""The training loop: one, explicit, over a dict of losses, for every network there is."""

import math
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from seginst_core.errors import Cancelled, ModelError
from seginst_core.events import Reporter
from seginst_core.training import distributed
from seginst_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from seginst_core.training.recipe import Recipe

WEIGHT_DECAY = 1e-2
SGD_MOMENTUM = 0.9
SGD_WEIGHT_DECAY = 1e-4
REPORT_SECONDS = 2.0
CHECKPOINT_SECONDS = 60.0
# Threads that draw batches ahead; on a CPU the network itself needs the others.
LOADERS: Mapping[str, int] = {"cuda": 2}
# Whoever feeds a GPU takes turns with them at every step: Python's own 5 ms are too long a turn.
TURN_SECONDS: Mapping[str, float] = {"cuda": 1e-4}

BatchT = TypeVar("BatchT")


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: so many iterations or seconds, or whatever of both is over first."""

    iterations: int | None = None
    seconds: float | None = None

    def fraction(self, iteration: int, seconds: float) -> float:
        """Return how much of the budget is spent, 0..1."""
        spent = []
        if self.iterations is not None:
            spent.append(iteration / max(self.iterations, 1))
        if self.seconds is not None:
            spent.append(seconds / max(self.seconds, 1e-9))
        return max(spent)


def batch_rng(seed: int, part: str, iteration: int, rank: int) -> np.random.Generator:
    """Return the source of all chance in one process's batch of one iteration."""
    return np.random.default_rng([seed, *part.encode(), iteration, rank])


def fit(
    network: nn.Module,
    losses_of: Callable[[BatchT], Mapping[str, Tensor]],
    batch_at: Callable[[np.random.Generator], BatchT],
    *,
    budget: Budget,
    learning_rate: float,
    recipe: Recipe,
    seed: int,
    part: str,
    reporter: Reporter,
    checkpoint: Path | None = None,
) -> dict[str, Tensor]:
    """Train ``network`` in place and return its averaged weights.

    AdamW, or what ``recipe`` says, with warm-up and a cosine to zero over the budget; gradients are
    clipped and the weights averaged exponentially. The batch of iteration ``i`` and the chance
    within the network depend on ``(seed, part, i)`` and the process's rank alone, so a resumed run
    sees the data it would have seen, and no state of a random generator has to be kept. With
    ``checkpoint`` the state is written there every minute, when cancelled and at the end, and read
    from there at the start. Several processes (see ``distributed``) take each step together.

    ModelError if the loss stops being a number, or if the checkpoint is of another network.
    """
    learning_rate *= recipe.rate_factor
    network.train()
    optimiser = _optimiser(network, learning_rate, recipe)
    average = {k: v.detach().clone() for k, v in network.state_dict().items()}
    iteration, before = 0, 0.0
    saved = load_checkpoint(checkpoint) if checkpoint else None
    if saved is not None:
        _restore(saved, network, average, optimiser, part)
        iteration, before = saved.iteration, saved.seconds
        reporter.log(f"Training goes on from iteration {iteration}.")
    else:
        distributed.share_weights(network)
    followers = _followers(average, network.state_dict())
    trained = [p for p in network.parameters() if p.requires_grad]
    statistics = [b for b in network.buffers() if b.is_floating_point()]
    rank = distributed.rank()
    kind = trained[0].device.type
    n_loaders = LOADERS.get(kind, 1)

    def draw(index: int) -> BatchT:
        return batch_at(batch_rng(seed, part, index, rank))

    def keep(seconds: float) -> None:
        if checkpoint and distributed.is_first():
            state = (network.state_dict(), average, optimiser.state_dict())
            save_checkpoint(checkpoint, Checkpoint(iteration, seconds, *state))

    start = reported = stored = time.perf_counter()
    sums: dict[str, float] = defaultdict(float)
    n_summed = 0
    seconds = before
    with _turns(TURN_SECONDS.get(kind)), ThreadPoolExecutor(n_loaders) as loader:
        ahead = deque(loader.submit(draw, iteration + k) for k in range(n_loaders))
        while (spent := budget.fraction(iteration, seconds)) < 1:
            text = f"Training the {part}, iteration {iteration}"
            if distributed.anyone(_is_stopped(reporter, spent, text)):
                keep(seconds)
                raise Cancelled
            batch = ahead.popleft().result()
            ahead.append(loader.submit(draw, iteration + n_loaders))
            torch.manual_seed((seed * 1_000_003 + iteration) * 1_009 + rank)
            rate = min(1.0, (iteration + 1) / max(recipe.warm_up, 1))
            rate *= 0.5 + 0.5 * math.cos(math.pi * spent)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * rate
            losses = losses_of(batch)
            values = torch.stack(list(losses.values()))
            optimiser.zero_grad(set_to_none=True)
            values.sum().backward()  # type: ignore[no-untyped-call]
            means = distributed.average_gradients(trained, statistics, values.detach()).tolist()
            if not math.isfinite(sum(means)):
                raise ModelError(
                    f"Training the {part} broke down at iteration {iteration}: "
                    "the loss is no longer a number."
                )
            if recipe.gradient_norm > 0:
                nn.utils.clip_grad_norm_(trained, recipe.gradient_norm, foreach=True)
            optimiser.step()
            _follow(followers, iteration, recipe.average_decay)
            iteration += 1
            n_summed += 1
            for name, value in zip(losses, means, strict=True):
                sums[name] += value
            now = time.perf_counter()
            seconds = distributed.first_says(before + now - start)
            if now - reported >= REPORT_SECONDS or budget.fraction(iteration, seconds) >= 1:
                shown = {name: value / n_summed for name, value in sums.items()}
                reporter.loss(iteration, shown, seconds, part)
                sums.clear()
                n_summed, reported = 0, now
            if now - stored >= CHECKPOINT_SECONDS:
                keep(seconds)
                stored = now
        for drawing in ahead:
            drawing.cancel()
    # What comes after may be killed too, and then this part is not trained again.
    keep(seconds)
    return average


def _restore(
    saved: Checkpoint,
    network: nn.Module,
    average: Mapping[str, Tensor],
    optimiser: torch.optim.Optimizer,
    part: str,
) -> None:
    try:
        network.load_state_dict(dict(saved.network))
        for name, value in average.items():
            value.copy_(saved.average[name])
        optimiser.load_state_dict(dict(saved.optimiser))
    except (RuntimeError, KeyError, ValueError) as error:
        raise ModelError(
            f"The checkpoint of the {part} is of another training (pipeline, preset or classes): "
            "resume with the options and data it was begun with."
        ) from error


@contextmanager
def _turns(seconds: float | None) -> Iterator[None]:
    """Let Python's threads take turns of so long meanwhile."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds or before)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _is_stopped(reporter: Reporter, spent: float, text: str) -> bool:
    """Report how far training is; whether the person asked to stop."""
    try:
        reporter.progress(spent, 1.0, text)
    except Cancelled:
        return True
    return False


def _optimiser(network: nn.Module, rate: float, recipe: Recipe) -> torch.optim.Optimizer:
    """Weight decay is for kernels and matrices, not for biases and norms."""
    trained = [p for p in network.parameters() if p.requires_grad]
    sgd = recipe.optimiser == "sgd"
    decay = SGD_WEIGHT_DECAY if sgd else WEIGHT_DECAY
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if sgd:
        return torch.optim.SGD(groups, lr=rate, momentum=SGD_MOMENTUM)
    return torch.optim.AdamW(groups, lr=rate, fused=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Followers:
    """The averaged weights beside those they follow, and counters, which are copied."""

    averages: list[Tensor]
    weights: list[Tensor]
    copies: list[tuple[Tensor, Tensor]]


def _followers(average: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> _Followers:
    """Pair the averages with a network's own memory, once: asking for it takes time."""
    pairs = [(average[name], value) for name, value in state.items()]
    floating = [(mean, value) for mean, value in pairs if value.is_floating_point()]
    return _Followers(
        [mean for mean, _ in floating],
        [value for _, value in floating],
        [(mean, value) for mean, value in pairs if not value.is_floating_point()],
    )


@torch.no_grad()
def _follow(followers: _Followers, iteration: int, decay: float) -> None:
    """Move the averaged weights toward the current ones, quickly at first."""
    decay = min(decay, (1 + iteration) / (10 + iteration))
    torch._foreach_lerp_(followers.averages, followers.weights, 1 - decay)
    for mean, value in followers.copies:
        mean.copy_(value)
