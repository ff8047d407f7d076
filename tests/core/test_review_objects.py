"""Cases of a project: with a truth, without one, and with one that is only begun."""

from dataclasses import replace

import numpy as np
import pytest

from seginst_core.review.objects.arrange import Arrangement, arranged, count_kinds, progress
from seginst_core.review.objects.cases import Items, image_cases
from seginst_core.review.objects.fair import begun_by, for_scoring
from seginst_core.review.objects.schema import Drawn, ObjectCase
from seginst_core.review.objects.worth import edges_apart, joint, reasons_of
from seginst_core.types import Annotation, Box, Dataset, Instance, Origin

from .review_instances import IMAGE, A, disc, objects, square


def by_truth(cases: list[ObjectCase]) -> dict[int | None, ObjectCase]:
    return {case.truth_id: case for case in cases}


def test_a_done_image_has_every_kind_of_mistake() -> None:
    cases = image_cases(
        objects(
            truth=(
                disc(1, 50, 50),
                disc(2, 100, 50),
                disc(3, 150, 50),
                disc(4, 200, 50),
                disc(5, 250, 50),
                square(6, 300, 40, 20),
            ),
            a=(
                disc(1, 50, 50, score=0.9),
                disc(2, 100, 50, score=0.8),
                disc(3, 200, 50, category=2, score=0.7),
                disc(4, 52, 50, score=0.6),
                disc(5, 50, 200, score=0.9),
                square(6, 312, 40, 20, score=0.9),
            ),
            b=(
                disc(1, 51, 50, score=0.9),
                disc(2, 150, 50, score=0.8),
                disc(3, 50, 201, score=0.5),
            ),
        )
    )
    rows = [c for c in cases if c.kind not in ("duplicate", "false_both")]
    kinds = {number: case.kind for number, case in by_truth(rows).items()}
    assert kinds == {
        1: "both_right",
        2: "a_only",
        3: "b_only",
        4: "wrong_class",
        5: "missed",
        6: "both_poor",
    }
    faults = {n: (c.fault_a, c.fault_b) for n, c in by_truth(rows).items()}
    assert faults[1] == (None, None)
    assert faults[2] == (None, "missed")
    assert faults[4] == ("class", "missed")
    assert faults[5] == ("missed", "missed")
    # Its box ends where the square has barely begun: no mask stage could have saved it.
    assert faults[6] == ("box", "missed")
    (twice,) = [c for c in cases if c.kind == "duplicate"]
    assert (twice.truth_id, twice.a_id, twice.fault_a) == (1, 4, "duplicate")
    (false,) = [c for c in cases if c.kind == "false_both"]
    assert (false.a_id, false.b_id, false.fault_a, false.fault_b) == (5, 3, "false", "false")
    assert not any(c.open for c in cases), "nothing is to be decided in an image that is done"
    assert false.worth > by_truth(rows)[1].worth


def test_without_a_truth_a_and_b_are_compared_with_each_other() -> None:
    cases = image_cases(
        objects(
            state="todo",
            a=(
                disc(1, 50, 50, score=0.9),
                disc(2, 100, 50, score=0.9),
                disc(3, 150, 50, score=0.9),
                disc(4, 200, 50, score=0.9),
            ),
            b=(
                disc(1, 50, 50, score=0.9),
                disc(2, 108, 50, score=0.9),
                disc(3, 150, 50, category=2, score=0.9),
                disc(4, 250, 50, score=0.9),
            ),
        )
    )
    found = {(c.a_id, c.b_id): c for c in cases}
    assert {key: case.kind for key, case in found.items()} == {
        (1, 1): "agree",
        (2, 2): "masks_differ",
        (3, 3): "classes_differ",
        (4, None): "a_alone",
        (None, 4): "b_alone",
    }
    assert all(case.open and not case.settled for case in cases)
    assert all(case.fault_a is None and case.fault_b is None for case in cases)
    worth = {case.kind: case.worth for case in cases}
    assert worth["agree"] < min(worth[k] for k in worth if k != "agree")
    assert "differently" in found[3, 3].why[0]
    assert found[4, None].why[0] == "only A sees it"


