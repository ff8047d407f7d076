"""The worker protocol, over real pipes and processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from seginst_core.errors import ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.worker import serve

ROOT = Path(__file__).parents[2]


def count(params: Mapping[str, JsonValue], reporter: Reporter) -> Mapping[str, JsonValue]:
    total = int(str(params["to"]))
    for done in range(total):
        reporter.progress(done, total)
    return {"counted": total}


def fail(params: Mapping[str, JsonValue], reporter: Reporter) -> Mapping[str, JsonValue]:
    raise {
        "user": ModelError("This model is not one."),
        "memory": RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        "bug": KeyError("oops"),
    }[str(params["how"])]


def wait(params: Mapping[str, JsonValue], reporter: Reporter) -> Mapping[str, JsonValue]:
    reporter.log("waiting")
    assert reporter.stop.wait(30)
    reporter.check()
    return {}


JOBS = {"count": count, "fail": fail, "wait": wait}
NO_DEVICE = {"device": "none", "device_name": "no device"}


class Talk:
    """A worker's loop in a thread, with real pipes."""

    def __init__(self) -> None:
        their_in, my_out = os.pipe()
        my_in, their_out = os.pipe()
        self.to = os.fdopen(my_out, "wb", buffering=0)
        self.back = os.fdopen(my_in, "rb")
        self.source, self.sink = os.fdopen(their_in, "rb"), os.fdopen(their_out, "wb")
        self.thread = threading.Thread(
            target=serve, args=(self.source, self.sink, JOBS, lambda: NO_DEVICE)
        )
        self.thread.start()

    def say(self, message: Mapping[str, JsonValue]) -> None:
        self.to.write(orjson.dumps(message) + b"\n")

    def hear(self) -> dict[str, JsonValue]:
        return dict(orjson.loads(self.back.readline()))

    def last_of(self, job_id: str) -> dict[str, JsonValue]:
        while True:
            event = self.hear()
            if event.get("id") == job_id and event["event"] in ("done", "failed", "cancelled"):
                return event


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Talk]:
    monkeypatch.setenv("SEGINST_HOME", str(tmp_path / "home"))
    talk = Talk()
    assert talk.hear()["event"] == "ready"
    yield talk
    talk.to.close()
    talk.thread.join(30)
    assert not talk.thread.is_alive()
    for stream in (talk.sink, talk.back, talk.source):
        stream.close()


def test_a_job_reports_its_progress_and_then_its_result(talk: Talk) -> None:
    talk.say({"id": "1", "job": "count", "params": {"to": 3}})
    events = [talk.hear() for _ in range(4)]
    assert [e["event"] for e in events] == ["progress", "progress", "progress", "done"]
    assert {e["id"] for e in events} == {"1"}
    assert events[-1]["result"] == {"counted": 3}


def test_jobs_run_in_the_order_asked(talk: Talk) -> None:
    for number in range(5):
        talk.say({"id": str(number), "job": "count", "params": {"to": 0}})
    assert [talk.hear()["id"] for _ in range(5)] == ["0", "1", "2", "3", "4"]


def test_cancelling_stops_the_running_job_and_the_next_one_runs(talk: Talk) -> None:
    talk.say({"id": "1", "job": "wait", "params": {}})
    talk.say({"id": "2", "job": "count", "params": {"to": 1}})
    assert talk.hear() == {"event": "log", "text": "waiting", "id": "1"}
    talk.say({"cancel": "1"})
    assert talk.hear() == {"event": "cancelled", "id": "1"}
    assert talk.last_of("2")["event"] == "done"


def test_a_waiting_job_can_be_cancelled_before_it_starts(talk: Talk) -> None:
    talk.say({"id": "1", "job": "wait", "params": {}})
    talk.say({"id": "2", "job": "count", "params": {"to": 1}})
    talk.say({"cancel": "2"})
    talk.say({"cancel": "1"})
    assert talk.last_of("1")["event"] == "cancelled"
    assert talk.hear() == {"event": "cancelled", "id": "2"}


def test_failures_are_one_sentence_each_and_the_worker_goes_on(talk: Talk) -> None:
    messages = {}
    for how in ("user", "memory", "bug"):
        talk.say({"id": how, "job": "fail", "params": {"how": how}})
        messages[how] = str(talk.last_of(how)["message"])
    assert messages["user"] == "This model is not one."
    assert "memory ran out" in messages["memory"]
    log = Path(messages["bug"].partition("details are in ")[2].removesuffix("."))
    assert "KeyError: 'oops'" in log.read_text()
    talk.say({"id": "x", "job": "dance", "params": {}})
    assert "dance" in str(talk.last_of("x")["message"])


def test_a_line_that_is_no_request_is_answered(talk: Talk) -> None:
    for line in (b"hello\n", b"[1]\n", b'"7"\n', b'{"id": "1"}\n', b'{"cancel": ["1"]}\n'):
        talk.to.write(line)
        assert talk.hear()["event"] == "failed"
    talk.say({"id": "1", "job": "count", "params": {"to": 0}})
    assert talk.last_of("1")["event"] == "done"


def test_the_end_of_the_input_cancels_what_runs_and_quits(talk: Talk) -> None:
    talk.say({"id": "1", "job": "wait", "params": {}})
    talk.hear()
    talk.to.close()
    assert talk.hear() == {"event": "cancelled", "id": "1"}
    talk.thread.join(30)
    assert not talk.thread.is_alive()


NOISY = """
import os, sys
import seginst_core.worker as worker
def noisy(params, reporter):
    print("a library's print")
    os.write(1, b"a C library's print\\n")
    return {"fine": True}
def stuck(params, reporter):
    reporter.log("stuck")
    import threading
    threading.Event().wait()
worker.JOBS = {"noisy": noisy, "stuck": stuck}
worker.QUIT_SECONDS = 0.2
worker.describe = lambda: {"device": "none", "device_name": "no device"}
worker.main()
"""


@contextmanager
def process() -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", NOISY]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_prints_of_libraries_do_not_reach_the_protocol() -> None:
    with process() as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b'{"id": "1", "job": "noisy", "params": {}}\n')
        running.stdin.flush()
        lines = [running.stdout.readline() for _ in range(2)]
        out, errors = running.communicate(timeout=60)
    events = [orjson.loads(line) for line in lines]
    assert [e["event"] for e in events] == ["ready", "done"]
    assert out == b""
    assert b"a library's print" in errors
    assert b"a C library's print" in errors
    assert running.returncode == 0


def test_a_job_that_never_looks_does_not_outlive_its_window() -> None:
    with process() as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b'{"id": "1", "job": "stuck", "params": {}}\n')
        running.stdin.flush()
        assert [running.stdout.readline() != b"" for _ in range(2)] == [True, True]
        running.stdin.close()
        running.stdin = None
        assert running.wait(timeout=60) == 1


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_an_interrupt_ends_an_idle_worker_quietly() -> None:
    with process() as running:
        assert running.stdout
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert b"Traceback" not in errors
    assert b"Fatal" not in errors
