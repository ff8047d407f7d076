"""The table of commands."""

from typing import Annotated

import typer

from seginst_core import __version__
from seginst_core.cli import exchange, machine, models, predict, review, study, train
from seginst_core.cli.console import take_any_text
from seginst_core.memory import keep_freed_memory

app = typer.Typer(
    name="seginst",
    help="Instance segmentation: a model drafts, a person corrects, and the model learns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seginst {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Instance segmentation: a model drafts, a person corrects, and the model learns."""
    del version


app.command("sample")(exchange.sample)
app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(review.evaluate)
app.command("compare")(review.compare)
app.command("study")(study.study)
app.command("import")(exchange.import_)
app.command("export")(exchange.export)
app.add_typer(models.app, name="models")
app.command("worker")(machine.worker)
app.command("doctor")(machine.doctor)


def main() -> None:
    """Run the command that the process was started with."""
    keep_freed_memory()
    take_any_text()
    app()
