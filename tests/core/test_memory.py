"""Freed memory stays with the process that predicts, up to a limit, so that it is not cleared."""

import platform
import subprocess
import sys

import pytest

from seginst_core import memory, worker
from seginst_core.cli import app as cli

HELD = """
import sys
from pathlib import Path
import numpy as np
from seginst_core.memory import give_back_freed_memory, keep_freed_memory
def held():
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in status if x.startswith("VmRSS")).split()[1]) / 1024
def after(megabytes):
    np.ones(megabytes << 20, np.uint8)
    return held() - before
before = held()
figures = [after(100)]
assert keep_freed_memory()
figures += [after(100), after(700)]
after(100)
assert give_back_freed_memory()
print(*figures, held() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not sys.platform.startswith("linux"),
    reason="another C library",
)
def test_what_is_freed_stays_up_to_a_limit_until_it_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    freed, kept, much, given_back = map(float, done.stdout.split())
    assert freed < 10
    assert 90 < kept < 110
    assert much < 530
    assert given_back < 10


def test_elsewhere_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(memory, "ctypes", None)
    assert not memory.keep_freed_memory()
    assert not memory.give_back_freed_memory()


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
