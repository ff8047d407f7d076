"""The part of the report on what correcting each model's objects cost, from model to model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QWidget

from seginst_core.library import list_models
from seginst_core.project import Project
from seginst_core.project.reviewing import ModelCost
from seginst_core.review.report.words import NOTHING
from seginst_core.types import PIPELINES
from seginst_gui.dialogs.report_sections import bars, section
from seginst_gui.language import tr
from seginst_gui.panels.texts import moment
from seginst_gui.session import PIPELINE_LETTERS
from seginst_gui.widgets.figures import Cell, Figure, Figures


@dataclass(frozen=True, slots=True)
class NamedCost:
    """What one model's objects cost, the model's name, and since when it was live, if it was."""

    cost: ModelCost
    name: str
    since: str


def read_costs(project: Project) -> tuple[NamedCost, ...]:
    """Return the costs of all models in the order of their first use; for a thread to call."""
    with project.beside() as own:
        costs, steps = own.reviewing.costs(), own.learning.live_models()
    names = {model.card.id: model.name for model in list_models(project.folder).models}
    names |= {step.model: step.name for step in steps}
    since = {step.model: step.since for step in reversed(steps)}
    return tuple(
        NamedCost(cost, names.get(cost.model, cost.model[:10]), since.get(cost.model, ""))
        for cost in costs
    )


def costs(found: Sequence[NamedCost]) -> QWidget:
    """Return seconds and edits for each object taken over, a model a row, the first one first."""
    title = tr("What the corrections cost")
    if not found:
        return section(title, tr("No object has been taken over from a model yet."))
    most = max(0.001, *(each(one.cost.seconds, one.cost) for one in found))
    now = datetime.now().astimezone()
    rows: list[Sequence[Cell]] = []
    for one in found:
        cost = one.cost
        pipeline = cost.pipeline
        side = "c" if pipeline is None else "ab"[PIPELINES.index(pipeline)]
        letter = f"{PIPELINE_LETTERS[pipeline]} · " if pipeline else ""
        seconds, edits = each(cost.seconds, cost), each(cost.n_edits, cost)
        rows.append(
            [
                f"{letter}{one.name}",
                moment(one.since, now) if one.since else NOTHING,
                bars([(side, seconds / most)]),
                Figure(tr("{n} s").format(n=f"{seconds:.1f}")),
                Figure(f"{edits:.1f}"),
                Figure(f"{cost.n_accepted:,}"),
                Figure(f"{cost.n_kept:,}"),
            ]
        )
    titles = [tr("Model"), tr("Live since"), "", tr("Time each"), tr("Edits each")]
    table = Figures([*titles, tr("Objects"), tr("As drawn")], rows, wide=0, spare=(1, 6))
    table.setObjectName("report_costs")
    table.setAccessibleName(tr("What correcting the objects of each model cost"))
    text = tr(
        "The time and the edits that a person spent on each object taken over from a model, in the "
        "order in which the models came into use. The less, the better the model's drafts. Objects "
        "left as drawn needed no edit."
    )
    return section(title, text, table)


def each(amount: float, cost: ModelCost) -> float:
    """Return an amount for each object that was taken over."""
    return amount / max(cost.n_accepted, 1)
