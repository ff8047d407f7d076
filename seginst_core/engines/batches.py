"""As many inputs at once as memory allows, found out by trying."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from seginst_core.errors import is_out_of_memory

# Measured on CPUs: a tile of 800 px fills both cores alone, and two only outgrow the cache.
TILES_AT_ONCE: Mapping[str, int] = {"cpu": 1, "cuda": 16, "mps": 4}
# Measured: on a CPU 64 crops outgrow the cache and are half as fast as 4 or 8.
CROPS_AT_ONCE: Mapping[str, int] = {"cpu": 8, "cuda": 128, "mps": 32}

Input = TypeVar("Input")
Output = TypeVar("Output")


@dataclass(slots=True)
class Batches:
    """How many inputs are worked on at once; halved for good whenever memory runs out."""

    at_once: int

    def run(
        self,
        work: Callable[[Sequence[Input]], Sequence[Output]],
        inputs: Sequence[Input],
        log: Callable[[str], None],
    ) -> Iterator[Output]:
        """Yield what ``work`` makes of each input, in order; it gets equal-sized inputs.

        A batch for which memory runs out is tried again in halves, which ``log`` is told. What
        fails with a single input is raised.
        """
        done = 0
        while done < len(inputs):
            batch = inputs[done : done + self.at_once]
            outputs = self._tried(work, batch, log)
            if outputs is not None:
                yield from outputs
                done += len(batch)

    def _tried(
        self,
        work: Callable[[Sequence[Input]], Sequence[Output]],
        batch: Sequence[Input],
        log: Callable[[str], None],
    ) -> Sequence[Output] | None:
        try:
            return work(batch)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error) or len(batch) == 1:
                raise
        # Only here has the exception let go of the frames that hold the failed batch.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.at_once = len(batch) // 2
        log(f"Memory ran out with {len(batch)} at once; going on with {self.at_once}.")
        return None


def batches_for(device: torch.device, at_once: Mapping[str, int]) -> Batches:
    """Return the batch size to begin with on a kind of device."""
    return Batches(at_once.get(device.type, 1))
