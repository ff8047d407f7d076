"""What a project keeps of learning: the frozen hold-out, runs, and who was live when."""

from dataclasses import replace

import numpy as np
import pytest

from seginst_core.project import Edit, Project
from seginst_core.project.learning.data import corrections, n_objects, newest
from seginst_core.project.learning.sides import Candidate, draw_sides, groups, whole_name
from seginst_core.project.learning.stage import Faults, faults
from seginst_core.types import (
    Annotation,
    Box,
    Category,
    Dataset,
    ImageRef,
    Instance,
    Mask,
    Origin,
    Prediction,
)

from .project_folders import blob, draw, make_folder


def candidate(k, path="", look="", side=None, has_objects=True):
    return Candidate(k, path or f"image{k}.png", look, side, has_objects)


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("P0003__1__0___200.png", "P0003"),
        ("a/scene_0_800.png", "a/scene"),
        ("scene-x0-y800.png", "scene"),
        ("scene_r02_c11.tif", "scene"),
        ("scene__tile7.png", "scene"),
        ("airfield_00007.jpg", "airfield_00007.jpg"),
        ("IMG_20190501_123456.jpg", "IMG_20190501_123456.jpg"),
        ("scan_2019_05.png", "scan_2019_05.png"),
        ("2024-05-12.jpg", "2024-05-12.jpg"),
        ("IMG_2024_05_12.jpg", "IMG_2024_05_12.jpg"),
        ("scene_2024_13_12.png", "scene_2024"),
        ("a/site_0_400_512_912.png", "a/site"),
        ("site_512_400_0_912.png", "site_512_400"),
    ],
)
def test_tiles_are_known_by_their_names(path, whole):
    assert whole_name(path) == whole


def test_tiles_and_near_duplicates_share_a_side():
    look = 0x0123456789ABCDEF
    found = groups(
        [
            candidate(1, "a_0_0.png"),
            candidate(2, "a_0_800.png"),
            candidate(3, look=f"{look:016x}"),
            candidate(4, look=f"{look ^ 0b111:016x}"),
            candidate(5, look=f"{look ^ (2**64 - 1):016x}"),
        ]
    )
    assert [[c.image_id for c in group] for group in found] == [[1, 2], [3, 4], [5]]


def test_with_few_images_none_is_held_out():
    assert draw_sides([candidate(k) for k in range(4)]) == {}
    drawn = draw_sides([candidate(k) for k in range(5)])
    assert sorted(drawn) == list(range(5))
    assert sum(drawn.values()) == 1


def test_a_fifth_is_held_out_and_stays_a_fifth_as_images_come():
    sides = {}
    for n in range(20, 61, 5):
        drawn = draw_sides([candidate(k, side=sides.get(k)) for k in range(n)])
        assert not set(drawn) & set(sides), "a side never changes"
        sides |= drawn
        assert sum(sides.values()) == round(n / 5)


@pytest.mark.parametrize(
    ("n", "held"), [(5, 1), (6, 2), (9, 3), (11, 3), (12, 4), (20, 4), (25, 5)]
)
def test_of_few_images_more_are_held_out_so_that_they_can_tell(n, held):
    drawn = draw_sides([candidate(k) for k in range(n)])
    assert sum(drawn.values()) == held
    grown = draw_sides([candidate(k, side=drawn.get(k)) for k in range(n + 1)])
    assert sum(grown.values()) <= 1, "those to come are not all held out"


def test_one_that_looks_like_a_held_out_image_is_never_trained_on():
    known = [candidate(k, side=k == 0, look=f"{7 << (9 * k):016x}") for k in range(6)]
    drawn = draw_sides([*known, candidate(9, look=f"{7:016x}")])
    assert drawn == {9: True}


def test_something_is_always_left_to_learn_from():
    alike = [candidate(k, look="00000000000000ff") for k in range(8)]
    assert set(draw_sides(alike).values()) == {False}
    empty = [candidate(k, has_objects=k == 3) for k in range(10)]
    assert not any(draw_sides(empty).values())


def done(project, image_id):
    document = project.document(image_id)
    draw(project, document)
    project.commit(document, Edit(image_id, (), "Done", state=("draft", "done")))


