"""Makes reports and reads the dialog that shows them."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QLabel

from seginst_core.review.compare import compare
from seginst_core.review.report import write_report
from seginst_core.review.schema import Report
from seginst_gui.dialogs.report import ReportDialog
from seginst_gui.widgets.figures import Figures


def write(params: Mapping[str, object]) -> Report:
    """What the worker does."""
    truth, a, b = (Path(str(params[key])) for key in ("truth", "a", "b"))
    report = compare(truth, a, b, n_resamples=20, names=params["names"])
    write_report(report, Path(str(params["out"])))
    return report


def said(dialog: ReportDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel) if label.isVisibleTo(dialog)]


def table(dialog: ReportDialog, name: str) -> Figures:
    found = dialog.findChild(Figures, f"report_{name}")
    assert found is not None
    return found


def row(figures: Figures, number: int) -> list[str]:
    return [figures.item(number, k).text() for k in range(figures.columnCount())]
