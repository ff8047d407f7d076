"""What every test stands on: no display, nobody's own settings, and real data if there is any."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Read by Qt when it is first imported, so it is set before any test module is.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Read by torch likewise: threads that spin while they wait make a busy machine many times as slow.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Side by side, each process computes on its share of the cores: on all of them in each, the small
# networks of the tests take more than twice as long.
_N_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
_N_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max((_N_CORES or 1) // _N_PROCESSES, 1)))

# How long an example takes says more about the machine than about the code. The examples are the
# same in every run, so that a change is judged by its own effect; `--hypothesis-profile=explore`
# looks at new ones.
settings.register_profile(
    "same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: at the end, one process would wait for the other."""
    long = ("tests/test_benchmarks.py", "tests/e2e/", "tests/core/test_training")
    items.sort(key=lambda item: not any(part in item.nodeid for part in long))


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the models, settings and caches of whoever runs the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SEGINST_HOME", str(home / "seginst"))
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QSettings

        # Qt reads the variable only once in a process.
        ini, user = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        QSettings.setPath(ini, user, str(home / "config"))
    return home


@pytest.fixture
def data() -> Path:
    """The folder of real data sets; a test that asks for it is skipped where there is none."""
    folder = os.environ.get("SEGINST_DATA")
    if not folder:
        pytest.skip("SEGINST_DATA is not set")
    return Path(folder)
