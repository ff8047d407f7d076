"""Every object as one row: what the truth says, what A says, what B says."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seginst_core.events import Reporter
from seginst_core.review.inputs import Item, Truth
from seginst_core.review.ious import Group, box_ious, item_ious, same_category
from seginst_core.review.matching import Indexes, Ious, greedy
from seginst_core.review.rles import mask_ious
from seginst_core.review.schema import (
    CASE_IOU,
    CASE_KINDS,
    CASE_POOR_IOU,
    CASE_SCORE,
    Case,
    CaseKind,
)


def list_cases(
    truth: Truth,
    found_a: Sequence[Item],
    found_b: Sequence[Item],
    reporter: Reporter,
    least: float = CASE_SCORE,
    *,
    nearest_first: bool = False,
) -> list[Case]:
    """Return the cases of all images, image by image, true objects first.

    Predictions below the score ``least`` are left out. A prediction is right if it is matched with
    a true object of its category (best scores first, mask IoU at least 0.5); what is left may claim
    an object that nobody of its side found, as a poor or wrongly classed attempt (IoU at
    least 0.1). The rest are duplicates of found objects, or false; inside a crowd they are neither.
    Of an object known only by its box it is the box IoU that counts.
    With ``nearest_first`` not the best scores choose first but the highest IoUs: what a person
    looks at is then the prediction that lies nearest, though COCO would count another.
    """
    true_items, items_a, items_b = (
        _by_image(truth.items),
        _by_image(item for item in found_a if item.score >= least),
        _by_image(item for item in found_b if item.score >= least),
    )
    cases: list[Case] = []
    for done, image_id in enumerate(truth.images):
        reporter.progress(done, len(truth.images), "Sorting out the cases")
        objects = [item for item in true_items[image_id] if not item.iscrowd]
        crowds = [item for item in true_items[image_id] if item.iscrowd]
        a, b = (
            _side(objects, crowds, items[image_id], nearest_first=nearest_first)
            for items in (items_a, items_b)
        )
        cases += [_true_case(image_id, t, item, a, b) for t, item in enumerate(objects)]
        cases += _duplicates(image_id, objects, a, b)
        cases += _false(image_id, a, b)
    return cases


def count_kinds(cases: Sequence[Case]) -> dict[CaseKind, int]:
    """Return how many cases of each kind there are, in the order of ``CASE_KINDS``."""
    counts = Counter(case["kind"] for case in cases)
    return {kind: counts[kind] for kind in CASE_KINDS}


def mistakes(case: Case) -> tuple[bool, bool]:
    """Return whether A and whether B is wrong here: an object not found, or one too many."""
    kind = case["kind"]
    if kind == "duplicate":
        return case["a_index"] is not None, case["b_index"] is not None
    return (
        kind not in ("both_right", "a_only", "false_b"),
        kind not in ("both_right", "b_only", "false_a"),
    )


def worth(case: Case) -> float:
    """Return how much a look at a case is worth, 0..1.

    Most worth are those where the truth may be wrong (both models see an object that it lacks, or
    neither sees one that it has), then those that one model solves and the other does not.
    """
    iou_a, iou_b = case["iou_a"] or 0.0, case["iou_b"] or 0.0
    match case["kind"]:
        case "false_both":
            return 1.0
        case "missed" | "wrong_class":
            return 0.95
        case "a_only" | "b_only":
            return 0.5 + 0.4 * abs(iou_a - iou_b)
        case "both_poor":
            return 0.8 - 0.5 * max(iou_a, iou_b)
        case "false_a" | "false_b":
            return 0.6
        case "duplicate":
            return 0.4
        case "both_right":
            return 0.4 * (1 - min(iou_a, iou_b))


@dataclass(frozen=True, slots=True)
class _Side:
    """One model in one image.

    ``ious`` is ``(n_found, n_objects)``; ``right`` and ``claim`` give each object's prediction or
    -1; ``duplicate_of`` gives the duplicates' objects; ``false`` lists predictions without one.
    """

    found: Sequence[Item]
    ious: Ious
    right: Indexes
    claim: Indexes
    duplicate_of: dict[int, int]
    false: list[int]

    def place(self, t: int) -> int | None:
        """Return the prediction that found or claims object ``t``."""
        p = int(self.right[t]) if self.right[t] >= 0 else int(self.claim[t])
        return None if p < 0 else p

    def index(self, t: int) -> int | None:
        """Return that prediction's place in its file."""
        p = self.place(t)
        return None if p is None else self.found[p].index

    def iou(self, t: int) -> float | None:
        """Return that prediction's mask IoU."""
        p = self.place(t)
        return None if p is None else float(self.ious[p, t])


def _by_image(items: Iterable[Item]) -> defaultdict[int, list[Item]]:
    rows: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        rows[item.image_id].append(item)
    return rows


