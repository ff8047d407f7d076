"""``seginst sample``, ``import`` and ``export``: data into and out of a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seginst_core.cli.console import guarded, progress_bar, say, show_facts, show_json
from seginst_core.errors import DataError
from seginst_core.events import JsonValue

if TYPE_CHECKING:
    from seginst_core.jobs.exchange import ExchangeSummary

Folder = Annotated[Path, typer.Argument(help="The folder of images.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_FORMATS = "coco, yolo, voc, labelme or mask-png"
ImportFormat = Annotated[
    str, typer.Option("--format", help=f"{_FORMATS}; auto tells it by the content.")
]
ExportFormat = Annotated[
    str, typer.Option("--format", help=f"{_FORMATS}; all but coco write a folder.")
]


@guarded
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False)],
    images: Annotated[int, typer.Option(min=2, help="How many images to draw.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same images.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw a sample project: images/, instances_train.json and instances_val.json."""
    from seginst_core.sample import write_sample

    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file, and the sample needs a folder.")
    with progress_bar("Drawing") as reporter:
        write_sample(folder, n_images=images, seed=seed, reporter=reporter)
    if as_json:
        show_json({"folder": str(folder), "images": images, "seed": seed})
    else:
        show_facts([("sample", str(folder)), ("images", str(images))])


@guarded
def import_(
    folder: Folder,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_DIR", help="The annotations, a file or a folder.", show_default=False
        ),
    ],
    format_name: ImportFormat = "auto",
    as_json: AsJson = False,
) -> None:
    """Bring annotations into the project of FOLDER; FILE's names are relative to FOLDER."""
    if format_name != "auto":
        _check_format(format_name, "auto")
    from seginst_core.jobs.exchange import import_annotations

    with progress_bar("Importing") as reporter:
        summary = import_annotations(folder, file, format_name, reporter)
    _show(folder, summary, as_json)


@guarded
def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="File or folder to write.", show_default=False)],
    format_name: ExportFormat = "coco",
    state: Annotated[
        Literal["done", "all"], typer.Option(help="Images marked done, or all of them.")
    ] = "done",
    as_json: AsJson = False,
) -> None:
    """Write the annotations of the project of FOLDER, after saying what the format does not keep.

    An older export stays whole until the new one is on the disk.
    """
    _check_format(format_name)
    from seginst_core.jobs.exchange import export_annotations

    with progress_bar("Exporting") as reporter:
        summary = export_annotations(
            folder, out, format_name, only_done=state == "done", reporter=reporter
        )
    _show(out, summary, as_json)


def _check_format(name: str, *others: str) -> None:
    from seginst_core.formats import FORMATS

    if name not in FORMATS:
        known = ", ".join((*others, *FORMATS))
        raise typer.BadParameter(f"one of {known}, not {name}", param_hint="--format")


def _show(place: Path, summary: "ExchangeSummary", as_json: bool) -> None:
    if as_json:
        notes: list[JsonValue] = [*summary.losses, *summary.notes]
        counts = {"images": summary.n_images, "objects": summary.n_objects}
        show_json({"path": str(place), **counts, "notes": notes})
        return
    for note in summary.notes:
        say(note)
    counted = [("images", str(summary.n_images)), ("objects", str(summary.n_objects))]
    show_facts([("path", str(place)), *counted])
