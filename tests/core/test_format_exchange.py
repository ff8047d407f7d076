"""Formats through a project, as the command line does it: out, told apart, and in again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seginst_core.errors import DataError, FormatError
from seginst_core.events import Event, Reporter
from seginst_core.formats import FORMATS
from seginst_core.jobs.exchange import export_annotations, import_annotations
from seginst_core.project import Project
from seginst_core.types import STATES, Dataset

from .format_scenes import PATHS, everything, holed, instance, looks, make_images, scene, solid


def apart() -> Dataset:
    """Masks that do not cover each other, so that every format keeps them."""
    return scene(
        (instance(1, solid()),),
        (instance(3, holed(), 2), instance(4, solid(0, 0), score=0.5)),
        (),
        (instance(6, None), instance(7, None, 2)),
    )


def make_project(folder: Path, dataset: Dataset | None = None) -> Path:
    make_images(folder)
    with Project.open(folder) as project:
        if dataset is not None:
            project.merge_dataset(dataset)
    return folder


def shown(folder: Path) -> dict[str, list[tuple[str, bytes, tuple[float, ...]]]]:
    with Project.open(folder) as project:
        return {path: found for path, found in looks(project.dataset(STATES)).items() if found}


@pytest.mark.parametrize("name", ["mask-png", "voc"])
def test_pictures_of_masks_among_the_images_are_none_of_them(tmp_path, name):
    folder = make_project(tmp_path / "one", apart())
    export_annotations(folder, folder / "out", name, only_done=False, reporter=Reporter())
    make_images(folder, ("out/images/new.png",))
    with Project.open(folder) as project:
        paths = [entry.ref.path for entry in project.images()]
    assert sorted(paths) == sorted((*PATHS, "out/images/new.png"))
    other = make_project(tmp_path / "two")
    (folder / "out").rename(other / "out")
    assert import_annotations(other, other / "out", "auto", Reporter()).n_objects == 5


@pytest.mark.parametrize("name", FORMATS)
def test_a_project_goes_out_and_comes_in_again(tmp_path, name):
    one, two = make_project(tmp_path / "one", apart()), make_project(tmp_path / "two")
    out = tmp_path / f"out{FORMATS[name].suffix}"
    events: list[tuple[Event, bool]] = []
    reporter = Reporter(lambda event: events.append((event, out.exists())))
    summary = export_annotations(one, out, name, only_done=False, reporter=reporter)
    assert (summary.n_images, summary.n_objects, summary.notes) == (5, 5, ())
    said = [(e["text"], there) for e, there in events if e["event"] == "log"]
    assert said == [(text, False) for text in summary.losses]
    assert bool(summary.losses) == (name not in ("coco", "mask-png"))
    summary = import_annotations(two, out, "auto", Reporter())
    assert summary.notes == ()
    assert summary.n_objects == 5
    assert shown(two) == shown(one) == looks(apart())
    # Where it came from, all of it is there already.
    again = import_annotations(one, out, "auto", Reporter())
    assert again.notes == ("5 objects were skipped because they are here already.",)


def test_a_folder_of_no_format_is_refused(tmp_path):
    one = make_project(tmp_path / "one")
    with pytest.raises(FormatError, match="holds no annotations of a known format"):
        import_annotations(one, tmp_path, "auto", Reporter())
    with pytest.raises(FormatError, match="cannot be read"):
        import_annotations(one, tmp_path / "none", "auto", Reporter())
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 1 2 3\n")
    with pytest.raises(DataError, match=r"Nothing in .* could be used: Line 1 of a.txt was"):
        import_annotations(one, tmp_path / "labels", "yolo", Reporter())


def seginst(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seginst_core.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_line_says_the_losses_and_tells_the_format(tmp_path):
    one, two = make_project(tmp_path / "one", everything()), make_project(tmp_path / "two")
    out = tmp_path / "out"
    done = seginst("export", one, "--out", out, "--format", "labelme", "--state", "all")
    assert done.returncode == 0, done.stderr
    lost = FORMATS["labelme"].losses(everything())
    assert done.stderr.splitlines() == list(lost)
    done = seginst("import", two, out, "--json")
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)
    assert (table["images"], table["objects"]) == (5, 7)
    assert shown(two) == looks(everything())
    (out / "mine").touch()
    done = seginst("export", one, "--out", out, "--format", "voc", "--state", "all")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("choose a new or empty folder.")
    done = seginst("import", two, out, "--format", "tar")
    assert done.returncode == 2
    assert "auto, coco, yolo, voc, labelme, mask-png" in " ".join(done.stderr.split())
