"""Verdicts, origins and what correction cost: all of it in the history, none of it lost."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from seginst_core.errors import ProjectError
from seginst_core.project import Change, Edit, Project, add, change, invert, painted
from seginst_core.project.reviewing import Substitute, changed_pixels
from seginst_core.types import HUMAN, Box, Instance, Origin

from .project_folders import blob, make_folder, reshaped

A = Origin("model", "card-a", "two-stage", score=0.8, threshold=0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
    return folder


def refusal(project: Project) -> Instance:
    return blob(project.new_ids(1)[0], origin=A)


def test_a_refusal_is_an_edit_like_any_other(folder: Path) -> None:
    with Project.open(folder) as project:
        document = project.document(1)
        one, two = refusal(project), refusal(project)
        project.commit(document, Edit(1, (), "Not an object", refused=(one,)))
        project.commit(document, Edit(1, (), "Not an object", refused=(two,)))
        assert document.refusals == (one, two)
        assert document.state == "draft"
        assert project.undo(document) is not None
        assert document.refusals == (one,)
        assert project.redo(document) is not None
        assert project.undo(document) is not None
    with Project.open(folder) as project:
        document = project.document(1)
        assert document.refusals == project.reviewing.refusals(1) == (one,)
        assert project.redo(document) is not None
        assert document.refusals == (one, two)
        assert project.annotation(1).instances == ()
        # An id that a refusal has is never given to an object.
        assert project.new_ids(1)[0] > two.id


def test_a_refusal_and_the_deletion_of_an_object_are_one_step(folder: Path) -> None:
    with Project.open(folder) as project:
        document = project.document(1)
        wrong = blob(project.new_ids(1)[0])
        project.commit(document, add(1, [wrong], "Draw"))
        edit = Edit(1, invert(add(1, [wrong], "")).changes, "No", refused=(refusal(project),))
        project.commit(document, edit)
        assert document.instances == ()
        project.undo(document)
        assert document.instances == (wrong,)
        assert document.refusals == ()


def test_refusing_twice_or_taking_back_what_was_not_said_changes_nothing(folder: Path) -> None:
    with Project.open(folder) as project:
        document = project.document(1)
        one = refusal(project)
        project.commit(document, Edit(1, (), "No", refused=(one,)))
        for edit in (
            Edit(1, (), "No", refused=(one,)),
            Edit(1, (), "Yes", allowed=(refusal(project),)),
        ):
            with pytest.raises(ProjectError, match="meantime"):
                project.commit(document, edit)
        assert project.reviewing.refusals(1) == (one,)


def test_the_story_of_an_object_has_every_edit_with_its_pixels(folder: Path) -> None:
    with Project.open(folder) as project:
        document = project.document(1)
        first, other = (replace(blob(k, origin=A), score=0.8) for k in project.new_ids(2))
        project.commit(document, add(1, [first, other], "Accept 2 objects of A", "accept"))
        drawn = reshaped(first, 5)
        second = painted(first, drawn.mask)
        time.sleep(0.05)
        project.commit(document, change(1, [(first, second)], "Brush", "brush"))
        seen = replace(second, origin=replace(second.origin, seen=True))
        project.commit(document, change(1, [(second, seen)], "Confirm", "confirm"))
        project.commit(document, change(1, [(seen, replace(seen, category_id=1))], "Undone"))
        project.undo(document)
        story = project.reviewing.story(1, first.id)
        assert [s.tool for s in story] == ["accept", "brush", "confirm"]
        assert story[0].after == first
        assert story[0].n_pixels == first.mask.area
        assert story[1].n_pixels == changed_pixels(first.mask, second.mask) > 0
        assert story[1].seconds >= 0.05
        assert story[2].n_pixels == 0
        (cost,) = project.reviewing.costs()
        assert (cost.model, cost.n_accepted, cost.n_kept) == ("card-a", 2, 1)
        assert (cost.n_vouched, cost.n_edits) == (1, 1)
        assert cost.seconds >= 0.05
        ship = project.add_category("ship")
        other = replace(seen, category_id=ship.id, origin=replace(seen.origin, seen=False))
        project.commit(document, change(1, [(seen, other)], "Make 1 object a ship"))
        assert project.reviewing.costs()[0].n_edits == 2, "a class is more than a look"


def test_what_was_taken_over_comes_in_that_order_with_what_it_cost(folder: Path) -> None:
    with Project.open(folder) as project:
        first, second, drawn = (replace(blob(k, origin=A), score=0.8) for k in project.new_ids(3))
        drawn = replace(drawn, origin=HUMAN, score=None)
        # The later image's object is taken over first.
        for image_id, made in ((2, (first,)), (1, (second, drawn))):
            project.ensure_size(image_id)
            project.commit(project.document(image_id), add(image_id, made, "Accept", "accept"))
            time.sleep(0.01)
        again = painted(first, reshaped(first, 5).mask)
        project.commit(project.document(2), change(2, [(first, again)], "Brush", "brush"))
        taken = project.reviewing.taken()
        assert [(t.instance.id, t.n_edits) for t in taken] == [(first.id, 1), (second.id, 0)]
        assert taken[0].taken_at < taken[1].taken_at
        assert all(t.seconds >= 0.0 for t in taken)
        (cost,) = project.reviewing.costs()
        assert cost.seconds == pytest.approx(sum(t.seconds for t in taken))


@pytest.mark.parametrize("origin", [HUMAN, replace(A, model="card-b", pipeline="end-to-end")])
def test_what_was_done_before_an_object_was_taken_over_is_no_cost_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    """It is drawn and corrected for long, then one step puts the model's object in its place."""
    with Project.open(folder) as project:
        (number,) = project.new_ids(1)
        drawn = replace(blob(number), origin=origin)
        models = replace(blob(number, 7, origin=A), score=0.8)
        looked = replace(models, origin=replace(A, seen=True))
        steps = [None, drawn, painted(drawn, reshaped(drawn, 5).mask), models, looked]
        document, now = project.document(1), time.monotonic()
        for before, after in pairwise(steps):
            now += 20 if after is not models else 1
            monkeypatch.setattr(time, "monotonic", lambda now=now: now)
            project.commit(document, Edit(1, (Change(before, after),), "A step"))
        (taken,) = project.reviewing.taken()
        story = project.reviewing.story(1, number)
        assert (taken.n_edits, taken.taken_at) == (0, story[2].made_at)
        assert taken.seconds == pytest.approx(1 + 20)
        project.commit(document, change(1, [(looked, painted(looked, drawn.mask))], "Brush"))
        assert project.reviewing.taken()[0].n_edits == 1


