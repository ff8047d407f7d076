"""The sections on what went wrong: the error budget by stage, and the confusions of classes."""

from seginst_core.review.report.charts import bars, key
from seginst_core.review.report.parts import cell, name_html, row, section, table
from seginst_core.review.report.words import NOTHING, number
from seginst_core.review.schema import Confusion, ErrorBudget, Report

KINDS: dict[str, tuple[str, str]] = {
    "missed": ("Missed", "The detector found no box near the object."),
    "class": ("Wrong class", "The outline is right, but the class is another."),
    "box": ("Poor box", "With the right box, the object would have been drawn."),
    "mask": ("Poor mask", "The box let the object through, but the mask stage drew it wrong."),
    "both": ("Class and outline", "Neither the class nor the outline is right."),
    "duplicate": ("Duplicate", "The object has been found by a surer prediction."),
    "false": ("False", "There is no object."),
}
BY_DRAWING = "by drawing in the true boxes"
BY_BOX = "by what the boxes would let through"
MAX_CLASSES = 25
"""A table of more is too wide to read; the most frequent mix-ups are listed instead."""
MOST_MIX_UPS = 25


def budget(report: Report) -> str:
    """Return what each side would gain without each kind of mistake."""
    a, b = report["budget"]["a"], report["budget"]["b"]
    if a["ap"] is None:
        return section("What the mistakes cost", "The truth has no objects.", "")
    most = largest_gain(a, b)
    rows = "".join(
        row(
            (
                cell(name),
                cell(bars([(side, of["gains"][kind] / most) for side, of in (("a", a), ("b", b))])),
                cell(number(a["gains"][kind]), "n"),
                cell(number(b["gains"][kind]), "n"),
                cell(f"{a['counts'][kind]:,}", "n"),
                cell(f"{b['counts'][kind]:,}", "n"),
                cell(text),
            )
        )
        for kind, (name, text) in KINDS.items()
    )
    how_a, how_b = (BY_DRAWING if side["by_substitution"] else BY_BOX for side in (a, b))
    how = how_a if how_a == how_b else f"{how_a} for A, {how_b} for B"
    columns = ("Mistake", "", "A gains", "B gains", "A", "B", "Meaning")
    return section(
        "What the mistakes cost",
        f"How much the mask AP at IoU {a['iou']:.2f} (A {number(a['ap'])}, B {number(b['ap'])}) "
        "would rise if a kind of mistake were never made, and how many there are, as TIDE counts "
        f"them (Bolya et al. 2020). The stage that drew a poor outline was found {how}. "
        f"Poor boxes and masks together cost A {number(a['outline'])} and B "
        f"{number(b['outline'])}. Every prediction counts here, however low its score.",
        key("bars") + table(columns, f"<tbody>{rows}</tbody>\n", (2, 3, 4, 5), "budget"),
    )


def largest_gain(a: ErrorBudget, b: ErrorBudget) -> float:
    """Return the gain whose bar is the longest."""
    return max([0.001, *a["gains"].values(), *b["gains"].values()])


def mix_ups(report: Report) -> list[tuple[str, str, int, int]]:
    """Return the most frequent mistakes of class: true, predicted, how often by A and by B."""
    a, b = report["confusion"]["a"], report["confusion"]["b"]
    names = a["names"]
    found = [
        (true, predicted, a["counts"][k][j], b["counts"][k][j])
        for k, true in enumerate(names)
        for j, predicted in enumerate(names)
        if k != j and a["counts"][k][j] + b["counts"][k][j]
    ]
    return sorted(found, key=lambda row: -(row[2] + row[3]))[:MOST_MIX_UPS]


def confusions(report: Report) -> str:
    """Return which class was taken for which, a table for each side."""
    a, b = report["confusion"]["a"], report["confusion"]["b"]
    if len(a["names"]) > MAX_CLASSES:
        return _mix_ups(report)
    tables = "".join(
        f'<figure><figcaption><span class="name-{side}">{side.upper()}</span></figcaption>'
        f"{_matrix(found, side)}</figure>\n"
        for side, found in (("a", a), ("b", b))
    )
    return section(
        "Which class was taken for which",
        "Rows are true classes, columns predicted ones, at a mask IoU of "
        f"{report['case_iou']:g} and a score of at least {report['case_score']:g}. "
        "The last row holds predictions where there is no object, the last column objects that "
        "nothing was predicted for. The stronger the colour, the larger the part of its row.",
        f'<div class="charts">{tables}</div>',
    )


def _mix_ups(report: Report) -> str:
    title, found = "Which class was taken for which", mix_ups(report)
    if not found:
        return section(title, "No class was taken for another.", "")
    rows = "".join(
        row((cell(name_html(t)), cell(name_html(p)), cell(f"{a:,}", "n"), cell(f"{b:,}", "n")))
        for t, p, a, b in found
    )
    return section(
        title,
        f"The most frequent mistakes, {MOST_MIX_UPS} at most, at a mask IoU of "
        f"{report['case_iou']:g} and a score of at least {report['case_score']:g}; report.json has "
        "the whole table.",
        table(("True class", "Predicted", "A", "B"), f"<tbody>{rows}</tbody>\n", (2, 3), "mix-ups"),
    )


def _matrix(found: Confusion, side: str) -> str:
    names = [*(name_html(name) for name in found["names"]), NOTHING]
    bodies = ""
    for k, (name, counts) in enumerate(zip(names, found["counts"], strict=True)):
        whole = max(sum(counts), 1)
        cells = [f'<th scope="row">{name}</th>']
        for j, count in enumerate(counts):
            if k == j == len(names) - 1:
                cells.append(cell("", "n"))
                continue
            share = round(100 * count / whole)
            style = f"background:color-mix(in srgb, var(--{side}) {share * 0.6:.0f}%, transparent)"
            cells.append(f'<td class="n" style="{style}">{count:,}</td>')
        bodies += row(cells)
    columns = ("True class", *names)
    numeric = range(1, len(columns))
    return table(columns, f"<tbody>{bodies}</tbody>\n", numeric, f"confusion-{side}")
