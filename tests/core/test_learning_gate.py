"""The gate: a worse model does not go live, a better one does, and chance is not called better."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from seginst_core.masks.geometry import iou
from seginst_core.review.bootstrap import FEW_IMAGES
from seginst_core.training.few_images import (
    Outcome,
    by_objects,
    coin_chance,
    design_effect,
    found_chance,
)
from seginst_core.training.gate import judge
from seginst_core.training.untouched import forgive
from seginst_core.training.validate import Answers
from seginst_core.types import Mask

SIDE = 96


def disc(x, y, radius):
    yy, xx = np.mgrid[:SIDE, :SIDE]
    return ((xx - x) ** 2 + (yy - y) ** 2 <= radius**2).astype(np.uint8)


def rle(bits):
    packed = coco_mask.encode(np.asfortranarray(bits))
    return {"size": packed["size"], "counts": packed["counts"].decode()}


def write_truth(folder, n_images, per_image=4):
    images = [
        {"id": k, "file_name": f"{k}.png", "width": SIDE, "height": SIDE}
        for k in range(1, n_images + 1)
    ]
    places = [(24, 24), (72, 24), (24, 72), (72, 72)][:per_image]
    annotations = []
    for image in images:
        for x, y in places:
            mask = rle(disc(x, y, 16))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": 1,
                    "segmentation": mask,
                    "bbox": [float(v) for v in coco_mask.toBbox(mask)],
                    "area": float(coco_mask.area(mask)),
                    "iscrowd": 0,
                }
            )
    path = folder / "val.json"
    path.write_text(
        json.dumps(
            {
                "images": images,
                "annotations": annotations,
                "categories": [{"id": 1, "name": "disc"}],
            }
        )
    )
    return path, annotations


def answers(annotations, radius, *, misses=lambda a: False, false=0):
    found = []
    for a in annotations:
        if misses(a):
            continue
        x, y, w, h = a["bbox"]
        mask = rle(disc(x + w / 2 - 0.5, y + h / 2 - 0.5, radius))
        bbox = [float(v) for v in coco_mask.toBbox(mask)]
        row = {"image_id": a["image_id"], "category_id": 1, "score": 0.9 - a["id"] * 1e-3}
        found.append({**row, "segmentation": mask, "bbox": bbox})
    for k in range(false):
        mask = rle(disc(48, 48, 6))
        bbox = [float(v) for v in coco_mask.toBbox(mask)]
        row = {"image_id": annotations[k]["image_id"], "category_id": 1, "score": 0.95}
        found.append({**row, "segmentation": mask, "bbox": bbox})
    return Answers(tuple(found), 0.1)


@pytest.mark.parametrize("n_images", [2, 8])
def test_a_better_model_is_called_better_and_a_worse_one_worse(tmp_path, n_images):
    truth, objects = write_truth(tmp_path, n_images)
    poor, good = answers(objects, 12), answers(objects, 15)
    up, down = judge(truth, poor, good), judge(truth, good, poor)
    assert (up.word, down.word) == ("better", "worse")
    assert (up.ci95 is None) == (n_images < FEW_IMAGES)
    assert up.after["segm_AP"] > up.before["segm_AP"]
    assert up.before == down.after
    assert (up.n_images, up.n_objects) == (n_images, 4 * n_images)
    assert len(up.moved) == 4 * n_images
    assert all(m.after > m.before for m in up.moved)
    assert "interval" in up.reason


def test_what_may_be_chance_is_not_called_better(tmp_path):
    truth, objects = write_truth(tmp_path, 10)
    # The new model finds one object more, in one image of ten.
    before = answers(objects, 15, misses=lambda a: a["id"] == 7)
    verdict = judge(truth, before, answers(objects, 15))
    assert verdict.word == "not better"
    (moved,) = verdict.moved
    assert (moved.truth_id, moved.before) == (7, 0.0)
    assert moved.after > 0.8
    few, few_objects = write_truth(tmp_path, 2)
    before = answers(few_objects, 15, misses=lambda a: a["id"] == 7)
    verdict = judge(few, before, answers(few_objects, 15))
    assert verdict.word == "not better"
    assert "1 got better, 0 got worse" in verdict.reason
    assert verdict.reason.endswith("which may be chance.")
    assert judge(few, before, before).word == "not better"


def outcomes(up, down, before=0.5, after=0.8):
    """Return ``up[k]`` objects that got better in image k, and ``down[k]`` that got worse."""
    return [
        Outcome(image_id, 0, (0, 0, 1, 1), *ious)
        for counts, ious in ((up, (before, after)), (down, (after, before)))
        for image_id, n in enumerate(counts)
        for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("up", "down", "word"),
    [
        # Thirteen throws of a coin show ten heads once in 22 times; two images that move as they
        # like show it far more often.
        ((5, 5), (2, 1), "not better"),
        ((30, 30), (1, 1), "better"),
        ((6, 6), (1, 0), "better"),
        ((13, 0), (0, 1), "not better"),
        ((20, 0), (0, 0), "not better"),
        ((30, 0), (0, 0), "better"),
        ((4, 3), (0, 0), "better"),
    ],
)
def test_objects_of_one_image_count_as_fewer(up, down, word):
    moved = outcomes(up, down)
    found, reason = by_objects(0.1, moved)
    assert found == word
    assert ("as objects of one image change together" in reason) == (word == "not better")
    mirrored = outcomes(down, up)
    assert by_objects(-0.1, mirrored)[0] == ("worse" if word == "better" else word)
    assert by_objects(0.0, moved)[0] == by_objects(-0.1, moved)[0] == "not better"


@pytest.mark.parametrize(
    ("per_image", "known", "word"),
    [
        ((3,), 0, "better"),
        ((2,), 0, "not better"),
        ((2, 1), 0, "better"),
        ((7,), 0, "better"),
        ((9,), 5, "not better"),
        ((9, 9, 9), 9, "better"),
    ],
)
def test_what_only_the_new_model_finds_speaks_for_it(per_image, known, word):
    new = outcomes(per_image, (), before=0.0)
    objects = [
        replace(one, before=one.after) if place < known else one for place, one in enumerate(new)
    ]
    found, reason = by_objects(0.3, objects)
    assert found == word
    assert f"{len(new)} of {len(new)} are found, {known} before" in reason
    lost = [replace(one, before=one.after, after=one.before) for one in objects]
    assert by_objects(-0.3, lost)[0] == ("worse" if word == "better" else word)
    # A gain in the figures that the objects contradict is none.
    assert by_objects(0.3, lost)[0] == "not better"


def test_what_overlaps_too_little_is_not_found():
    word, reason = by_objects(0.3, outcomes((2, 1), (), before=0.0, after=0.4))
    assert word == "not better"
    assert "3 got better" in reason
    assert "0 of 3 are found, 0 before" in reason


@pytest.mark.parametrize(("n_for", "n_against"), [(5, 0), (10, 3), (1, 0), (60, 40), (0, 3)])
def test_objects_that_are_each_alone_are_coins(n_for, n_against):
    n = n_for + n_against
    tail = math.fsum(math.comb(n, k) / 2.0**n for k in range(n_for, n + 1))
    assert coin_chance(n_for, n_against) == pytest.approx(tail, rel=1e-3)
    assert coin_chance(n_for, n_against, 2.0) >= coin_chance(n_for, n_against)


@pytest.mark.parametrize(
    ("less", "more", "n", "chance"),
    # The integral over both beta distributions, solved by hand where one of them is a power.
    [(0, 3, 3, 1 / 70), (0, 1, 1, 1 / 6), (2, 5, 9, 0.084901), (4, 4, 6, 1 / 2)],
)
def test_parts_found_are_compared_as_two_binomials(less, more, n, chance):
    assert found_chance(less, more, n) == pytest.approx(chance, rel=1e-4)
    assert found_chance(more, less, n) == pytest.approx(1 - chance, rel=1e-4)
    assert abs(found_chance(less, more, n, 2.0) - 0.5) <= abs(chance - 0.5) + 1e-9


def test_objects_of_one_image_are_worth_fewer():
    assert [design_effect(n) for n in ([], [1], [1] * 9)] == [1, 1, 1]
    assert design_effect([11]) == pytest.approx(3.0)
    # Ten objects share an image with nine others, one is alone: nine neighbours for most.
    assert design_effect([10, 1]) == pytest.approx(1 + 0.2 * (101 / 11 - 1))


@pytest.mark.parametrize("others", ["empty", "crowds"])
def test_images_without_an_object_to_score_on_make_no_interval(tmp_path, others):
    truth, objects = write_truth(tmp_path, 10, per_image=1)
    table = json.loads(truth.read_text())
    for annotation in table["annotations"][1:]:
        annotation["iscrowd"] = 1
    if others == "empty":
        del table["annotations"][1:]
    truth.write_text(json.dumps(table))
    verdict = judge(truth, answers(objects[:1], 12), answers(objects[:1], 15))
    assert (verdict.word, verdict.ci95, verdict.n_objects) == ("not better", None, 1)
    assert "1 image with objects is too few" in verdict.reason


def test_false_objects_are_counted_and_cost(tmp_path):
    truth, objects = write_truth(tmp_path, 8)
    verdict = judge(truth, answers(objects, 15), answers(objects, 15, false=16))
    assert verdict.word == "worse"
    assert (verdict.before["n_false"], verdict.after["n_false"]) == (0, 16)
    assert verdict.moved == ()


def test_a_region_of_a_crowd_takes_no_object_and_makes_none_false(tmp_path):
    truth, objects = write_truth(tmp_path, 2)
    table = json.loads(truth.read_text())
    region = rle(np.ones((SIDE, SIDE), np.uint8))
    crowd = {**objects[0], "id": 99, "segmentation": region, "bbox": [0, 0, SIDE, SIDE]}
    table["annotations"].append({**crowd, "area": SIDE * SIDE, "iscrowd": 1})
    truth.write_text(json.dumps(table))
    # Image 1 has the region, image 2 none: there what is found where nothing is, is false.
    spots = [{**objects[k], "bbox": [40 + 3 * k, 40, 16, 16], "id": 50 + k} for k in range(3)]
    spots += [{**spots[0], "image_id": 2}]
    verdict = judge(truth, answers(objects, 12), answers([*objects, *spots], 15))
    assert (verdict.before["n_false"], verdict.after["n_false"]) == (0, 1)
    assert len(verdict.moved) == len(objects)
    assert all(m.after > m.before > 0 for m in verdict.moved)


def test_the_largest_changes_come_first_and_the_verdict_is_plain_json(tmp_path):
    truth, objects = write_truth(tmp_path, 5)
    before = answers(objects, 13, misses=lambda a: a["id"] == 3)
    verdict = judge(truth, before, answers(objects, 16))
    assert verdict.moved[0].truth_id == 3
    table = json.loads(json.dumps(verdict.as_json()))
    assert table["word"] == "better"
    assert table["moved"][0]["truth_id"] == 3


def test_boxes_alone_give_no_verdict(tmp_path):
    truth, objects = write_truth(tmp_path, 6)
    data = json.loads(truth.read_text())
    for annotation in data["annotations"]:
        del annotation["segmentation"]
    truth.write_text(json.dumps(data))
    assert judge(truth, answers(objects, 12), answers(objects, 15)).word == "untested"


def bitten(x, y, radius=16, bite_px=4):
    """A disc whose right side, a bite wide, is missing."""
    disc_bits = disc(x, y, radius)
    disc_bits[:, x + radius - bite_px :] = 0
    return disc_bits


def with_masks(annotations, draw):
    """What a model found that draws each disc by ``draw(x, y)``."""
    rows = []
    for row, a in zip(answers(annotations, 16).results, annotations, strict=True):
        x, y, w, h = (round(v) for v in a["bbox"])
        rows.append({**row, "segmentation": rle(draw(x + w // 2, y + h // 2))})
    return Answers(tuple(rows), 0.1)


def test_what_nobody_corrected_does_not_speak_for_the_model_that_drew_it(tmp_path):
    truth, objects = write_truth(tmp_path, 8)
    # A person mended the bite and let the rest stand, which is a pixel too small all around.
    former = with_masks(objects, bitten)
    new = with_masks(objects, lambda x, y: disc(x, y, 17))
    begun = [a["id"] for a in objects]
    assert judge(truth, former, new).word == "worse"
    fair = judge(truth, former, new, begun=begun)
    assert fair.word == "better"
    assert fair.before == judge(truth, former, new).before
    assert judge(truth, former, former, begun=begun).word == "not better"
    # Of these objects alone: the others' outlines are their own.
    assert judge(truth, former, new, begun=begun[:1]).word != "better"
    # More than people let stand is not forgiven, nor are the bites.
    far = with_masks(objects, lambda x, y: disc(x, y, 20))
    assert judge(truth, former, far, begun=begun).word == "worse"
    other = judge(truth, former, with_masks(objects, lambda x, y: disc(x, y, 11)), begun=begun)
    assert other.after["segm_AP50"] == 0
    same_bites = with_masks(objects, lambda x, y: bitten(x, y, 17, 5))
    assert judge(truth, former, same_bites, begun=begun).word != "better"


def test_only_pixels_near_a_shared_outline_are_forgiven():
    true, old = (Mask(0, 0, draw(48, 48).astype(bool)) for draw in (whole, bitten))
    wider = Mask(0, 0, disc(48, 48, 17).astype(bool))
    after = forgive(wider, true, old)
    row = np.flatnonzero(after.bits[48 - after.y0]) + after.x0
    # A pixel off at the left, where nobody mended it, and as it was at the right.
    assert (row[0], row[-1]) == (48 - 16, 48 + 17)
    assert iou(forgive(old, true, old), old) == 1
    # Large objects are forgiven more, but not what was corrected there.
    large, cut = np.ones((100, 100), bool), np.ones((100, 96), bool)
    assert forgive(Mask(0, 0, cut), Mask(0, 0, large), Mask(0, 0, cut)) == Mask(0, 0, cut)
    assert forgive(Mask(0, 5, large[5:]), Mask(0, 0, large), Mask(0, 0, cut)).y0 == 0
    assert forgive(Mask(0, 6, large[6:]), Mask(0, 0, large), Mask(0, 0, cut)).bits[5].sum() < 20
    # One too small is forgiven as well, and both in the pixels beside the outline alone.
    thin = forgive(Mask(0, 0, disc(48, 48, 15).astype(bool)), true, old)
    assert np.flatnonzero(thin.bits[48 - thin.y0])[0] + thin.x0 == 48 - 16
    two_off = forgive(Mask(0, 0, disc(48, 48, 18).astype(bool)), true, old)
    row = np.flatnonzero(two_off.bits[48 - two_off.y0]) + two_off.x0
    assert row[:3].tolist() == [48 - 18, 48 - 16, 48 - 15]
    # What lies further off stays wrong.
    far = forgive(Mask(0, 0, disc(48, 48, 20).astype(bool)), true, old)
    assert np.flatnonzero(far.bits[48 - far.y0])[0] + far.x0 == 48 - 20


def whole(x, y):
    return disc(x, y, 16)
