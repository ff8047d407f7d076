"""Annotations into and out of a project."""

from dataclasses import dataclass
from pathlib import Path

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.types import STATES, State


@dataclass(frozen=True, slots=True)
class ExchangeSummary:
    """How much went through, and sentences on what was skipped, mended or lost."""

    n_images: int
    n_objects: int
    n_categories: int
    notes: tuple[str, ...]


def import_annotations(
    folder: Path, file: Path, format_name: str, reporter: Reporter
) -> ExchangeSummary:
    """Merge the annotations in ``file`` into the project of the images in ``folder``.

    FormatError if the file is not what it claims to be, DataError if it lists none of the images.
    """
    from seginst_core.formats import FORMATS
    from seginst_core.project import Project

    reporter.progress(0, 2, f"Reading {file.name}")
    project = Project.open(folder)
    try:
        dataset = FORMATS[format_name].read(file)
        here = {entry.ref.path for entry in project.images()}
        n_here = sum(ref.path in here for ref in dataset.images)
        if not n_here:
            raise DataError(f"None of the {len(dataset.images)} images of {file} is in {folder}.")
        reporter.progress(1, 2, "Importing")
        notes = project.merge_dataset(dataset)
    finally:
        project.close()
    reporter.progress(2, 2)
    taken = [ref.id for ref in dataset.images if ref.path in here]
    n_objects = sum(
        len(dataset.annotations[image_id].instances)
        for image_id in taken
        if image_id in dataset.annotations
    )
    return ExchangeSummary(n_here, n_objects, len(dataset.categories), (*dataset.notes, *notes))


def export_annotations(
    folder: Path, out: Path, format_name: str, *, only_done: bool, reporter: Reporter
) -> ExchangeSummary:
    """Write the project's annotations to ``out``, of images marked done or of all images.

    An older file at ``out`` stays whole until the new one is. DataError if no image is done.
    """
    from seginst_core.formats import FORMATS
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
    reporter.progress(1, 2, f"Writing {out.name}")
    notes = FORMATS[format_name].write(dataset, out)
    reporter.progress(2, 2)
    n_objects = sum(len(a.instances) for a in dataset.annotations.values())
    return ExchangeSummary(
        len(dataset.images), n_objects, len(dataset.categories), (*dataset.notes, *notes)
    )
