"""The parts of the report on A and B: a heading, a sentence or two, and charts and tables."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from seginst_core.review.report import charts
from seginst_core.review.report.corrections import chart as cost_chart
from seginst_core.review.report.faults import (
    KINDS,
    MAX_CLASSES,
    MOST_MIX_UPS,
    largest_gain,
    mix_ups,
)
from seginst_core.review.report.sections import SCORE_TEXTS, objects_with_masks
from seginst_core.review.report.words import (
    MINUS,
    NOTHING,
    explanation,
    gain,
    headline,
    number,
    signed,
)
from seginst_core.review.schema import SCORE_NAMES, Confusion, Report
from seginst_gui.colours import Tone
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import dim_label
from seginst_gui.panels.texts import count
from seginst_gui.widgets.figures import NARROW_PX, Cell, Figure, Figures, Text
from seginst_gui.widgets.svg_chart import SvgChart

_GAP_PX = 16
_BAR_PX, _BARS_PX = 90, 13
_CHART_PX = 620
"""As wide as the chart of the interval."""
_HOW: Mapping[tuple[bool, bool], str] = {
    (True, True): later("by drawing in the true boxes"),
    (False, False): later("by what the boxes would let through"),
    (True, False): later(
        "by drawing in the true boxes for A, by what the boxes would let through for B"
    ),
    (False, True): later(
        "by what the boxes would let through for A, by drawing in the true boxes for B"
    ),
}
"""How the stage of A's and of B's poor outlines was found; by drawing or not."""


class Pair(QWidget):
    """Two parts side by side, or one below the other where it is narrower than ``least`` px."""

    def __init__(self, a: QWidget, b: QWidget, least: int) -> None:
        super().__init__()
        self._least = least
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(_GAP_PX)
        for part in (a, b):
            self._box.addWidget(part, 1, Qt.AlignmentFlag.AlignTop)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the width there is."""
        super().resizeEvent(event)
        wide = self.width() >= self._least
        way = QBoxLayout.Direction
        self._box.setDirection(way.LeftToRight if wide else way.TopToBottom)


def section(title: str, text: str, *parts: QWidget) -> QWidget:
    """Return a part of the report: its heading, what it is about, and what it shows."""
    return column(heading(title, 1.2), dim_label(text), *parts)


def column(*parts: QWidget) -> QWidget:
    """Return widgets one below the other."""
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return whole


def heading(text: str, larger: float) -> QLabel:
    """Return a heading, so many times as large as the other text."""
    label = QLabel(text)
    label.setWordWrap(True)
    font = label.font()
    font.setBold(True)
    font.setPointSizeF(font.pointSizeF() * larger)
    label.setFont(font)
    return label


def head(report: Report) -> QWidget:
    """Return which side is better, by how much, how sure that is, and what was measured."""
    difference, names = report["difference"], report["names"]
    lead = QLabel(explanation(report))
    lead.setWordWrap(True)
    parts: list[QWidget] = [heading(headline(report), 1.6), lead]
    if drawn := charts.interval(difference):
        parts.append(SvgChart(drawn, tr("The difference of B and A in mask AP, and its interval")))
    who = tr("A is {a} (two-stage), B is {b} (end-to-end). Both are measured on {images}.").format(
        a=names["a"], b=names["b"], images=count(report["a"]["images"], "image")
    )
    how = [
        tr("At most {n} predictions of a class count in an image.").format(
            n=f"{report['a']['max_dets']:,}"
        )
    ]
    if drawn:
        done = tr("Done {times} times.").format(times=f"{difference['resamples']:,}")
        how = [difference["method"], done, *how]
    parts += [dim_label(who), dim_label(" ".join(how))]
    return column(*parts)


