"""What correcting the models' objects cost the person, from the first object to the last."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from seginst_core.review.report.charts import Line, key, line_chart
from seginst_core.review.report.parts import counted, section
from seginst_core.review.schema import Correction, Report

TITLE = "Time for each object, from the first to the last"
EXPLANATION = (
    "The seconds that a person spent on each object taken over from A or B, those for its "
    "corrections included, in the order in which they were taken over; each point is the mean of "
    "several. A line that falls says that the drafts became better."
)
MAX_POINTS = 20
LEAST_OF_POINT = 5
"""A single object says little: a short look, or a pause."""


def corrections(report: Report) -> str:
    """Return the section, as HTML; nothing before there is a chart to draw."""
    drawn = chart(report["corrections"])
    if not drawn:
        return ""
    text = f"{EXPLANATION} {' '.join(_sum(report['corrections'], side) for side in ('a', 'b'))}"
    return section(TITLE, text.strip(), f"{key('lines')}<figure>{drawn}</figure>")


def chart(rows: Sequence[Correction]) -> str:
    """Return the seconds for each object over how many were taken over before, as SVG.

    Nothing if neither side has two points of at least ``LEAST_OF_POINT`` objects.
    """
    lines = [Line(side, points([r["seconds"] for r in rows if r["side"] == side])) for side in "ab"]
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    n_most = max(sum(r["side"] == line.side for r in rows) for line in drawn)
    most = max(seconds for line in drawn for _, seconds in line.points)
    # Axes end where their quarters are whole numbers.
    x_top, y_top = 4 * math.ceil(n_most / 4), max(2 * math.ceil(most / 2), 2)
    title = "Seconds that each object of A and of B cost, in the order they were taken over"
    return line_chart(title, "objects taken over", "seconds each", drawn, x_top, y_top)


def points(seconds: Sequence[float]) -> list[tuple[float, float]]:
    """Return up to ``MAX_POINTS`` means of as many objects each, and where their middles are."""
    n = len(seconds)
    n_points = min(MAX_POINTS, n // LEAST_OF_POINT)
    if n_points < 2:
        return []
    edges = [round(k * n / n_points) for k in range(n_points + 1)]
    return [((start + stop) / 2, fmean(seconds[start:stop])) for start, stop in pairwise(edges)]


def _sum(rows: Sequence[Correction], side: str) -> str:
    """Return what a side's objects cost, in a sentence."""
    own = [row for row in rows if row["side"] == side]
    if not own:
        return ""
    seconds, edits = (fmean(row[of] for row in own) for of in ("seconds", "n_edits"))
    return (
        f"{counted(len(own), 'object')} of {side.upper()} took {seconds:.1f} s and {edits:.1f} "
        "edits each."
    )
