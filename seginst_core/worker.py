"""A process that runs jobs: JSON lines in on stdin, JSON lines out on stdout.

In: ``{"id": "7", "job": "predict", "params": {...}}`` or ``{"cancel": "7"}``; the end of the
input cancels what is left and quits. Out: ``{"event": "ready", ...}`` once torch is there, then a
job's events, each with its ``id``, the last one being ``done``, ``failed`` or ``cancelled``.
Jobs run one after another.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from seginst_core import __version__
from seginst_core.errors import Cancelled
from seginst_core.events import Event, JsonValue, Reporter
from seginst_core.failures import sentence
from seginst_core.jobs import JOBS, Job
from seginst_core.memory import keep_freed_memory

QUIT_SECONDS = 10.0
NICENESS = 5


@dataclass(frozen=True, slots=True)
class _Request:
    id: str
    job: str
    params: Mapping[str, JsonValue]
    stop: threading.Event


@dataclass(slots=True)
class _Inbox:
    """What the reading thread has taken in: waiting requests and the flags that stop them."""

    requests: "queue.SimpleQueue[_Request | None]" = field(default_factory=queue.SimpleQueue)
    flags: dict[str, threading.Event] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Serve the process's own stdin and stdout until the input ends."""
    out = _claim_stdout()
    if hasattr(os, "nice"):
        # Training fills every core; the window that started it must still answer at once.
        os.nice(NICENESS)
    keep_freed_memory()
    # Not sys.stdin: the interpreter aborts at its end if a thread still reads from that.
    with suppress(KeyboardInterrupt), open(0, "rb", closefd=False) as source:
        serve(source, out, JOBS, describe, _end_soon)


def describe() -> dict[str, JsonValue]:
    """Import torch and name the device that ``auto`` stands for."""
    from seginst_core.engines.device import describe_device, pick_device

    device = pick_device("auto")
    return {"device": device.type, "device_name": describe_device(device)}


def serve(
    source: BinaryIO,
    sink: BinaryIO,
    jobs: Mapping[str, Job],
    describe: Callable[[], Mapping[str, JsonValue]],
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Run the jobs that ``source`` asks for, one after another, until it ends.

    ``on_end`` is called when it has ended, which may be before the running job has.
    """
    lock = threading.Lock()

    def send(event: Event) -> None:
        line = orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n"
        with lock:
            sink.write(line)
            sink.flush()

    inbox = _Inbox()
    threading.Thread(target=_read, args=(source, inbox, send, on_end), daemon=True).start()
    try:
        send({"event": "ready", "version": __version__, **describe()})
        while (request := inbox.requests.get()) is not None:
            send({**_outcome(request, jobs, send), "id": request.id})
            with inbox.lock:
                inbox.flags.pop(request.id, None)
    except BrokenPipeError:
        return


def _outcome(
    request: _Request, jobs: Mapping[str, Job], send: Callable[[Event], None]
) -> dict[str, JsonValue]:
    """Run one job and return its last event."""
    reporter = Reporter(lambda event: send({**event, "id": request.id}), request.stop)
    job = jobs.get(request.job)
    if job is None:
        return {"event": "failed", "message": f"The worker knows no job named {request.job!r}."}
    try:
        reporter.check()
        result = job(request.params, reporter)
    except Cancelled:
        return {"event": "cancelled"}
    except BrokenPipeError:
        raise
    except Exception as error:
        return {"event": "failed", "message": sentence(error)}
    return {"event": "done", "result": result}


def _read(
    source: BinaryIO, inbox: _Inbox, send: Callable[[Event], None], on_end: Callable[[], None]
) -> None:
    """Take in requests until the input ends, then ask every job to stop."""
    for line in source:
        if line.strip():
            _take(line, inbox, send)
    inbox.requests.put(None)
    with inbox.lock:
        for flag in inbox.flags.values():
            flag.set()
    on_end()


def _end_soon() -> None:
    """End this process: a job that does not look at its flag must not run on for hours."""
    timer = threading.Timer(QUIT_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _take(line: bytes, inbox: _Inbox, send: Callable[[Event], None]) -> None:
    try:
        message = orjson.loads(line)
        if "cancel" in message:
            with inbox.lock:
                flag = inbox.flags.get(message["cancel"])
            if flag is not None:
                flag.set()
            return
        request = _Request(
            str(message["id"]), message["job"], dict(message["params"]), threading.Event()
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        send(
            {"id": None, "event": "failed", "message": "The worker got a line that is no request."}
        )
        return
    with inbox.lock:
        inbox.flags[request.id] = request.stop
    inbox.requests.put(request)


def _claim_stdout() -> BinaryIO:
    """Keep stdout for events alone: what libraries print goes to stderr, C code's prints too."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(own, "wb")


if __name__ == "__main__":
    main()
