"""Opening a folder, the lock on it, and its image list."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seginst_core.errors import ImageError, ProjectError
from seginst_core.images import list_images
from seginst_core.project import Edit, Project
from seginst_core.project.schema import MIGRATIONS
from seginst_core.types import Prediction

from .project_folders import (
    HEIGHT,
    WIDTH,
    database,
    draw,
    execute,
    make_folder,
    write_image,
)

needs_rights = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root"
)


def paths(project):
    return [entry.ref.path for entry in project.images()]


# Opening


def test_a_folder_becomes_a_project_and_stays_one(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        assert project.folder == folder
        assert project.notes == ()
        assert paths(project) == ["a.png", "b.png", "c.png"]
        assert [e.state for e in project.images()] == ["todo"] * 3
        assert project.models_folder == folder / ".seginst" / "models"
        assert project.runs_folder == folder / ".seginst" / "runs"
        ids = [entry.ref.id for entry in project.images()]
    assert list_images(folder) == ["a.png", "b.png", "c.png"]
    with Project.open(folder) as project:
        assert [entry.ref.id for entry in project.images()] == ids


def test_a_folder_without_images_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(ProjectError, match=r"There are no images in .*\."):
        Project.open(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["nowhere", "a.png"])
def test_a_folder_that_is_none_is_refused(tmp_path, name):
    write_image(tmp_path / "a.png")
    with pytest.raises((ImageError, ProjectError)):
        Project.open(tmp_path / name)


def test_a_relative_folder_is_the_same_project_wherever_the_program_goes(tmp_path, monkeypatch):
    make_folder(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    with Project.open(Path("images")) as project:
        monkeypatch.chdir("/")
        assert project.ensure_size(1).width == WIDTH


def test_a_project_whose_images_are_all_gone_still_opens(tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png"])
    with Project.open(folder) as project:
        project.add_category("plane")
        draw(project, project.document(1), 2)
    (folder / "a.png").unlink()
    with Project.open(folder) as project:
        (entry,) = project.images()
        assert (entry.missing, entry.n_instances) == (True, 2)
        assert project.notes == ("a.png is no longer in the folder; its objects are kept.",)
        assert len(project.document(1)) == 2


def test_a_newer_project_is_refused_and_not_touched(tmp_path):
    folder = make_folder(tmp_path / "images")
    Project.open(folder).close()
    execute(folder, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 1000")
    before = database(folder).read_bytes()
    with pytest.raises(ProjectError, match="newer version of SegInst"):
        Project.open(folder)
    assert database(folder).read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, " * 100, b"SQLite format 3\0" + b"\xff" * 500]
)
def test_a_damaged_database_is_refused_and_not_touched(tmp_path, content):
    folder = make_folder(tmp_path / "images")
    Project.open(folder).close()
    database(folder).write_bytes(content)
    with pytest.raises(ProjectError, match=r"project\.db cannot be opened: .*damaged\."):
        Project.open(folder)
    assert database(folder).read_bytes() == content
    database(folder).unlink()
    Project.open(folder).close()


def test_a_database_whose_schema_is_no_text_is_called_damaged(tmp_path):
    folder = make_folder(tmp_path / "images")
    Project.open(folder).close()
    content = database(folder).read_bytes()
    database(folder).write_bytes(
        content.replace(b"CREATE TABLE images", b"CRE\xfeTE TABLE i\xffages")
    )
    with pytest.raises(ProjectError, match="damaged"):
        Project.open(folder)


def test_a_database_that_is_cut_short_is_an_error_and_not_an_empty_project(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        draw(project, project.document(1), 200)
    whole = database(folder).read_bytes()
    database(folder).write_bytes(whole[: len(whole) // 2])

    def look():
        with Project.open(folder) as project:
            return [project.document(entry.ref.id) for entry in project.images()]

    with pytest.raises(ProjectError, match="damaged"):
        look()


def test_something_else_in_the_way_is_one_sentence(tmp_path):
    folder = make_folder(tmp_path / "images")
    (folder / ".seginst").write_text("a file")
    with pytest.raises(ProjectError, match="cannot be written to"):
        Project.open(folder)
    (folder / ".seginst").unlink()
    (folder / ".seginst" / "project.db").mkdir(parents=True)
    with pytest.raises(ProjectError, match="cannot be opened"):
        Project.open(folder)


@needs_rights
@pytest.mark.parametrize("which", ["folder", "home", "database"])
def test_a_read_only_folder_is_refused(tmp_path, which):
    folder = make_folder(tmp_path / "images")
    if which != "folder":
        Project.open(folder).close()
    target = {"folder": folder, "home": folder / ".seginst", "database": database(folder)}[which]
    target.chmod(0o500 if target.is_dir() else 0o400)
    try:
        with pytest.raises(ProjectError):
            Project.open(folder)
    finally:
        target.chmod(0o700)


# The lock

HOLD = """
import sys
from pathlib import Path
from seginst_core.project import Project
project = Project.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_one_window_at_a_time_in_one_process(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        with pytest.raises(ProjectError, match="open in another window of SegInst; close it first"):
            Project.open(folder)
        assert project.images()
    project.close()
    Project.open(folder).close()
    with pytest.raises(ProjectError, match="closed"):
        project.images()


def test_the_lock_of_another_process_holds_and_vanishes_with_it(tmp_path):
    folder = make_folder(tmp_path / "images")
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ProjectError, match="open in another window"):
            Project.open(folder)
        other.kill()
        other.wait()
        Project.open(folder).close()