def scores(report: Report) -> QWidget:
    """Return all measures of A and B with their differences."""
    a, b = report["a"], report["b"]
    rows = [
        _score(f"{tr(title)}: {SCORE_TEXTS[name]}", one[name], other[name])
        for title, one, other in (
            (later("Masks"), a["segm"], b["segm"]),
            (later("Mask boundaries"), a["boundary"], b["boundary"]),
            (later("Boxes"), a["bbox"], b["bbox"]),
        )
        for name in SCORE_NAMES
    ]
    rows.append(_score(tr("Mean mask IoU"), a["mean_iou"], b["mean_iou"]))
    table = Figures([tr("Measure"), "A", "B", f"B {MINUS} A"], rows, wide=0)
    table.setObjectName("report_scores")
    table.setAccessibleName(tr("Scores of A and B"))
    # The eye has to find a number's row.
    table.setMaximumWidth(_CHART_PX)
    return section(
        tr("Scores"),
        tr(
            "Average precision (AP) falls with every object that is not found and with every "
            "prediction that is wrong; 1 is perfect. The mean mask IoU counts an object that was "
            "not found as 0."
        ),
        table,
    )


def curves(report: Report) -> QWidget:
    """Return precision over recall at the report's IoU thresholds."""
    parts = []
    for curve in report["curves"]:
        iou = f"{curve['iou']:.2f}"
        title = QLabel(tr("Mask IoU at least {iou}").format(iou=iou))
        name = tr("Mask precision over recall of A and B at IoU {iou}").format(iou=iou)
        parts.append(column(title, SvgChart(charts.precision_recall(curve), name)))
    shown = Pair(parts[0], parts[1], NARROW_PX) if len(parts) == 2 else column(*parts)
    return section(
        tr("Precision and recall"),
        tr(
            "Recall is the part of the true objects that was found, precision the part of the "
            "predictions that is right. Further up and further right is better."
        ),
        _key("lines"),
        shown,
    )


def budget(report: Report) -> QWidget:
    """Return what each side would gain without each kind of mistake."""
    title = tr("What the mistakes cost")
    a, b = report["budget"]["a"], report["budget"]["b"]
    if a["ap"] is None:
        return section(title, tr("The truth has no objects."))
    most = largest_gain(a, b)
    rows: list[Sequence[Cell]] = []
    for kind, (name, text) in KINDS.items():
        parts = [(side, of["gains"][kind] / most) for side, of in (("a", a), ("b", b))]
        gains = [Figure(number(of["gains"][kind])) for of in (a, b)]
        counts = [Figure(f"{of['counts'][kind]:,}") for of in (a, b)]
        rows.append([Text(name, text), bars(parts), *gains, *counts, text])
    titles = [tr("Mistake"), "", tr("A gains"), tr("B gains"), "A", "B", tr("Meaning")]
    meaning = len(titles) - 1
    table = Figures(titles, rows, wide=meaning, spare=(meaning,))
    table.setObjectName("report_budget")
    table.setAccessibleName(tr("What each kind of mistake costs A and B"))
    text = tr(
        "How much the mask AP at IoU {iou} (A {ap_a}, B {ap_b}) would rise if a kind of mistake "
        "were never made, and how many there are. Whether the box or the mask is at fault was "
        "found {how}. Every prediction counts here, however low its score."
    ).format(
        iou=f"{a['iou']:.2f}",
        ap_a=number(a["ap"]),
        ap_b=number(b["ap"]),
        how=tr(_HOW[a["by_substitution"], b["by_substitution"]]),
    )
    return section(title, text, _key("bars"), table)


def confusions(report: Report) -> QWidget:
    """Return which class was taken for which, a table for each side."""
    found = report["confusion"]
    if len(found["a"]["names"]) > MAX_CLASSES:
        return _mix_ups(report)
    title = tr("Which class was taken for which")
    tables = [_matrix(found[side], side) for side in ("a", "b")]
    a, b = (column(QLabel(letter), table) for letter, table in zip("AB", tables, strict=True))
    text = tr(
        "Rows are true classes, columns predicted ones, at a mask IoU of {iou} and a score of at "
        "least {score}. The last row holds predictions where there is no object, the last column "
        "objects that nothing was predicted for. The stronger the colour, the larger the part of "
        "its row."
    ).format(iou=f"{report['case_iou']:g}", score=f"{report['case_score']:g}")
    least = sum(table.needed_width() for table in tables) + _GAP_PX
    return section(title, text, Pair(a, b, least))


