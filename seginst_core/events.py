"""What a job reports while it runs, and how it is asked to stop.

A job gets a ``Reporter``; the worker writes its events as JSON lines, the command line draws
a progress bar, a test appends them to a list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import TypeAlias

from seginst_core.errors import Cancelled

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | Mapping[str, JsonValue] | None"
Event: TypeAlias = Mapping[str, JsonValue]
"""``{"event": "progress" | "loss" | "log" | "prediction" | ..., ...}``."""


def _ignore(event: Event) -> None:
    del event


@dataclass(frozen=True, slots=True)
class Reporter:
    """A job's two wires: events go out by ``send``, a wish to stop comes in by ``stop``."""

    send: Callable[[Event], None] = _ignore
    stop: Flag = field(default_factory=Flag)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Report ``done`` of ``total`` and raise Cancelled if the person asked to stop."""
        self.check()
        self.send({"event": "progress", "done": done, "total": total, "text": text})

    def log(self, text: str) -> None:
        """Report one sentence worth showing."""
        self.send({"event": "log", "text": text})

    def loss(self, iteration: int, losses: Mapping[str, float], seconds: float, part: str) -> None:
        """Report mean losses since the last report; ``part`` names the network being trained."""
        self.send(
            {
                "event": "loss",
                "iteration": iteration,
                "losses": dict(losses),
                "seconds": seconds,
                "part": part,
            }
        )

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self.stop.is_set():
            raise Cancelled
