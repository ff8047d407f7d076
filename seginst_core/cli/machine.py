"""``seginst worker`` and ``seginst doctor``."""

import runpy
from typing import Annotated

import typer

from seginst_core.cli.console import guarded, show_json, show_table
from seginst_core.events import JsonValue

MARKS = {"good": "ok", "note": "note", "bad": "MISSING"}


def worker() -> None:
    """Run jobs that come as JSON lines on stdin (what the window starts; also over ssh)."""
    runpy.run_module("seginst_core.worker", run_name="__main__")


@guarded
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Look at this machine: exit code 0 if the window can start, 1 with what to install."""
    from seginst_core.doctor import can_start_window, examine

    findings = examine()
    good = can_start_window(findings)
    if as_json:
        rows: list[JsonValue] = [
            {"topic": f.topic, "level": f.level, "text": f.text} for f in findings
        ]
        show_json({"window_can_start": good, "findings": rows})
    else:
        show_table(("", "", ""), [[MARKS[f.level], f.topic, f.text] for f in findings])
    if not good:
        raise typer.Exit(1)
