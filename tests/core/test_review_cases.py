"""Hand-made scenes, one for every kind of case."""

from dataclasses import replace

import pytest

from seginst_core.events import Reporter
from seginst_core.review.cases import count_kinds, list_cases, mistakes, worth
from seginst_core.review.inputs import read_predictions, read_truth
from seginst_core.review.objects.cases import image_cases
from seginst_core.review.schema import CASE_KINDS

from .review_instances import disc, objects
from .review_scenes import diamond, predictions, random_predictions, random_truth, rectangle, truth

PLANE, SHIP = 1, 2
WHOLE = rectangle(50, 50, 40, 40)
HALF = rectangle(50, 50, 40, 15)
AWAY = rectangle(150, 120, 30, 30)
BOXED = diamond(70, 70, 20)
SHIFTED_AWAY = rectangle(152, 120, 30, 30)


def cases_of(objects, a, b, n_images=1):
    of = read_truth(truth(objects, n_images))
    found = [
        read_predictions(predictions([(1, *row) if len(row) == 3 else row for row in side]), of)
        for side in (a, b)
    ]
    return list_cases(of, *found, Reporter())


def case(kind, truth_id=None, a=None, b=None, iou_a=None, iou_b=None, image_id=1):
    return {
        "image_id": image_id,
        "kind": kind,
        "truth_id": truth_id,
        "a_index": a,
        "b_index": b,
        "iou_a": None if iou_a is None else pytest.approx(iou_a),
        "iou_b": None if iou_b is None else pytest.approx(iou_b),
    }


ONE = [(1, PLANE, WHOLE, False)]
RIGHT = (PLANE, WHOLE, 0.9)
POOR = (PLANE, HALF, 0.8)
WRONG = (SHIP, WHOLE, 0.8)
FALSE = (PLANE, AWAY, 0.7)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([RIGHT], [RIGHT], [case("both_right", 1, 0, 0, 1.0, 1.0)]),
        ([RIGHT], [], [case("a_only", 1, 0, None, 1.0)]),
        ([RIGHT], [POOR], [case("a_only", 1, 0, 0, 1.0, 0.375)]),
        ([RIGHT], [WRONG], [case("a_only", 1, 0, 0, 1.0, 1.0)]),
        ([], [RIGHT], [case("b_only", 1, None, 0, None, 1.0)]),
        ([POOR], [POOR], [case("both_poor", 1, 0, 0, 0.375, 0.375)]),
        ([POOR], [], [case("both_poor", 1, 0, None, 0.375)]),
        ([WRONG], [], [case("wrong_class", 1, 0, None, 1.0)]),
        ([POOR], [WRONG], [case("wrong_class", 1, 0, 0, 0.375, 1.0)]),
        ([], [], [case("missed", 1)]),
        (
            [RIGHT, POOR, (PLANE, WHOLE, 0.6)],
            [RIGHT],
            [
                case("both_right", 1, 0, 0, 1.0, 1.0),
                case("duplicate", 1, 2, None, 1.0),
                case("false_a", None, 1),
            ],
        ),
        (
            [RIGHT],
            [RIGHT, WRONG],
            [case("both_right", 1, 0, 0, 1.0, 1.0), case("duplicate", 1, None, 1, None, 1.0)],
        ),
        ([RIGHT, FALSE], [RIGHT], [case("both_right", 1, 0, 0, 1.0, 1.0), case("false_a", a=1)]),
        ([RIGHT], [RIGHT, FALSE], [case("both_right", 1, 0, 0, 1.0, 1.0), case("false_b", b=1)]),
        (
            [FALSE, RIGHT],
            [RIGHT, (PLANE, SHIFTED_AWAY, 0.6)],
            [case("both_right", 1, 1, 0, 1.0, 1.0), case("false_both", a=0, b=1)],
        ),
        (
            [FALSE],
            [(SHIP, AWAY, 0.6)],
            [case("missed", 1), case("false_a", a=0), case("false_b", b=0)],
        ),
    ],
)
def test_each_kind_of_case(a, b, expected):
    assert cases_of(ONE, a, b) == expected


@pytest.mark.parametrize(
    ("a", "kind", "iou"),
    [(BOXED, "both_right", 1.0), (diamond(70, 70, 12), "b_only", 25**2 / 41**2)],
)
def test_an_object_known_only_by_its_box_is_compared_by_the_box(a, kind, iou):
    """What was drawn as a diamond, which covers half of its box, is still the object."""
    scene = truth([(1, PLANE, BOXED, False), (1, PLANE, AWAY, False)])
    del scene["annotations"][0]["segmentation"]
    of = read_truth(scene)
    sides = [[(1, PLANE, bits, 0.9), (1, PLANE, AWAY, 0.8)] for bits in (a, BOXED)]
    found = [read_predictions(predictions(side), of) for side in sides]
    assert list_cases(of, *found, Reporter()) == [
        case(kind, 1, 0, 0, iou, 1.0),
        case("both_right", 2, 1, 1, 1.0, 1.0),
    ]


