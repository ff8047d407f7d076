"""The cases of one image of a project: truth, A and B, whatever of them there is."""

from collections.abc import Mapping, Sequence

import numpy as np

from seginst_core.events import Reporter
from seginst_core.masks.geometry import box_iou, iou, mask_box, meet
from seginst_core.masks.rle import encode
from seginst_core.review.cases import list_cases
from seginst_core.review.faults.stages import (
    GOOD_IOU,
    Fault,
    iou_in_box,
    outline_fault,
)
from seginst_core.review.inputs import Item, Truth
from seginst_core.review.matching import greedy
from seginst_core.review.objects.schema import Drawn, ImageObjects, Kind, ObjectCase, sign_of
from seginst_core.review.objects.worth import Reason, against_truth, joint, reasons_of
from seginst_core.review.rles import mask_ious, rectangle
from seginst_core.review.schema import CASE_IOU, CASE_POOR_IOU, Case
from seginst_core.types import Instance

SAME_PLACE_IOU = CASE_POOR_IOU
"""From this IoU on A and B speak of the same object, though they may draw it differently."""


class Items:
    """Objects as items of a review; what was encoded once is kept for the next edit."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[Instance, Item]] = {}

    def of(self, side: str, objects: ImageObjects, instances: Sequence[Instance]) -> list[Item]:
        """Return the items of instances, in their order; a box without a mask is its rectangle."""
        return [self._item(side, objects, instance) for instance in instances]

    def _item(self, side: str, objects: ImageObjects, instance: Instance) -> Item:
        known = self._known.get((side, instance.id))
        if known is not None and known[0] is instance:
            return known[1]
        item = _item(objects, instance)
        self._known[side, instance.id] = instance, item
        return item


def image_cases(objects: ImageObjects, items: Items | None = None) -> list[ObjectCase]:
    """Return the cases of an image, true objects first.

    In an image that is done, what A or B sees beside the truth is false. In any other one it is a
    case of A and B alone: the same object where their masks' IoU is at least 0.1.
    """
    items = items or Items()
    # Whoever asks has left out what is below the threshold.
    truth = Truth(
        {objects.image.id: objects.image}, {}, tuple(items.of("truth", objects, objects.truth))
    )
    found_a = items.of("a", objects, objects.a)
    found_b = items.of("b", objects, objects.b)
    builder = _Builder(objects)
    rows: list[ObjectCase] = []
    loose_a: set[int] = set()
    loose_b: set[int] = set()
    for case in list_cases(truth, found_a, found_b, Reporter(), 0.0, nearest_first=True):
        if case["truth_id"] is None and objects.state != "done":
            loose_a |= {case["a_index"]} if case["a_index"] is not None else set()
            loose_b |= {case["b_index"]} if case["b_index"] is not None else set()
        else:
            rows.append(builder.row(case["kind"], case))
    pairs = _pairs(
        [item for item in found_a if item.index in loose_a],
        [item for item in found_b if item.index in loose_b],
    )
    rows += [builder.pair(a, b) for a, b in pairs]
    return rows


def _item(objects: ImageObjects, instance: Instance) -> Item:
    image, mask = objects.image, instance.mask
    box = instance.box
    if mask is None:
        rle = rectangle((box.x0, box.y0, box.width, box.height), image)
    else:
        rle = encode(mask, image.width, image.height)
    return Item(
        index=instance.id,
        image_id=image.id,
        category_id=instance.category_id,
        bbox=(box.x0, box.y0, box.width, box.height),
        area=float(box.width * box.height),
        rle=rle,
        score=1.0 if instance.score is None else instance.score,
        iscrowd=instance.iscrowd,
        box_only=mask is None,
    )


def _pairs(found_a: Sequence[Item], found_b: Sequence[Item]) -> list[tuple[int | None, int | None]]:
    """Return the ids of A's and B's predictions of the same objects, and of those left alone.

    The pair of the highest IoU comes first, whatever the class.
    """
    ious = mask_ious([i.rle for i in found_a], [i.rle for i in found_b], [False] * len(found_b))
    best = ious.max(axis=1) if ious.size else np.zeros(len(found_a))
    taken = greedy(ious, best, [SAME_PLACE_IOU])[0]
    pairs: list[tuple[int | None, int | None]] = [
        (item.index, found_b[taken[p]].index if taken[p] >= 0 else None)
        for p, item in enumerate(found_a)
    ]
    met = set(taken.tolist())
    return pairs + [(None, item.index) for q, item in enumerate(found_b) if q not in met]


class _Builder:
    """Makes the rows of one image; holds its objects by id."""

    def __init__(self, objects: ImageObjects) -> None:
        self._objects = objects
        self._truth = {i.id: i for i in objects.truth}
        self._a = {i.id: i for i in objects.a}
        self._b = {i.id: i for i in objects.b}
        self._both = bool(objects.a) and bool(objects.b)

    def row(self, kind: Kind, case: Case) -> ObjectCase:
        """Return the row of a case with a truth, or of a false one in an image that is done."""
        truth = None if case["truth_id"] is None else self._truth[case["truth_id"]]
        a = None if case["a_index"] is None else self._a[case["a_index"]]
        b = None if case["b_index"] is None else self._b[case["b_index"]]
        iou_ab = _iou(a, b)
        if truth is None:
            settled = self._refused(a, b)
            reasons = reasons_of(a, b, None, self._objects.threshold, both=False)
            reasons.append((0.9 if a and b else 0.6, "nothing is annotated here"))
            return self._make(kind, None, a, b, (None, None, iou_ab), settled, reasons)
        ious = case["iou_a"], case["iou_b"], iou_ab
        if kind == "duplicate":
            settled, reasons = truth.origin.vouched, [(0.3, "the object is found twice")]
        else:
            settled = truth.origin.vouched
            reasons = against_truth(*ious[:2], missing=kind == "missed")
            if kind == "wrong_class" or self._misnamed(truth, a, b):
                reasons.append((0.85, "the class differs from the annotated one"))
            if not settled:
                reasons.append((0.25, "accepted, but never looked at"))
        return self._make(kind, truth, a, b, ious, settled, reasons)

    def pair(self, a_id: int | None, b_id: int | None) -> ObjectCase:
        """Return the row of a case of A and B alone."""
        a = None if a_id is None else self._a[a_id]
        b = None if b_id is None else self._b[b_id]
        iou_ab = _iou(a, b)
        kind: Kind = "a_alone" if b is None else "b_alone"
        if a is not None and b is not None:
            if a.category_id != b.category_id:
                kind = "classes_differ"
            else:
                kind = "agree" if (iou_ab or 0.0) >= GOOD_IOU else "masks_differ"
        reasons = reasons_of(a, b, iou_ab, self._objects.threshold, both=self._both)
        ious = None, None, iou_ab
        return self._make(kind, None, a, b, ious, self._refused(a, b), reasons)

    def _make(
        self,
        kind: Kind,
        truth: Instance | None,
        a: Instance | None,
        b: Instance | None,
        ious: tuple[float | None, float | None, float | None],
        settled: bool,
        reasons: list[Reason],
    ) -> ObjectCase:
        image, shown = self._objects.image, truth or a or b
        assert shown is not None
        worth, why = joint(reasons)
        drawn = self._objects.drawn or {}
        alone = truth is None and self._objects.state != "done"
        return ObjectCase(
            image_id=image.id,
            path=image.path,
            kind=kind,
            box=shown.box,
            category_id=shown.category_id,
            truth_id=None if truth is None else truth.id,
            a_id=None if a is None else a.id,
            b_id=None if b is None else b.id,
            iou_a=ious[0],
            iou_b=ious[1],
            iou_ab=ious[2],
            sign_a=None if a is None else sign_of(a),
            sign_b=None if b is None else sign_of(b),
            score_a=None if a is None else a.score,
            score_b=None if b is None else b.score,
            fault_a=None if alone else _fault(kind, truth, a, ious[0], drawn, stage_a=True),
            fault_b=None if alone else _fault(kind, truth, b, ious[1], {}, stage_a=False),
            settled=settled,
            open=not settled and self._objects.state != "done" and kind != "duplicate",
            worth=worth,
            why=why,
        )

    def _refused(self, *found: Instance | None) -> bool:
        """Whether a person said that there is no object here."""
        here = [i for i in found if i is not None]
        return bool(self._objects.refusals) and all(
            any(
                meet(i.box, r.box) and (_iou(i, r) or 0.0) >= CASE_IOU
                for r in self._objects.refusals
            )
            for i in here
        )

    def _misnamed(self, truth: Instance, *found: Instance | None) -> bool:
        return any(
            i is not None and i.category_id != truth.category_id and (_iou(truth, i) or 0) >= 0.5
            for i in found
        )


def _fault(
    kind: Kind,
    truth: Instance | None,
    found: Instance | None,
    own: float | None,
    drawn: Mapping[int, Drawn],
    *,
    stage_a: bool,
) -> Fault | None:
    """Return what is wrong with one side's prediction of an object."""
    if truth is None:
        return None if found is None else "false"
    if kind == "duplicate":
        return None if found is None else "duplicate"
    if found is None or own is None:
        return "missed"
    if found.category_id != truth.category_id and own >= CASE_IOU:
        return "class"
    if own >= GOOD_IOU or truth.mask is None:
        return None
    known = drawn.get(truth.id) if stage_a else None
    with_box, box = None, mask_box(truth.mask)
    if known is not None and known.box == box:
        with_box = 0.0 if known.mask is None else iou(truth.mask, known.mask)
    # Of an object that was lost it is asked who lost it, of a poor one who made it poor.
    at = CASE_IOU if own < CASE_IOU else GOOD_IOU
    allowed, overlap = iou_in_box(truth.mask, found.box), box_iou(found.box, box)
    return outline_fault(own, allowed, overlap, with_box, at)


def _iou(a: Instance | None, b: Instance | None) -> float | None:
    if a is None or b is None or a.mask is None or b.mask is None:
        return None
    return iou(a.mask, b.mask)
