"""Read a ``report.json`` back, and refuse what is not a whole one."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Literal, cast, get_args, get_origin, get_type_hints, is_typeddict

import orjson

from seginst_core.errors import DataError
from seginst_core.review.report.faults import KINDS
from seginst_core.review.schema import SCORE_NAMES, Report


def read_report(folder: Path) -> Report:
    """Return the report that ``write_report`` wrote into ``folder``; DataError says what is wrong.

    A report of a former version that lacks something is refused like a damaged one.
    """
    path = folder / "report.json"
    try:
        read: object = orjson.loads(path.read_bytes())
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"The report {path} cannot be read ({why}); write it anew.") from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"The report {path} is damaged ({error}); write it anew.") from error
    if not _fits(read, Report):
        raise DataError(f"The report {path} is not whole; write it anew.")
    report = cast(Report, read)
    if not _is_whole(report):
        raise DataError(f"The report {path} is not whole; write it anew.")
    return report


def _fits(value: object, kind: object) -> bool:
    """Return whether a value of JSON has the shape of a type of the schema."""
    inner, origin = get_args(kind), get_origin(kind)
    if is_typeddict(kind):
        return isinstance(value, dict) and all(
            name in value and _fits(value[name], of) for name, of in _fields(kind).items()
        )
    if origin is list:
        return isinstance(value, list) and all(_fits(item, inner[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, inner[1]) for item in value.values())
    if origin is UnionType:
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if kind in (int, float):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (kind is float and isinstance(value, float))
    return isinstance(value, cast(type, kind))


@cache
def _fields(kind: object) -> Mapping[str, object]:
    return get_type_hints(kind)


def _is_whole(report: Report) -> bool:
    """Return whether the tables of a report have all the keys and the lengths they must have."""
    scores = [report[side][of] for side in ("a", "b") for of in ("segm", "boundary", "bbox")]
    if not {"a", "b"} <= set(report["budget"]) & set(report["confusion"]):
        return False
    faults = [
        table for side in report["budget"].values() for table in (side["gains"], side["counts"])
    ]
    return (
        len(report["difference"]["ci95"]) == 2
        and all(set(SCORE_NAMES) <= set(of) for of in scores)
        and all(set(KINDS) <= set(of) for of in faults)
        # Without a true object a curve has no points; one point is no curve.
        and all(len(curve["a"]) == len(curve["b"]) != 1 for curve in report["curves"])
        and all(
            {len(rows), *map(len, rows)} == {len(found["names"]) + 1}
            for found in report["confusion"].values()
            for rows in [found["counts"]]
        )
    )