def test_a_long_pause_is_not_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Project.open(folder) as project:
        document = project.document(1)
        began = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: began + 5000)
        project.commit(document, add(1, [blob(project.new_ids(1)[0])], "Draw"))
        (step,) = project.reviewing.story(1, document.instances[0].id)
        assert step.seconds == 60


def test_substitutes_come_back_and_are_replaced(folder: Path) -> None:
    with Project.open(folder) as project:
        mask = blob(1).mask
        box = Box(0.1, 0.2, 30.3, 1 / 3 + 1)
        kept = {4: Substitute(box, mask), 5: Substitute(box, None)}
        project.reviewing.keep_substitutes(1, "card-a", kept)
        project.reviewing.keep_substitutes(1, "card-a", {5: Substitute(box, mask)})
    with Project.open(folder) as project:
        found = project.reviewing.substitutes(1, "card-a")
        assert found == {4: Substitute(box, mask), 5: Substitute(box, mask)}
        assert project.reviewing.substitutes(1, "card-b") == {}


KILLED = """
import sys, time
from pathlib import Path
from seginst_core.project import Edit, Project
from seginst_core.types import Box, Instance
project = Project.open(Path(sys.argv[1]))
document = project.document(1)
for number in range(10_000):
    (new,) = project.new_ids(1)
    gone = Instance(new, 1, Box(1, 1, 5, 5), None)
    project.commit(document, Edit(1, (), "Not an object", refused=(gone,)))
    print(number + 1, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_verdicts_survive_a_killed_process(folder: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = 0
        while said < 20:
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    with Project.open(folder) as project:
        assert len(project.document(1).refusals) in (said, said + 1)
