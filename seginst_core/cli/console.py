"""What the command line shows: sentences and bars on stderr, results on stdout, exit codes."""

import functools
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Flag
from types import FrameType
from typing import ParamSpec

import orjson
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from seginst_core.errors import Cancelled
from seginst_core.events import Event, JsonValue, Reporter

INTERRUPTED = 130
PLAIN_LINE_SECONDS = 15.0

P = ParamSpec("P")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command end as promised: 1 and a sentence if it failed, 130 if it was interrupted."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except (KeyboardInterrupt, Cancelled):
            say("Interrupted; nothing half-written was left.")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output has gone, as in `seginst models | head -1`.
            _drop_stdout()
            raise typer.Exit(1) from None
        except Exception as error:
            from seginst_core.failures import sentence

            say(sentence(error))
            raise typer.Exit(1) from None

    return run


def take_any_text() -> None:
    """Have stdout and stderr escape the letters that their encoding lacks: Windows has many."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Show one sentence on stderr, on one line however long it is."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)


def show_json(value: JsonValue) -> None:
    """Print a result as indented JSON on stdout."""
    typer.echo(_ascii_json(value, indent=2))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    # A pipe has no width of its own; the default of 80 columns would fold every line.
    Console(width=None if sys.stdout.isatty() else 200, markup=False).print(table)


def show_facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values on stdout, one a line."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:<{width}}  {value}")


def _ascii_json(value: JsonValue, indent: int | None = None) -> str:
    """Return JSON in ASCII, which is the same in whatever encoding stdout has."""
    # It has null for NaN and takes numpy's numbers, but no path that is not Unicode text.
    with suppress(orjson.JSONEncodeError):
        value = orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    return json.dumps(value, indent=indent)


@contextmanager
def json_lines() -> Iterator[Reporter]:
    """Give a reporter that prints events as JSON lines on stdout; Ctrl-C asks the job to stop."""

    def send(event: Event) -> None:
        typer.echo(_ascii_json(event))

    with _stoppable() as stop:
        yield Reporter(send, stop)


@contextmanager
def progress_bar(title: str) -> Iterator[Reporter]:
    """Give a reporter that draws a bar on stderr; Ctrl-C asks the job to stop, twice ends it.

    Where stderr is no terminal, a plain line every fifteen seconds takes the bar's place.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task(title, total=None)
    losses = ""
    said = time.monotonic()

    def send(event: Event) -> None:
        nonlocal losses, said
        kind = event.get("event")
        if kind == "log":
            bar.console.print(str(event["text"]), markup=False)
        elif kind == "loss":
            losses = loss_text(event)
        elif kind == "progress":
            done, total = event["done"], event["total"]
            if not isinstance(done, int | float) or not isinstance(total, int | float):
                return
            text = str(event.get("text") or title) + losses
            if bar.tasks[0].completed > done:
                bar.reset(task)
            bar.update(task, completed=done, total=total, description=text)
            if not console.is_terminal and time.monotonic() - said >= PLAIN_LINE_SECONDS:
                said = time.monotonic()
                console.print(f"{text} ({done / total:.0%})" if total else text, markup=False)

    with _stoppable() as stop, bar:
        yield Reporter(send, stop)


def loss_text(event: Event) -> str:
    """Return a loss event's total as `, loss 0.123`; nothing if it holds no numbers."""
    losses = event.get("losses")
    if not isinstance(losses, dict):
        return ""
    numbers = [value for value in losses.values() if isinstance(value, int | float)]
    return f", loss {sum(numbers):.3f}" if numbers else ""


@contextmanager
def _stoppable() -> Iterator[Flag]:
    """Give a flag that the first Ctrl-C or SIGTERM sets, so that a job can leave its checkpoint."""
    stop = Flag()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(OSError):
            os.write(2, b"\nStopping; press Ctrl-C again to stop at once.\n")

    before = {one: signal.signal(one, on_interrupt) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _drop_stdout() -> None:
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
