"""What the commands say and refuse, without starting a process for each."""

import pytest
import typer

from seginst_core.cli.review import evaluate


def test_measures_are_never_written_over_an_image(tmp_path, capsys):
    image = tmp_path / "a.png"
    image.write_bytes(b"pixels")
    with pytest.raises(typer.Exit):
        evaluate(tmp_path / "truth.json", tmp_path / "found.json", image)
    assert "is named as an image" in capsys.readouterr().err
    assert image.read_bytes() == b"pixels"
