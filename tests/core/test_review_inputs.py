"""Every form a mask may come in means the same, and bad files are refused in one sentence."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from seginst_core.errors import DataError
from seginst_core.review.inputs import read_predictions, read_truth
from seginst_core.review.metrics import evaluate

from .review_scenes import HEIGHT, WIDTH, predictions, rectangle, truth

BITS = rectangle(20, 30, 40, 25)


def scene():
    return truth([(1, 1, BITS, False)])


def prediction(**changes):
    row = predictions([(1, 1, BITS, 0.9)])[0]
    return {key: value for key, value in {**row, **changes}.items() if value is not None}


def plain_counts(bits):
    """Return the uncompressed COCO counts of full-image bits."""
    flat = np.concatenate([[0], bits.ravel(order="F"), [0]])
    edges = np.flatnonzero(np.diff(flat))
    runs = np.diff(np.concatenate([[0], edges, [bits.size]]))
    return [int(run) for run in runs]


POLYGON = [[20, 30, 60, 30, 60, 55, 20, 55]]
PACKED = coco_mask.encode(np.asfortranarray(BITS))


@pytest.mark.parametrize(
    "segmentation",
    [
        POLYGON,
        {"size": [HEIGHT, WIDTH], "counts": plain_counts(BITS)},
        {"size": [HEIGHT, WIDTH], "counts": PACKED["counts"].decode()},
        {"size": [HEIGHT, WIDTH], "counts": PACKED["counts"]},
        None,
    ],
    ids=["polygons", "plain RLE", "compressed RLE", "RLE of bytes", "only a box"],
)
def test_every_form_of_a_mask_means_the_same(segmentation):
    row = prediction(segmentation=segmentation)
    (item,) = read_predictions([row], read_truth(scene()))
    assert (coco_mask.decode(item.rle) == BITS).all()
    measures = evaluate(scene(), [row])
    assert measures["segm"]["AP"] == pytest.approx(1.0)
    assert measures["mean_iou"] == 1.0


def test_without_a_box_the_masks_own_box_counts():
    assert evaluate(scene(), [prediction(bbox=None)])["bbox"]["AP"] == pytest.approx(1.0)


def test_a_truth_known_only_by_its_box_is_measured_by_boxes_alone():
    boxed = scene()
    boxed["annotations"][0]["segmentation"] = []
    measures = evaluate(boxed, [prediction()])
    assert measures["bbox"]["AP"] == pytest.approx(1.0)
    assert measures["segm"]["AP"] is None
    assert measures["mean_iou"] is None


@pytest.mark.parametrize("bbox", [[-5, -5, 1e300, 1e300], [1e9, 0, 5, 5], [3, 3, 0, 0]])
def test_a_box_beyond_the_image_is_cut_off_at_its_edges(bbox):
    row = prediction(bbox=bbox, segmentation=None)
    (item,) = read_predictions([row], read_truth(scene()))
    inside = bbox[0] < WIDTH and bbox[2] > 0
    assert coco_mask.area(item.rle) == (WIDTH * HEIGHT if inside else 0)


def test_files_read_as_the_objects_they_hold(tmp_path):
    truth_path, found_path = tmp_path / "truth.json", tmp_path / "found.json"
    truth_path.write_text(json.dumps(scene()), encoding="utf-8")
    found_path.write_text(json.dumps([prediction()]), encoding="utf-8")
    assert evaluate(truth_path, found_path) == evaluate(scene(), [prediction()])


def test_a_whole_data_set_of_predictions_is_matched_by_names():
    whole = {
        "images": [
            {"id": 70, "file_name": "unknown.png", "width": 9, "height": 9},
            {"id": 77, "file_name": "some/where/1.png", "width": WIDTH, "height": HEIGHT},
        ],
        "categories": [{"id": 5, "name": "ship"}, {"id": 6, "name": "plane"}],
        "annotations": [prediction(image_id=77, category_id=6)],
    }
    assert evaluate(scene(), whole)["segm"]["AP"] == pytest.approx(1.0)
    whole["annotations"][0]["image_id"] = 70
    with pytest.raises(DataError, match="use the image 70, which the truth does not have"):
        evaluate(scene(), whole)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (prediction(image_id=9), "Prediction 0 names the image 9, which is not one of"),
        (prediction(category_id=9), "Prediction 0 names the category 9, which is not one of"),
        (prediction(image_id="x"), 'Prediction 0 has no whole number "image_id"'),
        (prediction(score=None), 'Prediction 0 has no "score"'),
        (prediction(score=float("nan")), 'Prediction 0 has no "score"'),
        (prediction(score="0.9"), 'Prediction 0 has no "score"'),
        (prediction(bbox=[1, 2, 3]), 'has a "bbox" that is not'),
        (prediction(bbox=[1, 2, -3, 4]), 'has a "bbox" that is not'),
        (prediction(bbox=[1, 2, float("inf"), 4]), 'has a "bbox" that is not'),
        (prediction(bbox=[1e308, 2, 1e308, 4], segmentation=None), 'has a "bbox" that is not'),
        (prediction(bbox=None, segmentation=None), "has neither a box nor a mask"),
        (prediction(segmentation=7), "has a segmentation that is neither polygons nor RLE"),
        (prediction(segmentation="abc"), "has a segmentation that is neither polygons nor RLE"),
        (prediction(segmentation=[[1, 2, 3, 4]]), "at least three points"),
        (prediction(segmentation=[["x"] * 6]), "at least three points"),
        (prediction(segmentation=[[0, 0, 1e300, 0, 5, 5]]), "damaged"),
        (prediction(segmentation=[[0, 0, 1e308, 0, 5, 5]]), "damaged"),
        (prediction(segmentation=[[0, 0, float("nan"), 0, 5, 5]]), "damaged"),
        (
            prediction(segmentation={"size": [WIDTH, HEIGHT], "counts": [WIDTH * HEIGHT]}),
            f"has a mask of {HEIGHT} x {WIDTH} pixels, but its image has {WIDTH} x {HEIGHT}.",
        ),
        (prediction(segmentation={"size": 5, "counts": [25]}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": [5, -5, 9]}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": [10, 10]}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": "~~~~"}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": "oooooooo"}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": "\u20ac"}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH], "counts": ""}), "damaged"),
        (prediction(segmentation={"size": [HEIGHT, WIDTH]}), "damaged"),
    ],
)
def test_a_bad_prediction_is_refused_in_one_sentence(row, sentence):
    with pytest.raises(DataError) as caught:
        evaluate(scene(), [row])
    text = str(caught.value)
    assert sentence in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": None}, 'has no list of "images"'),
        ({"images": []}, "The truth has no images."),
        ({"annotations": 3}, 'has no list of "annotations"'),
        ({"categories": [1]}, 'has no list of "categories"'),
        ({"categories": [{"name": "plane"}]}, 'A category of the truth has no whole number "id"'),
        ({"images": [{"id": 1, "width": 0, "height": 5}]}, "the impossible size 0 x 5"),
        ({"images": [{"id": 1, "width": True, "height": 5}]}, 'no whole number "width"'),
        (
            {"images": [{"id": 2, "width": 5, "height": 5}]},
            "Annotation 1 of the truth names",
        ),
    ],
)
def test_a_bad_truth_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(DataError) as caught:
        evaluate({**scene(), **change}, [])
    assert sentence in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not json", b"[1, 2", b"\xff\xfe\x00"])
def test_a_file_that_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"The truth .*bad\.json is not JSON"):
        evaluate(path, [])
    with pytest.raises(DataError, match=r"The predictions .*bad\.json is not JSON"):
        evaluate(scene(), path)


@pytest.mark.parametrize("value", [7, "text", None, [1], [[]]])
def test_json_that_is_no_coco_is_refused(tmp_path, value):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(DataError):
        evaluate(path, [])
    with pytest.raises(DataError):
        evaluate(scene(), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json cannot be read"):
        evaluate(tmp_path / "nowhere.json", [])
    with pytest.raises(DataError, match="cannot be read"):
        evaluate(scene(), tmp_path)
