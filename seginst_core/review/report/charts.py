"""The report's charts as inline SVG: no script, colours from the page's style sheet.

Classes ``a`` and ``b`` colour the two sides; B's lines are dashed too, so that the sides stay apart
in print and for colour-blind people.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seginst_core.review.report.words import signed
from seginst_core.review.schema import Case, Curve, Difference

WIDTH, HEIGHT = 420, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

N_BINS = 20
_SIGNS: Mapping[str, str] = {
    "lines": '<polyline class="line-{side}" points="{x},8 {end},8"/>',
    "bars": '<rect class="fill-{side}" x="{x}" y="2" width="12" height="12"/>',
}


def key(kind: str, sides: str = "ab") -> str:
    """Return which look is whose, for a chart of ``lines`` or of ``bars``."""
    drawn = "".join(
        _SIGNS[kind].format(side=side, x=x, end=x + 26)
        + f'<text x="{x + (32 if kind == "lines" else 18)}" y="12">{side.upper()}</text>'
        for side, x in zip(sides, range(1, 60 * len(sides), 60), strict=True)
    )
    return _svg(f"The {kind} of {', '.join(sides.upper())}", drawn, 60 * len(sides), 16)


def precision_recall(curve: Curve) -> str:
    """Return precision over recall of A and B at one IoU threshold."""
    lines = "".join(_curve(values, side) for side, values in (("a", curve["a"]), ("b", curve["b"])))
    title = f"Mask precision over recall of A and B at IoU {curve['iou']}"
    return _svg(title, _axes("recall", "precision", 1.0) + lines)


def iou_histogram(cases: Sequence[Case]) -> str:
    """Return how many of the true objects' cases have which IoU of A and B, in bins of 0.05."""
    counts_a = _bins([case["iou_a"] for case in cases])
    counts_b = _bins([case["iou_b"] for case in cases])
    top = _round_up(max(*counts_a, *counts_b))
    bars = []
    step = PLOT_WIDTH / N_BINS
    for side, counts, shift in (("a", counts_a, 0.1), ("b", counts_b, 0.5)):
        for place, count in enumerate(counts):
            height = PLOT_HEIGHT * count / top
            bars.append(
                f'<rect class="fill-{side}" x="{LEFT + step * (place + shift):.1f}" '
                f'y="{TOP + PLOT_HEIGHT - height:.1f}" width="{step * 0.4:.1f}" '
                f'height="{height:.1f}"><title>{side.upper()}, IoU {place / N_BINS:.2f} to '
                f"{(place + 1) / N_BINS:.2f}: {count}</title></rect>"
            )
    title = "Histogram of the mask IoU that A and B reach on the true objects"
    return _svg(title, _axes("mask IoU", "objects", top) + "".join(bars))


def interval(difference: Difference) -> str:
    """Return the difference as a point with its 95 % interval beside the zero line; or nothing."""
    gained, (low, high) = difference["segm_AP"], difference["ci95"]
    if gained is None or low is None or high is None:
        return ""
    width, height, middle = 620, 96, 38
    reach = max(abs(low), abs(high), abs(gained), 0.01) * 1.25

    def x(value: float) -> float:
        return width / 2 + value / reach * (width / 2 - 20)

    # Near each other the three numbers would print over each other, so only the ends have one.
    ends = "".join(
        f'<text x="{x(value):.1f}" y="{middle - 16}" text-anchor="{anchor}">{signed(value)}</text>'
        for value, anchor in ((low, "end"), (high, "start"))
    )
    title = f"B minus A: {signed(gained)}, 95 % interval {signed(low)} to {signed(high)}"
    content = (
        f'<line class="grid" x1="20" x2="{width - 20}" y1="{middle}" y2="{middle}"/>'
        # It begins below the numbers, so that it strikes none of them through.
        f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" '
        f'y1="{middle - 12}" y2="{middle + 26}"/>'
        f'<line class="range" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{middle}" y2="{middle}"/>'
        f'<circle class="point" cx="{x(gained):.1f}" cy="{middle}" r="6"/>{ends}'
        f'<text x="{x(0):.1f}" y="{height - 16}" text-anchor="middle">0</text>'
        f'<text x="20" y="{height - 16}">\N{LEFTWARDS ARROW} A better</text>'
        f'<text x="{width - 20}" y="{height - 16}" text-anchor="end">'
        "B better \N{RIGHTWARDS ARROW}</text>"
    )
    return _svg(title, content, width, height)


