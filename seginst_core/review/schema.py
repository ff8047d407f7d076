"""What a review answers: the shapes of ``R.json`` and ``report.json`` and the kinds of cases.

Scripts rely on these keys; keys may be added, never renamed.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypedDict, get_args

MAX_DETS = 1000
"""Predictions counted per image and category, best scores first."""
CASE_IOU = 0.5
"""A prediction is right if its mask's IoU with the truth is at least this."""
CASE_POOR_IOU = 0.1
"""Below CASE_IOU but at least this, a prediction is a poor attempt at the truth."""
CASE_SCORE = 0.5
"""Cases look at predictions with at least this score."""

Scores: TypeAlias = dict[str, float | None]
"""``{"AP": ..., "AP50": ..., ...}``, 0..1; None where the truth has no such object."""
ScoreName = Literal["AP", "AP50", "AP75", "APs", "APm", "APl"]
SCORE_NAMES: tuple[ScoreName, ...] = get_args(ScoreName)

CaseKind = Literal[
    "both_right",
    "a_only",
    "b_only",
    "both_poor",
    "wrong_class",
    "missed",
    "duplicate",
    "false_a",
    "false_b",
    "false_both",
]
CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
CASE_NAMES: Mapping[CaseKind, str] = {
    "both_right": "Both right",
    "a_only": "Only A",
    "b_only": "Only B",
    "both_poor": "Both poor",
    "wrong_class": "Wrong class",
    "missed": "Missed",
    "duplicate": "Duplicate",
    "false_a": "False, A",
    "false_b": "False, B",
    "false_both": "False, both",
}
CASE_TEXTS: Mapping[CaseKind, str] = {
    "both_right": "A and B both found the object.",
    "a_only": "Only A found the object.",
    "b_only": "Only B found the object.",
    "both_poor": "Neither found the object, but at least one came near it.",
    "wrong_class": "Neither found the object, but at least one drew it as another class.",
    "missed": "Neither A nor B saw the object.",
    "duplicate": "A prediction of an object that another prediction has already.",
    "false_a": "A sees an object that the truth does not have.",
    "false_b": "B sees an object that the truth does not have.",
    "false_both": "A and B agree on an object that the truth does not have.",
}


class Measures(TypedDict):
    """``R.json``: one set of predictions measured against the truth."""

    images: int
    bbox: Scores
    segm: Scores
    boundary: Scores
    mean_iou: float | None
    max_dets: int


class Difference(TypedDict):
    """What B gains over A in mask AP, and how sure that is."""

    segm_AP: float | None
    ci95: list[float | None]
    of: str
    method: str
    resamples: int
    seed: int


class Case(TypedDict):
    """One row of review: a truth with what A and B made of it, or a prediction without a truth.

    The indexes are places in the predictions' files. The IoUs are those of the masks, or of the
    boxes if the truth knows the object only by its box.
    """

    image_id: int
    kind: CaseKind
    truth_id: int | None
    a_index: int | None
    b_index: int | None
    iou_a: float | None
    iou_b: float | None


class Curve(TypedDict):
    """Mask precision of A and B at 101 recalls from 0 to 1, the mean of the categories."""

    iou: float
    a: list[float]
    b: list[float]


class Confusion(TypedDict):
    """How often each true class (row) was predicted as each (column); the last of both is none."""

    names: list[str]
    counts: list[list[int]]


class ErrorBudget(TypedDict):
    """Mask AP at one IoU, what it would gain without each kind of mistake, how many there are.

    ``outline`` is the gain if boxes and masks were both right. ``by_substitution`` says that the
    two were told apart by drawing in the true boxes; else by what the boxes would let through.
    """

    iou: float
    ap: float | None
    gains: dict[str, float]
    counts: dict[str, int]
    outline: float
    by_substitution: bool


class ImageName(TypedDict):
    """The file name of an image that a case names."""

    id: int
    file_name: str


class SourceNames(TypedDict):
    """What was compared: the names of the files, or those of the models and of their project."""

    truth: str
    a: str
    b: str


class Correction(TypedDict):
    """What an object that was taken over from A or B cost the person, and when (UTC, ISO 8601)."""

    side: Literal["a", "b"]
    taken_at: str
    n_edits: int
    seconds: float


class Report(TypedDict):
    """``report.json``: two sets of predictions measured against one truth.

    ``box_only`` are the ids of the true objects that are known only by their box, ``corrections``
    those of all of a project's models, the first one first.
    """

    names: SourceNames
    a: Measures
    b: Measures
    difference: Difference
    cases: list[Case]
    curves: list[Curve]
    budget: dict[str, ErrorBudget]
    confusion: dict[str, Confusion]
    images: list[ImageName]
    box_only: list[int]
    corrections: list[Correction]
    case_iou: float
    case_score: float
