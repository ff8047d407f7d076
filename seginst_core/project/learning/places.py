"""Paths inside a project as a run keeps them: from the project's folder, which may be moved."""

from collections.abc import Mapping
from pathlib import Path

from seginst_core.events import JsonValue

HERE = "{project}"
"""What stands for the project's folder where a path begins."""


def packed(table: Mapping[str, JsonValue], folder: Path) -> dict[str, JsonValue]:
    """Return a table with the paths of ``folder``, and those inside it, counted from there."""

    def pack(text: str) -> str:
        path = Path(text)
        if not path.is_absolute() or not path.is_relative_to(folder):
            return text
        return f"{HERE}/{path.relative_to(folder).as_posix()}"

    return {k: pack(v) if isinstance(v, str) else v for k, v in table.items()}


def unpacked(table: Mapping[str, JsonValue], folder: Path) -> dict[str, JsonValue]:
    """Return the table that ``packed`` was given, for where the folder is now."""

    def unpack(text: str) -> str:
        return str(folder / text[len(HERE) + 1 :]) if text.startswith(f"{HERE}/") else text

    return {k: unpack(v) if isinstance(v, str) else v for k, v in table.items()}
