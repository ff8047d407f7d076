"""What a fine-tune is to do: decided by the program, changed by the person, written as a job."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from seginst_core.errors import DataError
from seginst_core.events import JsonValue
from seginst_core.formats import coco_json
from seginst_core.library import LibraryModel
from seginst_core.project import Project
from seginst_core.project.learning import Run
from seginst_core.project.learning.data import n_objects, split, there, without
from seginst_core.project.learning.stage import Faults, faults
from seginst_core.review.objects.fair import begun_by, for_scoring
from seginst_core.types import EngineName, PipelineName, Preset, Stage
from seginst_gui.jobs.model_choice import ModelChoice
from seginst_gui.jobs.training import Job
from seginst_gui.language import later, tr

MINUTES: Mapping[Stage, float] = {"all": 15.0, "detector": 10.0, "mask": 5.0}
"""How long a stage is trained unless the person says otherwise."""
MOST_LOOKED_AT = 200
"""So many images are enough to see which stage had to be mended."""
STAGE_WORDS: Mapping[Stage, str] = {
    "all": later("both stages"),
    "detector": later("detector only"),
    "mask": later("masks only"),
}


@dataclass(frozen=True, slots=True)
class FineTunePlan:
    """What to train; one budget is set for each pipeline, ``minutes`` None for what is usual.

    A pipeline without a ``start`` begins from scratch, in the size and engine of ``preset`` and
    ``engine``; ``stage`` is of a two-stage model that has one. With ``only_new`` the images of
    earlier fine-tunes are left out.
    """

    pipelines: tuple[PipelineName, ...]
    start: Mapping[PipelineName, LibraryModel]
    stage: Stage = "all"
    preset: Preset = "fast"
    engine: EngineName = "torchvision"
    minutes: float | None = None
    iterations: int | None = None
    only_new: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to learn from, and what the live models got wrong there.

    ``classes`` are the objects' and ``renamed`` the project's former names of classes.
    """

    n_images: int
    n_objects: int
    n_held_out: int
    n_new: int
    faults: Faults = field(default_factory=Faults)
    classes: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)


def gather(project: Project) -> Facts:
    """Look through the images that are done; DataError if they hold nothing to learn from."""
    done = [e for e in project.images() if e.state == "done" and not e.missing]
    n = sum(e.n_instances for e in done)
    if not n:
        raise DataError(
            tr(
                "No image marked done holds an object; "
                "correct a few images and mark them done first."
            )
        )
    pairs = []
    categories: set[int] = set()
    # The newest are enough to tell, and a large project holds tens of thousands of predictions.
    for entry in done[-MOST_LOOKED_AT:]:
        instances = project.annotation(entry.ref.id).instances
        categories.update(one.category_id for one in instances)
        prediction = project.prediction(entry.ref.id, "two-stage")
        if prediction is not None:
            pairs.append((instances, prediction.instances))
    ids = {entry.ref.id for entry in done}
    held_out = project.learning.held_out()
    return Facts(
        len(ids),
        n,
        sum(held_out.get(k, False) for k in ids),
        sum(not held_out.get(k, False) for k in ids - learned_from(project.learning.runs())),
        faults(pairs),
        frozenset(c.name for c in project.categories() if c.id in categories),
        project.learning.renamed(),
    )


def decide(facts: Facts, models: ModelChoice) -> FineTunePlan:
    """Return the plan of someone who chooses nothing.

    What a model did wrong says nothing where it never learned a class: then both stages learn.
    """
    pipelines = tuple(models) or ("two-stage",)
    start = models.get("two-stage")
    new = start is None or start.card.lacks(facts.classes, facts.renamed)
    return FineTunePlan(pipelines, dict(models), "all" if new else facts.faults.stage)


def minutes_of(plan: FineTunePlan, pipeline: PipelineName) -> float:
    """Return how long a pipeline is trained, unless iterations are counted."""
    return plan.minutes if plan.minutes is not None else MINUTES[stage_of(plan, pipeline)]


def stage_of(plan: FineTunePlan, pipeline: PipelineName) -> Stage:
    """Return the stage of a pipeline that is trained; only a two-stage start has a choice."""
    return plan.stage if pipeline == "two-stage" and pipeline in plan.start else "all"


def learned_from(runs: Sequence[Run]) -> set[int]:
    """Return the images that finished fine-tunes have learned from."""
    found: set[int] = set()
    for run in runs:
        ids = run.params.get("image_ids")
        if run.kind == "fine_tune" and run.state == "finished" and isinstance(ids, list):
            found.update(cast(list[int], ids))
    return found


def write_jobs(project: Project, plan: FineTunePlan, models: ModelChoice) -> list[Job]:
    """Draw the hold-out, write what is done as it is now, and return the jobs to run.

    DataError if nothing is left to learn from.
    """
    learning = project.learning
    held_out = learning.draw_sides()
    train, val = split(there(project.dataset(["done"]), project.images()), held_out)
    if plan.only_new:
        train = without(train, learned_from(learning.runs()))
    if not n_objects(train):
        raise DataError(tr("The images to learn from hold no object; mark more images done first."))
    # With few images done none has a side yet; once learned from, they are never held out.
    learning.train_on([ref.id for ref in train.images])
    stamp = time.strftime("%Y%m%d-%H%M%S")
    run = project.runs_folder / stamp
    coco_json.write(train, run / "train.json")
    shared: dict[str, JsonValue] = {
        "train": str(run / "train.json"),
        "images": str(project.folder),
        "preset": plan.preset,
        "renamed": dict(learning.renamed()),
        "image_ids": [ref.id for ref in train.images],
        "description": tr("Trained in SegInst on {name}.").format(name=project.folder.name),
    }
    jobs = []
    for pipeline in plan.pipelines:
        start, former = plan.start.get(pipeline), models.get(pipeline)
        tested = run / f"val-{pipeline}.json"
        drawn_by = [former.card.id] if former else []
        if val.images:
            fair, _ = for_scoring(val, drawn_by)
            coco_json.write(fair, tested)
        params: dict[str, JsonValue] = {
            **shared,
            "pipeline": pipeline,
            "val": str(tested) if val.images else None,
            "stage": stage_of(plan, pipeline),
            "engine": start.card.engine if start else plan.engine,
            "start": str(start.folder) if start else "",
            "former": str(former.folder) if former else "",
            "begun": list[JsonValue](begun_by(val, drawn_by)),
            "out": str(project.models_folder / f"{pipeline}-{stamp}"),
        }
        if plan.iterations is not None:
            params["iterations"] = plan.iterations
        else:
            params["minutes"] = minutes_of(plan, pipeline)
        title = tr("Fine-tuning {pipeline}").format(pipeline=pipeline)
        if pipeline == "two-stage":
            title += f", {tr(STAGE_WORDS[stage_of(plan, pipeline)])}"
        jobs.append(Job("fine_tune", title, params))
    return jobs
