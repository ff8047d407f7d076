"""Two models against each other: the same in both directions, and nothing between twins."""

import json
import os

import pytest

from seginst_core.review.cases import count_kinds
from seginst_core.review.compare import compare
from seginst_core.review.metrics import evaluate
from seginst_core.review.report import write_report

from .review_scenes import predictions, random_predictions, random_truth, rectangle, truth

MIRRORED = {"a_only": "b_only", "b_only": "a_only", "false_a": "false_b", "false_b": "false_a"}


def both(seed):
    scene = random_truth(seed)
    return scene, random_predictions(seed + 1, scene), random_predictions(seed + 2, scene)


@pytest.mark.parametrize("seed", range(4))
def test_a_model_against_itself_makes_no_difference(seed):
    scene, a, _ = both(seed)
    report = compare(scene, a, a, n_resamples=50)
    assert report["difference"]["segm_AP"] == 0.0
    assert report["a"] == report["b"] == evaluate(scene, a)
    counts = count_kinds(report["cases"])
    assert not any(counts[kind] for kind in MIRRORED)
    for case in report["cases"]:
        if case["kind"] != "duplicate":
            assert (case["a_index"], case["iou_a"]) == (case["b_index"], case["iou_b"])


@pytest.mark.parametrize("seed", range(4))
def test_changing_sides_mirrors_the_difference_and_the_cases(seed):
    scene, a, b = both(seed)
    ab, ba = (compare(scene, *sides, n_resamples=50) for sides in ((a, b), (b, a)))
    assert ba["difference"]["segm_AP"] == pytest.approx(-ab["difference"]["segm_AP"])
    assert (ba["a"], ba["b"]) == (ab["b"], ab["a"])
    mirrored = {MIRRORED.get(kind, kind): n for kind, n in count_kinds(ab["cases"]).items()}
    assert count_kinds(ba["cases"]) == mirrored


def test_a_report_names_its_files_images_and_curves(tmp_path):
    scene, a, b = both(0)
    del scene["images"][-1]["file_name"]
    for name, value in (("truth", scene), ("mine", a), ("yours", b)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    report = compare(
        tmp_path / "truth.json", tmp_path / "mine.json", tmp_path / "yours.json", n_resamples=5
    )
    assert report["names"] == {"truth": "truth.json", "a": "mine.json", "b": "yours.json"}
    names = [f"{n}.png" for n in range(1, 5)]
    assert [image["file_name"] for image in report["images"]] == [*names, "image 5"]
    assert [curve["iou"] for curve in report["curves"]] == [0.5, 0.75]
    for curve in report["curves"]:
        for side in ("a", "b"):
            assert len(curve[side]) == 101
            assert all(0 <= value <= 1 for value in curve[side])
            assert curve[side] == sorted(curve[side], reverse=True)
    mean_at_50 = sum(report["curves"][0]["a"]) / 101
    assert mean_at_50 == pytest.approx(report["a"]["segm"]["AP50"])


def test_a_file_whose_name_is_no_utf8_is_named_all_the_same(tmp_path):
    path = tmp_path / os.fsdecode(b"predictions-\xff.json")
    try:
        path.write_text("[]", encoding="utf-8")
    except OSError:
        pytest.skip("this file system has only UTF-8 names")
    report = compare(truth([]), path, path, n_resamples=2)
    assert report["names"]["a"] == "predictions-\N{REPLACEMENT CHARACTER}.json"
    write_report(report, tmp_path)
    assert "predictions-\N{REPLACEMENT CHARACTER}.json" in (tmp_path / "report.html").read_text(
        encoding="utf-8"
    )


def test_without_true_objects_there_is_no_difference_and_no_curve():
    found = predictions([(1, 1, rectangle(0, 0, 9, 9), 0.9)])
    report = compare(truth([]), found, found, n_resamples=5)
    assert report["difference"]["segm_AP"] is None
    assert report["difference"]["ci95"] == [None, None]
    assert [curve["a"] for curve in report["curves"]] == [[], []]
    assert [case["kind"] for case in report["cases"]] == ["false_both"]
