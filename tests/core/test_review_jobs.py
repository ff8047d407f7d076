"""The jobs of a review: drawing in true boxes, and a report that knows the stage at fault."""

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest

from seginst_core.errors import DataError, ModelError
from seginst_core.events import Event, Reporter
from seginst_core.jobs.boxes import box_masks
from seginst_core.jobs.review.measure import compare
from seginst_core.jobs.review.true_boxes import true_box_masks
from seginst_core.masks.rle import decode

from .review_scenes import HEIGHT, WIDTH, predictions, rectangle, truth

MODEL = "nuclei-two-stage"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A bright disc on a dark ground, as a nucleus is."""
    pixels = np.full((HEIGHT, WIDTH, 3), 12, np.uint8)
    cv2.circle(pixels, (100, 90), 24, (150, 150, 150), -1)
    path = tmp_path / "1.png"
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


def collected() -> tuple[list[Event], Reporter]:
    events: list[Event] = []
    return events, Reporter(events.append)


def row(path: Path, *objects: list[float], image_id: int = 5) -> dict:
    return {"image_id": image_id, "path": str(path), "objects": list(objects)}


def test_a_mask_ends_at_a_given_box_and_goes_on_past_a_guessed_one(image: Path) -> None:
    # The disc reaches from 76 to 125; the box lacks a part of it at the right.
    asked = {"model": MODEL, "path": str(image), "boxes": [[75.0, 65.0, 118.0, 115.0]]}
    ends = []
    for guessed in (False, True):
        (rle,) = box_masks({**asked, "guessed": guessed}, Reporter())["masks"]
        ends.append(decode(rle).x1)
    assert ends[0] == 118
    assert ends[1] > 118


def test_each_true_box_gets_its_mask_and_a_missing_image_a_sentence(image: Path) -> None:
    events, reporter = collected()
    images = [row(image.with_name("gone.png"), [1, 0, 0, 5, 5]), row(image, [7, 74, 64, 127, 117])]
    assert true_box_masks({"model": MODEL, "images": images}, reporter) == {"n_objects": 1}
    (drawn,) = [event for event in events if event["event"] == "drawn"]
    assert drawn["image_id"] == 5
    ((number, rle),) = drawn["masks"]
    mask = decode(rle)
    assert number == 7
    assert mask is not None
    assert mask.x0 >= 74
    assert mask.y1 <= 117
    # pi r^2 is 1,810 pixels; a model that draws anything else has not seen the disc.
    assert 1200 < mask.area < 2500
    assert [e for e in events if e["event"] == "log" and "gone.png" in str(e["text"])]


@pytest.mark.parametrize(
    "objects",
    [None, [[]], [[1, 2, 3]], [[1, 9, 0, 5, 5]], [[1, 0, 0, 5, 5, 5]], [[1.5, 0, 0, 5, 5]], ["x"]],
)
def test_what_is_no_box_is_said(image: Path, objects: object) -> None:
    with pytest.raises(DataError, match=r"box|list"):
        true_box_masks({"model": MODEL, "images": [{**row(image), "objects": objects}]}, Reporter())


def test_only_a_two_stage_model_draws_in_boxes(image: Path) -> None:
    with pytest.raises(ModelError, match="two-stage"):
        true_box_masks({"model": "nuclei-end-to-end", "images": [row(image)]}, Reporter())


def poor_box(folder: Path) -> dict:
    """Write the disc, and of it half a mask; return a comparison's parameters."""
    disc = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(disc, (100, 90), 24, 1, -1)
    true = truth([(1, 1, disc, False)])
    found = predictions([(1, 1, rectangle(100, 70, 30, 40), 0.9)])
    # The detector's box lets more than half through, and is far from the true one.
    found[0]["bbox"] = [88.0, 66.0, 60.0, 60.0]
    paths = {name: folder / f"{name}.json" for name in ("truth", "a", "b")}
    for name, data in (("truth", true), ("a", found), ("b", found)):
        paths[name].write_bytes(orjson.dumps(data))
    return {name: str(path) for name, path in paths.items()}


@pytest.mark.parametrize("gone", [True, False])
def test_a_comparison_goes_on_without_an_image_to_draw_in(
    image: Path, tmp_path: Path, gone: bool
) -> None:
    params = {**poor_box(tmp_path), "model_a": MODEL, "images": str(tmp_path)}
    if gone:
        image.unlink()
    else:
        cv2.imwrite(str(image), np.zeros((HEIGHT, WIDTH + 1), np.uint8))
    events, reporter = collected()
    assert compare(params, reporter)["budget"]["a"]["counts"]["box"] == 1
    assert [e for e in events if e["event"] == "log" and image.name in str(e["text"])]


def test_a_comparison_with_the_model_finds_the_stage_by_drawing(
    image: Path, tmp_path: Path
) -> None:
    params = poor_box(tmp_path)
    plain = compare(params, Reporter())["budget"]["a"]
    assert (plain["by_substitution"], plain["counts"]["box"]) == (False, 1)
    params |= {"model_a": MODEL, "images": str(tmp_path), "out": str(tmp_path / "report")}
    params["names"] = {"a": "the starter", "truth": "fleet"}
    report = compare(params, Reporter())
    assert report["budget"]["a"]["by_substitution"] is True
    assert report["budget"]["a"]["counts"]["box"] == 1
    assert report["budget"]["b"]["by_substitution"] is False
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "by drawing in the true boxes for A" in html
    assert report["names"] == {"truth": "fleet", "a": "the starter", "b": "b.json"}