def test_the_hold_out_is_drawn_once_and_survives_a_restart(tmp_path):
    folder = make_folder(tmp_path / "images", [f"{k}.png" for k in range(8)])
    with Project.open(folder) as project:
        project.add_category("plane")
        for k in range(1, 6):
            done(project, k)
        sides = project.learning.draw_sides()
        assert sum(sides.values()) == 1
        project.learning.train_on([7, *sides])
    with Project.open(folder) as project:
        assert project.learning.held_out() == {**sides, 7: False}
        for k in (6, 7, 8):
            done(project, k)
        later = project.learning.draw_sides()
    assert {k: later[k] for k in sides} == sides
    assert later[7] is False


def test_a_draft_that_shows_a_held_out_image_is_not_learned_from(tmp_path):
    names = [f"scene{s}_0_{x}.png" for s in "abcde" for x in (0, 800)]
    folder = make_folder(tmp_path / "images", [*names, "copy.png"])
    with Project.open(folder) as project:
        project.add_category("plane")
        ids = {entry.ref.path: entry.ref.id for entry in project.images()}
        firsts = [ids[name] for name in names[::2]]
        for image_id in firsts:
            done(project, image_id)
        learning = project.learning
        looks = {k: f"{0x1111111111111111 * (n + 1):016x}" for n, k in enumerate(firsts)}
        (held,) = (k for k, side in learning.draw_sides().items() if side)
        learning.set_looks({**looks, ids["copy.png"]: looks[held]})
        drafts = [ids[name] for name in (*names[1::2], "copy.png")]
        for image_id in drafts:
            draw(project, project.document(image_id))
        sides = learning.sides_with_drafts()
        assert {k for k in drafts if sides[k]} == {held + 1, ids["copy.png"]}
        assert learning.held_out() == {k: k == held for k in firsts}, "nothing is frozen yet"
        train, tried = corrections(project.dataset(["draft", "done"]), sides)
        assert {ref.id for ref in tried.images} == {held, held + 1, ids["copy.png"]}
        assert len(train.images) == 8


