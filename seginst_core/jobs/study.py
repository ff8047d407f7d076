"""The study: both pipelines on equal budgets, several seeds, one honest answer.

C is made of the other two by recombination: the Mask R-CNN of B finds the boxes and the nested
U-Net of A draws the masks in them, so it costs no training of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson

from seginst_core.errors import DataError
from seginst_core.events import Event, JsonValue, Reporter
from seginst_core.files import write_atomic
from seginst_core.formats import coco_json
from seginst_core.formats.coco_json import Result
from seginst_core.images import image_file
from seginst_core.jobs.predict_files import match_categories
from seginst_core.jobs.predicting import Item, predict_each
from seginst_core.jobs.triptychs import triptychs
from seginst_core.models.card import CARD_NAME, file_digest, read_card
from seginst_core.review.report.study import write_study
from seginst_core.review.study import Loss, SideRun, StudyReport, summarise
from seginst_core.types import Dataset, PipelineName, Preset

SIDES: Mapping[str, PipelineName | None] = {"a": "two-stage", "b": "end-to-end", "c": None}
"""The sides of a study and the pipeline that is trained for each; C is recombined."""
SCORE = 0.05


@dataclass(frozen=True, slots=True)
class StudySettings:
    """What to compare: data, minutes of training for each model, and how many seeds."""

    data: Path
    val: Path
    images: Path
    out: Path
    minutes: float
    seeds: int = 3
    preset: Preset = "fast"
    start: Mapping[str, Path] | None = None
    device: str = "auto"
    pictures: bool = True


def study(settings: StudySettings, reporter: Reporter) -> StudyReport:
    """Train, predict and measure what is not there yet, then write the report into ``out``.

    A study that was interrupted goes on where it was: finished models and predictions are kept.
    DataError if there is nothing to measure, or the folder holds a study of other settings.
    """
    if settings.seeds < 1 or settings.minutes <= 0:
        raise DataError("A study needs at least one seed and more than zero minutes.")
    _check(settings, reporter)
    _claim(settings)
    dataset = coco_json.read(settings.val)
    runs: list[SideRun] = []
    for seed in range(settings.seeds):
        folder = settings.out / f"seed-{seed}"
        for side, pipeline in SIDES.items():
            if pipeline is not None:
                _train(settings, side, pipeline, seed, reporter)
        for side in SIDES:
            _predict(settings, side, folder, dataset, reporter)
            runs.append(_run(side, seed, folder))
    report = summarise(settings.val, runs, reporter)
    report["settings"] = _words(settings)
    first = {side: settings.out / "seed-0" / f"{side}.json" for side in SIDES}
    pictures = triptychs(dataset, settings.images, first) if settings.pictures else []
    write_study(report, settings.out, pictures)
    return report


def _check(settings: StudySettings, reporter: Reporter) -> None:
    """Look at the validation images before hours are spent on models to be measured on them."""
    from seginst_core.training.validate import check_validation

    categories = coco_json.load(settings.data).categories.values()
    check_validation(settings.val, settings.images, categories, reporter)


def _claim(settings: StudySettings) -> None:
    """Keep the settings beside the results, so that results of two studies never mix."""
    path, words = settings.out / "settings.json", _words(settings)
    if path.is_file():
        before = _read(path)
        # More seeds may be added; what an older version did not write down is not known.
        if any(words.get(name) != value for name, value in before.items() if name != "seeds"):
            raise DataError(
                f"{settings.out} holds a study of other settings; choose another --out."
            )
    write_atomic(path, orjson.dumps(words, option=orjson.OPT_INDENT_2))


def _words(settings: StudySettings) -> dict[str, JsonValue]:
    start = settings.start or {}
    return {
        "data": settings.data.name,
        "val": settings.val.name,
        "minutes": settings.minutes,
        "seeds": settings.seeds,
        "preset": settings.preset,
        "start": {side: folder.name for side, folder in start.items()},
        "data_sha256": file_digest(settings.data),
        "val_sha256": file_digest(settings.val),
        "start_ids": {side: read_card(folder).id for side, folder in start.items()},
    }


def _train(
    settings: StudySettings, side: str, pipeline: PipelineName, seed: int, reporter: Reporter
) -> None:
    from seginst_core.training.plan import TrainConfig
    from seginst_core.training.run import train

    out = settings.out / f"seed-{seed}" / side
    if (out / CARD_NAME).is_file():
        return
    log = out.with_suffix(".losses.jsonl")
    log.parent.mkdir(parents=True, exist_ok=True)

    def send(event: Event) -> None:
        if event.get("event") == "loss":
            with log.open("ab") as stream:
                stream.write(orjson.dumps(event) + b"\n")
        reporter.send(event)

    reporter.log(f"Training {side.upper()}, seed {seed}.")
    config = TrainConfig(
        train=settings.data,
        images=settings.images,
        out=out,
        pipeline=pipeline,
        preset=settings.preset,
        start=(settings.start or {}).get(side),
        minutes=settings.minutes,
        device=settings.device,
        seed=seed,
        resume=True,
    )
    train(config, Reporter(send, reporter.stop))


def _predict(
    settings: StudySettings, side: str, folder: Path, dataset: Dataset, reporter: Reporter
) -> None:
    """Write ``SIDE.json`` (COCO results) and ``SIDE.cost.json`` unless they are there."""
    from seginst_core.engines.device import pick_device
    from seginst_core.jobs.memory import PeakMemory
    from seginst_core.pipelines.load import load_pipeline, load_refined

    found, cost = folder / f"{side}.json", folder / f"{side}.cost.json"
    if cost.is_file():
        return
    pipeline = (
        load_refined(folder / "b", folder / "a", settings.device)
        if SIDES[side] is None
        else load_pipeline(folder / side, settings.device)
    )
    ids, _ = match_categories(pipeline.card.categories, dataset.categories)
    if not ids:
        raise DataError("The training and validation data have no category in common.")
    memory = PeakMemory(pick_device(settings.device))
    items = [
        Item(ref.id, image_file(settings.images, ref.path), ref.width, ref.height)
        for ref in dataset.images
    ]
    rows: list[Result] = []
    seconds = 0.0
    for answer in predict_each(pipeline, items, score=SCORE, tile="auto", reporter=reporter):
        if answer.problem:
            raise DataError(answer.problem)
        seconds += answer.seconds
        size = (answer.width, answer.height)
        for row in coco_json.results(answer.item.image_id, answer.instances, *size):
            if row["category_id"] in ids:
                rows.append({**row, "category_id": ids[row["category_id"]]})
    coco_json.save(found, rows)
    # Written last: its presence says that the predictions are whole.
    costs = {
        "seconds_per_image": seconds / max(len(items), 1),
        "memory_gb": memory.gigabytes(),
    }
    write_atomic(cost, orjson.dumps(costs))


def _read(path: Path) -> Mapping[str, JsonValue]:
    """Read an object that ``study`` wrote; DataError if it is one no more."""
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise DataError(f"{path} is damaged; delete it, or choose another --out.")
    return found


def _run(side: str, seed: int, folder: Path) -> SideRun:
    cost = _read(folder / f"{side}.cost.json")
    return SideRun(
        side,
        seed,
        folder / f"{side}.json",
        read_losses(folder / f"{side}.losses.jsonl"),
        cast(float, cost["seconds_per_image"]),
        cast(float | None, cost.get("memory_gb")),
    )


def _events(path: Path) -> Iterator[Mapping[str, JsonValue]]:
    """Yield the events of a log, but the line that a killed process left half written."""
    for line in path.read_bytes().splitlines():
        with suppress(orjson.JSONDecodeError):
            yield orjson.loads(line)


def read_losses(path: Path) -> Sequence[Loss]:
    """Read a run's losses, each the sum of its parts; nothing for C."""
    if not path.is_file():
        return ()
    losses = [
        Loss(
            str(event["part"]),
            cast(int, event["iteration"]),
            float(sum(cast(Mapping[str, float], event["losses"]).values())),
        )
        for event in _events(path)
    ]
    # A run that was interrupted goes on from its checkpoint and repeats what came after it.
    return list({(loss.part, loss.iteration): loss for loss in losses}.values())
