"""Which class was taken for which, where there are too many classes for a table."""

from typing import cast

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from seginst_core.review.schema import Report
from seginst_gui.dialogs.report_sections import confusions
from seginst_gui.widgets.figures import Figures

from .report_hands import row

N = 40
Counts = list[list[int]]


@pytest.fixture
def counts() -> dict[str, Counts]:
    """Both sides are right in all they find."""
    return {side: [[9 * (j == k) for j in range(N + 1)] for k in range(N + 1)] for side in "ab"}


def report_on(counts: dict[str, Counts]) -> Report:
    names = [f"class {k}" for k in range(N)]
    tables = {side: {"names": names, "counts": of} for side, of in counts.items()}
    return cast(Report, {"confusion": tables, "case_iou": 0.5, "case_score": 0.5})


def test_the_most_frequent_mix_ups_are_listed(qtbot: QtBot, counts: dict[str, Counts]) -> None:
    counts["a"][3][5], counts["b"][3][5], counts["b"][7][0] = 2, 1, 4
    # Missed and false objects are no mix-ups of classes.
    counts["b"][7][N] = counts["b"][N][7] = 50
    part = confusions(report_on(counts))
    qtbot.addWidget(part)
    listed = part.findChild(Figures, "report_mix_ups")
    assert [row(listed, k) for k in range(listed.rowCount())] == [
        ["class 7", "class 0", "0", "4"],
        ["class 3", "class 5", "2", "1"],
    ]


def test_no_mix_up_is_said(qtbot: QtBot, counts: dict[str, Counts]) -> None:
    part = confusions(report_on(counts))
    qtbot.addWidget(part)
    assert part.findChild(Figures) is None
    assert "No class was taken for another." in [q.text() for q in part.findChildren(QLabel)]
