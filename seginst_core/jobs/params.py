"""Reading a job's parameters, which came as JSON from another process."""

from collections.abc import Mapping
from pathlib import Path

from seginst_core.errors import DataError
from seginst_core.events import JsonValue
from seginst_core.types import BACKENDS, Box, Runtime, TileChoice

Params = Mapping[str, JsonValue]
SMALLEST_TILE_PX = 64


def text(params: Params, key: str, default: str | None = None) -> str:
    """Return the text at ``key``; DataError if it is missing and has no default, or is no text."""
    value = params.get(key, default)
    if not isinstance(value, str):
        raise DataError(f"The job's parameter {key!r} has to be a text, not {value!r}.")
    return value


def path(params: Params, key: str) -> Path:
    """Return the path at ``key``; DataError if it is missing or empty."""
    value = text(params, key)
    if not value:
        raise DataError(f"The job's parameter {key!r} has to be a path.")
    return Path(value)


def texts(params: Params, key: str) -> dict[str, str]:
    """Return the texts by name at ``key``, none if it is missing; DataError if it is no such."""
    value = params.get(key, {})
    if not isinstance(value, Mapping):
        raise DataError(f"The job's parameter {key!r} has to be texts by name, not {value!r}.")
    return {name: text(value, name) for name in value}


def number(params: Params, key: str, default: float | None = None) -> float:
    """Return the number at ``key``; DataError as for ``text``."""
    value = params.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"The job's parameter {key!r} has to be a number, not {value!r}.")
    return float(value)


def listed(params: Params, key: str) -> list[JsonValue]:
    """Return the list at ``key``; DataError if it is none."""
    value = params.get(key)
    if not isinstance(value, list):
        raise DataError(f"The job's parameter {key!r} has to be a list.")
    return value


def box(row: JsonValue) -> Box:
    """Return the box that a list of its sides is; DataError if it is none."""
    if isinstance(row, list) and len(row) == 4:
        sides = [float(v) for v in row if isinstance(v, int | float)]
        if len(sides) == 4 and sides[0] <= sides[2] and sides[1] <= sides[3]:
            return Box(*sides)
    raise DataError(f"Not a box: {row!r}; a box is [x0, y0, x1, y1].")


def rows(params: Params, key: str) -> list[Params]:
    """Return the list of objects at ``key``; DataError if it is anything else."""
    value = listed(params, key)
    found = [row for row in value if isinstance(row, Mapping)]
    if len(found) != len(value):
        raise DataError(f"The job's parameter {key!r} has to be a list of objects.")
    return found


def runtime(params: Params) -> Runtime:
    """Return how a model is to run; DataError if it is not said as it should be."""
    backend = text(params, "backend", "torch")
    if backend not in BACKENDS:
        raise DataError(f"A backend is {' or '.join(BACKENDS)}, not {backend!r}.")
    return Runtime(text(params, "device", "auto"), backend, int(number(params, "levels", 0)))


def tile(params: Params) -> TileChoice:
    """Return the tile setting; DataError if it is none."""
    value = params.get("tile", "auto")
    if value is None or value == "auto":
        return "auto" if value else None
    if isinstance(value, int) and value >= SMALLEST_TILE_PX:
        return value
    raise DataError(
        f"A tile is auto, off or a side of at least {SMALLEST_TILE_PX} px, not {value!r}."
    )