def _mix_ups(report: Report) -> QWidget:
    title, found = tr("Which class was taken for which"), mix_ups(report)
    if not found:
        return section(title, tr("No class was taken for another."))
    rows: list[Sequence[Cell]] = [
        (true, predicted, Figure(f"{a:,}"), Figure(f"{b:,}")) for true, predicted, a, b in found
    ]
    table = Figures([tr("True class"), tr("Predicted"), "A", "B"], rows, wide=1)
    table.setObjectName("report_mix_ups")
    table.setAccessibleName(tr("Classes that were taken for others"))
    text = tr(
        "The most frequent mistakes, {n} at most, at a mask IoU of {iou} and a score of at least "
        "{score}; report.json has the whole table."
    )
    iou, score = f"{report['case_iou']:g}", f"{report['case_score']:g}"
    return section(title, text.format(n=MOST_MIX_UPS, iou=iou, score=score), table)


def histogram(report: Report) -> QWidget:
    """Return how well A and B draw the true objects."""
    objects = objects_with_masks(report)
    text = tr(
        "The mask IoU with each of {objects} whose mask is known. Not drawn here are those that a "
        "side did not see at all: {n_a} for A, {n_b} for B."
    ).format(
        objects=count(len(objects), "object"),
        n_a=f"{sum(case['iou_a'] is None for case in objects):,}",
        n_b=f"{sum(case['iou_b'] is None for case in objects):,}",
    )
    name = tr("How many objects have which mask IoU")
    title = tr("How well the objects are drawn")
    return section(title, text, _key("bars"), SvgChart(charts.iou_histogram(objects), name))


def corrections(report: Report) -> QWidget | None:
    """Return how the cost of correcting went; None before enough objects were taken over."""
    drawn = cost_chart(report["corrections"])
    if not drawn:
        return None
    text = tr(
        "The seconds that a person spent on each object taken over from A or B, those for its "
        "corrections included, in the order in which they were taken over; each point is the mean "
        "of several. A line that falls says that the drafts became better."
    )
    chart = SvgChart(drawn, tr("Seconds for each object taken over from A and from B"))
    title = tr("Time for each object, from the first to the last")
    return section(title, text, _key("lines"), chart)


def bars(parts: Sequence[tuple[str, float]]) -> QWidget:
    """Return bars for a cell of a table."""
    chart = SvgChart(charts.bars(parts), stretched=True)
    chart.setMinimumWidth(_BAR_PX)
    chart.setFixedHeight(_BARS_PX)
    whole = QWidget()
    layout = QVBoxLayout(whole)
    layout.setContentsMargins(6, 0, 6, 0)
    layout.addWidget(chart)
    return whole


def _score(title: str, a: float | None, b: float | None) -> Sequence[Cell]:
    gained = signed(gain(a, b))
    tones: dict[str, Tone] = {"+": "good", MINUS: "bad"}
    return title, Figure(number(a)), Figure(number(b)), Figure(gained, tones.get(gained[0]))


def _matrix(found: Confusion, side: str) -> Figures:
    names = [*found["names"], NOTHING]
    rows = []
    for row, counts in enumerate(found["counts"]):
        whole = max(sum(counts), 1)
        cells = [Figure(f"{n:,}", shade=(side, n / whole)) for n in counts]
        if row == len(names) - 1:
            cells[-1] = Figure("")
        rows.append(cells)
    table = Figures(names, rows, names=names)
    table.setObjectName(f"report_confusion_{side}")
    table.setMaximumWidth(table.needed_width())
    letter = side.upper()
    table.setAccessibleName(tr("Classes that {letter} took for others").format(letter=letter))
    return table


def _key(kind: str) -> QWidget:
    """Return which look is A's and which is B's."""
    names = {
        "lines": tr("A's line is solid, B's is dashed"),
        "bars": tr("The first bar is A's, the second is B's"),
    }
    return SvgChart(charts.key(kind), names[kind])
