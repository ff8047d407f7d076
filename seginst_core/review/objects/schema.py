"""What a case of a project is, and what it may be called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from seginst_core.review.faults.stages import Fault
from seginst_core.review.schema import CASE_NAMES, CASE_TEXTS, CaseKind
from seginst_core.types import Box, ImageRef, Instance, Mask, State

PairKind = Literal["agree", "masks_differ", "classes_differ", "a_alone", "b_alone"]
"""A case of A and B alone, where nobody has said yet what is true."""
Kind: TypeAlias = CaseKind | PairKind
PAIR_KINDS: tuple[PairKind, ...] = get_args(PairKind)
KINDS: tuple[Kind, ...] = (*PAIR_KINDS, *get_args(CaseKind))
_PAIR_NAMES: Mapping[PairKind, str] = {
    "agree": "A and B agree",
    "masks_differ": "Masks differ",
    "classes_differ": "Classes differ",
    "a_alone": "A alone",
    "b_alone": "B alone",
}
_PAIR_TEXTS: Mapping[PairKind, str] = {
    "agree": "A and B see the same object, and nobody has said yet whether it is one.",
    "masks_differ": "A and B see an object here, but draw it differently.",
    "classes_differ": "A and B see an object here, but call it differently.",
    "a_alone": "Only A sees an object here, and nobody has said yet whether it is one.",
    "b_alone": "Only B sees an object here, and nobody has said yet whether it is one.",
}
KIND_NAMES: Mapping[Kind, str] = dict([*_PAIR_NAMES.items(), *CASE_NAMES.items()])
KIND_TEXTS: Mapping[Kind, str] = dict([*_PAIR_TEXTS.items(), *CASE_TEXTS.items()])


@dataclass(frozen=True, slots=True)
class Drawn:
    """The mask that A's nested U-Net draws in a true object's box; None if it sees nothing."""

    box: Box
    mask: Mask | None


@dataclass(frozen=True, slots=True)
class ImageObjects:
    """All that is known of one image's objects.

    ``a`` and ``b`` are the predictions above the threshold, with ids of their own. ``refusals`` are
    predicted objects that a person said are none. ``drawn`` holds A's masks in true boxes, by the
    true objects' ids.
    """

    image: ImageRef
    state: State
    truth: tuple[Instance, ...] = ()
    a: tuple[Instance, ...] = ()
    b: tuple[Instance, ...] = ()
    refusals: tuple[Instance, ...] = ()
    drawn: Mapping[int, Drawn] | None = None
    threshold: float = 0.5


def sign_of(found: Instance) -> str:
    """Return what tells a predicted object from another: ids begin anew with each prediction."""
    box = found.box
    return f"{found.origin.model} {box.x0} {box.y0} {box.x1} {box.y1}"


@dataclass(frozen=True, slots=True)
class ObjectCase:
    """One row of a review; the ids are of the annotation and of each prediction.

    ``iou_a`` and ``iou_b`` are the masks' with the truth, ``iou_ab`` with each other. A ``sign``
    tells a prediction from that of another model under the same id, see ``sign_of``. A ``fault``
    is what is wrong with that side's prediction, None if nothing is. ``settled`` says that a
    person has decided, ``worth`` 0..1 how much a look is expected to bring, ``why`` says why, the
    weightiest reason first.
    """

    image_id: int
    path: str
    kind: Kind
    box: Box
    category_id: int
    truth_id: int | None
    a_id: int | None
    b_id: int | None
    iou_a: float | None
    iou_b: float | None
    iou_ab: float | None
    sign_a: str | None
    sign_b: str | None
    score_a: float | None
    score_b: float | None
    fault_a: Fault | None
    fault_b: Fault | None
    settled: bool
    open: bool
    worth: float
    why: tuple[str, ...]

    @property
    def score(self) -> float | None:
        """The higher score of A and B, None without either."""
        return max((s for s in (self.score_a, self.score_b) if s is not None), default=None)

    @property
    def key(self) -> tuple[int | str | None, ...]:
        """What names the case as long as its objects are the same."""
        return self.image_id, self.truth_id, *self.found

    @property
    def found(self) -> tuple[int | str | None, ...]:
        """What names A's and B's predictions as long as they are the same."""
        return self.a_id, self.b_id, self.sign_a, self.sign_b

    def shares_with(self, other: "ObjectCase") -> bool:
        """Return whether one of the objects is also the other case's."""
        truth = self.truth_id is not None and self.truth_id == other.truth_id
        a = self.a_id is not None and (self.a_id, self.sign_a) == (other.a_id, other.sign_a)
        b = self.b_id is not None and (self.b_id, self.sign_b) == (other.b_id, other.sign_b)
        return truth or a or b
