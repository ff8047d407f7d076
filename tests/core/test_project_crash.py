"""What was saved stays saved: killed programs, full disks and other programs in the way."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from seginst_core.errors import ProjectError
from seginst_core.project import Edit, Project, add, change, remove
from seginst_core.types import Annotation, Dataset, ImageRef, Prediction

from .project_folders import (
    HEIGHT,
    WIDTH,
    blob,
    database,
    draw,
    dump,
    make_folder,
    reshaped,
)

EDIT_FOREVER = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from seginst_core.project import Project, add, change, remove
from seginst_core.types import Box, Instance, Mask

project = Project.open(Path(sys.argv[1]))
rng = np.random.default_rng(int(sys.argv[2]))
document = project.document(1)

def shape(k):
    bits = rng.random((30, 50)) < 0.5
    bits[0, 0] = True
    return Instance(k, 1, Box(0, 0, 50, 30), Mask(int(rng.integers(0, 10)), 2, bits))

while True:
    (k,) = project.new_ids(1)
    print("id", k, flush=True)
    project.commit(document, add(1, [shape(k)], f"add {k}"))
    print("step", project.history(1)[-1].step, f"add {k}", flush=True)
    old = document.instances[0]
    if k % 3 == 0:
        project.commit(document, change(1, [(old, shape(old.id))], f"change {old.id}"))
        print("step", project.history(1)[-1].step, f"change {old.id}", flush=True)
    if k % 5 == 0:
        old = document.instances[0]
        project.commit(document, remove(1, [old], f"remove {old.id}"))
        print("step", project.history(1)[-1].step, f"remove {old.id}", flush=True)
"""


def kill_while_writing(folder, seed, n_lines):
    """Let another process edit until it has said ``n_lines``, kill it, return all it said."""
    command = [sys.executable, "-c", EDIT_FOREVER, str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        said = [other.stdout.readline().split() for _ in range(n_lines)]
        # Not right after a line, where it would always be between the same two statements.
        time.sleep(seed * 0.0007)
        other.kill()
        said += [
            line.split() for line in other.stdout.read().splitlines(keepends=True) if "\n" in line
        ]
    return said


def test_a_killed_program_loses_nothing_it_had_said_was_saved(tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png"])
    with Project.open(folder) as project:
        project.add_category("plane")
    ids = set()
    for seed in range(4):
        said = kill_while_writing(folder, seed, 40 + 7 * seed)
        given = [int(words[1]) for words in said if words[0] == "id"]
        assert ids.isdisjoint(given)
        ids.update(given)
        with closing(sqlite3.connect(database(folder))) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        with Project.open(folder) as project:
            texts = {step.step: step.text for step in project.history(1)}
            for words in said:
                if words[0] == "step":
                    assert texts[int(words[1])] == " ".join(words[2:])
            assert ids.isdisjoint(project.new_ids(10))
            document = project.document(1)
            now = document.instances
            undone = []
            while (edit := project.undo(document)) is not None:
                undone.append(edit)
            assert len(undone) == len(texts)
            assert document.instances == ()
            while project.redo(document) is not None:
                pass
            assert document.instances == now == project.annotation(1).instances


@pytest.fixture
def project(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as opened:
        opened.add_category("plane")
        yield opened


def fill_disk(project):
    """Let the database's file grow no more, as on a full disk."""
    db = project._db
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (n_pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {n_pages}")


def every_change(project, document):
    """What a person can do that needs room on the disk, by name."""
    many = [blob(k) for k in range(5_000, 5_300)]
    dataset = Dataset(
        (ImageRef(1, "b.png", WIDTH, HEIGHT),),
        project.categories(),
        {1: Annotation(1, tuple(many), "done")},
    )
    here = document.instances
    return {
        "draw": lambda: project.commit(document, add(1, many, "Draw")),
        "repaint": lambda: project.commit(
            document, change(1, [(i, reshaped(i, 2)) for i in here], "Repaint")
        ),
        "predict": lambda: project.add_prediction(
            Prediction(1, "m", "two-stage", tuple(many)), "m"
        ),
        "import": lambda: project.merge_dataset(dataset),
        "set": lambda: project.set_setting("long", "x" * 100_000),
        "category": lambda: project.add_category("y" * 100_000),
    }


@pytest.mark.parametrize("name", ["draw", "repaint", "predict", "import", "set", "category"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(project, name):
    document = project.document(1)
    project.ensure_size(2)
    draw(project, document, 300)
    before, memory, revision = dump(project.folder), document.instances, document.revision
    fill_disk(project)
    with pytest.raises(ProjectError, match=r"^The change was not saved: the disk is full\.$"):
        every_change(project, document)[name]()
    assert dump(project.folder) == before
    assert (document.instances, document.revision) == (memory, revision)
    # Room again: the same document goes on.
    project._db.execute("PRAGMA max_page_count = 100000")
    every_change(project, document)[name]()
    assert document.instances == project.annotation(1).instances
    folder = project.folder
    project.close()
    with Project.open(folder) as again:
        assert again.annotation(1).instances == document.instances


def test_a_full_disk_in_the_middle_of_drawing_keeps_every_stroke_before(project):
    document = project.document(1)
    draw(project, document)
    fill_disk(project)

    def draw_on():
        for _ in range(10_000):
            draw(project, document)

    with pytest.raises(ProjectError, match="disk is full"):
        draw_on()
    n_kept = len(document)
    assert n_kept > 1
    assert project.undo(document) is not None
    folder = project.folder
    project.close()
    with Project.open(folder) as again:
        assert len(again.document(1)) == n_kept - 1
        assert again.can_redo(1)


def test_another_program_writing_is_one_sentence_and_afterwards_all_is_well(project):
    document = project.document(1)
    draw(project, document, 2)
    memory = document.instances
    with closing(sqlite3.connect(database(project.folder), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for attempt in (
            lambda: project.commit(document, remove(1, memory, "Delete")),
            lambda: project.undo(document),
            lambda: project.commit(document, Edit(1, (), "Mark", state=("draft", "done"))),
        ):
            with pytest.raises(ProjectError, match="another program is using the project"):
                attempt()
        assert document.instances == memory == project.annotation(1).instances
        other.execute("ROLLBACK")
    draw(project, document)
    assert len(project.annotation(1).instances) == 3


def test_an_error_in_the_middle_of_an_import_takes_all_of_it_back(project):
    good = tuple(blob(k) for k in range(1, 4))
    # What no reader makes, and no reader should be trusted with: a category that is not listed.
    bad = (blob(4, category_id=1), blob(5, category_id=77))
    images = tuple(ImageRef(k, f"{name}.png", WIDTH, HEIGHT) for k, name in enumerate("ab"))
    dataset = Dataset(
        images,
        project.categories(),
        {0: Annotation(0, good, "done"), 1: Annotation(1, bad, "done")},
    )
    before = dump(project.folder)
    with pytest.raises(ProjectError, match="category 77"):
        project.merge_dataset(dataset)
    assert dump(project.folder) == before
    document = project.document(1)
    draw(project, document)
    project.commit(document, add(1, [reshaped(blob(900), 3)], "Draw"))
    assert len(project.annotation(1).instances) == 2
