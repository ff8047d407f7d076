"""A project with images that are done, the window on it, and a worker without torch."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

import seginst_core
from seginst_core.project import Edit, Project
from seginst_core.project.edits import add
from seginst_core.types import Box, Instance, Mask, Prediction
from seginst_gui.app import build_window
from seginst_gui.jobs.plan import FineTunePlan, write_jobs
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.main_window import MainWindow

from .fake_worker import make_model

WORKER = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
PATIENT_MS = 240_000
N_DONE = 6


def use_fake_worker(monkeypatch: pytest.MonkeyPatch, verdict: Path) -> None:
    """Let every worker of the window be the fake one."""
    monkeypatch.setitem(WorkerClient.__init__.__kwdefaults__, "command", WORKER)
    monkeypatch.setenv("FAKE_VERDICT", str(verdict))
    monkeypatch.setenv("PYTHONPATH", str(Path(seginst_core.__file__).parents[1]))


def say_verdict(path: Path, word: str, moved: list[dict[str, object]] | None = None) -> None:
    """Say what the next fine-tune's verdict is."""
    figures = {"segm_AP": 0.5, "bbox_AP": 0.5, "mean_iou": 0.8, "n_false": 2.0}
    path.write_text(
        json.dumps(
            {
                "word": word,
                "reason": f"It is {word}.",
                "n_images": 1,
                "n_objects": 2,
                "before": figures,
                "after": {**figures, "segm_AP": 0.6 if word == "better" else 0.4},
                "ci95": None,
                "moved": moved or [],
            }
        )
    )


def fill(folder: Path, n_done: int, n_objects: int = 2, name: str = "plane") -> None:
    """Give the first images some drawn objects each and mark them done; make the live models."""
    with Project.open(folder) as project:
        project.add_category(name)
        for entry in project.images()[:n_done]:
            document = project.document(entry.ref.id)
            made = [drawn(k, 15 * n) for n, k in enumerate(project.new_ids(n_objects))]
            project.commit(document, add(entry.ref.id, made, "Draw"))
            project.commit(document, Edit(entry.ref.id, (), "Done", state=("draft", "done")))
        for pipeline in ("two-stage", "end-to-end"):
            place = project.models_folder / f"first-{pipeline}"
            card = make_model(place, pipeline, 1, f"first {pipeline}")
            project.learning.go_live(pipeline, card.id, card.name, str(place), "The first.")


def drawn(number: int, x0: int) -> Instance:
    """A rectangle drawn by hand."""
    mask = Mask(x0, 30, np.ones((10, 12), bool))
    return Instance(number, 1, Box(x0, 30, x0 + 12, 40), mask)


def opened_window(folder: Path) -> MainWindow:
    """The window on a folder."""
    window = build_window(folder)
    window.resize(1300, 900)
    window.show()
    return window


def train(window: MainWindow, n_iterations: int, *pipelines: str) -> None:
    """Begin a fine-tune of live models."""
    models = dict(window.commands.models)
    names = pipelines or ("two-stage",)
    plan = FineTunePlan(names, models, iterations=n_iterations)
    window.trainer.start(lambda project: write_jobs(project, plan, models))


def button(window: MainWindow, name: str) -> QPushButton:
    """A button by its name."""
    found = window.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def wait(qtbot: QtBot, until: Callable[[], bool]) -> None:
    """Wait until something is so."""
    qtbot.waitUntil(until, timeout=PATIENT_MS)


def idle(window: MainWindow) -> Callable[[], bool]:
    """Ask whether nothing runs."""
    return lambda: not window.trainer.busy and not window.predictor.busy


def looked(window: MainWindow) -> dict[int, Prediction | None]:
    """What A shows in every image."""
    project = window.session.project
    assert project is not None
    ids = [entry.ref.id for entry in window.session.entries]
    return {k: project.prediction(k, "two-stage") for k in ids}


def human_work(window: MainWindow) -> list[object]:
    """What a person made in every image."""
    project = window.session.project
    assert project is not None
    return [project.annotation(entry.ref.id) for entry in window.session.entries]


def states(window: MainWindow) -> list[str]:
    """The states of all runs."""
    assert window.session.project is not None
    return [run.state for run in window.session.project.learning.runs()]


def live_name(window: MainWindow) -> str:
    """The name of the live two-stage model."""
    return window.commands.models["two-stage"].name
