"""A file is written whole or not at all, whatever comes between."""

import os
import sys
import threading

import pytest

from seginst_core.files import check_place, write_atomic


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.bin"
    write_atomic(path, b"one")
    write_atomic(path, b"")
    write_atomic(path, bytes(range(256)) * 5000)
    assert path.read_bytes() == bytes(range(256)) * 5000
    assert names(path.parent) == ["c.bin"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_stops_the_writing_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, step, error
):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    for target in (path, tmp_path / "new.bin"):
        with pytest.raises(type(error)) as caught:
            write_atomic(target, b"new")
        assert getattr(caught.value, "filename", str(target)) == str(target)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_the_new_bytes_are_on_the_disk_before_the_old_ones_go(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    seen = []
    plain = os.fsync

    def look(descriptor: int) -> None:
        plain(descriptor)
        seen.append((path.read_bytes(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", look)
    write_atomic(path, b"newer")
    assert seen == [(b"old", 5)]
    assert path.read_bytes() == b"newer"


def test_the_longest_name_that_a_disk_takes_can_be_written(tmp_path):
    path = tmp_path / f"{'ž' * 125}.json"
    path.write_bytes(b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_in_the_way_is_an_error_and_stays(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_atomic(tmp_path / "a", b"new")
    assert names(tmp_path) == ["a"]


def test_a_link_stays_and_what_it_points_to_is_written(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "here").mkdir()
    for name, old in (("a.bin", b"old"), ("none.bin", None)):
        target, link = tmp_path / "shared" / name, tmp_path / "here" / name
        if old is not None:
            target.write_bytes(old)
        link.symlink_to(target)
        write_atomic(link, b"new")
        assert link.is_symlink()
        assert target.read_bytes() == b"new"
    assert names(tmp_path / "shared") == names(tmp_path / "here") == ["a.bin", "none.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_stays_and_gets_the_bytes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    check_place(pipe)
    write_atomic(pipe, b"new")
    reader.join(30)
    assert got == [b"new"]
    assert pipe.is_fifo()
    assert names(tmp_path) == ["pipe"]


def test_a_link_to_a_place_where_no_file_can_be_is_seen_before(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file" / "a.bin")
    with pytest.raises(NotADirectoryError):
        check_place(tmp_path / "link")
    check_place(tmp_path / "new" / "a.bin")
    assert names(tmp_path) == ["file", "link"]
