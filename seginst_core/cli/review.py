"""``seginst evaluate`` and ``seginst compare``."""

from pathlib import Path
from typing import Annotated, cast

import typer

from seginst_core.cli.console import guarded, progress_bar, show_facts, show_json, show_table
from seginst_core.events import JsonValue
from seginst_core.review.schema import SCORE_NAMES, Report

KINDS = ("bbox", "segm", "boundary")

Truth = Annotated[Path, typer.Option(help="COCO file with the true objects.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@guarded
def evaluate(
    truth: Truth,
    predictions: Annotated[
        Path, typer.Option(help="COCO results, or a COCO file.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure predictions: AP of boxes, masks and mask boundaries, and mean IoU."""
    from seginst_core.formats.coco_json import check_place
    from seginst_core.jobs.review.measure import evaluate as run

    if out is not None:
        check_place(out, truth, predictions)
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
    show_table(("", *SCORE_NAMES), _rows(result, ""))
    show_facts([("images", str(result["images"])), ("mean IoU", _number(result["mean_iou"]))])


@guarded
def compare(
    truth: Truth,
    a: Annotated[
        Path, typer.Option("--a", help="COCO results of A, or a COCO file.", show_default=False)
    ],
    b: Annotated[
        Path, typer.Option("--b", help="COCO results of B, or a COCO file.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html and report.json.")
    ] = None,
    model_a: Annotated[
        str | None,
        typer.Option(
            help="The two-stage model behind A: draws in the true boxes to find the stage."
        ),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="The images, for --model-a.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two predictions of the same images, with a report to look at."""
    from seginst_core.jobs.review.measure import compare as run
    from seginst_core.review.report.words import explanation, headline

    if (model_a is None) != (images is None):
        raise typer.BadParameter("--model-a and --images go together.")
    params: dict[str, JsonValue] = {"truth": str(truth), "a": str(a), "b": str(b)}
    params["out"] = str(out) if out else None
    if model_a is not None:
        params["model_a"], params["images"] = model_a, str(images)
    with progress_bar("Comparing") as reporter:
        result = run(params, reporter)
    if as_json:
        show_json(result)
        return
    show_table(("", *SCORE_NAMES), [*_rows(result["a"], "A "), *_rows(result["b"], "B ")])
    report = cast(Report, result)
    typer.echo(f"{headline(report)} {explanation(report)}")
    facts = [("cases", str(len(report["cases"])))]
    if out:
        facts.append(("report", str(out / "report.html")))
    show_facts(facts)


def _rows(result: JsonValue, prefix: str) -> list[list[str]]:
    rows = []
    for kind in KINDS:
        values = result.get(kind) if isinstance(result, dict) else None
        if isinstance(values, dict):
            rows.append([f"{prefix}{kind}", *(_number(values.get(name)) for name in SCORE_NAMES)])
    return rows


def _number(value: JsonValue) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.4f}"
