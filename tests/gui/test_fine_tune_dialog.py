"""The fine-tune dialog: one button decides everything, More lets a person decide it."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from seginst_core.library import LibraryModel
from seginst_core.models import detectron2
from seginst_core.models.card import ModelCard
from seginst_core.models.config import DetectorConfig, Detectron2Config
from seginst_core.project.learning.stage import Faults
from seginst_core.types import HUMAN, Category, Origin, PipelineName
from seginst_gui.dialogs.fine_tune import FineTuneDialog
from seginst_gui.jobs.plan import Facts, FineTunePlan, decide, gather, write_jobs
from seginst_gui.session import Session

PLANE = (Category(1, "plane"),)


def model(name: str, pipeline: PipelineName, *, of_detectron2: bool = False) -> LibraryModel:
    engine = "detectron2" if of_detectron2 else "torchvision"
    shape = Detectron2Config("VERSION: 2\n") if of_detectron2 else DetectorConfig()
    card = ModelCard(name, pipeline, engine, "fast", PLANE, shape, None)
    return LibraryModel(name, "user", Path(name), card)


LIVE = {"two-stage": model("a", "two-stage"), "end-to-end": model("b", "end-to-end")}
OTHER = model("other", "two-stage")
FACTS = Facts(6, 20, 1, 6)


def opened_dialog(
    qtbot: QtBot,
    facts: Facts = FACTS,
    models: dict[PipelineName, LibraryModel] = LIVE,
) -> FineTuneDialog:
    library = [*models.values(), OTHER]
    dialog = FineTuneDialog(facts, decide(facts, models), models, library)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def combo(dialog: FineTuneDialog, name: str) -> QComboBox:
    found = dialog.findChild(QComboBox, f"fine_tune_{name}")
    assert isinstance(found, QComboBox)
    return found


def texts(dialog: FineTuneDialog) -> str:
    return " ".join(w.text() for w in dialog.findChildren(QLabel) if w.isVisible())


def ok(dialog: FineTuneDialog) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == "Fine-tune")


def open_more(qtbot: QtBot, dialog: FineTuneDialog) -> None:
    more = dialog.findChild(QToolButton, "fine_tune_more")
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)


def test_one_key_takes_what_was_decided(qtbot: QtBot) -> None:
    dialog = opened_dialog(qtbot, Facts(12, 134, 2, 12, Faults(7, 23)))
    said = texts(dialog)
    assert "134 objects in 12 images" in said
    assert (
        "2 images of them are kept out of training for good (a fifth of all as more come)" in said
    )
    assert "The masks alone, at most 5 min, starts from a." in said
    assert "Of 30 faults you mended, 23 were masks in boxes that fit." in said
    assert "All of it, 15 min, starts from b." in said
    assert not combo(dialog, "stage").isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == 1
    assert dialog.plan() == FineTunePlan(("two-stage", "end-to-end"), LIVE, "mask")


def test_a_model_that_lacks_a_class_learns_all_of_it(qtbot: QtBot) -> None:
    few = Facts(12, 134, 2, 12, Faults(23, 7), frozenset({"plane", "car"}))
    dialog = opened_dialog(qtbot, few)
    assert "All of it, at most 15 min, starts from a. It does not know car yet." in texts(dialog)
    assert dialog.plan().stage == "all"
    two = replace(few, classes=few.classes | {"ship"})
    assert "It does not know 2 of 3 classes yet." in texts(opened_dialog(qtbot, two))
    known = replace(few, classes=frozenset({"Plane"}))
    assert decide(known, LIVE).stage == "detector"
    renamed = replace(few, classes=frozenset({"aircraft"}), renamed={"plane": "aircraft"})
    assert decide(renamed, LIVE).stage == "detector"
    assert decide(replace(renamed, renamed={}), LIVE).stage == "all"


def test_few_images_cannot_test_a_model_and_that_is_said(qtbot: QtBot) -> None:
    dialog = opened_dialog(qtbot, Facts(3, 9, 0, 3))
    assert "will not go live by itself" in texts(dialog)


def test_everything_can_be_picked(qtbot: QtBot) -> None:
    dialog = opened_dialog(qtbot, Facts(12, 134, 2, 4, Faults(7, 23)))
    open_more(qtbot, dialog)
    box = dialog.findChild(QCheckBox, "fine_tune_end-to-end")
    box.click()
    combo(dialog, "start_two-stage").setCurrentText("other")
    combo(dialog, "stage").setCurrentText("Detector only")
    combo(dialog, "data").setCurrentIndex(1)
    assert combo(dialog, "data").currentText() == "Only images not learned from yet (4)"
    combo(dialog, "unit").setCurrentText("iterations each")
    amount = dialog.findChild(QSpinBox, "fine_tune_amount")
    amount.setValue(77)
    plan = dialog.plan()
    assert (plan.pipelines, plan.start["two-stage"], plan.stage) == (
        ("two-stage",), OTHER, "detector",
    )  # fmt: skip
    assert (plan.iterations, plan.minutes, plan.only_new) == (77, None, True)
    will = "The detector alone, 77 iterations, starts from other."
    qtbot.waitUntil(lambda: will in texts(dialog))
    dialog.findChild(QCheckBox, "fine_tune_two-stage").click()
    assert not ok(dialog).isEnabled()


@pytest.mark.parametrize("there", [True, False])
def test_size_and_engine_are_chosen_from_scratch(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(detectron2, "is_installed", lambda: there)
    dialog = opened_dialog(qtbot)
    open_more(qtbot, dialog)
    note = dialog.findChild(QLabel, "fine_tune_engine_note")
    assert isinstance(note, QLabel)
    assert not note.isVisible()
    assert not combo(dialog, "engine").isEnabled()
    combo(dialog, "start_two-stage").setCurrentText("Scratch")
    assert combo(dialog, "preset").isEnabled()
    assert not combo(dialog, "stage").isEnabled()
    assert combo(dialog, "engine").isEnabled() == there
    assert note.isVisible() != there
    if there:
        combo(dialog, "engine").setCurrentText("detectron2")
        assert dialog.plan().engine == "detectron2"
    else:
        assert f'href="{detectron2.DETECTRON2_PAGE}"' in note.text()
        assert note.height() >= note.heightForWidth(note.width()), "all of it can be read"


@pytest.mark.parametrize(
    ("start", "chosen", "engine"),
    [
        ({}, "detectron2", "detectron2"),
        ({}, "torchvision", "torchvision"),
        (
            {"end-to-end": model("theirs", "end-to-end", of_detectron2=True)},
            "torchvision",
            "detectron2",
        ),
    ],
)
def test_training_runs_on_the_engine_of_its_start_or_the_one_chosen(
    opened: Session, make_instance, start, chosen, engine
) -> None:
    from seginst_core.project.edits import Edit, add

    project = opened.project
    assert project is not None
    opened.apply(add(opened.image_id, [make_instance()], "Draw"))
    opened.apply(Edit(opened.image_id, (), "Done", state=("draft", "done")))
    plan = FineTunePlan(("end-to-end",), start, engine=chosen)
    (job,) = write_jobs(project, plan, {})
    assert job.params["engine"] == engine
    assert job.params["former"] == ""
    assert Path(str(job.params["train"])).is_file()
    assert job.params["val"] is None


def test_the_gate_is_told_what_the_live_model_drew_first(
    opened: Session, make_instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seginst_core.project.edits import Edit, add

    project = opened.project
    assert project is not None
    live = LIVE["two-stage"].card.id
    assert live
    by_live = [Origin("model", live, edited=True), Origin("model", live)]
    others = [HUMAN, Origin("model", "another", edited=True)]
    first, second, *_ = (entry.ref.id for entry in opened.entries)
    for image_id, origins in ((first, [by_live[0]]), (second, [*by_live, *others])):
        opened.open_image(image_id)
        made = [make_instance(12 * k, origin=origin) for k, origin in enumerate(origins)]
        opened.apply(add(image_id, made, "Draw"))
        opened.apply(Edit(image_id, (), "Done", state=("draft", "done")))
    begun = [i.id for i in project.annotation(second).instances if i.origin in by_live]
    monkeypatch.setattr(type(project.learning), "draw_sides", lambda _: {second: True})
    jobs = write_jobs(project, FineTunePlan(("two-stage",), LIVE), LIVE)
    assert [job.params["begun"] for job in jobs] == [begun]
    assert len(begun) == 2
    (job,) = write_jobs(project, FineTunePlan(("two-stage",), LIVE), {})
    assert job.params["begun"] == []


def test_what_is_learned_from_early_is_never_held_out_and_what_is_gone_is_left_out(
    opened: Session, make_instance
) -> None:
    from seginst_core.project.edits import Edit, add

    project = opened.project
    assert project is not None
    first, gone, *_ = (entry.ref.id for entry in opened.entries)
    for image_id in (first, gone):
        opened.open_image(image_id)
        opened.apply(add(image_id, [make_instance()], "Draw"))
        opened.apply(Edit(image_id, (), "Done", state=("draft", "done")))
    project.image_path(gone).unlink()
    project.rescan()
    (job,) = write_jobs(project, FineTunePlan(("two-stage",), {}), {})
    assert job.params["image_ids"] == [first]
    assert project.learning.held_out() == {first: False}
    facts = gather(project)
    assert facts.n_images == 1
    assert facts.classes == {"plane"}, "no object is a ship"
