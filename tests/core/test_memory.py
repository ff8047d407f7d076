"""Freed memory stays with the process that predicts, up to a limit, so that it is not cleared."""

import platform
import subprocess
import sys

import pytest

from seginst_core import memory, worker
from seginst_core.cli import app as cli

FAULTS = """
import resource
import numpy as np
from seginst_core.memory import keep_freed_memory
def faults(megabytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(megabytes << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
freed = faults(100)
assert keep_freed_memory()
first = faults(100)
print(freed, first, faults(100))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_is_freed_is_not_cleared_again() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    freed, first, again = map(int, done.stdout.split())
    assert first < freed / 3, "it is cleared once instead of five times"
    assert again < freed / 20


def test_elsewhere_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(memory, "ctypes", None)
    assert not memory.keep_freed_memory()


def test_the_commands_and_the_worker_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(cli, "keep_freed_memory", lambda: asked.append("commands"))
    monkeypatch.setattr(cli, "app", lambda: asked.append("run"))
    cli.main()
    monkeypatch.setattr(worker, "keep_freed_memory", lambda: asked.append("worker"))
    monkeypatch.setattr(worker, "serve", lambda *_: asked.append("serve"))
    monkeypatch.setattr(worker, "_claim_stdout", lambda: None)
    monkeypatch.setattr(worker, "NICENESS", 0)
    worker.main()
    assert asked == ["commands", "run", "worker", "serve"]
