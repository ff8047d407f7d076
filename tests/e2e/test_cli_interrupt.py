"""Ctrl-C and SIGTERM: exit code 130, a sentence, no half-written file; and the doctor's answer."""

import json
import os
import signal
import subprocess
import sys

import pytest

from .shell import contents, make_model, make_world, seginst

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_what_stops_training_leaves_a_checkpoint_and_no_model(tmp_path, sent):
    world = make_world(tmp_path / "world")
    out = tmp_path / "model"
    words = ("train", "--data", world.coco, "--images", world.images, "--out", out, "--json")
    words += ("--pipeline", "end-to-end", "--preset", "tiny", "--minutes", 30, "--device", "cpu")
    process = subprocess.Popen(
        [sys.executable, "-m", "seginst_core.cli", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        events = (json.loads(line) for line in process.stdout)
        assert any(event["event"] == "loss" for event in events)
        process.send_signal(sent)
        _, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1].startswith("Interrupted; the same command with --resume")
    assert set(contents(out)) == {"checkpoint/detector.pt"}
    # What was left is no model to any command, and is whole: training goes on from it.
    assert seginst("models", "show", out, cwd=tmp_path, env=dict(os.environ)).returncode == 1
    again = [str(word) for word in words if word not in ("--json", "--minutes", 30)]
    before = json.loads(_resumed(again, tmp_path))
    assert before["iteration"] > 1


def _resumed(words, folder):
    """Return the first loss event of the training that goes on from the checkpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seginst_core.cli", *words, "--json", "--minutes", "30", "--resume"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
    )
    try:
        assert process.stdout is not None
        return next(line for line in process.stdout if json.loads(line)["event"] == "loss")
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_while_predicting_keeps_the_old_file(tmp_path):
    model = make_model(tmp_path / "model")
    world = make_world(tmp_path / "world", n_images=300)
    out = tmp_path / "out" / "p.json"
    out.parent.mkdir()
    out.write_text("the old predictions")
    words = ("predict", "--model", model, "--out", out, "--score", 0.9, world.images)
    # A terminal shows each image's name, so it is known when the work is under way.
    terminal, other_end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "seginst_core.cli", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=other_end,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )
    os.close(other_end)
    shown = b""
    try:
        while b"disc_" not in shown:
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # Linux says so when the other end is closed
            pass
        stdout, _ = process.communicate(timeout=120)
    finally:
        process.kill()
        os.close(terminal)
    assert process.returncode == 130, shown
    assert stdout == b""
    assert b"Traceback" not in shown
    assert b"Interrupted; nothing half-written was left." in shown
    assert contents(out.parent) == {"p.json": b"the old predictions"}


def test_the_doctor_answers_as_its_exit_code_says(tmp_path):
    result = seginst("doctor", "--json", cwd=tmp_path, env=dict(os.environ))
    answer = json.loads(result.stdout)
    assert result.stderr == ""
    assert result.returncode == (0 if answer["window_can_start"] else 1)
    topics = {finding["topic"] for finding in answer["findings"]}
    assert {"Python", "torch", "Device", "Qt", "Display", "Data folder"} <= topics