def test_a_refused_open_gives_the_lock_back(tmp_path):
    folder = make_folder(tmp_path / "images")
    Project.open(folder).close()
    execute(folder, "PRAGMA user_version = 1000")
    for _ in range(2):
        with pytest.raises(ProjectError, match="newer"):
            Project.open(folder)
    execute(folder, f"PRAGMA user_version = {len(MIGRATIONS)}")
    Project.open(folder).close()


# Images


def test_images_come_in_the_folder_s_order_with_any_name(tmp_path):
    names = ["img10.png", "img9.png", "b/c/1.png", "Überflug/日本 語.png", "it's; DROP TABLE.png"]
    folder = make_folder(tmp_path / "images", names)
    with Project.open(folder) as project:
        assert paths(project) == list_images(folder)
        for entry in project.images():
            assert project.image_path(entry.ref.id) == folder / entry.ref.path
            assert project.ensure_size(entry.ref.id).width == WIDTH


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows any bytes in a name")
def test_a_name_that_is_no_text_is_left_out_with_a_word(tmp_path):
    folder = make_folder(tmp_path / "images", ["a.png"])
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(b"")
    with Project.open(folder) as project:
        assert paths(project) == ["a.png"]
        assert project.notes == ("1 file was left out: its name is not valid text.",)


def test_files_come_and_go_and_come_back(tmp_path):
    folder = make_folder(tmp_path / "images")
    with Project.open(folder) as project:
        project.add_category("plane")
        kept = draw(project, project.document(1), 3)
        (folder / "a.png").unlink()
        (folder / "b.png").unlink()
        write_image(folder / "aa.png")
        project.rescan()
        assert paths(project) == ["aa.png", "c.png", "a.png", "b.png"]
        assert [entry.missing for entry in project.images()] == [False, False, True, True]
        assert project.notes == (
            "2 images are no longer in the folder, a.png among them; their objects are kept.",
        )
        assert len(project.document(1)) == 3
        project.rescan()
        assert project.notes == ()
        write_image(folder / "a.png")
        project.rescan()
        assert paths(project) == ["a.png", "aa.png", "c.png", "b.png"]
        assert project.annotation(1).instances == tuple(c.after for c in kept.changes)
        assert not project.entry(1).missing


def test_a_size_is_read_once_and_only_when_asked(tmp_path):
    folder = make_folder(tmp_path / "images")
    (folder / "b.png").write_bytes(b"this is not a picture")
    with Project.open(folder) as project:
        assert {(e.ref.width, e.ref.height) for e in project.images()} == {(0, 0)}
        ref = project.ensure_size(1)
        assert (ref.id, ref.path, ref.width, ref.height) == (1, "a.png", WIDTH, HEIGHT)
        (folder / "a.png").unlink()
        assert project.ensure_size(1) == project.entry(1).ref == ref
        with pytest.raises(ImageError):
            project.ensure_size(2)
        assert project.document(2).image.width == 0
        (folder / "c.png").unlink()
        with pytest.raises(ImageError):
            project.ensure_size(3)
    with Project.open(folder) as project:
        assert project.entry(1).ref == ref


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.entry(99),
        lambda p: p.image_path(99),
        lambda p: p.annotation(99),
        lambda p: p.document(99),
        lambda p: p.ensure_size(99),
        lambda p: p.add_prediction(Prediction(99, "m", "two-stage", ()), "m"),
    ],
)
def test_an_image_that_is_not_there_is_one_sentence(tmp_path, ask):
    with (
        Project.open(make_folder(tmp_path / "images")) as project,
        pytest.raises(ProjectError, match=r"There is no image 99 in this project\."),
    ):
        ask(project)


def test_the_list_counts_objects_and_states(tmp_path):
    with Project.open(make_folder(tmp_path / "images")) as project:
        project.add_category("plane")
        document = project.document(2)
        draw(project, document, 4)
        project.commit(document, Edit(2, (), "Mark done", state=("draft", "done")))
        assert [(e.state, e.n_instances) for e in project.images()] == [
            ("todo", 0),
            ("done", 4),
            ("todo", 0),
        ]
        assert project.images()[1] == project.entry(2)
