"""A GPU finds what the CPU finds, and trains; skipped where torch finds none."""

from pathlib import Path
from threading import Event as Flag

import pytest
import torch

import resources
from seginst_core.engines.batches import Batches
from seginst_core.engines.device import describe_device, pick_device
from seginst_core.errors import Cancelled
from seginst_core.events import Reporter
from seginst_core.masks.geometry import iou
from seginst_core.models.card import read_card
from seginst_core.pipelines.load import load_pipeline
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.sample.draw import draw_sample
from seginst_core.sample.write import write_sample
from seginst_core.training.plan import TrainConfig
from seginst_core.training.run import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")

STARTERS = Path(str(resources.__file__)).parent / "models"
MODELS = ("airplane-end-to-end", "airplane-two-stage")


def as_one(objects, score=0.5):
    return [one for one in objects if one.score >= score]


def assert_alike(some, others):
    """Each sure object of one side is among all of the other's, but for one in twenty."""
    for sure, any_of in ((as_one(some), others), (as_one(others), some)):
        assert sure
        alike = [max(iou(one.mask, other.mask) for other in any_of) for one in sure]
        assert sum(value >= 0.9 for value in alike) >= 0.95 * len(alike), sorted(alike)[:5]


def test_the_gpu_is_chosen_and_named():
    device = pick_device()
    assert device.type == "cuda"
    assert torch.cuda.get_device_name() in describe_device(device)


@pytest.mark.parametrize("model", MODELS)
def test_a_gpu_finds_what_the_cpu_finds_in_any_batches(model):
    image = draw_sample(1, 1, 1800).image
    on_cpu = load_pipeline(STARTERS / model, "cpu").predict(image, score=0.2)
    pipeline = load_pipeline(STARTERS / model, "cuda")
    for at_once in (1, 4, 16):
        pipeline.tiles.at_once = at_once
        assert_alike(pipeline.predict(image, score=0.2), on_cpu)


@pytest.mark.parametrize("model", MODELS)
def test_when_a_gpus_memory_runs_out_smaller_batches_find_the_same(model):
    image = draw_sample(1, 1, 2000).image  # nine tiles
    pipeline = load_pipeline(STARTERS / model, "cuda")
    pipeline.tiles.at_once = 1
    if isinstance(pipeline, TwoStage):
        pipeline.crops.at_once = 1
    whole = pipeline.predict(image, score=0.2)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    pipeline.predict(image, score=0.2)
    enough = 2 * torch.cuda.max_memory_reserved()
    total = torch.cuda.get_device_properties(0).total_memory
    events = []
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(enough / total)
    try:
        pipeline.tiles.at_once = 16
        found = pipeline.predict(image, score=0.2, reporter=Reporter(events.append))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any("Memory ran out with 9" in str(event.get("text")) for event in events)
    assert 1 <= pipeline.tiles.at_once < 9
    assert_alike(found, whole)


@pytest.mark.parametrize("pipeline", ["two-stage", "end-to-end"])
@pytest.mark.parametrize("batch", [None, 5])
def test_a_model_trained_on_a_gpu_predicts_on_the_cpu(tmp_path, pipeline, batch):
    write_sample(tmp_path, n_images=4, side_px=256)
    events = []
    config = TrainConfig(
        train=tmp_path / "instances_train.json",
        val=tmp_path / "instances_val.json",
        images=tmp_path / "images",
        out=tmp_path / "model",
        pipeline=pipeline,
        preset="tiny",
        iterations=6,
        batch=batch,
    )
    card = train(config, Reporter(events.append))
    texts = [str(event.get("text")) for event in events]
    assert f"Training on {describe_device(torch.device('cuda'))}." in texts
    assert card == read_card(config.out)
    assert card.training["batch"] == (batch or 16)
    assert "segm_AP" in card.scores
    load_pipeline(config.out, "cpu").predict(draw_sample(0, 0, 256).image, score=0.0)


def test_training_on_a_gpu_goes_on_where_it_was_stopped(tmp_path):
    write_sample(tmp_path, n_images=4, side_px=256)
    stop, seen = Flag(), []

    def send(event):
        seen.append(event)
        if "iteration 11" in str(event.get("text")):
            stop.set()

    settings = {
        "train": tmp_path / "instances_train.json",
        "images": tmp_path / "images",
        "out": tmp_path / "model",
        "pipeline": "end-to-end",
        "preset": "tiny",
        "iterations": 20,
    }
    with pytest.raises(Cancelled):
        train(TrainConfig(**settings), Reporter(send, stop))
    seen.clear()
    train(TrainConfig(**settings, resume=True), Reporter(seen.append))
    assert any("goes on from iteration 1" in str(event.get("text")) for event in seen)


def test_too_large_an_input_on_a_gpu_is_told_from_other_errors():
    def work(some):
        return [torch.empty(1 << 50, device="cuda") for _ in some]

    with pytest.raises(RuntimeError, match="memory"):
        list(Batches(4).run(work, [1, 2, 3, 4], lambda text: None))
