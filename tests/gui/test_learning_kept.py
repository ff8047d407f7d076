"""What stays of models and training when something goes: a model, its class's name, the disk."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from seginst_core.formats import coco_json
from seginst_core.project import Project
from seginst_core.project.edits import add
from seginst_core.types import Prediction
from seginst_gui.jobs import refreshing
from seginst_gui.jobs.model_choice import find_model, load_choice
from seginst_gui.jobs.plan import FineTunePlan, write_jobs
from seginst_gui.main_window import MainWindow

from .fake_worker import make_model
from .learning_scenes import (
    button,
    drawn,
    idle,
    live_name,
    looked,
    opened_window,
    states,
    train,
    wait,
)

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(learning_window: MainWindow) -> MainWindow:
    return learning_window


def test_a_live_model_that_is_gone_is_said_and_another_takes_its_place(
    qtbot: QtBot, learning_folder: Path
) -> None:
    with Project.open(learning_folder) as project:
        step = project.learning.live_models("two-stage")[-1]
        found = (drawn(1, 5),)
        (image, *_) = (e.ref.id for e in project.images() if e.state == "todo")
        project.add_prediction(Prediction(image, step.model, "two-stage", found), step.name)
    shutil.rmtree(step.folder)
    window = opened_window(learning_folder)
    try:
        project = window.session.project
        assert project is not None
        now = window.commands.models["two-stage"]
        said = f"first-two-stage is no longer there, so {now.name} is used in its place."
        wait(qtbot, lambda: said in window.notice.text)
        last = project.learning.live_models("two-stage")[-1]
        assert (last.model, last.note) == (now.card.id, said)
        seen = Prediction(image, now.card.id, "two-stage", (drawn(1, 5), drawn(2, 40)))
        project.add_prediction(seen, now.name)
        assert project.prediction_model_name(image, "two-stage") == now.name
        n_steps = len(project.learning.live_models())
        window.commands.load_models()
        assert len(project.learning.live_models()) == n_steps, "once"
    finally:
        window.close()


def test_a_renamed_class_is_still_the_one_that_models_find(
    qtbot: QtBot, window: MainWindow
) -> None:
    session = window.session
    project = session.project
    assert project is not None
    (plane,) = project.categories()
    project.update_category(replace(plane, name="aircraft"))
    session.refresh_categories()
    window.commands.predict_all()
    wait(qtbot, idle(window))
    assert [c.name for c in project.categories()] == ["aircraft"]
    found = [p for p in looked(window).values() if p is not None]
    assert {i.category_id for p in found for i in p.instances} == {plane.id}
    models = dict(window.commands.models)
    (job,) = write_jobs(project, FineTunePlan(("two-stage",), models), models)
    assert job.params["renamed"] == {"plane": "aircraft"}


def test_what_fails_after_it_learned_something_is_kept_and_can_go_on(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FULL_AT", "3")
    train(window, 6, "two-stage", "end-to-end")
    wait(qtbot, lambda: not window.trainer.busy)
    assert states(window) == ["paused", "paused"], "the second is tried too"
    assert "The disk is full" in window.notice.text
    project = window.session.project
    assert project is not None
    assert all(Path(str(r.params["out"])).is_dir() for r in project.learning.runs())
    assert button(window, "resume").isVisible()
    monkeypatch.delenv("FAKE_FULL_AT")
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    qtbot.mouseClick(button(window, "resume"), LEFT)
    wait(qtbot, lambda: states(window) == ["finished", "finished"])
    assert any("goes on from iteration 3" in text for text in said)


def test_what_fails_before_it_learned_anything_leaves_nothing(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FULL_AT", "0")
    train(window, 6)
    wait(qtbot, lambda: states(window) == ["failed"])
    project = window.session.project
    assert project is not None
    (run,) = project.learning.runs()
    assert not Path(str(run.params["out"])).exists()


def test_a_run_that_another_model_overtook_does_not_take_its_place(
    qtbot: QtBot, window: MainWindow
) -> None:
    said: list[str] = []
    window.trainer.reported.connect(lambda event: said.append(str(event.get("text", ""))))
    train(window, 400)
    wait(qtbot, lambda: any("iteration 3" in text for text in said))
    qtbot.mouseClick(button(window, "pause"), LEFT)
    wait(qtbot, lambda: states(window) == ["paused"])
    QTest.qWait(1100)  # Models are named by the second.
    train(window, 3)
    wait(qtbot, lambda: states(window) == ["paused", "finished"] and idle(window)())
    second = live_name(window)
    assert second != "first-two-stage"
    qtbot.mouseClick(button(window, "resume"), LEFT)
    wait(qtbot, lambda: states(window) == ["finished", "finished"])
    assert live_name(window) == second
    assert "another is live now" in window.notice.text
    qtbot.mouseClick(button(window, "notice_button"), LEFT)
    assert live_name(window) not in (second, "first-two-stage")


def test_what_lies_outside_the_project_is_not_deleted_with_a_run(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    project = window.session.project
    assert project is not None
    elsewhere = tmp_path / "another project" / "models" / "new"
    elsewhere.mkdir(parents=True)
    own = project.models_folder / "new"
    own.mkdir()
    for out in (elsewhere, own):
        run = project.learning.begin("fine_tune", "Left", {"out": str(out)})
        project.learning.set_run(run, "paused")
    window.session.close()
    window.commands.open_folder(project.folder)
    qtbot.mouseClick(button(window, "cancel"), LEFT)
    assert states(window) == ["cancelled", "cancelled"]
    assert (elsewhere.is_dir(), own.is_dir()) == (True, False)


def test_a_renamed_class_does_not_change_the_starter(window: MainWindow) -> None:
    project = window.session.project
    assert project is not None
    (plane,) = project.categories()
    with project.learning.writing() as db:
        db.execute("DELETE FROM live_models")
    for name in ("nucleus", "thing"):
        project.update_category(replace(plane, name=name))
        assert load_choice(project)["end-to-end"].name == "nuclei-end-to-end", name


def test_a_refresh_does_not_learn_from_what_shows_a_held_out_image(
    learning_folder: Path,
) -> None:
    with Project.open(learning_folder) as project:
        learning = project.learning
        todo = [e.ref.id for e in project.images() if e.state == "todo"]
        done = [e.ref.id for e in project.images() if e.state == "done"]
        looks = {k: f"{0x1111111111111111 * (n + 1):016x}" for n, k in enumerate(done)}
        learning.set_looks(looks)
        held = next(k for k, side in learning.draw_sides().items() if side)
        twin, other = todo[:2]
        learning.set_looks({twin: looks[held], other: "f" * 16})
        for image_id in (twin, other):
            made = [drawn(k, 15 * n) for n, k in enumerate(project.new_ids(5))]
            project.commit(project.document(image_id), add(image_id, made, "Draw"))
        plane = project.categories()[0]
        project.update_category(replace(plane, name="aircraft"))
        model = find_model(project, learning.live_models("two-stage")[-1].folder)
        assert model is not None
        job = refreshing._job(project, model)
        read = {p: coco_json.load(Path(str(job.params[p]))).images for p in ("train", "val")}
        assert twin in read["val"]
        assert held in read["val"]
        assert other in read["train"]
        assert not {twin, held} & set(read["train"])
        assert learning.held_out()[other] is False
        assert twin not in learning.held_out()
        assert job.params["renamed"] == {"plane": "aircraft"}


def test_a_former_model_is_known_by_its_weights_and_not_by_its_folder(
    learning_folder: Path,
) -> None:
    with Project.open(learning_folder) as project:
        step = project.learning.live_models("two-stage")[-1]
        make_model(Path(step.folder), "two-stage", 1, "other weights")
        assert find_model(project, step.folder, step.model) is None
        make_model(project.models_folder / "kept", "two-stage", 1, "first two-stage")
        found = find_model(project, step.folder, step.model)
        assert found is not None
        assert (found.name, found.card.id) == ("kept", step.model)
