"""Annotations into and out of a project; models of detectron2 into and out of the library."""

import shutil
import tempfile
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seginst_core import library
from seginst_core.errors import DataError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.formats import FORMATS, recognise
from seginst_core.jobs.params import Params, path, text
from seginst_core.models.card import (
    DETECTOR_FILE,
    MASK_FILE,
    ModelCard,
    file_digest,
    read_card,
    write_card,
)
from seginst_core.models.config import Detectron2Config
from seginst_core.types import PALETTE, STATES, Category, Dataset, ImageRef, State

if TYPE_CHECKING:
    from seginst_core.project import ImageEntry, Project

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class ExchangeSummary:
    """How much went through, and sentences on what was skipped, mended or lost.

    ``losses`` were reported before writing, ``notes`` are news.
    """

    n_images: int
    n_objects: int
    n_categories: int
    notes: tuple[str, ...]
    losses: tuple[str, ...] = ()


def import_annotations(
    folder: Path, file: Path, format_name: str, reporter: Reporter
) -> ExchangeSummary:
    """Merge the annotations in ``file`` into the project of the images in ``folder``.

    ``file`` may be a folder, where the format has one; the format ``auto`` is told by its content.
    What is counted is what came in. FormatError if the file is not what it claims to be, DataError
    if it lists none of the images or none could take its annotations.
    """
    from seginst_core.project import Project
    from seginst_core.project.datasets import renumbered, spelled_as

    reporter.progress(0, 2, f"Reading {file.name}")
    project = Project.open(folder)
    try:
        name = recognise(file) if format_name == AUTO else format_name
        before = _by_path(project)
        dataset = spelled_as(FORMATS[name].read(file, project.folder), before)
        _check_usable(dataset, before, file, folder)
        reporter.progress(1, 2, "Importing")
        notes = project.merge_dataset(dataset)
        after, categories = _by_path(project), project.categories()
    finally:
        project.close()
    n_images = sum(ref.path in after and _fits(dataset, ref, after) for ref in dataset.images)
    if not n_images:
        # The first may be on the images that are not here.
        raise DataError(f"Nothing in {file} could be imported: {notes[:2][-1]}")
    if name == "coco":
        refs = [entry.ref for entry in after.values()]
        notes = (*notes, *renumbered(dataset, refs, categories, file.name))
    reporter.progress(2, 2)
    n_objects = sum(after[name].n_instances - before[name].n_instances for name in after)
    return ExchangeSummary(n_images, n_objects, len(dataset.categories), (*dataset.notes, *notes))


def _by_path(project: "Project") -> "dict[str, ImageEntry]":
    return {entry.ref.path: entry for entry in project.images()}


def _check_usable(dataset: Dataset, here: Container[str], file: Path, folder: Path) -> None:
    """DataError if a file has nothing for the images of a project, with the reason."""
    n_listed = len(dataset.images)
    if n_listed and not any(ref.path in here for ref in dataset.images):
        raise DataError(f"None of the {n_listed} images of {file} is in {folder}.")
    is_empty = not any(a.instances for a in dataset.annotations.values())
    if dataset.notes and is_empty:
        raise DataError(f"Nothing in {file} could be used: {dataset.notes[0]}")
    if not n_listed:
        raise DataError(f"There are no images in {file}.")


def _fits(dataset: Dataset, image: ImageRef, here: "Mapping[str, ImageEntry]") -> bool:
    """Whether an image of a file is here in the size that the file says, once that was imported."""
    ours = here[image.path].ref
    return image.id not in dataset.annotations or (
        (ours.width, ours.height) == (image.width, image.height)
    )


def export_annotations(
    folder: Path, out: Path, format_name: str, *, only_done: bool, reporter: Reporter
) -> ExchangeSummary:
    """Write the project's annotations to ``out``, of images marked done or of all images.

    What the format has no place for is reported before anything is written. An older export at
    ``out`` stays whole until the new one is. DataError if no image is done.
    """
    from seginst_core.project import Project

    states: tuple[State, ...] = ("done",) if only_done else STATES
    reporter.progress(0, 2, "Collecting")
    project = Project.open(folder)
    try:
        dataset = project.dataset(states)
    finally:
        project.close()
    if not dataset.images:
        raise DataError(
            f"No image in {folder} is marked done; mark some, or use --state all to export drafts."
        )
    losses = FORMATS[format_name].losses(dataset)
    for loss in losses:
        reporter.log(loss)
    reporter.progress(1, 2, f"Writing {out.name}")
    notes = FORMATS[format_name].write(dataset, out)
    reporter.progress(2, 2)
    n_objects = sum(len(a.instances) for a in dataset.annotations.values())
    return ExchangeSummary(
        len(dataset.images), n_objects, len(dataset.categories), (*dataset.notes, *notes), losses
    )


