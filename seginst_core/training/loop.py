"""The training loop: one, explicit, over a dict of losses, for every network there is."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from seginst_core.errors import Cancelled, ModelError
from seginst_core.events import Reporter
from seginst_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

WARM_UP_ITERATIONS = 30
WEIGHT_DECAY = 1e-2
GRADIENT_NORM = 5.0
AVERAGE_DECAY = 0.99
REPORT_SECONDS = 2.0
CHECKPOINT_SECONDS = 60.0

BatchT = TypeVar("BatchT")


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to train: so many iterations, or so many seconds; one of them is set."""

    iterations: int | None = None
    seconds: float | None = None

    def fraction(self, iteration: int, seconds: float) -> float:
        """Return how much of the budget is spent, 0..1."""
        if self.iterations is not None:
            return iteration / max(self.iterations, 1)
        return seconds / max(self.seconds or 0.0, 1e-9)


def fit(
    network: nn.Module,
    losses_of: Callable[[BatchT], Mapping[str, Tensor]],
    batch_at: Callable[[np.random.Generator], BatchT],
    *,
    budget: Budget,
    learning_rate: float,
    seed: int,
    part: str,
    reporter: Reporter,
    checkpoint: Path | None = None,
) -> dict[str, Tensor]:
    """Train ``network`` in place and return its averaged weights.

    AdamW with warm-up and a cosine to zero over the budget; gradients are clipped and the weights
    averaged exponentially. The batch of iteration ``i`` depends on ``(seed, part, i)`` alone, so a
    resumed run sees the data it would have seen. With ``checkpoint`` the state is written there
    every minute and when cancelled, and read from there at the start.

    ModelError if the loss stops being a number.
    """
    optimiser = torch.optim.AdamW(_groups(network), lr=learning_rate)
    average = {k: v.detach().clone() for k, v in network.state_dict().items()}
    iteration, before = 0, 0.0
    saved = load_checkpoint(checkpoint) if checkpoint else None
    if saved is not None:
        network.load_state_dict(dict(saved.network))
        average = {k: v.to(average[k].device) for k, v in saved.average.items()}
        optimiser.load_state_dict(dict(saved.optimiser))
        iteration, before = saved.iteration, saved.seconds
        reporter.log(f"Training goes on from iteration {iteration}.")

    def draw(index: int) -> BatchT:
        return batch_at(np.random.default_rng([seed, *part.encode(), index]))

    def state(seconds: float) -> Checkpoint:
        return Checkpoint(
            iteration, seconds, network.state_dict(), average, optimiser.state_dict()
        )

    network.train()
    start = reported = stored = time.perf_counter()
    sums: dict[str, float] = defaultdict(float)
    n_summed = 0
    seconds = before
    with ThreadPoolExecutor(1) as loader:
        ahead = loader.submit(draw, iteration)
        while (spent := budget.fraction(iteration, seconds)) < 1:
            try:
                reporter.progress(spent, 1.0, f"Training the {part}, iteration {iteration}")
            except Cancelled:
                if checkpoint:
                    save_checkpoint(checkpoint, state(seconds))
                raise
            batch = ahead.result()
            ahead = loader.submit(draw, iteration + 1)
            torch.manual_seed(seed * 1_000_003 + iteration)
            rate = min(1.0, (iteration + 1) / WARM_UP_ITERATIONS)
            rate *= 0.5 + 0.5 * math.cos(math.pi * spent)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * rate
            losses = losses_of(batch)
            total = torch.stack(list(losses.values())).sum()
            if not torch.isfinite(total):
                raise ModelError(
                    f"Training the {part} broke down at iteration {iteration}: "
                    "the loss is no longer a number."
                )
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
            optimiser.step()
            _blend(average, network.state_dict(), iteration)
            iteration += 1
            n_summed += 1
            for name, value in losses.items():
                sums[name] += float(value.detach())
            now = time.perf_counter()
            seconds = before + now - start
            if now - reported >= REPORT_SECONDS or budget.fraction(iteration, seconds) >= 1:
                means = {name: value / n_summed for name, value in sums.items()}
                reporter.loss(iteration, means, seconds, part)
                sums.clear()
                n_summed, reported = 0, now
            if checkpoint and now - stored >= CHECKPOINT_SECONDS:
                save_checkpoint(checkpoint, state(seconds))
                stored = now
    return average


def _groups(network: nn.Module) -> list[dict[str, object]]:
    """Split parameters: weight decay for kernels and matrices, none for biases and norms."""
    trained = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


@torch.no_grad()
def _blend(average: dict[str, Tensor], state: Mapping[str, Tensor], iteration: int) -> None:
    """Move the averaged weights toward the current ones, quickly at first."""
    decay = min(AVERAGE_DECAY, (1 + iteration) / (10 + iteration))
    for name, value in state.items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
