"""Predictions count in the image they were made of, however its path is written."""

import pytest

from seginst_core.errors import DataError
from seginst_core.review.metrics import evaluate

from .review_scenes import HEIGHT, WIDTH, predictions, rectangle, truth

BITS = rectangle(20, 30, 40, 25)


def scene(*names):
    """A truth with an object in its first image."""
    whole = truth([(1, 1, BITS, False)], n_images=len(names))
    for row, name in zip(whole["images"], names, strict=True):
        row["file_name"] = name
    return whole


def found(*names, at=1):
    """Predictions of images 11, 12, ..., with an object in the one that ``at`` counts, from 1."""
    images = [
        {"id": 10 + k, "file_name": name, "width": WIDTH, "height": HEIGHT}
        for k, name in enumerate(names, 1)
    ]
    rows = predictions([(10 + at, 1, BITS, 0.9)])
    return {"images": images, "categories": [{"id": 1, "name": "plane"}], "annotations": rows}


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ("a.png", "a.png"),
        ("sub\\a.png", "sub/a.png"),
        ("sub/a.png", "sub\\a.png"),
        ("./sub/a.png", "sub/a.png"),
        ("sub/a.png", ".\\sub\\a.png"),
        ("sub//a.png", "sub/a.png"),
        ("sub/a.png", "images/sub/a.png"),
        ("images/sub/a.png", "sub/a.png"),
        ("a.png", "C:\\images\\a.png"),
        ("sub/\u00e9.png", "sub/e\u0301.png"),
    ],
)
def test_one_image_is_found_however_its_path_is_written(true, predicted):
    of = scene(true, "other.png")
    assert evaluate(of, found(predicted))["segm"]["AP"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ("siteA/1.png", "siteB/1.png"),
        ("a1.png", "1.png"),
        ("b/a/1.png", "c/a/1.png"),
        ("", "1.png"),
    ],
)
def test_another_image_of_that_name_is_not_taken_for_it(true, predicted):
    with pytest.raises(DataError, match="use the image 11, which the truth does not have"):
        evaluate(scene(true), found(predicted))


@pytest.mark.parametrize("at", [1, 2])
def test_two_images_that_may_be_the_same_one_are_refused(at):
    names = ("val/1.png", "train/1.png")
    with pytest.raises(DataError, match=r"val/1\.png and train/1\.png may both be 1\.png of the"):
        evaluate(scene("1.png"), found(*names, at=at))


def test_an_image_that_may_be_either_of_two_is_refused():
    with pytest.raises(DataError, match=r"image 1\.png may be a/1\.png \(image 1\) or b/1\.png"):
        evaluate(scene("a/1.png", "b/1.png"), found("1.png"))
    twice = found("a.png", "b.png")
    twice["images"][1]["id"] = 11
    with pytest.raises(DataError, match="list the image 11 twice"):
        evaluate(scene("a.png", "b.png"), twice)


def test_an_equal_name_comes_before_one_that_ends_alike():
    of = scene("1.png", "val/1.png")
    assert evaluate(of, found("val/1.png", "1.png", at=2))["segm"]["AP"] == pytest.approx(1.0)
    assert evaluate(of, found("val/1.png", "1.png", at=1))["segm"]["AP"] < 0.1
    # What no longer can be that image is none of the truth's.
    with pytest.raises(DataError, match="use the image 12"):
        evaluate(scene("1.png"), found("1.png", "train/1.png", at=2))


def test_of_several_ends_the_longest_counts():
    of = scene("1.png", "val/1.png")
    both = ("data/val/1.png", "data/1.png")
    assert evaluate(of, found(*both, at=2))["segm"]["AP"] == pytest.approx(1.0)
    assert evaluate(of, found(*both, at=1))["segm"]["AP"] < 0.1