def add_detectron2(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Add a model of detectron2 to the library under ``name``.

    ``config`` is a YAML file or a name in its model zoo, ``weights`` a ``.pth`` file and
    ``categories`` the names in the order of its classes. A Faster R-CNN finds boxes only:
    ``masks_from`` names the two-stage model whose nested U-Net is to draw the masks. ``project``
    adds it there instead.
    Returns ``{"name", "folder", "id", "pipeline"}``. ModelError or DataError if it cannot be.
    """
    # Before anything else: a file that could run code is refused whether or not detectron2 is here.
    from seginst_core.models.torch_weights import read_torch_weights

    given = read_torch_weights(path(params, "weights"))
    names = category_names(params)
    config, project = text(params, "config"), text(params, "project", "")
    donor = text(params, "masks_from", "")
    from seginst_core.engines import load_engine
    from seginst_core.models.weights import save_weights

    load_engine("detectron2")
    from seginst_core.engines.detectron2_transfer import take_in

    foreign = take_in(config, given, len(names))
    reporter.check()
    name = text(params, "name", "") or Path(config).stem
    with tempfile.TemporaryDirectory(prefix="seginst-") as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        files = {DETECTOR_FILE: save_weights(folder / DETECTOR_FILE, foreign.state)}
        mask = None
        if not foreign.masks:
            origin = _donor(donor, project)
            mask = read_card(origin).mask
            shutil.copyfile(origin / MASK_FILE, folder / MASK_FILE)
            files[MASK_FILE] = file_digest(folder / MASK_FILE)
        card = ModelCard(
            name=name,
            pipeline="end-to-end" if foreign.masks else "two-stage",
            engine="detectron2",
            preset="accurate",
            categories=tuple(
                Category(number + 1, label, PALETTE[number % len(PALETTE)])
                for number, label in enumerate(names)
            ),
            detector=foreign.config,
            mask=mask,
            description=text(params, "description", "") or "Brought from detectron2.",
            training={"config": Path(config).name, "weights": path(params, "weights").name},
            files=files,
        )
        write_card(folder, card)
        reporter.check()
        added = library.add(folder, name, Path(project) if project else None)
    return {
        "name": added.name,
        "folder": str(added.folder),
        "id": card.id,
        "pipeline": card.pipeline,
    }


def export_detectron2(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Write ``model`` into the folder ``out`` as ``model_final.pth`` and ``config.yaml``.

    Of a two-stage model that is its detector alone. Returns ``{"folder", "notes"}``.
    ModelError if it cannot be.
    """
    project = text(params, "project", "")
    folder = library.resolve(text(params, "model"), Path(project) if project else None)
    card = read_card(folder)
    if not isinstance(card.detector, Detectron2Config):
        raise ModelError(
            f"{card.name} is made of {card.engine}'s networks, which detectron2 does not have; "
            "only models of the engine detectron2 can be exported to it."
        )
    from seginst_core.engines import load_engine
    from seginst_core.models.weights import load_weights

    load_engine("detectron2")
    from seginst_core.engines.detectron2_transfer import take_out

    state = load_weights(folder / DETECTOR_FILE, card.files.get(DETECTOR_FILE))
    reporter.check()
    out = path(params, "out")
    names = [category.name for category in card.categories]
    take_out(out, card.detector, state, names, masks=card.pipeline == "end-to-end")
    notes: list[JsonValue] = []
    if card.pipeline == "two-stage":
        notes.append("Only the detector was written: detectron2 has no nested U-Net.")
    if card.detector.input_scale != 1:
        notes.append(
            f"The sides of images have to be multiplied by {card.detector.input_scale:g} before "
            "detectron2 predicts them."
        )
    return {"folder": str(out), "notes": notes}


def category_names(params: Params) -> list[str]:
    """Return the names at ``categories``; DataError if there is none, or one comes twice."""
    value = params.get("categories")
    if not isinstance(value, list) or not value:
        raise DataError("Name the model's categories, in the order of its classes.")
    names = [str(name).strip() for name in value]
    if not all(names) or len(set(names)) != len(names):
        raise DataError("Every category needs a name of its own.")
    return names


def _donor(name: str, project: str) -> Path:
    """Return the two-stage model whose nested U-Net is to be used."""
    if not name:
        raise ModelError(
            "A Faster R-CNN finds boxes but draws no masks; name a two-stage model whose nested "
            "U-Net is to draw them."
        )
    folder = library.resolve(name, Path(project) if project else None)
    card = read_card(folder)
    if card.mask is None or card.files.get(MASK_FILE) != file_digest(folder / MASK_FILE):
        raise ModelError(f"{card.name} is no two-stage model, or its mask network was changed.")
    return folder
