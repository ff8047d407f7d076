"""``seginst predict``."""

from pathlib import Path
from typing import Annotated

import typer

from seginst_core.cli.console import guarded, progress_bar, say, show_facts, show_json
from seginst_core.jobs.params import SMALLEST_TILE_PX
from seginst_core.types import Backend, TileChoice


@guarded
def predict(
    model: Annotated[str, typer.Option(help="Model, by name or path.", show_default=False)],
    out: Annotated[Path, typer.Option(help="JSON file to write.", show_default=False)],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE_OR_DIR...", help="Images, folders of images.", show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="COCO file that lists the images, instead of FILE_OR_DIR.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder the file names in --data are relative to.")
    ] = None,
    score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out what scores lower.")
    ] = 0.05,
    tile: Annotated[
        str, typer.Option(metavar="auto|off|PX", help="Cut large images into tiles.")
    ] = "auto",
    refine: Annotated[
        str, typer.Option(help="Two-stage model whose nested U-Net draws the masks in the boxes.")
    ] = "",
    levels: Annotated[
        int,
        typer.Option(
            min=0, help="Decoders the nested U-Net draws with, 1 the fastest.", show_default="all"
        ),
    ] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    backend: Annotated[Backend, typer.Option(help="Library that runs the networks.")] = "torch",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Find objects: COCO results for --data, a COCO dict with its images for FILE_OR_DIR."""
    side = _tile(tile)
    if bool(inputs) == (data is not None):
        raise typer.BadParameter("give either --data with --images, or FILE_OR_DIR")
    if (data is None) != (images is None):
        raise typer.BadParameter("--data and --images belong together")
    from seginst_core.jobs.predict_files import PredictSettings, predict_dataset, predict_paths

    settings = PredictSettings(model, device, score, side, refine, backend, levels)
    with progress_bar("Predicting") as reporter:
        if data is not None and images is not None:
            summary = predict_dataset(settings, data, images, out, reporter)
        else:
            summary = predict_paths(settings, inputs or [], out, reporter)
    for problem in summary.problems:
        say(problem)
    if as_json:
        show_json(
            {
                "out": str(out),
                "images": summary.n_images,
                "objects": summary.n_objects,
                "problems": list(summary.problems),
            }
        )
    else:
        rows = [("written", str(out)), ("images", str(summary.n_images))]
        show_facts([*rows, ("objects", str(summary.n_objects))])
    if summary.problems:
        raise typer.Exit(1)


def _tile(text: str) -> TileChoice:
    if text == "auto":
        return "auto"
    if text == "off":
        return None
    if text.isdecimal() and int(text) >= SMALLEST_TILE_PX:
        return int(text)
    raise typer.BadParameter(
        f"auto, off or a side of at least {SMALLEST_TILE_PX} px, not {text}", param_hint="--tile"
    )
