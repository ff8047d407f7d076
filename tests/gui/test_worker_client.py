"""The window's end of the worker, against real processes."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from seginst_core.library import LibraryModel
from seginst_core.masks import rle
from seginst_core.project import predictions
from seginst_core.types import Mask, Prediction
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.jobs.results import prediction_from_event
from seginst_gui.jobs.worker import WorkerClient
from seginst_gui.session import Session

from .fake_worker import make_model

SERVER = """
import os, signal
import seginst_core.worker as worker
from seginst_core.errors import ModelError
def count(params, reporter):
    for done in range(params["to"]):
        reporter.progress(done, params["to"])
    return {"counted": params["to"], "pid": os.getpid()}
def wait(params, reporter):
    reporter.log("waiting")
    reporter.stop.wait()
    reporter.check()
def refuse(params, reporter):
    raise ModelError("This model is not one.")
def die(params, reporter):
    os.kill(os.getpid(), getattr(signal, params["signal"]))
worker.JOBS = {"count": count, "wait": wait, "refuse": refuse, "die": die}
worker.describe = lambda: {"device": "cpu", "device_name": "CPU of a test"}
worker.main()
"""


@pytest.fixture
def make_client(qtbot: QtBot) -> Iterator[Callable[..., WorkerClient]]:
    clients: list[WorkerClient] = []

    def make(*command: str) -> WorkerClient:
        client = WorkerClient(command=command or (sys.executable, "-P", "-c", SERVER))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.stop()


def test_a_worker_names_its_device_before_any_job(qtbot: QtBot, make_client) -> None:
    client = make_client()
    with qtbot.waitSignal(client.ready, timeout=60_000) as ready:
        client.start()
    assert ready.args == ["cpu", "CPU of a test"]
    assert client.device_name == "CPU of a test"
    assert not client.busy


def test_a_job_sends_its_events_and_its_result(qtbot: QtBot, make_client) -> None:
    client = make_client()
    events: list[tuple[str, dict[str, object]]] = []
    client.event.connect(lambda job, event: events.append((job, event)))
    with qtbot.waitSignal(client.finished, timeout=60_000) as finished:
        job = client.submit("count", {"to": 3})
        assert client.busy
    assert finished.args[0] == job
    assert finished.args[1]["counted"] == 3
    assert [(i, e["done"]) for i, e in events] == [(job, 0), (job, 1), (job, 2)]
    assert not client.busy


def test_cancelling_stops_a_job(qtbot: QtBot, make_client) -> None:
    client = make_client()
    with qtbot.waitSignal(client.event, timeout=60_000):
        job = client.submit("wait", {})
    with qtbot.waitSignal(client.cancelled, timeout=60_000) as cancelled:
        client.cancel(job)
    assert cancelled.args == [job]
    client.cancel(job)
    client.cancel("never submitted")


def test_a_failed_job_brings_its_sentence(qtbot: QtBot, make_client) -> None:
    client = make_client()
    with qtbot.waitSignal(client.failed, timeout=60_000) as failed:
        job = client.submit("refuse", {})
    assert failed.args == [job, "This model is not one."]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("signal", "words"), [("SIGKILL", "out of memory"), ("SIGABRT", "crashed")]
)
def test_a_dead_worker_fails_its_jobs_and_the_next_job_gets_a_new_one(
    qtbot: QtBot, make_client, signal: str, words: str
) -> None:
    client = make_client()
    with qtbot.waitSignal(client.finished, timeout=60_000) as first:
        client.submit("count", {"to": 0})
    failures: list[str] = []
    client.failed.connect(lambda job, sentence: failures.append(job))
    with qtbot.waitSignal(client.died, timeout=60_000) as died:
        jobs = [client.submit("die", {"signal": signal}), client.submit("count", {"to": 1})]
    assert words in died.args[0]
    assert failures == jobs
    assert not client.running
    with qtbot.waitSignal(client.finished, timeout=60_000) as second:
        client.submit("count", {"to": 0})
    assert first.args[1]["pid"] != second.args[1]["pid"]


def test_a_worker_that_cannot_start_says_why(qtbot: QtBot, make_client) -> None:
    client = make_client("/nowhere/at/all")
    with qtbot.waitSignals([client.failed, client.died], timeout=60_000):
        client.submit("count", {"to": 1})
    assert not client.busy


def test_a_worker_that_stops_by_itself_is_reported_with_its_last_words(
    qtbot: QtBot, make_client
) -> None:
    script = "import sys; print('no torch here', file=sys.stderr); sys.exit(3)"
    client = make_client(sys.executable, "-c", script)
    with qtbot.waitSignal(client.died, timeout=60_000) as died:
        client.submit("count", {"to": 1})
    assert "exit code 3" in died.args[0]
    assert "no torch here" in died.args[0]


def test_stopping_ends_the_process_without_a_word(qtbot: QtBot, make_client) -> None:
    client = make_client()
    with qtbot.waitSignal(client.event, timeout=60_000):
        client.submit("wait", {})
    with qtbot.assertNotEmitted(client.died), qtbot.assertNotEmitted(client.failed):
        client.stop()
    assert not client.running
    assert not client.busy


def test_a_file_in_the_current_folder_cannot_pose_as_a_module(
    qtbot: QtBot, make_client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orjson.py").write_text("raise SystemExit('the wrong orjson')")
    monkeypatch.chdir(tmp_path)
    client = make_client()
    with qtbot.waitSignal(client.ready, timeout=60_000):
        client.start()


def test_a_prediction_event_becomes_a_prediction_in_the_projects_categories() -> None:
    mask = Mask(3, 2, np.array([[True, False], [True, True]]))
    row = {"image_id": 7, "category_id": 1, "category": "plane", "bbox": [3.0, 2.0, 2.0, 2.0]}
    event = {
        "event": "prediction",
        "image_id": 7,
        "model": "abc",
        "model_name": "planes",
        "pipeline": "two-stage",
        "seconds": 0.5,
        "width": 20,
        "height": 10,
        "categories": [{"id": 1, "name": "plane"}],
        "instances": [
            {**row, "score": 0.9, "segmentation": rle.encode(mask, 20, 10)},
            {**row, "category": "ship", "score": 0.8, "segmentation": None},
        ],
    }
    prediction = prediction_from_event(event, {"plane": 4})
    assert (prediction.image_id, prediction.model, prediction.pipeline) == (7, "abc", "two-stage")
    (instance,) = prediction.instances
    assert instance.mask == mask
    assert (instance.category_id, instance.score) == (4, 0.9)
    assert (instance.box.x1, instance.box.y1) == (5.0, 4.0)
    assert instance.origin.model == "abc"
    with pytest.raises(ValueError, match="pipeline"):
        prediction_from_event({**event, "pipeline": "none"}, {"plane": 4})


def test_a_retired_worker_ends_by_itself_and_the_next_job_gets_another(
    qtbot: QtBot, make_client
) -> None:
    client = make_client()
    with qtbot.waitSignal(client.finished, timeout=60_000) as first:
        client.submit("count", {"to": 1})
    client.retire()
    assert not client.running
    with qtbot.waitSignal(client.finished, timeout=60_000) as second:
        client.submit("count", {"to": 1})
    old, new = first.args[1]["pid"], second.args[1]["pid"]
    assert old != new
    qtbot.waitUntil(lambda: not _is_alive(old), timeout=60_000)
    assert client.running


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_never_gets_ready_is_not_started_again_and_again(
    qtbot: QtBot, tmp_path: Path
) -> None:
    session = Session()
    predictor = Predictor(session)
    predictor._worker._command = (sys.executable, "-c", "raise SystemExit(3)")
    said: list[str] = []
    predictor.failed.connect(said.append)
    predictor.warm_up()
    qtbot.waitUntil(lambda: bool(said), timeout=60_000)
    qtbot.wait(500)
    assert len(said) == 1
    assert not predictor._worker.running


def test_asking_what_is_unseen_reads_no_masks(
    opened: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = make_model(tmp_path / "a", "two-stage", 1, "weights")
    models = {"two-stage": LibraryModel(card.name, "project", tmp_path / "a", card)}
    assert opened.project is not None
    for image in opened.project.images():
        opened.project.add_prediction(Prediction(image.ref.id, card.id, "two-stage", ()), "a")
    # Of 10,000 images with some hundred objects each that took half a minute.
    monkeypatch.setattr(predictions, "instances_from_bytes", None)
    ids = [image.ref.id for image in opened.project.images()]
    assert Predictor(opened).predict(ids, models) == 0