def test_looks_are_read_once(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.learning.unseen([1, 2, 3]) == (1, 2, 3)
        project.learning.set_looks({2: "00ff00ff00ff00ff"})
        assert project.learning.unseen([1, 2, 3]) == (1, 3)


def test_a_run_that_a_crash_cut_short_is_still_running_after_a_restart(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        first = project.learning.begin("fine_tune", "A", {"out": "x", "minutes": 2.5})
        second = project.learning.begin("fine_tune", "B", {})
        project.learning.set_run(second, "finished", {"verdict": "better"})
    with Project.open(folder) as project:
        (left,) = project.learning.runs(["running", "paused"])
        assert (left.id, left.params) == (first, {"out": "x", "minutes": 2.5})
        (ended,) = project.learning.runs(["finished"])
        assert ended.outcome == {"verdict": "better"}


def test_a_class_is_known_by_its_former_names(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as project:
        plane = project.add_category("Plane")
        ship = project.add_category("ship")
        project.update_category(replace(plane, name="plane"))
        assert project.learning.renamed() == {}, "spelled otherwise is the same"
        for name in ("aircraft", "Jet"):
            project.update_category(replace(plane, name=name))
        assert project.learning.renamed() == {"plane": "Jet", "aircraft": "Jet"}
        # A name that another class has now is that one's.
        project.update_category(replace(ship, name="Plane"))
        assert project.learning.renamed() == {"aircraft": "Jet", "ship": "Plane"}
        project.remove_category(plane.id)
        assert project.learning.renamed() == {"ship": "Plane"}


def test_a_run_finds_its_files_where_the_project_was_moved_to(tmp_path):
    folder, elsewhere = make_folder(tmp_path / "images"), tmp_path / "elsewhere"
    with Project.open(folder) as project:
        out, starter = project.models_folder / "new", str(tmp_path / "starter")
        params = {"images": str(folder), "out": str(out), "start": starter, "text": "{project}"}
        run = project.learning.begin("fine_tune", "A", params)
        project.learning.set_run(run, "finished", {"model": str(out), "verdict": {"n": 1}})
        (kept,) = project.learning.runs()
        assert (kept.params, kept.outcome["model"]) == (params, str(out))
    folder.rename(elsewhere)
    with Project.open(elsewhere) as project:
        (kept,) = project.learning.runs()
        moved = project.models_folder / "new"
        assert kept.params == {**params, "images": str(elsewhere), "out": str(moved)}
        assert kept.outcome == {"model": str(moved), "verdict": {"n": 1}}


def test_the_live_models_predictions_are_shown_and_come_back_with_it(tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png"])
    with Project.open(folder) as project:
        project.add_category("plane")
        for model, n in (("old", 1), ("new", 3)):
            found = tuple(blob(k) for k in range(1, n + 1))
            project.add_prediction(Prediction(1, model, "two-stage", found), model)
        assert project.prediction(1, "two-stage").model == "new"
        project.learning.go_live("two-stage", "old", "old", "models/old")
        assert project.prediction(1, "two-stage").model == "old"
        assert project.prediction_model_name(1, "two-stage") == "old"
        assert project.entry(1).n_predicted == 1
        project.learning.go_live("two-stage", "new", "new", "models/new", "Better")
        assert project.prediction(1, "two-stage").model == "new"
        assert project.entry(1).n_predicted == 3
        (first, second) = project.learning.live_models("two-stage")
        project.learning.note_live(first.id, "the one that shipped")
        assert project.learning.live_models()[0].note == "the one that shipped"
        assert second.note == "Better"
        project.learning.go_live("two-stage", "unseen", "unseen", "models/unseen")
        assert project.prediction(1, "two-stage").model == "new", "until it has looked itself"


def disc(number, x0=4, *, edited=False, model="", seen=False):
    instance = blob(number)
    kind = "model" if model else "human"
    origin = Origin(kind, model=model, edited=edited, seen=seen)
    return replace(instance, origin=origin)


def dataset(*per_image):
    refs = tuple(ImageRef(k, f"{k}.png", 80, 60) for k in range(1, len(per_image) + 1))
    annotations = {r.id: Annotation(r.id, tuple(i)) for r, i in zip(refs, per_image, strict=True)}
    return Dataset(refs, (Category(1, "plane"),), annotations)


def test_only_what_a_person_drew_or_changed_is_a_correction():
    data = dataset(
        [disc(1), disc(2, model="m")], [disc(3, model="m", edited=True)], [disc(4, model="m")]
    )
    train, tried = corrections(data, {2: True})
    assert [(ref.id, ids(train, ref.id)) for ref in train.images] == [(1, [1])]
    assert [(ref.id, ids(tried, ref.id)) for ref in tried.images] == [(2, [3])]
    assert n_objects(data) == 4
    kept = newest(data, 2)
    assert [(ref.id, ids(kept, ref.id)) for ref in kept.images] == [(2, [3]), (3, [4])]


def ids(data, image_id):
    return [i.id for i in data.annotations[image_id].instances]


def square(number, x0, y0, side, *, score=None, box=None):
    mask = Mask(x0, y0, np.ones((side, side), bool))
    return Instance(number, 1, box or Box(x0, y0, x0 + side, y0 + side), mask, score=score)


def test_the_stage_that_had_to_be_mended_is_suggested():
    truth = [square(k, 40 * k, 0, 20) for k in range(12)]
    right = [replace(one, score=0.9) for one in truth]
    assert faults([(truth, right)]) == Faults(0, 0)
    assert faults([(truth, right)]).stage == "all"
    # Masks a quarter too small in boxes that fit: the nested U-Net's.
    small = [
        square(k, 40 * k, 0, 15, score=0.9, box=Box(40 * k, 0, 40 * k + 20, 20)) for k in range(12)
    ]
    assert faults([(truth, small)]) == Faults(0, 12)
    assert Faults(0, 12).stage == "mask"
    # The same masks in boxes as small as they: the detector's.
    shrunk = [square(k, 40 * k, 0, 15, score=0.9) for k in range(12)]
    assert faults([(truth, shrunk)]) == Faults(12, 0)
    assert Faults(12, 0).stage == "detector"
    # And half of them again in such boxes: both had a part in it.
    poor = [square(k, 40 * k, 0, 10, score=0.9, box=one.box) for k, one in enumerate(shrunk)]
    assert faults([(truth, poor)]) == Faults(12, 12)
    assert Faults(12, 12).stage == "all"
    # Missing objects, false ones, and unsure ones that nobody is shown.
    false = [square(90 + k, 40 * k, 200, 20, score=0.9) for k in range(3)]
    unsure = [square(80 + k, 40 * k, 300, 20, score=0.2) for k in range(3)]
    assert faults([(truth, right[:5] + false + unsure)]) == Faults(7 + 3, 0)
    assert faults([(truth, small[:6])]).stage == "all"
    # Poor masks or not: masks alone teach no class.
    renamed = [replace(one, category_id=2) for one in small]
    assert faults([(truth, renamed)]) == Faults(12, 0)