def test_what_is_annotated_in_a_draft_is_no_pair_any_more() -> None:
    accepted = disc(9, 50, 50, origin=A)
    both = {
        "a": (disc(1, 50, 50, score=0.9), disc(2, 150, 50, score=0.9)),
        "b": (disc(1, 51, 50, score=0.9),),
    }
    rows = by_truth(image_cases(objects(state="draft", truth=(accepted,), **both)))
    assert {number: case.kind for number, case in rows.items()} == {
        9: "both_right",
        None: "a_alone",
    }
    assert rows[9].open, "it was accepted, but nobody has looked at it"
    assert any("never looked at" in why for why in rows[9].why)
    seen = replace(accepted, origin=replace(A, seen=True))
    rows = by_truth(image_cases(objects(state="draft", truth=(seen,), **both)))
    assert rows[9].settled
    assert not rows[9].open


def test_what_a_person_refused_is_settled_for_every_model() -> None:
    refused = disc(20, 50, 50, origin=A)
    fields = {"a": (disc(1, 51, 50, score=0.9),), "b": (disc(1, 150, 50, score=0.9),)}
    for state in ("draft", "done"):
        cases = image_cases(objects(state=state, refusals=(refused,), **fields))
        assert [(c.a_id, c.settled) for c in cases if c.a_id] == [(1, True)]
        assert [(c.b_id, c.settled) for c in cases if c.b_id] == [(1, False)]


def test_many_predictions_of_many_touching_objects_are_resolved_one_to_one() -> None:
    truth = tuple(square(k, 20 * k, 100, 20) for k in range(1, 6))
    # Shifted by a quarter, each prediction overlaps two of the objects.
    found = tuple(square(k, 20 * k + 5, 100, 20, score=0.9) for k in range(1, 6))
    cases = image_cases(objects(truth=truth, a=found, b=()))
    assert [(c.truth_id, c.a_id, c.kind) for c in cases] == [(k, k, "a_only") for k in range(1, 6)]


def test_the_nearest_prediction_is_the_objects_however_sure_another_is() -> None:
    truth = square(1, 100, 100, 20)
    found = (square(1, 100, 100, 26, score=0.9), square(2, 100, 100, 20, score=0.55))
    cases = image_cases(objects(truth=(truth,), a=found))
    assert [(c.kind, c.a_id) for c in cases] == [("a_only", 2), ("duplicate", 1)]


def test_the_true_box_says_whether_the_mask_stage_is_at_fault() -> None:
    truth = square(1, 100, 100, 20)
    # The box lets three quarters through; of that, the mask stage drew a part.
    poor = replace(square(1, 105, 100, 20, score=0.9), mask=square(1, 105, 100, 12).mask)

    def fault(drawn: Drawn | None, found: Instance = poor) -> str | None:
        known = {} if drawn is None else {1: drawn}
        (case,) = image_cases(objects(truth=(truth,), a=(found,), drawn=known))
        return case.fault_a

    tight = Box(100, 100, 120, 120)
    assert fault(None) == "mask"
    assert fault(Drawn(tight, truth.mask)) == "box"
    assert fault(Drawn(tight, square(1, 100, 100, 12).mask)) == "mask"
    assert fault(Drawn(tight, None)) == "mask"
    # It was drawn in a box that the object does not have any more.
    assert fault(Drawn(Box(0, 0, 20, 20), truth.mask)) == "mask"
    # A box as good as the true one is never at fault, whatever the mask stage draws there.
    exact = replace(poor, box=tight)
    assert fault(Drawn(tight, truth.mask), exact) == "mask"


def test_an_edit_costs_only_the_object_it_changed() -> None:
    items = Items()
    truth = tuple(disc(k, 40 * k, 50) for k in range(1, 9))
    found = tuple(replace(i, score=0.9) for i in truth)
    before = image_cases(objects(truth=truth, a=found, b=found), items)
    moved = (*truth[:3], disc(4, 163, 50), *truth[4:])
    known = {key: pair[1] for key, pair in items._known.items()}
    after = image_cases(objects(truth=moved, a=found, b=found), items)
    changed = {key for key, pair in items._known.items() if pair[1] is not known[key]}
    assert changed == {("truth", 4)}
    assert [c for c in after if c.truth_id != 4] == [c for c in before if c.truth_id != 4]
    assert after == image_cases(objects(truth=moved, a=found, b=found))


