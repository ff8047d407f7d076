"""What the commands say and refuse, without starting a process for each."""

import io
import json
import os
import sys

import pytest
import typer

from seginst_core.cli import app
from seginst_core.cli.predict import predict
from seginst_core.cli.review import evaluate

from .project_folders import make_folder


@pytest.fixture
def run(monkeypatch):
    """Run a command with outputs of an encoding; the answer is its exit code and both texts."""

    def run(encoding: str, *words: object) -> tuple[object, str, str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
        monkeypatch.setattr(app, "keep_freed_memory", lambda: None)
        monkeypatch.setattr(sys, "argv", ["seginst", *map(str, words)])
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                app.main()
        for stream in (out, err):
            stream.flush()
        return ended.value.code, *(s.buffer.getvalue().decode(encoding) for s in (out, err))

    return run


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_any_name_can_be_shown_in_any_encoding(run, tmp_path, encoding):
    folder = make_folder(tmp_path / "日本", ["é.png"])
    out = tmp_path / "日本.json"
    words = ("export", folder, "--state", "all", "--out", out)
    code, said, _ = run(encoding, *words, "--json")
    assert code == 0
    assert json.loads(said)["path"] == str(out)
    code, said, _ = run(encoding, *words)
    assert code == 0
    assert ("日本" if encoding == "utf-8" else r"\u65e5\u672c.json") in said
    code, _, said = run(encoding, "import", folder, tmp_path / "本.json")
    assert code == 1
    assert "cannot be read" in said
    assert "unexpected" not in said


def test_a_place_that_is_no_text_can_be_shown(run, tmp_path):
    folder = make_folder(tmp_path / "images")
    out = tmp_path / os.fsdecode(b"caf\xe9.json")
    code, said, err = run("utf-8", "export", folder, "--state", "all", "--out", out, "--json")
    if not out.exists():
        pytest.skip("this disk takes only names that are text")
    assert code == 0, err
    assert json.loads(said)["path"] == str(out)


def test_nothing_is_written_over_what_is_read(tmp_path, capsys):
    truth, found = tmp_path / "truth.json", tmp_path / "found.json"
    for path in (truth, found):
        path.write_text("kept")
    (tmp_path / "link.json").symlink_to(truth)
    for out in (truth, found, tmp_path / "link.json"):
        with pytest.raises(typer.Exit):
            evaluate(truth, found, out)
        assert "is read here and would be lost" in capsys.readouterr().err
    with pytest.raises(typer.Exit):
        predict("airplane-two-stage", truth, data=truth, images=tmp_path)
    assert "is read here and would be lost" in capsys.readouterr().err
    assert truth.read_text() == found.read_text() == "kept"


def test_measures_are_never_written_over_an_image(tmp_path, capsys):
    image = tmp_path / "a.png"
    image.write_bytes(b"pixels")
    with pytest.raises(typer.Exit):
        evaluate(tmp_path / "truth.json", tmp_path / "found.json", image)
    assert "is named as an image" in capsys.readouterr().err
    assert image.read_bytes() == b"pixels"
