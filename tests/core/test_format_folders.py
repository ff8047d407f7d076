"""What all formats share: exports are whole or not there, names are kept, damage is a sentence."""

import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS, folders, recognise
from seginst_core.types import Annotation, Category, Dataset, ImageRef

from .format_scenes import HEIGHT, WIDTH, everything, instance, looks, make_images, solid, tree

FOLDERS = [name for name, entry in FORMATS.items() if not entry.suffix]


@pytest.fixture(params=FOLDERS)
def form(request):
    return FORMATS[request.param]


@pytest.fixture
def old(tmp_path, form):
    """An earlier export, and the one with which it is to be replaced."""
    out = tmp_path / "place" / "out"
    form.write(everything(), out)
    return out


def smaller() -> Dataset:
    image = ImageRef(1, "other/b.png", WIDTH, HEIGHT)
    annotation = Annotation(1, (instance(1, solid()),), "done")
    return Dataset((image,), (Category(1, "car"),), {1: annotation})


def test_a_new_export_replaces_all_of_the_old_one(tmp_path, form, old):
    form.write(smaller(), old)
    form.write(smaller(), tmp_path / "fresh")
    assert tree(old) == tree(tmp_path / "fresh")
    images = make_images(tmp_path / "images", ("other/b.png",))
    assert looks(form.read(old, images)) == looks(smaller())
    assert [p.name for p in old.parent.iterdir()] == ["out"]


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path, form, old):
    (old / "mine.txt").write_text("mine")
    before = tree(old)
    with pytest.raises(FormatError, match=r"holds other files, such as mine.txt; choose a new or"):
        form.write(smaller(), old)
    assert tree(old) == before
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    form.write(smaller(), stranger)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FormatError, match="is a file, and this format needs a folder"):
        form.write(smaller(), tmp_path / "file")
    with pytest.raises(FormatError, match=r"could not be written \(.*\); nothing was changed\.$"):
        form.write(smaller(), tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("n_files", [0, 1, 2])
def test_a_failure_at_any_file_leaves_the_old_export(form, old, monkeypatch, n_files):
    before = tree(old)
    left = [n_files]

    def fail(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FormatError, match=r"\(No space left on device\); nothing was changed\.$"):
        form.write(smaller(), old)
    assert tree(old) == before
    assert [p.name for p in old.parent.iterdir()] == ["out"]


def test_a_failure_of_the_last_move_brings_the_old_export_back(form, old, monkeypatch):
    before = tree(old)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(FormatError, match="Input/output error"):
        form.write(smaller(), old)
    assert tree(old) == before
    assert [p.name for p in old.parent.iterdir()] == ["out"]


def test_ctrl_c_leaves_the_old_export(form, old, monkeypatch):
    before = tree(old)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "_take_place", interrupt)
    with pytest.raises(KeyboardInterrupt):
        form.write(smaller(), old)
    assert tree(old) == before
    assert [p.name for p in old.parent.iterdir()] == ["out"]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from seginst_core.errors import FormatError
from seginst_core.formats import FORMATS
name, source, images, out = sys.argv[1:]
dataset = FORMATS[name].read(Path(source), Path(images))
# From here on every write beyond a few bytes fails, as on a disk that is full.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))
try:
    FORMATS[name].write(dataset, Path(out))
except FormatError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
@pytest.mark.parametrize("name", FOLDERS)
def test_a_full_disk_leaves_no_trace(tmp_path, name):
    images = make_images(tmp_path / "images")
    source, out = tmp_path / "source", tmp_path / "outer" / "out"
    FORMATS[name].write(everything(), source)
    (tmp_path / "outer").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, name, str(source), str(images), str(out)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    said = f"{out} could not be written (File too large); nothing was changed.\n"
    assert (done.stdout, done.stderr) == (said, "")
    assert not list((tmp_path / "outer").iterdir())


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "C:\\a.png", "x/../../a.png"])
def test_nothing_is_written_outside_the_folder(tmp_path, form, path):
    hostile = Dataset((ImageRef(1, path, WIDTH, HEIGHT),), (), {})
    with pytest.raises(FormatError, match="leads out of its folder"):
        form.write(hostile, tmp_path / "place" / "out")
    assert not (tmp_path / "place").exists()


