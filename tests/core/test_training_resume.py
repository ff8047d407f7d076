"""A training that was cut short goes on where it was, or says in a sentence why it cannot."""

from threading import Event as Flag

import numpy as np
import pytest
import torch

from seginst_core.errors import Cancelled, DataError, ModelError
from seginst_core.events import Reporter
from seginst_core.models.card import file_digest, read_card
from seginst_core.training.checkpoint import alone
from seginst_core.training.loop import Budget, fit
from seginst_core.training.plan import TrainConfig
from seginst_core.training.recipe import DEFAULTS
from seginst_core.training.run import train

from .test_training import as_dict, config_for


def test_cancelling_leaves_a_checkpoint_and_resume_finishes(tmp_path):
    config = config_for(tmp_path, iterations=3)
    stop = Flag()
    seen = []

    def send(event):
        seen.append(event)
        if "iteration 1" in str(event.get("text")):
            stop.set()

    with pytest.raises(Cancelled):
        train(config, Reporter(send, stop))
    with pytest.raises(ModelError, match="not a model directory"):
        read_card(config.out)
    seen.clear()
    card = train(TrainConfig(**{**as_dict(config), "resume": True}), Reporter(seen.append))
    assert any("goes on from iteration" in str(event.get("text")) for event in seen)
    assert read_card(config.out) == card
    assert not (config.out / "checkpoint").exists()


def test_what_cannot_be_gone_on_with_is_said_and_kept(tmp_path):
    config = config_for(tmp_path, iterations=2, pipeline="end-to-end")
    train(config)
    weights = file_digest(config.out / "detector.safetensors")
    again = TrainConfig(**{**as_dict(config), "resume": True, "iterations": 3})
    with pytest.raises(DataError, match="is finished, so there is nothing to go on with"):
        train(again)
    assert file_digest(config.out / "detector.safetensors") == weights
    stop = Flag()
    broken = TrainConfig(**{**as_dict(config), "out": tmp_path / "broken"})
    with pytest.raises(Cancelled):
        train(broken, Reporter(lambda event: stop.set(), stop))
    checkpoint = broken.out / "checkpoint" / "detector.pt"
    kept = checkpoint.read_bytes()
    for changed in ({"pipeline": "two-stage"}, {"preset": "fast"}):
        other = TrainConfig(**{**as_dict(broken), **changed, "resume": True})
        with pytest.raises(ModelError, match="checkpoint of the detector is of another training"):
            train(other)
        assert checkpoint.read_bytes() == kept
    assert train(TrainConfig(**{**as_dict(broken), "resume": True})).files


def test_a_training_cut_short_is_not_thrown_away(tmp_path):
    config = config_for(tmp_path, pipeline="end-to-end")
    stop = Flag()
    with pytest.raises(Cancelled):
        train(config, Reporter(lambda event: stop.set(), stop))
    checkpoint = config.out / "checkpoint" / "detector.pt"
    kept = checkpoint.read_bytes()
    with pytest.raises(DataError, match="cut short: go on from it with --resume"):
        train(config)
    assert checkpoint.read_bytes() == kept


def test_two_trainings_do_not_share_a_folder(tmp_path):
    config = config_for(tmp_path, pipeline="end-to-end", iterations=1)
    with alone(config.out), pytest.raises(DataError, match="Another training is writing to"):
        train(config)
    assert list(config.out.iterdir()) == []
    assert train(config).files
    assert {path.name for path in config.out.iterdir()} == {"model.toml", "detector.safetensors"}


def test_a_nested_unet_that_begins_after_a_restart_begins_the_same(tmp_path):
    config = config_for(tmp_path, iterations=2)
    whole = train(config)

    stop = Flag()

    def send(event):
        if "mask network" in str(event.get("text")):
            stop.set()

    broken = TrainConfig(**{**as_dict(config), "out": tmp_path / "broken"})
    with pytest.raises(Cancelled):
        train(broken, Reporter(send, stop))
    (broken.out / "checkpoint" / "mask.pt").unlink(missing_ok=True)
    resumed = train(TrainConfig(**{**as_dict(broken), "resume": True}))
    assert resumed.files == whole.files


def test_a_resumed_fit_ends_where_an_unbroken_one_does(tmp_path):
    def run(stop_at=None, checkpoint=None):
        torch.manual_seed(0)
        network = torch.nn.Linear(3, 1)
        stop = Flag()

        def send(event):
            if stop_at is not None and f"iteration {stop_at}" in str(event.get("text")):
                stop.set()

        return fit(
            network,
            lambda x: {"square": network(x).pow(2).mean()},
            lambda rng: torch.from_numpy(rng.random((4, 3), np.float32)),
            budget=Budget(iterations=12),
            learning_rate=1e-2,
            recipe=DEFAULTS,
            seed=1,
            part="line",
            reporter=Reporter(send, stop),
            checkpoint=checkpoint,
        )

    whole = run()
    path = tmp_path / "state.pt"
    with pytest.raises(Cancelled):
        run(stop_at=5, checkpoint=path)
    resumed = run(checkpoint=path)
    assert torch.allclose(whole["weight"], resumed["weight"], atol=1e-7)
