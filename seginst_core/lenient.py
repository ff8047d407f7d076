"""Files as people have them: JSON beyond the standard, whole numbers however they are spelled."""

import json
import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import cast

import orjson

from seginst_core.errors import FormatError

MAX_NOTES = 200
MAX_WHOLE = 1 << 53
"""The largest whole number that every reader of JSON keeps exactly."""
_MAX_SHOWN = 200
_DIGITS = re.compile(r"-?[0-9]{1,15}")


def parse_json(data: bytes) -> object:
    """Return the value of a JSON text; orjson.JSONDecodeError if it is none.

    What Python and Windows write beyond the standard is read: NaN (as null) and a byte order mark.
    """
    try:
        return cast(object, orjson.loads(data))
    except orjson.JSONDecodeError as why:
        try:
            # The way through orjson leaves nothing that could not be written again.
            return cast(object, orjson.loads(orjson.dumps(json.loads(data))))
        except (ValueError, TypeError, RecursionError):
            raise why from None


def whole(item: Mapping[str, object], key: str) -> int:
    """Return a whole number that may be written as 3, 3.0 or "3"; FormatError otherwise."""
    if key not in item:
        raise FormatError(f"it has no {key}")
    value = item[key]
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_WHOLE:
        number = int(value)
        if number == value:
            return number
    raise FormatError(f"its {key} {shown(value)} is not a whole number")


def shown(value: object) -> str:
    """Return a value from a file on one short line, fit for a sentence."""
    text = value if isinstance(value, str) else reprlib.repr(value)
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}..."


def shortened(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes, the last of too many summed up."""
    if len(notes) <= MAX_NOTES:
        return tuple(notes)
    return (*notes[:MAX_NOTES], f"And {len(notes) - MAX_NOTES} more like these.")
