"""The bootstrap's own average precision is COCO's, and its interval says what it should."""

import copy
from statistics import NormalDist

import numpy as np
import pytest

from seginst_core.events import Reporter
from seginst_core.review import bootstrap
from seginst_core.review.bootstrap import FEW_IMAGES, average_precision, ends_of_95, rank
from seginst_core.review.compare import compare
from seginst_core.review.inputs import read_predictions, read_truth
from seginst_core.review.metrics import analyse, evaluate
from seginst_core.review.report.words import explanation, headline

from .review_scenes import predictions, random_predictions, random_truth, rectangle, truth

SEEDS = range(8)


def ranked(scene, found):
    of = read_truth(scene)
    analysis = analyse(of, read_predictions(found, of), Reporter())
    return rank(list(of.images), analysis.by_key, analysis.ious), analysis.measures


@pytest.mark.parametrize("seed", SEEDS)
def test_counting_every_image_once_gives_cocos_ap(seed):
    scene = random_truth(seed)
    rows, measures = ranked(scene, random_predictions(seed + 100, scene))
    assert average_precision(rows, np.ones(5)) == pytest.approx(measures["segm"]["AP"], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_counting_images_more_than_once_is_having_copies_of_them(seed):
    scene = random_truth(seed)
    found = random_predictions(seed + 100, scene)
    # Of equal scores the file's order decides, and copies change it.
    for place, row in enumerate(found):
        row["score"] = (place + 1) / (len(found) + 1)
    rows, _ = ranked(scene, found)
    weights = np.random.default_rng(seed).integers(0, 4, 5)
    copied_scene = {**scene, "images": [], "annotations": []}
    copied_found = []
    for row_number, image in enumerate(scene["images"]):
        for n in range(weights[row_number]):
            new_id = image["id"] + 100 * n
            copied_scene["images"].append({**image, "id": new_id})
            for row in scene["annotations"]:
                if row["image_id"] == image["id"]:
                    number = len(copied_scene["annotations"]) + 1
                    copied_scene["annotations"].append(
                        {**copy.deepcopy(row), "id": number, "image_id": new_id}
                    )
            copied_found += [
                {**copy.deepcopy(row), "image_id": new_id}
                for row in found
                if row["image_id"] == image["id"]
            ]
    expected = evaluate(copied_scene, copied_found)["segm"]["AP"]
    got = average_precision(rows, weights.astype(float))
    if expected is None:
        assert np.isnan(got)
    else:
        assert got == pytest.approx(expected, abs=1e-9)


def many_images(quality):
    """Return 12 images with an object each and predictions of which ``quality`` says the shift."""
    objects = [(n, 1, rectangle(50, 50, 30, 30), False) for n in range(1, 13)]
    scene = truth(objects, n_images=12)
    found = [(n, 1, rectangle(50 + quality(n), 50, 30, 30), 0.5 + n / 100) for n in range(1, 13)]
    return scene, predictions(found)


def test_a_model_that_is_always_better_has_an_interval_above_zero():
    scene, worse = many_images(lambda n: 8)
    _, better = many_images(lambda n: 1)
    low, high = compare(scene, worse, better, n_resamples=100)["difference"]["ci95"]
    assert 0 < low <= high
    mirrored = compare(scene, better, worse, n_resamples=100)["difference"]["ci95"]
    assert mirrored == pytest.approx([-high, -low])


def test_models_that_take_turns_have_an_interval_around_zero():
    scene, even = many_images(lambda n: 0 if n % 2 else 9)
    _, odd = many_images(lambda n: 9 if n % 2 else 0)
    low, high = compare(scene, even, odd, n_resamples=200)["difference"]["ci95"]
    assert low < 0 < high


def test_the_interval_is_that_of_as_many_images_as_hold_an_object(monkeypatch):
    scene, a = many_images(lambda n: n % 5)
    _, b = many_images(lambda n: n % 7)
    empty = [{**scene["images"][0], "id": n, "file_name": f"{n}.png"} for n in (20, 21, 22)]
    scene = {**scene, "images": [*scene["images"], *empty]}
    low, high = compare(scene, a, b, n_resamples=200)["difference"]["ci95"]
    asked = []
    monkeypatch.setattr(bootstrap, "ends_of_95", lambda n: asked.append(n) or (2.5, 97.5))
    plain = compare(scene, a, b, n_resamples=200)["difference"]["ci95"]
    assert set(asked) == {12}
    assert low < plain[0] < plain[1] < high


def test_the_interval_is_the_same_for_the_same_seed_only():
    scene, a = many_images(lambda n: n % 5)
    _, b = many_images(lambda n: n % 7)
    intervals = [
        compare(scene, a, b, n_resamples=50, seed=seed)["difference"]["ci95"] for seed in (1, 1, 2)
    ]
    assert intervals[0] == intervals[1] != intervals[2]


@pytest.mark.parametrize(("n_objects", "n_images"), [(0, 2), (1, 1), (4, 9), (5, 5)])
def test_there_is_no_interval_of_fewer_than_five_images_with_objects(n_objects, n_images):
    """One image would make an interval of no width, as if the difference were certain."""
    objects = [(n, 1, rectangle(50, 50, 30, 30), False) for n in range(1, n_objects + 1)]
    crowds = [(n, 1, rectangle(5, 5, 9, 9), True) for n in range(1, n_images + 1)]
    scene = truth(objects + crowds, n_images=n_images)
    found = predictions([(1, 1, rectangle(51, 50, 30, 30), 0.9)])
    report = compare(scene, [], found, n_resamples=10)
    assert (report["difference"]["ci95"] == [None, None]) == (n_objects < FEW_IMAGES)
    if 0 < n_objects < FEW_IMAGES:
        assert headline(report) == "No clear winner between A and B."
        assert "The images are too few to say how sure that is." in explanation(report)


@pytest.mark.parametrize(
    ("n", "student"), [(5, 2.7764), (6, 2.5706), (10, 2.2622), (30, 2.0452), (1000, 1.9623)]
)
def test_the_fewer_images_the_wider_their_interval(n, student):
    """Against tables of Student's distribution."""
    low, high = ends_of_95(n)
    assert low == pytest.approx(100 - high)
    assert -NormalDist().inv_cdf(low / 100) == pytest.approx(
        student * (n / (n - 1)) ** 0.5, rel=4e-3
    )
    assert low < 2.5
