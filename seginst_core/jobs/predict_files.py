"""Predictions in a file: COCO results for a data set, a whole COCO dict for plain images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seginst_core.errors import DataError, ImageError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.formats.coco_json import Result
from seginst_core.images import image_file, is_text, list_images
from seginst_core.jobs.cached import loaded_pipeline, refined_pipeline
from seginst_core.jobs.predicting import Item, predict_each
from seginst_core.library import resolve
from seginst_core.models.card import read_card
from seginst_core.types import Backend, Category, Runtime, TileChoice

if TYPE_CHECKING:
    from seginst_core.pipelines.load import Pipeline


@dataclass(frozen=True, slots=True)
class PredictSettings:
    """What both kinds of input share; ``tile`` None looks at whole images at once.

    With ``refine`` the nested U-Net of that two-stage model draws the masks in ``model``'s boxes;
    ``levels`` is how many of its decoders are run, 0 for all.
    """

    model: str
    device: str = "auto"
    score: float = 0.05
    tile: TileChoice = "auto"
    refine: str = ""
    backend: Backend = "torch"
    levels: int = 0


@dataclass(frozen=True, slots=True)
class PredictSummary:
    """What was written, and one sentence for each image that could not be looked at."""

    n_images: int
    n_objects: int
    problems: tuple[str, ...]


def predict_dataset(
    settings: PredictSettings, data: Path, images: Path, out: Path, reporter: Reporter
) -> PredictSummary:
    """Predict the images that the COCO file ``data`` lists and write COCO results to ``out``.

    The model's categories become the data set's by name; one that the data set lacks is logged and
    its objects are left out. DataError if they have none in common, FormatError if nothing can be
    written to ``out``.
    """
    coco_json.check_place(out, data)
    card = read_card(resolve(settings.model))
    if not images.is_dir():
        raise DataError(f"There is no images folder at {images}.")
    file = coco_json.load(data)
    for note in file.notes:
        reporter.log(note)
    categories = tuple(file.categories.values())
    ids, missing = match_categories(card.categories, categories)
    if not ids:
        raise DataError(
            f"The model knows {_names(card.categories)}, and {data.name} has "
            f"{_names(categories)}: they have no category in common."
        )
    if missing:
        reporter.log(
            f"{data.name} has no category {', '.join(missing)}; such objects are left out."
        )
    items = [
        Item(ref.id, image_file(images, ref.path), ref.width, ref.height)
        for ref in file.images.values()
    ]
    found, summary = _predict(settings, items, reporter)
    rows = [
        {**row, "category_id": ids[row["category_id"]]}
        for _, image_rows in found
        for row in image_rows
        if row["category_id"] in ids
    ]
    coco_json.save(out, rows)
    return PredictSummary(summary.n_images, len(rows), summary.problems)


def predict_paths(
    settings: PredictSettings, paths: Sequence[Path], out: Path, reporter: Reporter
) -> PredictSummary:
    """Predict image files and folders of images and write a COCO dict with images to ``out``.

    File names are relative to the inputs' common folder; an image whose name is not text is left
    out, as no file can name it. DataError if there is no image at all, FormatError if nothing can
    be written to ``out``.
    """
    coco_json.check_place(out)
    card = read_card(resolve(settings.model))
    files = _files(paths)
    base = Path(os.path.commonpath([file.parent for file in files]))
    names = {file: file.relative_to(base).as_posix() for file in files}
    left_out = tuple(_left_out(name) for name in names.values() if not is_text(name))
    for sentence in left_out:
        reporter.log(sentence)
    usable = [file for file, name in names.items() if is_text(name)]
    if not usable:
        raise DataError(left_out[0])
    items = [Item(number, file) for number, file in enumerate(usable, 1)]
    found, summary = _predict(settings, items, reporter)
    annotations: list[dict[str, object]] = []
    listed: list[dict[str, object]] = []
    for (item, width, height), rows in found:
        name = names[item.path]
        listed.append({"id": item.image_id, "file_name": name, "width": width, "height": height})
        annotations += [{"id": len(annotations) + k, **row} for k, row in enumerate(rows, 1)]
    from seginst_core.engines.device import describe_device

    device = describe_device(_pipeline(settings).device)
    coco = {
        "info": {"description": f"Predictions of {card.name} ({card.id}) on {device}"},
        "images": listed,
        "categories": [{"id": c.id, "name": c.name} for c in card.categories],
        "annotations": annotations,
    }
    coco_json.save(out, coco)
    return replace(summary, problems=(*left_out, *summary.problems))


def match_categories(
    model: Sequence[Category], data: Sequence[Category]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Map the model's category ids to the data's by name, and name those that the data lacks.

    An exact name wins over one that differs in case alone.
    """
    exact = {category.name: category.id for category in data}
    folded = {category.name.casefold(): category.id for category in reversed(data)}
    ids: dict[int, int] = {}
    missing = []
    for category in model:
        found = exact.get(category.name, folded.get(category.name.casefold()))
        if found is None:
            missing.append(category.name)
        else:
            ids[category.id] = found
    return ids, tuple(missing)


def _predict(
    settings: PredictSettings, items: Sequence[Item], reporter: Reporter
) -> tuple[list[tuple[tuple[Item, int, int], list[Result]]], PredictSummary]:
    """Predict all items; their masks are kept as RLE, so that memory holds one image's only."""
    if not items:
        raise DataError("There are no images to look at.")
    reporter.progress(0, len(items), "Loading the model")
    pipeline = _pipeline(settings)
    found: list[tuple[tuple[Item, int, int], list[Result]]] = []
    problems: list[str] = []
    for answer in predict_each(
        pipeline, items, score=settings.score, tile=settings.tile, reporter=reporter
    ):
        if answer.problem:
            problems.append(answer.problem)
            continue
        rows = coco_json.results(
            answer.item.image_id, answer.instances, answer.width, answer.height
        )
        found.append(((answer.item, answer.width, answer.height), rows))
    if not found:
        raise ImageError(problems[0])
    n_objects = sum(len(rows) for _, rows in found)
    return found, PredictSummary(len(found), n_objects, tuple(problems))


def _pipeline(settings: PredictSettings) -> "Pipeline":
    runtime = Runtime(settings.device, settings.backend, settings.levels)
    if settings.refine:
        return refined_pipeline(settings.model, settings.refine, runtime)
    return loaded_pipeline(settings.model, runtime)


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            names = list_images(path)
            if not names:
                raise DataError(f"There are no images in {path}.")
            files += [_plain(path) / name for name in names]
        elif path.is_file():
            files.append(_plain(path))
        else:
            raise DataError(f"There is no file or folder at {path}.")
    return list(dict.fromkeys(files))


def _plain(path: Path) -> Path:
    """Return an absolute path without ``..``; links stay where that means the same place."""
    plain = Path(os.path.abspath(path))  # noqa: PTH100 - without a look at links
    return plain if plain.exists() and plain.samefile(path) else path.resolve()


def _left_out(name: str) -> str:
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return f"{readable} was left out: its name is not valid text."


def _names(categories: Sequence[Category]) -> str:
    return ", ".join(category.name for category in categories) or "none"
