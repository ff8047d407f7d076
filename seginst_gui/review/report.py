"""The report on A and B, made by the worker from what is done, and opened as a page."""

from collections.abc import Mapping
from pathlib import Path

import orjson
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from seginst_core.errors import DataError
from seginst_core.events import JsonValue
from seginst_core.files import write_atomic
from seginst_core.formats import coco_json
from seginst_core.library import list_models
from seginst_core.masks.rle import encode
from seginst_core.project import Project
from seginst_core.review.objects.fair import for_scoring
from seginst_core.types import PIPELINES, Dataset, PipelineName
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.language import later, tr
from seginst_gui.panels.texts import count
from seginst_gui.widgets.notice import Notice

NO_TRUTH = later("A report needs images marked done that both A and B have looked at.")


def ask_report(project: Project, predictor: Predictor, notice: Notice) -> Path:
    """Let the worker write the report; return its folder. DataError if there is nothing to say."""
    folder = project.folder / ".seginst" / "report"
    params, n_left_out = write_inputs(project, folder)

    def show(said: Mapping[str, object]) -> None:
        if "difference" not in said:
            return
        page = folder / "report.html"
        left_out = (
            " "
            + tr("{count} that nobody looked at do not count.").format(
                count=count(n_left_out, "object")
            )
            if n_left_out
            else ""
        )
        notice.say(
            tr("The report is written to {page}.{left_out}").format(page=page, left_out=left_out),
            tr("Open"),
            lambda: _open(page),
        )

    predictor.ask("compare", params, tr("Writing the report"), show)
    return folder


def write_inputs(project: Project, folder: Path) -> tuple[dict[str, JsonValue], int]:
    """Write truth and predictions as COCO files; return the job's parameters.

    With them comes how many objects do not count, since nobody looked at them. Images that not
    both pipelines have looked at are left out.
    """
    dataset = project.dataset(["done"])
    rows: dict[PipelineName, list[dict[str, object]]] = {p: [] for p in PIPELINES}
    models: dict[PipelineName, str] = {}
    used: set[str] = set()
    seen_by_both = []
    for ref in dataset.images:
        found = {p: project.prediction(ref.id, p) for p in PIPELINES}
        if any(prediction is None for prediction in found.values()):
            continue
        seen_by_both.append(ref)
        for pipeline, prediction in found.items():
            assert prediction is not None
            models[pipeline] = prediction.model
            used.add(prediction.model)
            rows[pipeline] += [
                {
                    "image_id": ref.id,
                    "category_id": i.category_id,
                    "bbox": [i.box.x0, i.box.y0, i.box.width, i.box.height],
                    "score": i.score or 0.0,
                    "segmentation": encode(i.mask, ref.width, ref.height),
                }
                for i in prediction.instances
                if i.mask is not None
            ]
    if not seen_by_both:
        raise DataError(tr(NO_TRUTH))
    kept = {ref.id for ref in seen_by_both}
    annotations = {k: a for k, a in dataset.annotations.items() if k in kept}
    fair, n_left_out = for_scoring(
        Dataset(tuple(seen_by_both), dataset.categories, annotations), used
    )
    paths = {"truth": folder / "truth.json"}
    coco_json.write(fair, paths["truth"])
    for pipeline, name in zip(PIPELINES, ("a", "b"), strict=True):
        paths[name] = folder / f"{name}.json"
        write_atomic(paths[name], orjson.dumps(rows[pipeline]))
    params: dict[str, JsonValue] = {key: str(path) for key, path in paths.items()}
    params["out"] = str(folder)
    known = {m.card.id: m for m in list_models(project.folder).models}
    model = known.get(models["two-stage"])
    if model is not None:
        params["model_a"], params["images"] = str(model.folder), str(project.folder)
    return params, n_left_out


def _open(page: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))
