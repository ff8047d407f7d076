"""A model's card as a page to read."""

from collections.abc import Mapping, Sequence
from html import escape

from seginst_core.library import LibraryModel
from seginst_core.models.card import Scalar
from seginst_gui.language import later, tr
from seginst_gui.panels.texts import duration

_KINDS = (("segm", later("Masks")), ("bbox", later("Boxes")))
_MEASURES = ("AP", "AP50", "AP75")
_TRAINING = {
    "data": later("Data"),
    "n_images": later("Images"),
    "n_objects": later("Objects"),
    "started_from": later("Started from"),
    "stage": later("Stages"),
    "epochs": later("Epochs"),
    "iterations": later("Iterations"),
    "minutes": later("Time"),
    "seed": later("Seed"),
}
# Shown elsewhere, or of no use to a reader.
_APART = ("val", "command", "started_from_id")
_NUMBER_CELL = "align='right' style='padding:1px 0 1px 14px'"


def lineage(model: LibraryModel, models: Sequence[LibraryModel]) -> tuple[str, ...]:
    """Return the names of what a model came from, the nearest first, as far back as is known."""
    by_id = {one.card.id: one for one in models}
    names: list[str] = []
    seen = {model.card.id}
    here: LibraryModel | None = model
    while here is not None:
        parent = str(here.card.training.get("started_from_id", ""))
        begun = str(here.card.training.get("started_from", ""))
        here = by_id.get(parent)
        if begun:
            # A model may have been renamed since; one that is gone has only the name it had.
            names.append(here.name if here is not None else begun)
        if parent in seen:
            break
        seen.add(parent)
    return tuple(names)


def facts_html(model: LibraryModel, place: str, dim: str, ancestors: Sequence[str] = ()) -> str:
    """Return what a model is, how well it does and how it was made, as simple HTML.

    ``place`` says in words where it is kept, ``dim`` is the colour of captions, ``ancestors`` are
    the names of the models it came from, the nearest first.
    """
    card = model.card
    parts = [f"<p><b>{escape(model.name)}</b></p>"]
    if card.description:
        parts.append(_paragraph(card.description))
    facts = [
        (tr("Finds"), ", ".join(category.name for category in card.categories)),
        (tr("Pipeline"), f"{card.pipeline}, {card.engine}"),
        (tr("Preset"), card.preset),
        (tr("Kept in"), place),
    ]
    parts.append(_table(facts, dim))
    on = card.training.get("val")
    parts.append(_heading(tr("Scores on {data}").format(data=on) if on else tr("Scores")))
    parts.append(_scores(card.scores, dim) if card.scores else _paragraph(tr("Not scored yet.")))
    training = _training(card.training)
    if len(ancestors) > 1:
        training.append((tr("Lineage"), " ← ".join((model.name, *ancestors))))
    if training:
        parts.append(_heading(tr("Training")) + _table(training, dim))
    command = card.training.get("command")
    if command:
        parts.append(_heading(tr("Command")) + f"<p><tt>{escape(str(command))}</tt></p>")
    return "".join(parts)


def _scores(scores: Mapping[str, float], dim: str) -> str:
    head = "".join(f"<td {_NUMBER_CELL}>{_caption(name, dim)}</td>" for name in _MEASURES)
    rows = [f"<tr><td></td>{head}</tr>"]
    for kind, name in _KINDS:
        values = (scores.get(f"{kind}_{measure}") for measure in _MEASURES)
        cells = "".join(
            f"<td {_NUMBER_CELL}>{'–' if value is None else f'{value:.3f}'}</td>"
            for value in values
        )
        rows.append(f"<tr><td>{_caption(tr(name), dim)}</td>{cells}</tr>")
    rest = []
    if "mean_iou" in scores:
        rest.append((tr("Mean IoU"), f"{scores['mean_iou']:.3f}"))
    if "seconds_per_image" in scores:
        seconds = tr("{n} s").format(n=f"{scores['seconds_per_image']:.2g}")
        rest.append((tr("Time an image"), seconds))
    return f"<table>{''.join(rows)}</table>" + _table(rest, dim)


def _training(training: Mapping[str, Scalar]) -> list[tuple[str, str]]:
    rows = []
    for key, value in training.items():
        if key in _APART:
            continue
        known = _TRAINING.get(key)
        name = tr(known) if known else key.replace("_", " ").capitalize()
        minutes = key == "minutes" and isinstance(value, int | float)
        rows.append((name, duration(60 * float(value)) if minutes else str(value)))
    return rows


def _table(rows: Sequence[tuple[str, str]], dim: str) -> str:
    cells = "".join(
        f"<tr><td style='padding:1px 14px 1px 0'>{_caption(name, dim)}</td>"
        f"<td style='padding:1px 0'>{escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table>{cells}</table>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _heading(text: str) -> str:
    return f"<p style='margin-top:10px'><b>{escape(text)}</b></p>"


def _caption(text: str, dim: str) -> str:
    return f"<span style='color:{dim}'>{escape(text)}</span>"