def _side(
    objects: Sequence[Item],
    crowds: Sequence[Item],
    found: Sequence[Item],
    *,
    nearest_first: bool,
) -> _Side:
    ious = _overlaps(objects, found)
    scores = np.array([item.score for item in found])
    if nearest_first and ious.size:
        scores = ious.max(axis=1)
    right = greedy(ious * same_category(found, objects), scores, [CASE_IOU])[0]
    open_ious = ious.copy()
    open_ious[right >= 0] = 0.0
    open_ious[:, right[right >= 0]] = 0.0
    claim = greedy(open_ious, scores, [CASE_POOR_IOU])[0]

    inside = item_ious(found, crowds, [True] * len(crowds))
    duplicate_of: dict[int, int] = {}
    false: list[int] = []
    for p in np.flatnonzero((right < 0) & (claim < 0)):
        if objects and ious[p].max() >= CASE_IOU:
            duplicate_of[int(p)] = int(ious[p].argmax())
        elif not crowds or inside[p].max() < CASE_IOU:
            false.append(int(p))
    n_objects = len(objects)
    return _Side(
        found, ious, _inverse(right, n_objects), _inverse(claim, n_objects), duplicate_of, false
    )


def _overlaps(objects: Sequence[Item], found: Sequence[Item]) -> Ious:
    """Return the IoUs ``(n_found, n_objects)``: of the masks, or of the boxes if there is no mask.

    A mask seldom fills its box, so that beside the box as a mask the best one would look poor.
    """
    ious = item_ious(found, objects, [False] * len(objects))
    boxes = [t for t, item in enumerate(objects) if item.box_only]
    if boxes:
        ious[:, boxes] = box_ious(Group(tuple(objects[t] for t in boxes), tuple(found)))
    return ious


def _inverse(taken: Indexes, n_objects: int) -> Indexes:
    """Return for each object the prediction that took it, or -1."""
    owners = np.full(n_objects, -1, dtype=np.intp)
    hits = np.flatnonzero(taken >= 0)
    owners[taken[hits]] = hits
    return owners


def _true_case(image_id: int, t: int, item: Item, a: _Side, b: _Side) -> Case:
    iou_a, iou_b = a.iou(t), b.iou(t)
    kind: CaseKind
    if a.right[t] >= 0 and b.right[t] >= 0:
        kind = "both_right"
    elif a.right[t] >= 0:
        kind = "a_only"
    elif b.right[t] >= 0:
        kind = "b_only"
    elif max(iou_a or 0.0, iou_b or 0.0) >= CASE_IOU:
        # A claim as good as this was refused as a match only for its category.
        kind = "wrong_class"
    elif iou_a is not None or iou_b is not None:
        kind = "both_poor"
    else:
        kind = "missed"
    return _case(image_id, kind, item.index, a.index(t), b.index(t), iou_a, iou_b)


def _duplicates(image_id: int, objects: Sequence[Item], a: _Side, b: _Side) -> list[Case]:
    def case(side: _Side, p: int, t: int, *, of_a: bool) -> Case:
        index, iou = side.found[p].index, float(side.ious[p, t])
        a_part, b_part = ((index, iou), (None, None)) if of_a else ((None, None), (index, iou))
        number = objects[t].index
        return _case(image_id, "duplicate", number, a_part[0], b_part[0], a_part[1], b_part[1])

    return [case(a, p, t, of_a=True) for p, t in a.duplicate_of.items()] + [
        case(b, p, t, of_a=False) for p, t in b.duplicate_of.items()
    ]


def _false(image_id: int, a: _Side, b: _Side) -> list[Case]:
    """Return the false predictions; those on which A and B agree share a row."""
    items_a, items_b = [a.found[p] for p in a.false], [b.found[p] for p in b.false]
    ious = mask_ious(
        [item.rle for item in items_a], [item.rle for item in items_b], [False] * len(items_b)
    )
    scores = np.array([item.score for item in items_a])
    partner = greedy(ious * same_category(items_a, items_b), scores, [CASE_IOU])[0]
    cases = []
    for p, item in enumerate(items_a):
        other = items_b[partner[p]].index if partner[p] >= 0 else None
        kind: CaseKind = "false_a" if other is None else "false_both"
        cases.append(_case(image_id, kind, None, item.index, other, None, None))
    agreed = set(partner[partner >= 0].tolist())
    for q, item in enumerate(items_b):
        if q not in agreed:
            cases.append(_case(image_id, "false_b", None, None, item.index, None, None))
    return cases


def _case(
    image_id: int,
    kind: CaseKind,
    truth_id: int | None,
    a_index: int | None,
    b_index: int | None,
    iou_a: float | None,
    iou_b: float | None,
) -> Case:
    return {
        "image_id": image_id,
        "kind": kind,
        "truth_id": truth_id,
        "a_index": a_index,
        "b_index": b_index,
        "iou_a": iou_a,
        "iou_b": iou_b,
    }
