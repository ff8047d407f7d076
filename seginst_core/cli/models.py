"""``seginst models``: the model library."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from seginst_core import library
from seginst_core.cli.console import guarded, say, show_facts, show_json, show_table
from seginst_core.events import JsonValue
from seginst_core.library import LibraryModel
from seginst_core.models.card import ModelCard, read_card

app = typer.Typer(help="List, show, add and remove models.", invoke_without_command=True)

Project = Annotated[
    Path | None, typer.Option("--project", help="Folder of images whose own models to use too.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name in the library, or a path.", show_default=False)]


@app.callback()
def models(context: typer.Context) -> None:
    """List, show, add and remove models; lists them if nothing else is asked for."""
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
    path: Annotated[Path, typer.Argument(help="The model directory.", show_default=False)],
    name: Annotated[
        str, typer.Option(help="Its name in the library.", show_default="as it is")
    ] = "",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Copy a model directory into your models (into the project's with --project)."""
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
