"""``seginst train``."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from seginst_core.cli.console import (
    INTERRUPTED,
    guarded,
    json_lines,
    progress_bar,
    say,
    show_facts,
)
from seginst_core.errors import Cancelled
from seginst_core.events import JsonValue, Reporter
from seginst_core.models.card import has_checkpoint
from seginst_core.models.config import Encoder
from seginst_core.types import EngineName, PipelineName, Preset, Stage

DEFAULT_MINUTES = 30.0


@guarded
def train(
    data: Annotated[Path, typer.Option(help="COCO file to learn from.", show_default=False)],
    images: Annotated[Path, typer.Option(help="Folder its file names are relative to.")],
    pipeline: Annotated[PipelineName, typer.Option(help="Which of the two pipelines.")],
    out: Annotated[Path, typer.Option(help="Model directory to make.")],
    val: Annotated[
        Path | None, typer.Option(help="COCO file to score the model on; same images folder.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="Library that brings the detection network.")
    ] = "torchvision",
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="Size of the networks; ignored with --from MODEL.",
            show_default="fast, or accurate with --config",
        ),
    ] = None,
    config: Annotated[
        str,
        typer.Option(
            help="detectron2's own configuration of the detection network: a name in its model "
            "zoo or a YAML file.",
            show_default="the preset's",
        ),
    ] = "",
    encoder: Annotated[
        Encoder | None,
        typer.Option(
            help="Backbone of the nested U-Net.",
            show_default="plain, or resnet34 with --from published",
        ),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="Model to start from, by name or path; 'published' for the engine's own weights.",
            show_default="from scratch",
        ),
    ] = "",
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Crops that the detection network sees a step.",
            show_default="the preset's for the device",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Train so many passes.")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="Train so many batches.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Train so long.")] = None,
    stage: Annotated[
        Stage, typer.Option(help="Part of a two-stage model to train; the other is kept.")
    ] = "all",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same batches.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from OUT's checkpoint.")] = False,
    description: Annotated[str, typer.Option(help="What the model card says of it.")] = "",
    half: Annotated[bool, typer.Option("--half", help="Store the weights as float16.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print events and the result as JSON lines.")
    ] = False,
) -> None:
    """Train a model: give one of --epochs, --iterations and --minutes (30 minutes if none).

    Several processes or GPUs train one model together when torchrun starts them:
    torchrun --standalone --nproc-per-node 2 -m seginst_core.cli train ...
    """
    if sum(value is not None for value in (epochs, iterations, minutes)) > 1:
        raise typer.BadParameter(
            "give one of them only", param_hint="--epochs, --iterations, --minutes"
        )
    notes = []
    if epochs is None and iterations is None and minutes is None:
        minutes = DEFAULT_MINUTES
        notes.append(
            f"No --epochs, --iterations or --minutes given, so training takes {minutes:g} minutes."
        )
    if resume and not has_checkpoint(out):
        notes.append(f"There is no checkpoint in {out}, so training begins from the start.")
    params: dict[str, JsonValue] = {
        "train": str(data),
        "images": str(images),
        "out": str(out),
        "pipeline": pipeline,
        "val": str(val) if val else None,
        "engine": engine,
        "preset": preset or ("accurate" if config else "fast"),
        "config": config,
        "encoder": encoder,
        "start": start,
        "batch": batch,
        "epochs": epochs,
        "iterations": iterations,
        "minutes": minutes,
        "stage": stage,
        "device": device,
        "seed": seed,
        "resume": resume,
        "half": half,
        "description": description,
        "command": shlex.join([*_program(), *sys.argv[1:]]),
    }
    # One of torchrun's processes speaks for all.
    speaks = os.environ.get("RANK", "0") == "0" or _n_processes() == 1
    try:
        if not speaks:
            with json_lines() as reporter:
                _run(params, Reporter(stop=reporter.stop), [])
            return
        if as_json:
            with json_lines() as reporter:
                result = _run(params, reporter, notes)
                reporter.send({"event": "done", "result": result})
            return
        with progress_bar("Training") as reporter:
            result = _run(params, reporter, notes)
    except (Cancelled, KeyboardInterrupt):
        how = "no model was written"
        if has_checkpoint(out):
            how = f"the same command with --resume goes on from {out}"
        if speaks:
            say(f"Interrupted; {how}.")
        raise typer.Exit(INTERRUPTED) from None
    scores = result["scores"]
    rows = [("model", str(result["model"])), ("id", str(result["id"]))]
    if isinstance(scores, dict):
        rows += [(key, f"{value:.4f}") for key, value in scores.items() if isinstance(value, float)]
    show_facts(rows)


def _n_processes() -> int:
    """Return how many processes of ``torchrun`` this is one of."""
    launched = "TORCHELASTIC_RUN_ID" in os.environ
    return int(os.environ.get("WORLD_SIZE", "1")) if launched else 1


def _program() -> list[str]:
    """Return the words that start this program as it was started."""
    if _n_processes() == 1:
        return ["seginst"]
    return [
        "torchrun",
        "--standalone",
        "--nproc-per-node",
        str(_n_processes()),
        "-m",
        "seginst_core.cli",
    ]


def _run(
    params: dict[str, JsonValue], reporter: Reporter, notes: Sequence[str]
) -> dict[str, JsonValue]:
    from seginst_core.jobs.train import train as run

    for note in notes:
        reporter.log(note)
    return run(params, reporter)