def cases_of_two_images() -> list[ObjectCase]:
    other = replace(IMAGE, id=8, path="apron.png")
    here = image_cases(
        objects(
            state="todo",
            a=(disc(1, 50, 50, score=0.9), disc(2, 150, 50, score=0.52)),
            b=(disc(1, 50, 50, score=0.9),),
        )
    )
    there = image_cases(
        replace(
            objects(state="todo", a=(disc(1, 50, 50, category=2, score=0.9),), b=()), image=other
        )
    )
    return here + there


NAMES = {1: "plane", 2: "ship"}


def test_filters_sorting_and_groups() -> None:
    cases = cases_of_two_images()
    (whole,) = arranged(cases, Arrangement(group="none"), NAMES)
    worth = [case.worth for case in whole.cases]
    assert worth == sorted(worth, reverse=True)
    assert [c.kind for c in whole.cases] == ["a_alone", "a_alone", "agree"]
    by_image = arranged(cases, Arrangement(group="image"), NAMES)
    assert [group.title for group in by_image] == ["field.png", "apron.png"]
    by_class = arranged(cases, Arrangement(group="class"), NAMES)
    assert [group.title for group in by_class] == ["plane", "ship"]
    (agreed,) = arranged(cases, Arrangement(kind="agree"), NAMES)
    assert [c.kind for c in agreed.cases] == ["agree"]
    (found,) = arranged(cases, Arrangement(text="SHIP"), NAMES)
    assert [c.path for c in found.cases] == ["apron.png"]
    assert arranged(cases, Arrangement(text="no such thing"), NAMES) == []
    (one,) = arranged(cases, Arrangement(image_id=8), NAMES)
    assert len(one.cases) == 1
    for sort in ("kind", "image", "score", "iou_a", "iou_b", "iou_ab", "area"):
        (ordered,) = arranged(cases, Arrangement(sort=sort, group="none"), NAMES)
        assert sorted(c.key for c in ordered.cases) == sorted(c.key for c in cases)
    assert count_kinds(cases) == {"agree": 1, "a_alone": 2}
    assert progress(cases) == (0, 3)


def test_reasons_add_up_and_the_weightiest_is_named_first() -> None:
    assert joint([]) == (0.0, ())
    worth, why = joint([(0.5, "a"), (0.8, "b"), (0.01, "c")])
    assert worth == pytest.approx(1 - 0.5 * 0.2 * 0.99)
    assert why == ("b", "a")
    sure = joint(reasons_of(disc(1, 50, 50, score=0.9), None, None, 0.5, both=True))[0]
    unsure = joint(reasons_of(disc(1, 50, 50, score=0.5), None, None, 0.5, both=True))[0]
    assert unsure > sure
    # Where only one model looked at all, the other's silence says nothing.
    assert reasons_of(disc(1, 50, 50, score=0.9), None, None, 0.5, both=False) == []


def test_edges_apart() -> None:
    one = disc(1, 50, 50).mask
    assert edges_apart(one, one) == 0.0
    assert edges_apart(one, None) is None
    assert edges_apart(one, disc(1, 90, 90).mask) == 1.0
    part = edges_apart(square(1, 10, 10, 40).mask, square(1, 10, 10, 60).mask)
    assert 0.3 < part < 0.8


def test_what_nobody_looked_at_does_not_score_the_model_that_drew_it() -> None:
    instances = (
        disc(1, 50, 50, origin=A),
        disc(2, 90, 50, origin=replace(A, seen=True)),
        disc(3, 130, 50, origin=replace(A, edited=True)),
        disc(4, 170, 50, origin=Origin("model", "card-b")),
        disc(5, 210, 50, origin=Origin("import")),
        disc(6, 250, 50),
    )
    dataset = Dataset((IMAGE,), (), {7: Annotation(7, instances, "done")})
    fair, n_left_out = for_scoring(dataset, {"card-a"})
    assert n_left_out == 1
    assert [i.iscrowd for i in fair.annotations[7].instances] == [True, *[False] * 5]
    assert np.array_equal(fair.annotations[7].instances[0].mask.bits, instances[0].mask.bits)
    assert for_scoring(dataset, {"card-c"})[1] == 0
    assert begun_by(dataset, {"card-a"}) == [1, 2, 3]
    assert begun_by(dataset, {"card-c"}) == []