def bars(parts: Sequence[tuple[str, float]]) -> str:
    """Return a bar for each side and its part (0..1) of the width; it fits any cell of a table.

    It has no title: the numbers stand beside it.
    """
    drawn = "".join(
        f'<path class="ground" d="M0 {6 * line}h100v5h-100z"/>'
        f'<rect class="fill-{side}" x="0" y="{6 * line}" width="{100 * max(part, 0):.1f}" '
        'height="5"/>'
        for line, (side, part) in enumerate(parts)
    )
    return (
        f'<svg viewBox="0 0 100 {6 * len(parts) - 1}" preserveAspectRatio="none" '
        f'aria-hidden="true">{drawn}</svg>'
    )


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) of one side: ``a``, ``b`` or ``c``, or of what is ``ideal``."""

    side: str
    points: Sequence[tuple[float, float]]


def line_chart(
    title: str, x_name: str, y_name: str, lines: Sequence[Line], x_top: float, y_top: float
) -> str:
    """Return lines over axes that begin at zero and end at ``x_top`` and ``y_top``."""
    drawn = "".join(_polyline(line, x_top, y_top) for line in lines)
    return _svg(title, _axes(x_name, y_name, y_top, x_top) + drawn)


def round_top(value: float) -> float:
    """Return where an axis ends that has to reach a value: one significant digit."""
    if value <= 0:
        return 1.0
    step = 10.0 ** math.floor(math.log10(value))
    return math.ceil(value / step) * step


def _curve(values: Sequence[float], side: str) -> str:
    last = len(values) - 1
    points = [(place / last, value) for place, value in enumerate(values)]
    return _polyline(Line(side, points), 1.0, 1.0)


def _polyline(line: Line, x_top: float, y_top: float) -> str:
    if not line.points:
        return ""
    places = [
        (LEFT + PLOT_WIDTH * x / x_top, TOP + PLOT_HEIGHT * (1 - y / y_top)) for x, y in line.points
    ]
    if len(places) == 1:
        # A line of one point would not be seen.
        ((x, y),) = places
        return f'<circle class="fill-{line.side}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline class="line-{line.side}" points="{points}"/>'


def _axes(x_name: str, y_name: str, y_top: float, x_top: float = 1.0) -> str:
    parts = []
    for quarter in range(5):
        part = quarter / 4
        x, y = LEFT + PLOT_WIDTH * part, TOP + PLOT_HEIGHT * (1 - part)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{LEFT + PLOT_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{f'{part * y_top:g}' if quarter % 2 == 0 else ''}</text>"
            f'<text x="{x:.1f}" y="{TOP + PLOT_HEIGHT + 16}" text-anchor="middle">'
            f"{part * x_top:g}</text>"
        )
    parts.append(
        f'<text x="{LEFT + PLOT_WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{x_name}</text>'
        f'<text transform="translate(12 {TOP + PLOT_HEIGHT / 2}) rotate(-90)" '
        f'text-anchor="middle">{y_name}</text>'
    )
    return "".join(parts)


def _bins(ious: Sequence[float | None]) -> list[int]:
    counts = [0] * N_BINS
    for iou in ious:
        if iou is not None:
            counts[min(int(iou * N_BINS), N_BINS - 1)] += 1
    return counts


def _round_up(count: int) -> int:
    """Return the next even number, so that the middle of the axis is a whole number too."""
    return max(count + count % 2, 2)


def _svg(title: str, content: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" style="max-width: {width}px">'
        f"<title>{title}</title>{content}</svg>"
    )
