"""Annotations out of a project into files and back: made in a thread, told in a sentence."""

from dataclasses import dataclass
from pathlib import Path

from seginst_core.formats import FORMATS, coco_json, recognise
from seginst_core.project import Project
from seginst_core.project.datasets import renumbered
from seginst_core.types import STATES, Dataset, State
from seginst_gui.language import tr
from seginst_gui.panels.texts import count

MOST_NOTES = 3


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """Where to write, in which format, images in which states; in COCO masks may be polygons."""

    path: Path
    format_name: str
    states: tuple[State, ...]
    polygons: bool

    @property
    def may_lose(self) -> bool:
        """Whether the format may not hold all there is."""
        return self.format_name != "coco" or self.polygons


@dataclass(frozen=True, slots=True)
class ImportChoice:
    """A file or folder, and its format; empty if its content is to tell."""

    path: Path
    format_name: str


class LossFinder:
    """Finds what exports of a project as it is now would lose, collecting its data once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._collected: dict[tuple[State, ...], Dataset] = {}

    def __call__(self, choice: ExportChoice) -> tuple[str, ...]:
        """Return sentences on what would be lost; for any thread."""
        dataset = self._collected.get(choice.states)
        if dataset is None:
            with self._project.beside() as other:
                dataset = self._collected[choice.states] = _collected(other, choice)
        if choice.polygons:
            return coco_json.losses(dataset, polygons=True)
        return FORMATS[choice.format_name].losses(dataset)


def export(project: Project, choice: ExportChoice) -> str:
    """Write annotations and return what to say of it; for any thread. SegInstError or OSError."""
    with project.beside() as other:
        dataset = _collected(other, choice)
    if choice.polygons:
        losses = coco_json.write(dataset, choice.path, polygons=True)
    else:
        losses = FORMATS[choice.format_name].write(dataset, choice.path)
    said = tr("Written to {path}: {objects} in {images}.").format(
        path=choice.path, objects=_objects(dataset), images=_images(dataset)
    )
    return " ".join((said, *dataset.notes, *losses))


def bring_in(project: Project, choice: ImportChoice) -> str:
    """Import annotations and return what to say of it; SegInstError or OSError.

    For any thread, as long as nobody changes the project meanwhile; ``follow_ids`` comes after.
    """
    name = choice.format_name or recognise(choice.path)
    dataset = FORMATS[name].read(choice.path, project.folder)
    with project.beside() as other:
        other.rescan()
        n_before = _n_drawn(other)
        notes = other.merge_dataset(dataset)
        n_new = _n_drawn(other) - n_before
        if name == "coco":
            refs = [entry.ref for entry in other.images()]
            notes += renumbered(dataset, refs, other.categories(), choice.path.name)
    said = tr("{name} holds {objects} in {images}; {new} came in.").format(
        name=choice.path.name,
        objects=_objects(dataset),
        images=_images(dataset),
        new=count(n_new, "object"),
    )
    return " ".join((said, *dataset.notes[:MOST_NOTES], *notes[:MOST_NOTES]))


def _n_drawn(project: Project) -> int:
    return sum(entry.n_instances for entry in project.images())


def _collected(project: Project, choice: ExportChoice) -> Dataset:
    return project.dataset([state for state in STATES if state in choice.states])


def _objects(dataset: Dataset) -> str:
    return count(sum(len(a.instances) for a in dataset.annotations.values()), "object")


def _images(dataset: Dataset) -> str:
    return count(len(dataset.images), "image")
