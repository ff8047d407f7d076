"""One figure, its yardstick, and how both are taken."""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from seginst_core.memory import keep_freed_memory, set_malloc

CLOCK_VARIABLE = "SEGINST_BENCH_CLOCK"
"""Set to ``cpu``, processor time is counted in place of the clock, here and in processes begun."""
_BY_CPU = os.environ.get(CLOCK_VARIABLE) == "cpu"
clock = time.thread_time if _BY_CPU else time.perf_counter
"""The seconds of what one thread does: what a person waits for where nothing else is running."""
clock_of_all = time.process_time if _BY_CPU else time.perf_counter
"""The same for what several threads do; their processor time is added up."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value; ``ratio`` is how many times better it is than the yardstick.

    ``yardstick`` says in words what it was measured against in the same run.
    """

    name: str
    value: float
    unit: str
    yardstick: str
    ratio: float | None


def figure(name: str, value: float, unit: str, yardstick: str, against: float) -> Figure:
    """Make the figure of a value where less is better, and of what it was measured against."""
    return Figure(name, round(value, 4), unit, yardstick, round(against / max(value, 1e-9), 3))


def show(found: Figure) -> None:
    """Print a figure as one line of JSON."""
    print(json.dumps(asdict(found)), flush=True)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a command line asked for: small inputs, certain figures only (all if none is named).

    ``clock`` is the wall's, or the processor time of this process: on a machine that does other
    work as well only the latter says what a piece of code costs.
    """

    quick: bool
    only: tuple[str, ...]
    clock: Callable[[], float]


def choices(description: str, names: Iterable[str]) -> Choices:
    """Read ``--quick``, ``--cpu-time`` and ``--only``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small inputs, each measured once")
    if known := list(names):
        parser.add_argument("--only", nargs="+", choices=known, default=[])
    parser.add_argument(
        "--cpu-time", action="store_true", help="processor time, for a machine that is not idle"
    )
    given = parser.parse_args()
    clock = time.process_time if given.cpu_time else time.perf_counter
    return Choices(given.quick, tuple(getattr(given, "only", ())), clock)


def is_quick(description: str) -> bool:
    """Read the command line, which knows one option: ``--quick``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small inputs, each measured once")
    return bool(parser.parse_args().quick)


def seconds(
    work: Callable[[], object], n_runs: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median time of ``work`` after one run that does not count."""
    if n_runs > 1:
        work()
    taken = []
    for _ in range(n_runs):
        began = clock()
        work()
        taken.append(clock() - began)
    return statistics.median(taken)


def seconds_in_turns(
    works: Mapping[str, Callable[[], object]],
    n_runs: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median time of each of several works, done in turns as a machine's speed drifts.

    One round more comes first and does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(n_runs + (n_runs > 1)):
        for name, work in works.items():
            began = clock()
            work()
            if turn or n_runs == 1:
                taken[name].append(clock() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


@contextmanager
def memory_as_it_comes() -> Iterator[None]:
    """Have the yardstick's memory handled as glibc does by itself, at the most it keeps then."""
    set_malloc(mapped_from=32 << 20, kept=64 << 20)
    try:
        yield
    finally:
        keep_freed_memory()


def peak_megabytes() -> float:
    """Return the most memory this process has held so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: that includes what the parent held when this process was started.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1_048_576
