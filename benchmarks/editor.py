"""``python -m benchmarks.editor``: the real window on a large image with many objects.

Everything runs in processes of its own: the window's start, opening (several times), working in
the window, ten thousand undo steps, and the yardstick, which is the least that a viewer with
tiles, polygons and a brush can cost. Where a figure has many samples, the median and the 95th
percentile are printed, each against the same of the yardstick.

On a machine that does other things too, ``SEGINST_BENCH_CLOCK=cpu`` counts processor time: of the
window's thread for what a person waits for, of all threads for starting and opening.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.editor_scene import FULL, QUICK, make_project
from benchmarks.report import CLOCK_VARIABLE, Figure, figure, is_quick, show

Samples = dict[str, list[float]]
WORDS = "plain viewer: tiles, polygons, one painted array"
REPAINTS = "plain viewer: empties its painted array and repaints where it was"
START = """
{make}
window.resize(1600, 1000); window.show()
QApplication.processEvents()
import sys, time
ended, spent = time.monotonic(), time.process_time()
assert "torch" not in sys.modules
from benchmarks.report import peak_megabytes
print(ended, spent, peak_megabytes())
"""
OURS = """
from seginst_gui.app import build_window
window = build_window()
from PySide6.QtWidgets import QApplication
"""
BARE = """
import numpy, cv2
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([]); window = QMainWindow()
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Samples to print: the names of their median and 95th percentile, and what is compared.

    ``yardstick`` names the plain viewer's samples, and ``words`` what it does, if it is not alike.
    """

    samples: str
    median: str
    p95: str
    yardstick: str
    unit: str = "ms"
    words: str = WORDS


def _row(name: str, yardstick: str = "", words: str = WORDS) -> Row:
    return Row(name, f"{name}_median", f"{name}_p95", yardstick or name, words=words)


def _main(name: str, yardstick: str = "", unit: str = "ms", words: str = WORDS) -> Row:
    return Row(name, name, f"{name}_p95" if unit != "MB" else "", yardstick or name, unit, words)


ROWS = (
    _main("first_picture", unit="s"),
    _main("full_detail", unit="s"),
    _main("masks_painted", unit="s"),
    _main("longest_block", "full_detail", words="plain viewer: it opens without a thread"),
    _main("longest_block_image", "full_detail", words="plain viewer: it opens without a thread"),
    _main("open_rss", "peak_rss", "MB"),
    _main("peak_rss", unit="MB"),
    _row("pan_fit"),
    _row("pan_1to1"),
    _row("pan_4to1"),
    _row("brush5"),
    _row("brush50"),
    _row("brush200"),
    _row("brush5_wide", "brush5"),
    _row("brush50_wide", "brush50"),
    _row("brush200_wide", "brush200"),
    _row("stroke_end", "undo", REPAINTS),
    _row("stroke_end_wide", "undo", REPAINTS),
    _main("undo", words=REPAINTS),
    _main("edit_saved", words="plain viewer: writes all objects as one JSON file"),
    _row("select"),
    _row("hide_all"),
    _main("delete500"),
    _main("delete500_undo"),
    _main("next_image", words="plain viewer: decodes it then"),
    _main("undo_steps_rss", "undo_steps_rss", "MB", "every step's two masks as arrays in memory"),
    Row("undo_steps_edit", "undo_steps_edit", "", "undo", words=REPAINTS),
    _main("undo_deep", "undo", words=REPAINTS),
)


def main() -> None:
    """Print one figure a line."""
    quick = is_quick("The editor, against the least a viewer can cost.")
    with tempfile.TemporaryDirectory() as home:
        os.environ["SEGINST_HOME"] = os.environ["XDG_CONFIG_HOME"] = home
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        # An installation has its modules compiled.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for found in starting(1 if quick else 5):
            show(found)
        with tempfile.TemporaryDirectory() as folder:
            for found in editing(Path(folder), quick=quick):
                show(found)


def starting(n_runs: int) -> Iterator[Figure]:
    """From the start of the process to the first paint, and what memory that takes."""
    # The first of each leaves its modules compiled, as an installation does.
    _start(OURS), _start(BARE)
    ours = [_start(OURS) for _ in range(n_runs)]
    bare = [_start(BARE) for _ in range(n_runs)]
    words = "an empty Qt window with numpy and OpenCV"
    for name, pick in (("start_to_paint", statistics.median), ("start_to_paint_p95", _p95)):
        yield figure(name, pick([o[0] for o in ours]), "s", words, pick([b[0] for b in bare]))
    yield figure("start_rss", ours[0][1], "MB", words, bare[0][1])


def editing(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Open, look around, paint, undo, delete, go on; in the order of ROWS."""
    make_project(folder, QUICK if quick else FULL)
    flags = ["--quick"] if quick else []
    plain = _run("plain_viewer", str(folder), *flags)
    ours: Samples = {}
    for _ in range(1 if quick else 5):
        for name, samples in _run("editor_window", "opening", str(folder)).items():
            ours.setdefault(name, []).extend(samples)
    ours |= _run("editor_window", "working", str(folder))
    n_steps = 200 if quick else 10_000
    ours |= _run("editor_window", "undoing", str(folder), str(n_steps))
    # Two crops of 40 x 40 bool a step, and what numpy adds to each.
    plain["undo_steps_rss"] = [n_steps * 2 * (1600 + 128) / 1_048_576]
    for row in ROWS:
        scale = 1000.0 if row.unit == "ms" else 1.0
        for name, pick in ((row.median, statistics.median), (row.p95, _p95)):
            if name:
                value, theirs = pick(ours[row.samples]), pick(plain[row.yardstick])
                yield figure(name, scale * value, row.unit, row.words, scale * theirs)


def _p95(samples: list[float]) -> float:
    return float(np.percentile(samples, 95))


def _run(module: str, *words: str) -> Samples:
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: Samples = json.loads(done.stdout.splitlines()[-1])
    return found


def _start(make: str) -> tuple[float, float]:
    """Return the seconds from before the process begins to its first paint, and its megabytes."""
    command = [sys.executable, "-c", START.format(make=make)]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ended, spent, rss = map(float, done.stdout.split()[-3:])
    return (spent if os.environ.get(CLOCK_VARIABLE) == "cpu" else ended - began), rss


if __name__ == "__main__":
    main()
