"""Which model is live for each pipeline of a project: the last to go live, or a starter."""

from collections.abc import Collection, Sequence

from seginst_core.library import LibraryModel, list_models
from seginst_core.project import Project
from seginst_core.types import PIPELINES, PipelineName
from seginst_gui.language import later, tr

ModelChoice = dict[PipelineName, LibraryModel]

FIRST_NOTE = later("In use from the start.")


def load_choice(project: Project) -> ModelChoice:
    """Return the live model of each pipeline that has one."""
    models = list_models(project.folder).models
    names = {category.name.casefold() for category in project.categories()}
    names.update(project.learning.renamed())
    live = {step.pipeline: step.model for step in project.learning.live_models()}
    choice: ModelChoice = {}
    for pipeline in PIPELINES:
        fitting = [m for m in models if m.card.pipeline == pipeline]
        # By its weights, not by its folder: a project may be moved, with the models in it.
        found = next((m for m in fitting if m.card.id == live.get(pipeline)), None)
        found = found or _chosen(project, pipeline, fitting) or _best_start(fitting, names)
        if found is not None:
            choice[pipeline] = found
    return choice


def replace_gone(project: Project, models: ModelChoice) -> list[str]:
    """Let the models in use take the place of live ones that are gone; say so in sentences."""
    live = {step.pipeline: step for step in project.learning.live_models()}
    said = []
    for pipeline, model in models.items():
        step = live.get(pipeline)
        if step is not None and step.model != model.card.id:
            text = tr("{gone} is no longer there, so {name} is used in its place.")
            said.append(text.format(gone=step.name, name=model.name))
            go_live(project, model, None, said[-1])
    return said


def go_live(
    project: Project, model: LibraryModel, former: LibraryModel | None, note: str = ""
) -> None:
    """Let a model be the live one of its pipeline; the first time, the former is put on record."""
    learning, pipeline = project.learning, model.card.pipeline
    if former is not None and not learning.live_models(pipeline):
        first = tr(FIRST_NOTE)
        learning.go_live(pipeline, former.card.id, former.name, str(former.folder), first)
    learning.go_live(pipeline, model.card.id, model.name, str(model.folder), note)


def find_model(project: Project, folder: str, model: str = "") -> LibraryModel | None:
    """Return the library's model in a folder; if weights are named (a card's id), one of those.

    A folder may have got another model since: it counts only where it has the weights.
    """
    models = [m for m in list_models(project.folder).models if not model or m.card.id == model]
    there = next((m for m in models if str(m.folder) == folder), None)
    return there or (models[0] if model and models else None)


def _chosen(
    project: Project, pipeline: PipelineName, models: Sequence[LibraryModel]
) -> LibraryModel | None:
    """Return what was chosen before a project kept the history of its models."""
    chosen = project.setting(f"model.{pipeline}")
    return next((m for m in models if str(m.folder) == chosen), None)


def _best_start(models: Sequence[LibraryModel], names: Collection[str]) -> LibraryModel | None:
    """Return the starter that knows most of the project's classes, the first if they tie."""
    starters = [m for m in models if m.place == "starter"]
    if not starters:
        return None
    return max(starters, key=lambda m: sum(c.name.casefold() in names for c in m.card.categories))
