"""The study's page: which pipeline is better, where, by how much, and what it looks like."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import cast

import orjson

from seginst_core.errors import DataError
from seginst_core.files import write_atomic
from seginst_core.review.report.charts import Line, key, line_chart, round_top
from seginst_core.review.report.parts import cell, counted, row, section, table
from seginst_core.review.report.style import STYLE
from seginst_core.review.report.words import MINUS, number, signed
from seginst_core.review.schema import CASE_SCORE
from seginst_core.review.study import Gap, Spread, StudyReport

NAMES = {
    "a": "A, two-stage: Faster R-CNN, then nested U-Net",
    "b": "B, end-to-end: Mask R-CNN",
    "c": "C: B's boxes, A's nested U-Net",
}
_MEASURES = (
    ("segm_AP", "Mask AP"),
    ("segm_AP50", "Mask AP50"),
    ("segm_AP75", "Mask AP75"),
    ("segm_APs", "Mask AP, small"),
    ("segm_APm", "Mask AP, medium"),
    ("segm_APl", "Mask AP, large"),
    ("boundary_AP", "Boundary AP"),
    ("bbox_AP", "Box AP"),
    ("bbox_AP50", "Box AP50"),
    ("mean_iou", "Mean IoU"),
    ("dice", "Dice"),
    ("seconds_per_image", "Seconds an image"),
    ("memory_gb", "Memory while predicting, GB"),
)
_SMOOTH = 15
"""Losses are drawn as the mean of so many neighbours: single batches jump."""


def write_study(report: StudyReport, folder: Path, pictures: Sequence[str] = ()) -> None:
    """Write ``study.html`` and ``study.json``; ``pictures`` are ``<figure>`` elements.

    Each file is whole or not there at all; DataError says why it cannot be written.
    """
    try:
        write_atomic(folder / "study.json", orjson.dumps(report, option=orjson.OPT_INDENT_2))
        write_atomic(folder / "study.html", page(report, pictures).encode())
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"The study could not be written into {folder} ({why}).") from error


def page(report: StudyReport, pictures: Sequence[str] = ()) -> str:
    """Return the study as one HTML page that needs no other file and no network."""
    settings = report["settings"]
    title = verdict(report["gaps"])
    seeds, minutes = (cast(float, settings[name]) for name in ("seeds", "minutes"))
    how = (
        f"{counted(int(seeds), 'seed')}, {minutes:g} min of training for each model, "
        f"preset {escape(str(settings['preset']))}, trained on "
        f"{escape(str(settings['data']))}, measured on {escape(str(settings['val']))}."
    )
    gaps = "".join(f"<p>{explain(gap)}</p>" for gap in report["gaps"])
    shown, drawn = "".join(pictures), "Input, truth, and what each side drew"
    triptychs = (
        section("Pictures", f"{drawn} with a score of at least {CASE_SCORE:g}.", shown)
        if shown
        else ""
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
        f'<h1>{title}</h1>\n<p class="lead">{how}</p>\n{gaps}</header>\n<main>\n'
        f"{_scores(report)}{_curves(report)}{_calibration(report)}{_losses(report)}{triptychs}"
        "</main>\n</body>\n</html>\n"
    )


def verdict(gaps: Sequence[Gap]) -> str:
    """Return in one sentence which of A and B is better; never more than the interval allows."""
    gap = next((g for g in gaps if g["of"] == "b - a"), None)
    if gap is None or gap["segm_AP"] is None:
        return "There is nothing to compare."
    low, high = gap["ci95"]
    if low is None or high is None or low <= 0 <= high:
        return "No clear winner between A and B."
    better = "B" if low > 0 else "A"
    return f"{better} draws better masks, by {abs(gap['segm_AP']):.3f} mask AP."


def explain(gap: Gap) -> str:
    """Return one gap in words."""
    second, first = (side.upper() for side in gap["of"].split(" - "))
    low, high = gap["ci95"]
    if gap["segm_AP"] is None:
        return f"{second} {MINUS} {first} could not be measured."
    gained = f"{second} {MINUS} {first}: {signed(gap['segm_AP'])} mask AP"
    if low is None or high is None:
        return f"{gained}; the images are too few to say how sure that is."
    sure = "excludes" if low > 0 or high < 0 else "includes"
    return f"{gained}, 95 % interval {signed(low)} to {signed(high)}, which {sure} zero."


def _scores(report: StudyReport) -> str:
    sides = list(report["sides"])
    rows = "".join(
        row(
            [
                f'<th scope="row">{name}</th>',
                *(cell(_spread(report["sides"][side][key]), "n") for side in sides),
            ]
        )
        for key, name in _MEASURES
    )
    columns = ["", *(side.upper() for side in sides)]
    numeric = list(range(1, len(columns)))
    names = "; ".join(NAMES[side] for side in sides)
    text = f"Mean over the seeds, with the standard deviation. {names}."
    return section("Scores", text, table(columns, f"<tbody>{rows}</tbody>", numeric, "scores"))


def _spread(spread: Spread) -> str:
    around = f" ± {spread['deviation']:.3f}" if spread["deviation"] is not None else ""
    return f"{number(spread['mean'])}{around}"


def _curves(report: StudyReport) -> str:
    lines = [
        Line(side, [(place / 100, value) for place, value in enumerate(values)])
        for side, values in report["curves"].items()
    ]
    chart = line_chart("Mask precision over recall", "recall", "precision", lines, 1.0, 1.0)
    text = "Masks, IoU at least 0.5, mean of the seeds."
    return section("Precision and recall", text, _key(report) + chart)


def _calibration(report: StudyReport) -> str:
    lines = [Line("ideal", [(0, 0), (1, 1)])]
    lines += [
        Line(side, [(mean, right) for mean, right, _ in rows])
        for side, rows in report["calibration"].items()
    ]
    chart = line_chart("Part that is right over score", "score", "right", lines, 1.0, 1.0)
    text = "On the diagonal a score of 0.8 means that 8 of 10 predictions are right."
    return section("Calibration", text, _key(report) + chart)


def _losses(report: StudyReport) -> str:
    figures = []
    for part in dict.fromkeys(name.split(" ", 2)[2] for name in report["losses"]):
        lines = [
            Line(name[0], [(x, y) for x, y in _smoothed(points)])
            for name, points in report["losses"].items()
            if name.split(" ", 2)[2] == part
        ]
        highest = max((y for line in lines for _, y in line.points), default=1.0)
        last = max((x for line in lines for x, _ in line.points), default=1.0)
        # An axis ends where its quarters are whole iterations.
        tops = 4 * math.ceil(last / 4), round_top(highest)
        chart = line_chart(f"Loss of the {part}", "iteration", "loss", lines, *tops)
        figures.append(f"<figure><figcaption>{escape(part)}</figcaption>{chart}</figure>")
    text = "The sum of all losses, smoothed; one line a seed."
    trained = "".join(dict.fromkeys(name[0] for name in report["losses"]))
    content = f'{key("lines", trained)}<div class="charts">{"".join(figures)}</div>'
    return section("Training", text, content)


def _key(report: StudyReport) -> str:
    return key("lines", "".join(report["sides"]))


def _smoothed(points: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    found = []
    for place, (x, _) in enumerate(points):
        near = points[max(0, place - _SMOOTH) : place + 1]
        found.append((x, sum(y for _, y in near) / len(near)))
    return found
