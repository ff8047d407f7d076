"""What a training is to be, before it begins: batches, rates and scales."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.models.card import write_card
from seginst_core.models.config import TRAINING, Detectron2Config
from seginst_core.training.loop import Budget
from seginst_core.training.plan import kept_scale, mask_budget_of, planned, preset_of
from seginst_core.training.run import train
from seginst_core.training.scenes import load_scenes

from .test_training import config_for


def test_a_gpus_batch_or_ones_own_scales_the_nested_unets_and_the_rates(tmp_path):
    config = config_for(tmp_path, preset="fast")
    card, _ = planned(config, load_scenes(config.train, config.images, Reporter()))
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    plain, four = preset_of(config, card, cpu), preset_of(replace(config, batch=8), card, cpu)
    assert plain == TRAINING["fast"]
    assert (four.batch, four.mask_batch) == (4 * plain.batch, 4 * plain.mask_batch)
    assert four.learning_rate == pytest.approx(2 * plain.learning_rate)
    assert four.mask_learning_rate == pytest.approx(2 * plain.mask_learning_rate)
    assert four.crop_px == plain.crop_px
    assert preset_of(replace(config, batch=1), card, cpu).mask_batch == plain.mask_batch // 2
    gently = preset_of(replace(config, start=tmp_path, batch=8), card, cpu)
    assert gently.learning_rate == pytest.approx(plain.learning_rate)
    wide = preset_of(config, card, gpu)
    assert (wide.batch, wide.mask_batch) == (16, 8 * plain.mask_batch)
    assert wide.learning_rate == pytest.approx(8**0.5 * plain.learning_rate)
    assert preset_of(replace(config, batch=8), card, gpu) == four
    assert preset_of(config, replace(card, preset="accurate"), gpu) == TRAINING["accurate"]
    with pytest.raises(DataError, match="one crop at least"):
        train(replace(config, batch=0))


def test_a_model_made_where_one_stands_has_its_folders_name(tmp_path, monkeypatch):
    config = config_for(tmp_path)
    (tmp_path / "ships").mkdir()
    monkeypatch.chdir(tmp_path / "ships")
    scenes = load_scenes(config.train, config.images, Reporter())
    assert planned(replace(config, out=Path()), scenes)[0].name == "ships"


@pytest.mark.parametrize(("known", "taken"), [(1.4, 1.4), (2.8, 2.8), (1.2, 2.0), (3.2, 2.0)])
def test_fine_tuning_keeps_the_scale_unless_objects_are_far_off(tmp_path, known, taken):
    config = config_for(tmp_path)
    scenes = load_scenes(config.train, config.images, Reporter())
    card, _ = planned(config, scenes)
    assert card.detector.input_scale == 2.0, "what the discs ask for"
    start = tmp_path / "start"
    start.mkdir()
    write_card(start, replace(card, detector=replace(card.detector, input_scale=known)))
    for stage, scale in (("all", taken), ("detector", taken), ("mask", known)):
        further = replace(config, start=start, out=tmp_path / "out", stage=stage)
        assert planned(further, scenes)[0].detector.input_scale == scale


def test_a_detectron2_model_made_elsewhere_has_no_scale_to_keep():
    elsewhere = Detectron2Config("", shortest_px=800, longest_px=1333)
    assert kept_scale(elsewhere, 1.25) == 1.25
    assert kept_scale(replace(elsewhere, shortest_px=0), 1.25) == 1.0


def test_a_budget_of_two_kinds_is_spent_when_the_first_is():
    both = Budget(iterations=10, seconds=100.0)
    assert both.fraction(5, 0.0) == both.fraction(0, 50.0) == 0.5
    assert both.fraction(10, 1.0) == both.fraction(1, 100.0) == 1
    assert Budget(iterations=10).fraction(5, 1e9) == Budget(seconds=8.0).fraction(999, 4.0) == 0.5


def test_passes_over_the_objects_limit_any_budget_of_the_masks(tmp_path):
    config = config_for(tmp_path, iterations=None, minutes=2)
    whole = mask_budget_of(config, 100, 16)
    assert (whole.iterations, whole.seconds) == (None, pytest.approx(42))
    few = replace(config, mask_passes=8)
    assert mask_budget_of(few, 100, 16) == Budget(iterations=50, seconds=whole.seconds)
    assert mask_budget_of(few, 1, 16).iterations == 1
    counted = replace(few, minutes=None, iterations=20)
    assert mask_budget_of(counted, 100, 16) == Budget(iterations=20)
    assert mask_budget_of(counted, 10, 16) == Budget(iterations=5)
    epochs = replace(few, minutes=None, epochs=3)
    assert mask_budget_of(epochs, 160, 16) == Budget(iterations=30)
