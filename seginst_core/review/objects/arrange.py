"""Which cases are listed, in which order and under which headings."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from seginst_core.review.faults.stages import FAULT_NAMES
from seginst_core.review.objects.schema import KIND_NAMES, KINDS, Kind, ObjectCase

SortBy = Literal["worth", "kind", "image", "score", "iou_a", "iou_b", "iou_ab", "area"]
SORT_BY: tuple[SortBy, ...] = get_args(SortBy)
GroupBy = Literal["none", "kind", "image", "class", "stage"]
GROUP_BY: tuple[GroupBy, ...] = get_args(GroupBy)
Scope = Literal["queue", "all"]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """``queue`` lists the open cases of images that are not done; ``all`` lists everything.

    ``kind`` and ``stage`` (of either side) narrow the list down; ``image_id`` to one image.
    """

    scope: Scope = "queue"
    kind: Kind | None = None
    stage: str | None = None
    image_id: int | None = None
    text: str = ""
    sort: SortBy = "worth"
    group: GroupBy = "image"


@dataclass(frozen=True, slots=True)
class Group:
    """Cases under one heading; the heading is empty where nothing is grouped."""

    title: str
    cases: tuple[ObjectCase, ...]


def arranged(
    cases: Iterable[ObjectCase], how: Arrangement, names: Mapping[int, str]
) -> list[Group]:
    """Return the cases in order, group by group; ``names`` are the categories' by their ids.

    The group whose first case comes first is the first one, but for classes, which go by name.
    """
    wanted = how.text.casefold()
    listed = [
        case
        for case in cases
        if (how.scope == "all" or case.open)
        and (how.kind is None or case.kind == how.kind)
        and (how.stage is None or how.stage in (case.fault_a, case.fault_b))
        and (how.image_id is None or case.image_id == how.image_id)
        and (not wanted or wanted in _words(case, names))
    ]
    listed.sort(key=_KEYS[how.sort])
    if how.group == "none":
        return [Group("", tuple(listed))] if listed else []
    heading = _HEADINGS[how.group]
    by_title: dict[str, list[ObjectCase]] = {}
    for case in listed:
        by_title.setdefault(heading(case, names), []).append(case)
    titles = sorted(by_title) if how.group == "class" else list(by_title)
    return [Group(title, tuple(by_title[title])) for title in titles]


def count_kinds(cases: Iterable[ObjectCase]) -> dict[Kind, int]:
    """Return how many cases of each kind there are; kinds without any are left out."""
    counts = Counter(case.kind for case in cases)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def progress(cases: Sequence[ObjectCase]) -> tuple[int, int]:
    """Return how many cases of a queue are settled, and how many there are in all."""
    n_open = sum(case.open for case in cases)
    n_settled = sum(case.settled for case in cases if case.kind != "duplicate")
    return n_settled, n_settled + n_open


def _words(case: ObjectCase, names: Mapping[int, str]) -> str:
    name = names.get(case.category_id, "")
    return f"{case.path} {name} {KIND_NAMES[case.kind]} {' '.join(case.why)}".casefold()


def _area(case: ObjectCase) -> float:
    return case.box.width * case.box.height


def _low_first(value: float | None) -> float:
    return -1.0 if value is None else value


_KEYS: dict[SortBy, Callable[[ObjectCase], tuple[float | str, ...]]] = {
    "worth": lambda case: (-case.worth, case.path),
    "kind": lambda case: (KINDS.index(case.kind), -case.worth),
    "image": lambda case: (case.path, -case.worth),
    "score": lambda case: (-_low_first(case.score), case.path),
    "iou_a": lambda case: (_low_first(case.iou_a), case.path),
    "iou_b": lambda case: (_low_first(case.iou_b), case.path),
    "iou_ab": lambda case: (_low_first(case.iou_ab), case.path),
    "area": lambda case: (-_area(case), case.path),
}
_HEADINGS: dict[GroupBy, Callable[[ObjectCase, Mapping[int, str]], str]] = {
    "none": lambda case, names: "",
    "kind": lambda case, names: KIND_NAMES[case.kind],
    "image": lambda case, names: case.path,
    "class": lambda case, names: names.get(case.category_id, ""),
    "stage": lambda case, names: FAULT_NAMES[case.fault_a] if case.fault_a else "Nothing wrong",
}
