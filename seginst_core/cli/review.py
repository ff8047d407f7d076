"""``seginst evaluate`` and ``seginst compare``."""

from pathlib import Path
from typing import Annotated

import typer

from seginst_core.cli.console import guarded, progress_bar, show_facts, show_json, show_table
from seginst_core.events import JsonValue

KINDS = ("bbox", "segm", "boundary")
MEASURES = ("AP", "AP50", "AP75", "APs", "APm", "APl")

Truth = Annotated[Path, typer.Option(help="COCO file with the true objects.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@guarded
def evaluate(
    truth: Truth,
    predictions: Annotated[Path, typer.Option(help="COCO results.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure predictions: AP of boxes, masks and mask boundaries, and mean IoU."""
    from seginst_core.jobs.review import evaluate as run

    with progress_bar("Measuring") as reporter:
        result = run(
            {
                "truth": str(truth),
                "predictions": str(predictions),
                "out": str(out) if out else None,
            },
            reporter,
        )
    if as_json:
        show_json(result)
        return
    show_table(("", *MEASURES), _rows(result, ""))
    show_facts([("images", str(result["images"])), ("mean IoU", _number(result["mean_iou"]))])


@guarded
def compare(
    truth: Truth,
    a: Annotated[Path, typer.Option("--a", help="COCO results of A.", show_default=False)],
    b: Annotated[Path, typer.Option("--b", help="COCO results of B.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html and report.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two predictions of the same images, with a report to look at."""
    from seginst_core.jobs.review import compare as run

    with progress_bar("Comparing") as reporter:
        result = run(
            {"truth": str(truth), "a": str(a), "b": str(b), "out": str(out) if out else None},
            reporter,
        )
    if as_json:
        show_json(result)
        return
    show_table(("", *MEASURES), [*_rows(result["a"], "A "), *_rows(result["b"], "B ")])
    facts = []
    difference = result["difference"]
    if isinstance(difference, dict):
        interval = difference.get("ci95")
        text = f"{_number(difference.get('segm_AP'))} mask AP gained by B over A"
        if isinstance(interval, list) and None not in interval:
            text += f", 95% between {_number(interval[0])} and {_number(interval[1])}"
        facts.append(("difference", text))
    cases = result["cases"]
    facts.append(("cases", str(len(cases)) if isinstance(cases, list) else "none"))
    if out:
        facts.append(("report", str(out / "report.html")))
    show_facts(facts)


def _rows(result: JsonValue, prefix: str) -> list[list[str]]:
    rows = []
    for kind in KINDS:
        values = result.get(kind) if isinstance(result, dict) else None
        if isinstance(values, dict):
            rows.append([f"{prefix}{kind}", *(_number(values.get(name)) for name in MEASURES)])
    return rows


def _number(value: JsonValue) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.4f}"
