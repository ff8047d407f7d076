"""The report on A and B, made by the worker from what is done, and opened in a dialog."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seginst_core.errors import DataError
from seginst_core.events import JsonValue
from seginst_core.formats import coco_json
from seginst_core.library import list_models
from seginst_core.project import Project
from seginst_core.review.objects.fair import for_scoring
from seginst_core.review.report.reading import read_report
from seginst_core.review.schema import Report
from seginst_core.types import PIPELINES, Dataset, PipelineName, Prediction
from seginst_gui.jobs.aside import Aside
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.language import later, tr
from seginst_gui.panels.texts import count
from seginst_gui.widgets.notice import Notice

_SIDES: Mapping[PipelineName | None, str] = {"two-stage": "a", "end-to-end": "b"}
NO_TRUTH = later("A report needs images marked done that both A and B have looked at.")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The job's parameters; how many objects do not count, and how many images are left out."""

    params: dict[str, JsonValue]
    n_unseen: int
    n_images_apart: int


def ask_report(
    project: Project, predictor: Predictor, notice: Notice, *, warn: Callable[[str], None]
) -> None:
    """Write what is done in a thread, then let the worker make the report; ``warn`` of failure."""
    folder = project.folder / ".seginst" / "report"

    def write() -> Inputs:
        with project.beside() as own:
            return write_inputs(own, folder)

    def ask(inputs: Inputs) -> None:
        predictor.ask(
            "compare",
            inputs.params,
            tr("Writing the report"),
            partial(_show, project, folder, inputs, notice),
        )

    Aside(write, ask, warn, predictor)


def write_inputs(project: Project, folder: Path) -> Inputs:
    """Write truth and predictions as COCO files; DataError if there is nothing to compare.

    Of each pipeline one model is reported on, the one that looked at the most images; images that
    not both looked at are left out.
    """
    dataset = project.dataset(["done"])
    looks: dict[PipelineName, dict[int, Prediction]] = {
        p: {ref.id: found for ref in dataset.images if (found := project.prediction(ref.id, p))}
        for p in PIPELINES
    }
    if not all(looks.values()):
        raise DataError(tr(NO_TRUTH))
    models = {
        pipeline: Counter(found.model for found in by_image.values()).most_common(1)[0][0]
        for pipeline, by_image in looks.items()
    }
    seen_by_both = tuple(
        ref
        for ref in dataset.images
        if all((found := looks[p].get(ref.id)) and found.model == models[p] for p in PIPELINES)
    )
    if not seen_by_both:
        raise DataError(tr(NO_TRUTH))
    kept = {ref.id for ref in seen_by_both}
    annotations = {k: a for k, a in dataset.annotations.items() if k in kept}
    fair, n_objects = for_scoring(
        Dataset(seen_by_both, dataset.categories, annotations), set(models.values())
    )
    paths = {"truth": folder / "truth.json"}
    coco_json.write(fair, paths["truth"])
    for pipeline, name in zip(PIPELINES, ("a", "b"), strict=True):
        paths[name] = folder / f"{name}.json"
        coco_json.save(paths[name], _rows(fair, looks[pipeline]))
    params: dict[str, JsonValue] = {key: str(path) for key, path in paths.items()}
    params["out"] = str(folder)
    known = {m.card.id: m for m in list_models(project.folder).models}
    model = known.get(models["two-stage"])
    if model is not None:
        params["model_a"], params["images"] = str(model.folder), str(project.folder)
    params["corrections"] = [
        {"side": side, "taken_at": t.taken_at, "n_edits": t.n_edits, "seconds": t.seconds}
        for t in project.reviewing.taken()
        if (side := _SIDES.get(t.instance.origin.pipeline))
    ]
    a, b = (project.prediction_model_name(seen_by_both[0].id, p) for p in PIPELINES)
    params["names"] = {"truth": project.folder.name, "a": a, "b": b}
    return Inputs(params, n_objects, len(dataset.images) - len(seen_by_both))


def _rows(truth: Dataset, looks: Mapping[int, Prediction]) -> list[coco_json.Result]:
    """Return the predicted masks in the truth's images, without those of removed classes."""
    classes = {category.id for category in truth.categories}
    rows = []
    for ref in truth.images:
        found = [
            i for i in looks[ref.id].instances if i.mask is not None and i.category_id in classes
        ]
        rows += coco_json.results(ref.id, found, ref.width, ref.height)
    return rows


def _show(
    project: Project, folder: Path, inputs: Inputs, notice: Notice, said: Mapping[str, object]
) -> None:
    if "difference" not in said:
        return
    parts = [tr("The report is written to {page}.").format(page=folder / "report.html")]
    if inputs.n_unseen:
        text = tr("{count} that nobody looked at do not count.")
        parts.append(text.format(count=count(inputs.n_unseen, "object")))
    if inputs.n_images_apart:
        text = tr("{count} that not both of its models looked at are left out.")
        parts.append(text.format(count=count(inputs.n_images_apart, "image")))
    show = partial(open_report, project, folder, notice)
    notice.say(" ".join(parts), tr("Open"), show)


def open_report(project: Project, folder: Path, notice: Notice) -> None:
    """Read the report in a thread and show it; the notice says so if that cannot be done."""

    def show(report: Report) -> None:
        # Imported when it is first wanted, so that no start waits for it.
        from seginst_gui.dialogs.report import ReportDialog
        from seginst_gui.dialogs.report_costs import read_costs

        window = notice.window()
        for former in window.findChildren(ReportDialog):
            former.close()
        ReportDialog(report, folder, partial(read_costs, project), window).show()

    Aside(partial(read_report, folder), show, notice.warn, notice)
