"""What the objects are filtered by: words and limits, as ``plane score < 0.5``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Compare = Callable[[float, float], bool]
_COMPARE: dict[str, Compare] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_LIMIT = re.compile(r"\b(area|score)\s*(<=|>=|<|>|=)\s*([0-9]+(?:\.[0-9]+)?)")


class Filterable(Protocol):
    """What a filter looks at: a row of the table."""

    @property
    def area_px(self) -> int:
        """Area in pixels."""
        ...

    @property
    def score(self) -> float | None:
        """0 to 1; None if no model gave one."""
        ...

    @property
    def words(self) -> str:
        """Its class, origin and attributes in small letters."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """All of the words have to be there, and all limits be kept; empty lets everything through."""

    words: tuple[str, ...] = ()
    limits: tuple[tuple[str, str, float], ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything may be left out."""
        return bool(self.words or self.limits)

    def matches(self, row: Filterable) -> bool:
        """Return whether an object is let through; one without a score keeps no limit of it."""
        if not all(word in row.words for word in self.words):
            return False
        for name, sign, limit in self.limits:
            value = row.area_px if name == "area" else row.score
            if value is None or not _COMPARE[sign](value, limit):
                return False
        return True


def parse_filter(text: str) -> ObjectFilter:
    """Read what was typed: every text is a filter, as what is no limit is looked for as words."""
    small = text.casefold()
    limits = tuple((found[1], found[2], float(found[3])) for found in _LIMIT.finditer(small))
    return ObjectFilter(tuple(_LIMIT.sub(" ", small).replace(",", " ").split()), limits)
