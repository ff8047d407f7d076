"""Files that would run code when loaded are refused, whether or not detectron2 is installed."""

import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from seginst_core.cli import main
from seginst_core.engines import load_engine
from seginst_core.errors import ModelError
from seginst_core.events import Reporter
from seginst_core.jobs.exchange import add_detectron2
from seginst_core.library import list_models
from seginst_core.models import detectron2
from seginst_core.models.torch_weights import read_torch_weights, write_torch_weights

from .detectron2_scenes import needs_detectron2


class Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.trace}",)


def write(path: Path, trace: Path) -> Path:
    """Write a file that, loaded the way such files usually are, leaves a trace."""
    table = {"model": {"weight": torch.zeros(2)}, "hook": Payload(trace)}
    if path.suffix == ".pkl" or path.name.startswith("plain"):
        path.write_bytes(pickle.dumps(table))
    else:
        torch.save(table, path, _use_new_zipfile_serialization=not path.name.startswith("old"))
    return path


NAMES = ["model.pkl", "MODEL.PKL", "model.pth", "old.pth", "plain.pth", "model.bin"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_a_payload_is_refused_and_not_run(tmp_path, name):
    trace = tmp_path / "it_ran"
    weights = write(tmp_path / name, trace)
    params = {"config": "any.yaml", "weights": str(weights), "categories": ["a"]}
    for use in (
        lambda: read_torch_weights(weights),
        lambda: add_detectron2(params, Reporter()),
    ):
        with pytest.raises(ModelError, match="in a place you trust"):
            use()
    assert not trace.exists()
    assert not [m for m in list_models().models if m.place == "user"]


@pytest.mark.parametrize("name", ["model.pkl", "model.pth"])
def test_the_payload_would_have_run(tmp_path, name):
    """The files of the test above are what they claim to be."""
    trace = tmp_path / "it_ran"
    weights = write(tmp_path / name, trace)
    if weights.suffix == ".pkl":
        pickle.loads(weights.read_bytes())
    else:
        torch.load(weights, weights_only=False)
    assert trace.exists()


def test_the_command_line_refuses_in_one_sentence(tmp_path, monkeypatch, capsys):
    trace = tmp_path / "it_ran"
    weights = write(tmp_path / "model.pkl", trace)
    words = ["models", "add", "--from-detectron2", "c.yaml", str(weights), "--categories", "a,b"]
    monkeypatch.setattr("sys.argv", ["seginst", *words, "--yes"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[:2] == ["class 0: a", "class 1: b"]
    assert len(lines) == 3
    assert "can run any code" in lines[2]
    assert said.out == ""
    assert not trace.exists()


def test_the_classes_have_to_be_confirmed(tmp_path, monkeypatch, capsys):
    weights = tmp_path / "model.pth"
    write_torch_weights(weights, {"weight": torch.zeros(2)})
    words = ["models", "add", "--from-detectron2", "c.yaml", str(weights), "--categories", "a,b"]
    monkeypatch.setattr("sys.argv", ["seginst", *words])
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "Nothing was added" in capsys.readouterr().err


@needs_detectron2
def test_a_configuration_cannot_run_code_either(tmp_path):
    trace = tmp_path / "it_ran"
    config = tmp_path / "config.yaml"
    config.write_text(f'MODEL: !!python/object/apply:os.system ["touch {trace}"]\n')
    weights = tmp_path / "model.pth"
    write_torch_weights(weights, {"weight": torch.zeros(2)})
    params = {"config": str(config), "weights": str(weights), "categories": ["a"]}
    with pytest.raises(ModelError, match="not a configuration"):
        add_detectron2(params, Reporter())
    shutil.copy(config, tmp_path / "config.py")
    with pytest.raises(ModelError, match="would have to be run"):
        add_detectron2({**params, "config": str(tmp_path / "config.py")}, Reporter())
    assert not trace.exists()


def test_weights_come_alone_or_under_model(tmp_path):
    state = {"a": torch.rand(2, 3), "half": torch.rand(2).half(), "n": torch.tensor(3)}
    for name, table in (("a.pth", state), ("b.pth", {"model": state, "iteration": 7})):
        torch.save(table, tmp_path / name)
        back = read_torch_weights(tmp_path / name)
        assert back.keys() == state.keys()
        assert back["half"].dtype == torch.float32
        assert torch.equal(back["a"], state["a"])
    for name, table in (("list.pth", [1, 2]), ("empty.pth", {"iteration": 3})):
        torch.save(table, tmp_path / name)
        with pytest.raises(ModelError, match="holds no"):
            read_torch_weights(tmp_path / name)
    with pytest.raises(ModelError, match="There is no weights file"):
        read_torch_weights(tmp_path / "absent.pth")


@pytest.mark.skipif(detectron2.is_installed(), reason="detectron2 is installed")
def test_without_detectron2_the_engine_says_so_in_one_sentence():
    with pytest.raises(ModelError) as refusal:
        load_engine("detectron2")
    assert "not installed" in str(refusal.value)
    assert str(refusal.value).endswith(detectron2.DETECTRON2_PAGE)