def test_the_window_compares_such_an_object_by_its_box_too():
    """A disc fills 78 % of its box; where A's is a little smaller, A is still good."""
    true = replace(disc(1, 50, 50, 20), mask=None)
    a, b = disc(1, 50, 50, 19, score=0.9), disc(1, 50, 50, 20, score=0.9)
    (row,) = image_cases(objects(truth=(true,), a=(a,), b=(b,)))
    assert (row.kind, row.fault_a, row.fault_b) == ("both_right", None, None)
    assert (row.iou_a, row.iou_b) == (pytest.approx(39**2 / 41**2), 1.0)


def test_predictions_below_the_score_are_left_out_but_keep_their_places():
    (row,) = cases_of(ONE, [(PLANE, AWAY, 0.49), RIGHT], [(PLANE, WHOLE, 0.5)])
    assert row == case("both_right", 1, 1, 0, 1.0, 1.0)


def test_what_lies_in_a_crowd_is_neither_false_nor_missed():
    crowd = [(1, PLANE, rectangle(140, 110, 60, 60), True)]
    assert cases_of(crowd, [FALSE], [FALSE, FALSE]) == []


def test_cases_come_image_by_image_in_the_order_of_the_truth():
    objects = [(2, PLANE, WHOLE, False), (1, PLANE, WHOLE, False)]
    a = [(2, PLANE, WHOLE, 0.9), (1, PLANE, AWAY, 0.9)]
    assert cases_of(objects, a, [], n_images=3) == [
        case("missed", 2),
        case("false_a", a=1),
        case("a_only", 1, 0, None, 1.0, image_id=2),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_every_object_has_one_row_and_every_confident_prediction_at_most_one(seed):
    scene = random_truth(seed)
    of = read_truth(scene)
    a = read_predictions(random_predictions(seed + 1, scene), of)
    b = read_predictions(random_predictions(seed + 2, scene), of)
    rows = list_cases(of, a, b, Reporter())
    objects = [row["truth_id"] for row in rows if row["kind"] != "duplicate"]
    true_ids = [row["id"] for row in scene["annotations"] if not row["iscrowd"]]
    assert sorted(t for t in objects if t is not None) == true_ids
    for side, found in (("a_index", a), ("b_index", b)):
        used = [row[side] for row in rows if row[side] is not None]
        assert len(used) == len(set(used))
        confident = {item.index for item in found if item.score >= 0.5}
        assert set(used) <= confident
        inside_a_crowd = confident - set(used)
        crowded = {row["image_id"] for row in scene["annotations"] if row["iscrowd"]}
        assert {found[index].image_id for index in inside_a_crowd} <= crowded
    assert sum(count_kinds(rows).values()) == len(rows)
    assert tuple(count_kinds(rows)) == CASE_KINDS


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (case("both_right", 1, 0, 0, 1, 1), (False, False)),
        (case("a_only", 1, 0, None, 1), (False, True)),
        (case("b_only", 1, None, 0, None, 1), (True, False)),
        (case("both_poor", 1, 0, 0, 0.2, 0.2), (True, True)),
        (case("wrong_class", 1, 0, None, 1), (True, True)),
        (case("missed", 1), (True, True)),
        (case("duplicate", 1, 0, None, 1), (True, False)),
        (case("duplicate", 1, None, 0, None, 1), (False, True)),
        (case("false_a", a=0), (True, False)),
        (case("false_b", b=0), (False, True)),
        (case("false_both", a=0, b=0), (True, True)),
    ],
)
def test_who_made_the_mistake(row, expected):
    assert mistakes(row) == expected


def test_doubts_about_the_truth_come_first_and_what_both_draw_well_last():
    rows = cases_of(
        [(1, PLANE, WHOLE, False), (1, PLANE, rectangle(5, 5, 20, 20), False)],
        [RIGHT, FALSE, (PLANE, WHOLE, 0.6)],
        [RIGHT, FALSE],
    )
    assert [row["kind"] for row in sorted(rows, key=worth, reverse=True)] == [
        "false_both",
        "missed",
        "duplicate",
        "both_right",
    ]
