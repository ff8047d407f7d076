"""``seginst models``: the model library."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from seginst_core import library
from seginst_core.cli.console import guarded, say, show_facts, show_json, show_table
from seginst_core.errors import DataError
from seginst_core.events import JsonValue, Reporter
from seginst_core.library import LibraryModel
from seginst_core.models.card import ModelCard, read_card

app = typer.Typer(help="List, show, add, remove and export models.", invoke_without_command=True)

Project = Annotated[
    Path | None, typer.Option("--project", help="Folder of images whose own models to use too.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name in the library, or a path.", show_default=False)]


@app.callback()
def models(context: typer.Context) -> None:
    """List, show, add, remove and export models; lists them if nothing else is asked for."""
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
@guarded
def list_(project: Project = None, as_json: AsJson = False) -> None:
    """List the models: the project's, your own, and those that ship."""
    listing = library.list_models(project)
    for note in listing.notes:
        say(note)
    if as_json:
        show_json([_summary(model) for model in listing.models])
        return
    rows = []
    for model in listing.models:
        names = ", ".join(category.name for category in model.card.categories)
        rows.append([model.name, model.place, model.card.pipeline, model.card.preset, names])
    show_table(("name", "place", "pipeline", "preset", "categories"), rows)


@app.command("show")
@guarded
def show(name: Name, project: Project = None, as_json: AsJson = False) -> None:
    """Show a model's card: what it knows, how it was trained and how well it does."""
    folder = library.resolve(name, project)
    card = read_card(folder)
    if as_json:
        show_json({"folder": str(folder), "id": card.id, **_card_json(card)})
        return
    rows = [
        ("name", card.name),
        ("id", card.id),
        ("folder", str(folder)),
        ("pipeline", card.pipeline),
        ("engine", card.engine),
        ("preset", card.preset),
        ("categories", ", ".join(category.name for category in card.categories)),
        ("description", card.description or "–"),
    ]
    rows += [(f"score: {key}", f"{value:.4f}") for key, value in card.scores.items()]
    rows += [(f"training: {key}", str(value)) for key, value in card.training.items()]
    show_facts(rows)


@app.command("add")
@guarded
def add(
    path: Annotated[
        Path | None, typer.Argument(help="The model directory.", show_default=False)
    ] = None,
    name: Annotated[
        str, typer.Option(help="Its name in the library.", show_default="as it is")
    ] = "",
    from_detectron2: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="CONFIG WEIGHTS",
            help="Take in a model of detectron2 instead: its YAML file, or a name in its model "
            "zoo, and its .pth file.",
            show_default=False,
        ),
    ] = None,
    categories: Annotated[
        str,
        typer.Option(
            help="With --from-detectron2: the names of its classes, in their order, by commas.",
            show_default=False,
        ),
    ] = "",
    masks_from: Annotated[
        str,
        typer.Option(
            help="With --from-detectron2 and a Faster R-CNN: the two-stage model whose nested "
            "U-Net is to draw the masks.",
            show_default=False,
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask if the classes are right.")
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Copy a model directory into your models (into the project's with --project)."""
    if (path is None) == (from_detectron2 is None):
        raise typer.BadParameter("give a model directory or --from-detectron2")
    if from_detectron2 is not None:
        _add_detectron2(
            *from_detectron2, categories, name, masks_from, project, yes=yes, as_json=as_json
        )
        return
    assert path is not None
    model = library.add(path, name, project)
    if as_json:
        show_json(_summary(model))
    else:
        show_facts([("added", model.name), ("folder", str(model.folder))])


@app.command("remove")
@guarded
def remove(
    name: Annotated[str, typer.Argument(help="Name in the library.", show_default=False)],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Delete one of your models (of the project's with --project); those that ship stay."""
    folder = library.remove(name, project)
    if as_json:
        show_json({"removed": str(folder)})
    else:
        show_facts([("removed", str(folder))])


@app.command("export")
@guarded
def export(
    name: Name,
    to_detectron2: Annotated[
        Path,
        typer.Option(
            help="Folder for model_final.pth and config.yaml, as detectron2 loads them.",
            show_default=False,
        ),
    ],
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Write a model of the detectron2 engine for use with detectron2 alone."""
    from seginst_core.jobs.exchange import export_detectron2

    params: dict[str, JsonValue] = {
        "model": name,
        "out": str(to_detectron2),
        "project": str(project or ""),
    }
    result = export_detectron2(params, Reporter())
    notes = result["notes"]
    for note in notes if isinstance(notes, list) else ():
        say(str(note))
    if as_json:
        show_json(result)
    else:
        show_facts([("written", str(result["folder"]))])


def _add_detectron2(
    config: str,
    weights: Path,
    categories: str,
    name: str,
    masks_from: str,
    project: Path | None,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    from seginst_core.jobs.exchange import add_detectron2, category_names

    params: dict[str, JsonValue] = {
        "config": config,
        "weights": str(weights),
        "categories": [*categories.split(",")] if categories else [],
        "name": name,
        "masks_from": masks_from,
        "project": str(project or ""),
    }
    for number, label in enumerate(category_names(params)):
        say(f"class {number}: {label}")
    if not yes and not typer.confirm("Is that the order of its classes?", err=True):
        raise DataError("Nothing was added; name the categories in the order of its classes.")
    result = add_detectron2(params, Reporter())
    if as_json:
        show_json(result)
    else:
        show_facts([("added", str(result["name"])), ("folder", str(result["folder"]))])


def _summary(model: LibraryModel) -> dict[str, JsonValue]:
    card = model.card
    return {
        "name": model.name,
        "place": model.place,
        "folder": str(model.folder),
        "id": card.id,
        "pipeline": card.pipeline,
        "engine": card.engine,
        "preset": card.preset,
        "categories": [category.name for category in card.categories],
        "scores": dict(card.scores),
    }


def _card_json(card: ModelCard) -> dict[str, JsonValue]:
    table = asdict(card)
    table["categories"] = [category.name for category in card.categories]
    return table
