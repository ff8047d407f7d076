"""``seginst study``."""

from pathlib import Path
from typing import Annotated

import typer

from seginst_core.cli.console import (
    INTERRUPTED,
    guarded,
    progress_bar,
    say,
    show_facts,
    show_json,
    show_table,
)
from seginst_core.errors import Cancelled
from seginst_core.events import JsonValue
from seginst_core.types import Preset


@guarded
def study(
    data: Annotated[Path, typer.Option(help="COCO file to learn from.", show_default=False)],
    val: Annotated[Path, typer.Option(help="COCO file to measure on.", show_default=False)],
    images: Annotated[Path, typer.Option(help="Folder the file names are relative to.")],
    out: Annotated[Path, typer.Option(help="Folder for models, predictions and the report.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Minutes for each model.")] = 15.0,
    seeds: Annotated[int, typer.Option(min=1, help="How many times, with seeds 0, 1, 2…")] = 3,
    preset: Annotated[Preset, typer.Option(help="Size of the networks.")] = "fast",
    start_a: Annotated[
        str, typer.Option("--from-a", help="Model that A starts from.", show_default="scratch")
    ] = "",
    start_b: Annotated[
        str, typer.Option("--from-b", help="Model that B starts from.", show_default="scratch")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    pictures: Annotated[
        bool, typer.Option(help="Put pictures of the validation images into the report.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Train A and B on equal budgets, several seeds, and say which is better and how sure that is.

    The same command goes on with a study that was interrupted.
    """
    from seginst_core.jobs.study import StudySettings
    from seginst_core.jobs.study import study as run
    from seginst_core.library import resolve
    from seginst_core.review.report.study import explain, verdict

    starts = {side: resolve(name) for side, name in (("a", start_a), ("b", start_b)) if name}
    settings = StudySettings(
        data, val, images, out, minutes, seeds, preset, starts, device, pictures
    )
    try:
        with progress_bar("Study") as reporter:
            report = run(settings, reporter)
    except (Cancelled, KeyboardInterrupt):
        say(f"Interrupted; the same command goes on with the study in {out}.")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        show_json(report)  # type: ignore[arg-type]
        return
    names = ("segm_AP", "segm_AP50", "boundary_AP", "bbox_AP", "mean_iou", "seconds_per_image")
    rows = []
    for side, spreads in report["sides"].items():
        rows.append([side.upper(), *(_number(spreads[name]["mean"]) for name in names)])
    show_table(("", "mask AP", "AP50", "boundary AP", "box AP", "mean IoU", "s an image"), rows)
    for text in (verdict(report["gaps"]), *map(explain, report["gaps"])):
        typer.echo(text)
    show_facts([("report", str(out / "study.html"))])


def _number(value: JsonValue) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "–"
