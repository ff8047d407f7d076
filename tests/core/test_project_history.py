"""Edits, undo and redo: the database and the document always say the same."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seginst_core.errors import ProjectError
from seginst_core.project import (
    Change,
    Document,
    Edit,
    Project,
    add,
    change,
    dirty_rect,
    invert,
    painted,
    remove,
)
from seginst_core.types import STATES, Annotation, ImageRef, Mask

from .project_folders import (
    HEIGHT,
    WIDTH,
    blob,
    box_only,
    draw,
    dump,
    execute,
    make_folder,
    reshaped,
)


@pytest.fixture
def project(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as opened:
        opened.add_category("plane")
        yield opened


@pytest.fixture
def document(project):
    return project.document(1)


def truth(project, image_id=1):
    annotation = project.annotation(image_id)
    return annotation.instances, annotation.state


def seen(document):
    return document.instances, document.state


class Editing(RuleBasedStateMachine):
    """Any sequence of edits, undo, redo and restarts, against a list of what the image was."""

    def __init__(self):
        super().__init__()
        self.folder = make_folder(Path(tempfile.mkdtemp()) / "images", ["one.png"])
        self.project = Project.open(self.folder)
        for name in ("plane", "nucleus"):
            self.project.add_category(name)
        self.document = self.project.document(1)
        self.past = [((), "todo")]
        self.texts = []
        self.now = 0
        self.given = set()

    def commit(self, changes=(), state=None):
        text = f"edit {len(self.texts)}"
        here, image_state = self.past[self.now]
        image = {instance.id: instance for instance in here}
        for pair in changes:
            image.pop(pair.id, None)
            if pair.after is not None:
                image[pair.id] = pair.after
        if state is None and changes and image_state == "todo":
            image_state = "draft"
        after = (tuple(image[k] for k in sorted(image)), state or image_state)
        pair = None if state is None else (self.document.state, state)
        self.project.commit(self.document, Edit(1, tuple(changes), text, state=pair))
        if changes or state:
            self.past[self.now + 1 :] = [after]
            self.texts[self.now :] = [text]
            self.now += 1

    def pick(self, data):
        return data.draw(
            st.lists(st.sampled_from(self.document.instances), unique_by=lambda i: i.id)
        )

    @rule(n=st.integers(0, 4), category_id=st.sampled_from([1, 2]), seed=st.integers(0, 99))
    def add(self, n, category_id, seed):
        ids = self.project.new_ids(n)
        assert self.given.isdisjoint(ids)
        self.given.update(ids)
        self.commit([Change(None, blob(k, seed, category_id)) for k in ids])

    @precondition(lambda self: len(self.document))
    @rule(data=st.data(), seed=st.integers(0, 99), category_id=st.sampled_from([1, 2]))
    def change(self, data, seed, category_id):
        pairs = [(i, replace(reshaped(i, seed), category_id=category_id)) for i in self.pick(data)]
        self.commit([Change(*pair) for pair in pairs])

    @precondition(lambda self: len(self.document))
    @rule(data=st.data())
    def remove(self, data):
        self.commit([Change(i, None) for i in self.pick(data)])

    @precondition(lambda self: len(self.document))
    @rule(data=st.data(), state=st.sampled_from(STATES))
    def mixed(self, data, state):
        gone, *kept = self.pick(data) or [self.document.instances[0]]
        (new,) = self.project.new_ids(1)
        self.given.add(new)
        changes = [Change(gone, None), Change(None, blob(new))]
        self.commit([*changes, *(Change(i, reshaped(i, 5)) for i in kept)], state)

    @rule(state=st.sampled_from(STATES))
    def mark(self, state):
        self.commit(state=state)

    @rule()
    def undo(self):
        before = seen(self.document)
        edit = self.project.undo(self.document)
        assert (edit is None) == (self.now == 0)
        if edit is not None:
            self.now -= 1
            again = Document(self.document.image, Annotation(1, *before))
            again.apply(edit)
            assert seen(again) == self.past[self.now]

    @rule()
    def redo(self):
        edit = self.project.redo(self.document)
        assert (edit is None) == (self.now == len(self.past) - 1)
        self.now += edit is not None

    @rule()
    def restart(self):
        self.project.close()
        self.project = Project.open(self.folder)
        self.document = self.project.document(1)

    @invariant()
    def memory_and_database_say_what_the_replay_says(self):
        assert seen(self.document) == truth(self.project) == self.past[self.now]
        steps = self.project.history(1)
        assert [step.text for step in steps] == self.texts
        assert [step.undone for step in steps] == [n >= self.now for n in range(len(self.texts))]
        assert self.project.can_undo(1) == (self.now > 0)
        assert self.project.can_redo(1) == (self.now < len(self.texts))
        assert self.project.entry(1).n_instances == len(self.document)

    def teardown(self):
        self.project.close()
        shutil.rmtree(self.folder.parent)


Editing.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestEditing = Editing.TestCase


def test_history_survives_a_restart_and_redo_too(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        document = project.document(2)
        draw(project, document, 2, "Draw two")
        draw(project, document, 1, "Draw one")
        project.undo(document)
        kept = seen(document)
    with Project.open(folder) as project:
        document = project.document(2)
        assert seen(document) == kept
        assert [(s.step, s.text, s.undone) for s in project.history(2)] == [
            (1, "Draw two", False),
            (2, "Draw one", True),
        ]
        assert project.redo(document).text == "Draw one"
        assert len(document) == 3
        project.undo(document)
        back = project.undo(document)
        assert back.state == ("draft", "todo")
        assert seen(document) == truth(project, 2) == ((), "todo")
        assert not project.can_undo(2)
        assert project.undo(document) is None


def test_a_new_edit_drops_what_was_undone(project, document):
    draw(project, document, text="first")
    draw(project, document, text="second")
    project.undo(document)
    draw(project, document, text="third")
    assert [step.text for step in project.history(1)] == ["first", "third"]
    assert not project.can_redo(1)
    assert project.redo(document) is None


def test_a_part_of_a_history_can_be_read_and_its_size_is_known(project, document):
    for number in range(1, 6):
        draw(project, document, number, f"step {number}")
    project.undo(document)
    project.undo(document)
    assert project.history_size(1) == (5, 3)
    assert [s.text for s in project.history(1, 2, 4)] == ["step 2", "step 3", "step 4"]
    draw(project, document, 9, "else")
    assert project.history_size(1) == (4, 4)
    assert project.history_size(2) == (0, 0)


def test_images_have_histories_of_their_own(project, document):
    other = project.document(2)
    draw(project, document)
    draw(project, other, 2)
    assert project.undo(other).image_id == 2
    assert len(document) == 1
    assert truth(project) == seen(document)


def test_the_first_objects_make_an_untouched_image_a_draft_and_undo_takes_that_back(project):
    document = project.document(1)
    project.commit(document, Edit(1, (), "Nothing"))
    assert project.history(1) == ()
    project.commit(document, Edit(1, (), "Mark done", state=("todo", "done")))
    draw(project, document)
    assert document.state == "done"
    project.undo(document)
    project.undo(document)
    assert document.state == "todo"
    draw(project, document)
    assert document.state == project.entry(1).state == "draft"
    project.undo(document)
    assert document.state == project.entry(1).state == "todo"


def test_many_changes_in_one_edit_and_masks_from_painting(project, document):
    draw(project, document, 50)
    one, *others = document.instances
    bits = np.zeros((5, 6), np.bool_)
    bits[1:3, 2:6] = True
    brushed = painted(one, Mask(10, 20, bits))
    assert (brushed.box.x0, brushed.box.y0, brushed.box.x1, brushed.box.y1) == (12, 21, 16, 23)
    assert brushed.origin.edited
    before = document.instances
    edit = change(1, [(one, brushed), *((i, reshaped(i, 3)) for i in others)], "Paint", "brush")
    project.commit(document, edit)
    assert document.get(one.id) == project.annotation(1).instances[0] == brushed
    assert invert(invert(edit)) == edit
    undone = project.undo(document)
    assert undone.tool == "brush"
    assert document.instances == project.annotation(1).instances == before


def test_the_dirty_rectangle_holds_every_pixel_that_changes(project, document):
    a, b = blob(1), box_only(2)
    left, top, right, bottom = dirty_rect(change(1, [(a, reshaped(a, 8))], "x"))
    for mask in (a.mask, reshaped(a, 8).mask):
        ys, xs = np.nonzero(mask.bits)
        assert left <= xs.min() + mask.x0
        assert xs.max() + mask.x0 < right
        assert top <= ys.min() + mask.y0
        assert ys.max() + mask.y0 < bottom
    assert dirty_rect(add(1, [b], "x")) == (0, 1, 32, 22)
    assert dirty_rect(Edit(1, (), "x", state=("todo", "done"))) is None


def spoilt_edits():
    here = blob(1)
    far = replace(blob(7), mask=Mask(WIDTH - 3, 0, np.ones((2, 4), np.bool_)))
    low = replace(blob(7), mask=Mask(0, HEIGHT, np.ones((1, 1), np.bool_)))
    out = replace(blob(7), mask=Mask(-1, 0, np.ones((2, 4), np.bool_)))
    empty = replace(blob(7), mask=Mask(0, 0, np.zeros((2, 4), np.bool_)))
    return {
        "another image's": add(2, [blob(7)], "x"),
        "an id that is taken": add(1, [blob(1, 5)], "x"),
        "an id of another image": add(1, [blob(3)], "x"),
        "a change of what was never there": change(1, [(blob(9), blob(9, 1))], "x"),
        "a change of an older version": change(1, [(reshaped(here, 9), blob(1, 2))], "x"),
        "a deletion of an older version": remove(1, [reshaped(here, 9)], "x"),
        "another state": Edit(1, (), "x", state=("todo", "done")),
        "twice the same": Edit(1, (Change(here, None), Change(None, here)), "x"),
        "no such category": add(1, [blob(7, category_id=5)], "x"),
        "too far right": add(1, [far], "x"),
        "too low": add(1, [low], "x"),
        "too far left": add(1, [out], "x"),
        "an empty mask": add(1, [empty], "x"),
        "an id that is none": add(1, [blob(7), replace(blob(8), id=0)], "x"),
        "too large an id": add(1, [blob(7), replace(blob(8), id=2**70)], "x"),
        "half a character": add(1, [blob(7)], "\ud800"),
    }


@pytest.mark.parametrize("name", spoilt_edits())
def test_a_refused_edit_leaves_database_and_document_as_they_were(project, document, name):
    draw(project, document, 2)
    other = project.document(2)
    draw(project, other)
    draw(project, document)
    project.undo(document)
    before, memory, revision = dump(project.folder), seen(document), document.revision
    with pytest.raises(ProjectError):
        project.commit(document, spoilt_edits()[name])
    assert dump(project.folder) == before
    assert (seen(document), document.revision) == (memory, revision)
    assert project.redo(document) is not None
    draw(project, document)
    assert truth(project) == seen(document)


def test_an_older_document_of_the_same_image_cannot_overwrite_a_newer_one(project, document):
    draw(project, document)
    older = project.document(1)
    draw(project, document)
    before = dump(project.folder)
    for attempt in (
        lambda: project.commit(older, add(1, [blob(99)], "x")),
        lambda: project.commit(older, Edit(1, (), "x", state=("draft", "done"))),
        lambda: project.undo(older),
    ):
        with pytest.raises(ProjectError, match="in the meantime"):
            attempt()
    assert dump(project.folder) == before
    assert len(older) == 1


def test_undo_brings_back_a_category_that_was_removed_since(project, document):
    project.add_category("tree")
    two = blob(project.new_ids(1)[0], category_id=2)
    project.commit(document, add(1, [two], "Draw"))
    with pytest.raises(ProjectError, match="tree cannot be removed: 1 object uses it"):
        project.remove_category(2)
    project.commit(document, remove(1, [two], "Delete"))
    project.remove_category(2)
    assert [c.name for c in project.categories()] == ["plane"]
    project.update_category(replace(project.categories()[0], name="Tree"))
    project.undo(document)
    assert document.instances == (two,)
    assert [(c.id, c.name) for c in project.categories()] == [(1, "Tree"), (2, "tree 2")]


def test_ids_are_never_given_twice(project, document):
    edit = draw(project, document, 3)
    used = {c.id for c in edit.changes}
    project.undo(document)
    more = set(project.new_ids(400))
    assert not used & more
    project.commit(document, add(1, [blob(5000)], "An id from elsewhere"))
    project.undo(document)
    folder = project.folder
    project.close()
    with Project.open(folder) as again:
        (next_one,) = again.new_ids(1)
        assert next_one == 5001
        assert list(again.new_ids(0)) == []
        assert again.new_ids(1)[0] == 5002


def test_a_damaged_record_is_one_sentence_and_other_images_go_on(project, document):
    draw(project, document)
    other = project.document(2)
    draw(project, other)
    execute(project.folder, "UPDATE instances SET body = x'0102' WHERE image_id = 1")
    with pytest.raises(ProjectError, match="damaged"):
        project.document(1)
    execute(project.folder, "UPDATE history SET body = x'00' WHERE image_id = 2")
    with pytest.raises(ProjectError, match="damaged"):
        project.undo(other)
    draw(project, other)
    assert truth(project, 2) == seen(other)


def test_a_document_finds_its_instances_by_id():
    image = ImageRef(1, "a.png", WIDTH, HEIGHT)
    document = Document(image, Annotation(1, (blob(4), blob(2))))
    assert [i.id for i in document.instances] == [2, 4]
    assert 4 in document
    assert 3 not in document
    assert document.get(3) is None
    assert [i.id for i in document.some([9, 4, 2])] == [2, 4]


def test_a_change_is_of_one_instance():
    with pytest.raises(ValueError, match="before or an after"):
        Change(None, None)
    with pytest.raises(ValueError, match="keeps the instance's id"):
        Change(blob(1), blob(2))