def test_names_that_are_no_text_are_one_sentence(tmp_path, form):
    bad = Dataset((ImageRef(1, "a.png", 9, 9),), (Category(1, "\udcff"),), {})
    with pytest.raises(FormatError, match=r"could not be written: .*; nothing was changed\."):
        form.write(bad, tmp_path / "place" / "out")
    assert not list((tmp_path / "place").iterdir())


def test_what_is_not_there_is_one_sentence(tmp_path, form):
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "none", tmp_path / "empty"):
        with pytest.raises(FormatError, match=r"\.$"):
            form.read(place, tmp_path)
        assert not form.recognise(place)
    with pytest.raises(FormatError, match="of a known format"):
        recognise(tmp_path / "empty")


@pytest.mark.parametrize("name", FOLDERS)
def test_each_format_is_recognised_and_no_other(tmp_path, name):
    FORMATS[name].write(everything(), tmp_path / "out")
    claims = [other for other in FOLDERS if FORMATS[other].recognise(tmp_path / "out")]
    assert claims == [name]
    assert recognise(tmp_path / "out") == name


def test_an_image_without_objects_comes_back_without_annotation(tmp_path, form):
    images = make_images(tmp_path / "images")
    form.write(everything(), tmp_path / "out")
    dataset = form.read(tmp_path / "out", images)
    paths = {image.id: image.path for image in dataset.images}
    assert "нет.png" not in {paths[image_id] for image_id in dataset.annotations}
    assert {a.state for a in dataset.annotations.values()} == {"done"}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """The images and an export in each format."""
    place = tmp_path_factory.mktemp("world")
    make_images(place / "images")
    for name in FOLDERS:
        FORMATS[name].write(everything(), place / name)
    return place


PIECES = [b"", b"0", b"9" * 30, b"-1", b"nan", b"1e400", b"\xff\x00", b"</object>", b"]", b"{",
          b'"', b"../", b"<", b"null", b"[]", b"\n", b" ", b"&a;", b"[" * 2000]  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
@given(chance=st.randoms(use_true_random=False), n_wounds=st.integers(1, 4))
@settings(max_examples=150)
def test_any_damage_is_a_data_set_or_a_sentence(world, name, chance: random.Random, n_wounds):
    files = [f for f in sorted((world / name).rglob("*")) if f.is_file()]
    wounded = {file: file.read_bytes() for file in chance.sample(files, k=min(2, len(files)))}
    try:
        for file, content in wounded.items():
            damaged = bytearray(content)
            for _ in range(n_wounds):
                at = chance.randrange(len(damaged) + 1)
                if chance.random() < 0.2:
                    del damaged[at:]
                else:
                    damaged[at : at + chance.randrange(6)] = chance.choice(PIECES)
            file.write_bytes(bytes(damaged))
        check(name, world)
    finally:
        for file, content in wounded.items():
            file.write_bytes(content)


def check(name: str, world: Path) -> None:
    """Read an export; only FormatError may come out, and only sound instances."""
    FORMATS[name].recognise(world / name)
    try:
        with warnings.catch_warnings():
            # A warning from numpy would mean that a value slipped through unchecked.
            warnings.simplefilter("error", RuntimeWarning)
            dataset = FORMATS[name].read(world / name, world / "images")
    except FormatError as error:
        sentence(str(error))
        return
    for note in dataset.notes:
        sentence(note)
    images = {image.id: image for image in dataset.images}
    categories = {category.id for category in dataset.categories}
    for annotation in dataset.annotations.values():
        image = images[annotation.image_id]
        for one in annotation.instances:
            assert one.category_id in categories
            assert 0 <= one.box.x0 < one.box.x1 <= image.width
            assert 0 <= one.box.y0 < one.box.y1 <= image.height


def sentence(text: str) -> None:
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 900
