"""How often a second something is done on a device that works while the program goes on."""

import time
from collections.abc import Callable

import torch

from benchmarks.report import Figure
from seginst_core.engines.device import has_fast_bfloat16


def per_second(work: Callable[[], object], device: torch.device, *, least: float) -> float:
    """Return how often ``work`` is done a second, over ``least`` seconds at least.

    Two runs before that do not count: they choose algorithms and allocate.
    """
    for _ in range(2 if least else 0):
        work()
    wait(device)
    began, n_runs = time.perf_counter(), 0
    while not n_runs or time.perf_counter() - began < least:
        work()
        wait(device)
        n_runs += 1
    return n_runs / (time.perf_counter() - began)


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def rate(name: str, value: float, unit: str, yardstick: str, against: float | None) -> Figure:
    """Make the figure of a value where more is better."""
    words = yardstick if against is None else f"{yardstick}: {against:.1f}"
    return Figure(name, round(value, 2), unit, words, against and round(value / against, 3))


def precisions(device: torch.device, quick: bool) -> tuple[bool, ...]:
    """Return whether to run in bfloat16: without and, where that is fast, with."""
    return (False, True) if has_fast_bfloat16(device) and not quick else (False,)


def word(bfloat16: bool) -> str:
    """Name a number format."""
    return "bfloat16" if bfloat16 else "float32"
