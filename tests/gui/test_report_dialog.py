"""The report in the window: the same parts as on its page, for every report there can be."""

import copy
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QDesktopServices, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QScrollArea,
)
from pytestqt.qtbot import QtBot

from seginst_core.errors import DataError
from seginst_core.project import Project
from seginst_core.project.reviewing import ModelCost
from seginst_core.review.compare import compare
from seginst_core.review.report import write_report
from seginst_core.review.report.reading import read_report
from seginst_core.review.report.style import COLOURS, coloured
from seginst_core.review.report.words import explanation, headline, number, signed
from seginst_core.review.schema import Report
from seginst_gui.dialogs.report import ReportDialog
from seginst_gui.dialogs.report_costs import NamedCost
from seginst_gui.review.report import write_inputs
from seginst_gui.theme import apply_theme
from seginst_gui.widgets.figures import Figures
from seginst_gui.widgets.svg_chart import SvgChart

from .report_hands import row, said, table, write
from .review_scenes import make_project

COST = NamedCost(ModelCost("x", "two-stage", 4, 2, 3, 6, 10.0), "first", "2026-05-11T10:00:00Z")
TABLES = {"scores", "budget", "confusion_a", "confusion_b", "costs"}
TITLES = (
    "Scores",
    "Precision and recall",
    "What the mistakes cost",
    "Which class was taken for which",
    "How well the objects are drawn",
    "What the corrections cost",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a report on it; the folder of the report."""
    images = make_project(tmp_path_factory.mktemp("report") / "fleet")
    folder = images / ".seginst" / "report"
    with Project.open(images) as project:
        write(write_inputs(project, folder).params)
    return folder


@pytest.fixture
def show(qtbot: QtBot, folder: Path) -> Callable[..., ReportDialog]:
    def show(report: Report, costs: Callable = lambda: (COST,), width: int = 900) -> ReportDialog:
        dialog = ReportDialog(report, folder, costs)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.resize(width, 700)
        dialog.show()
        qtbot.waitUntil(lambda: not dialog._wait.isVisible() or dialog._wait.text()[-1] == ".")
        qtbot.wait(20)
        return dialog

    return show


def charts(dialog: ReportDialog) -> list[str]:
    names = [chart.accessibleName() for chart in dialog.findChildren(SvgChart)]
    return [name for name in names if name]


# --- what it shows ------------------------------------------------------------------------------


def test_every_part_of_the_report_is_there(folder: Path, show: Callable[..., ReportDialog]) -> None:
    report = read_report(folder)
    assert report["difference"]["ci95"] == [None, None], "one image is annotated"
    report["difference"]["ci95"] = [-0.1, 0.1]
    assert report["names"] == {"truth": "fleet", "a": "model card-a", "b": "model card-b"}
    dialog = show(report)
    assert dialog.windowTitle() == "Report on fleet"
    assert not dialog.isModal()
    words = said(dialog)
    assert words[:2] == [headline(report), explanation(report)]
    assert [text for text in words if text in TITLES] == list(TITLES)
    assert "A is model card-a (two-stage), B is model card-b (end-to-end)." in " ".join(words)
    assert "with replacement" in " ".join(words)
    assert {t.objectName() for t in dialog.findChildren(Figures)} == {f"report_{n}" for n in TABLES}
    names = [name for name in charts(dialog) if "A's" not in name]
    assert names == [
        "The difference of B and A in mask AP, and its interval",
        "Mask precision over recall of A and B at IoU 0.50",
        "Mask precision over recall of A and B at IoU 0.75",
        "How many objects have which mask IoU",
    ]


def test_the_tables_say_what_the_report_says(
    folder: Path, show: Callable[..., ReportDialog]
) -> None:
    report = read_report(folder)
    dialog = show(report)
    a, b = report["a"], report["b"]
    scores = table(dialog, "scores")
    assert scores.rowCount() == 3 * 6 + 1
    assert row(scores, 0) == [
        "Masks: AP, mean of IoU 0.50 to 0.95",
        number(a["segm"]["AP"]),
        number(b["segm"]["AP"]),
        signed(report["difference"]["segm_AP"]),
    ]
    assert row(scores, 18)[1] == number(a["mean_iou"])
    budget = report["budget"]
    missed = row(table(dialog, "budget"), 0)
    assert missed[0] == "Missed"
    assert missed[2:6] == [
        number(budget["a"]["gains"]["missed"]),
        number(budget["b"]["gains"]["missed"]),
        str(budget["a"]["counts"]["missed"]),
        str(budget["b"]["counts"]["missed"]),
    ]
    for side in ("a", "b"):
        matrix = table(dialog, f"confusion_{side}")
        found = report["confusion"][side]
        shown = [row(matrix, k) for k in range(matrix.rowCount())]
        assert shown == [[str(n) for n in counts] for counts in found["counts"][:-1]] + [
            [*(str(n) for n in found["counts"][-1][:-1]), ""]
        ]
        titles = [matrix.horizontalHeaderItem(k).text() for k in range(matrix.columnCount())]
        assert titles == ["plane", "ship", "–"]
    costs = row(table(dialog, "costs"), 0)
    assert costs[0] == "A · first"
    assert costs[3:] == ["2.5 s", "1.5", "4", "2"]


@pytest.mark.parametrize("empty", ["b", "truth", "crowds", "interval", "one class too many"])
def test_a_report_that_lacks_something_is_shown_too(
    folder: Path, tmp_path: Path, show: Callable[..., ReportDialog], empty: str
) -> None:
    data = orjson.loads((folder / "truth.json").read_bytes())
    a = orjson.loads((folder / "a.json").read_bytes())
    b = [] if empty == "b" else orjson.loads((folder / "b.json").read_bytes())
    if empty == "truth":
        data["annotations"] = []
    if empty == "crowds":
        data["annotations"] = [{**row, "iscrowd": 1} for row in data["annotations"]]
    report = compare(data, a, b, n_resamples=5)
    if empty == "interval":
        report["difference"]["ci95"] = [None, None]
    if empty == "one class too many":
        for found in report["confusion"].values():
            found["names"] = [f"class {k}" for k in range(26)]
            found["counts"] = [[1] * 27 for _ in range(27)]
    write_report(report, tmp_path)
    dialog = show(read_report(tmp_path))
    assert said(dialog)[0] == headline(report)
    if empty in ("truth", "crowds"):
        assert said(dialog)[0] == "Nothing to compare: the truth has no objects."
    assert [text for text in said(dialog) if text in TITLES] == list(TITLES)
    tables = {t.objectName()[len("report_") :] for t in dialog.findChildren(Figures)}
    missing = {
        "truth": {"budget"},
        "crowds": {"budget"},
        "one class too many": {"confusion_a", "confusion_b"},
    }
    more = {"mix_ups"} if empty == "one class too many" else set()
    assert tables == TABLES - missing.get(empty, set()) | more
    if empty == "b":
        assert row(table(dialog, "scores"), 0)[2] == "0.000"
    if empty in ("truth", "crowds", "interval"):
        assert not any("interval" in name for name in charts(dialog))
        assert "with replacement" not in " ".join(said(dialog))


def test_how_the_cost_went_is_drawn_once_there_is_enough_of_it(
    folder: Path, show: Callable[..., ReportDialog]
) -> None:
    report = read_report(folder)
    name = "Seconds for each object taken over from A and from B"
    for n, shown in ((9, False), (10, True)):
        report["corrections"] = [
            {"side": "b", "taken_at": "2026-05-11T10:00:00Z", "n_edits": 1, "seconds": float(k)}
            for k in range(n)
        ]
        dialog = show(report)
        assert (name in charts(dialog)) == shown
        assert ("Time for each object, from the first to the last" in said(dialog)) == shown


def test_costs_that_are_none_or_cannot_be_read_are_a_sentence(
    folder: Path, show: Callable[..., ReportDialog]
) -> None:
    report = read_report(folder)
    assert "No object has been taken over from a model yet." in said(show(report, lambda: ()))

    def fail() -> tuple[NamedCost, ...]:
        raise DataError("The project cannot be read.")

    assert "The project cannot be read." in said(show(report, fail))


# --- how it looks and is used -------------------------------------------------------------------


def test_charts_bring_the_colours_of_the_theme_and_keep_the_dashes() -> None:
    chart = '<svg viewBox="0 0 9 9"><polyline class="line-b" points="0,0 9,9"/></svg>'
    for dark in (False, True):
        drawn = coloured(chart, dark=dark)
        assert "var(" not in drawn
        assert f".line-b {{ stroke: {COLOURS['b'][dark]}; stroke-dasharray: 6 3; }}" in drawn


def test_charts_follow_the_theme(folder: Path, show: Callable[..., ReportDialog]) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        apply_theme(app, "light")
        dialog = show(read_report(folder))
        curve = dialog.findChildren(SvgChart)[2]
        for theme in ("dark", "light"):
            apply_theme(app, theme)
            image = curve.grab().toImage()
            assert has_colour(image, COLOURS["a"][theme == "dark"])
            assert not has_colour(image, COLOURS["a"][theme == "light"])
    finally:
        apply_theme(app, "system")


def has_colour(image: QImage, name: str) -> bool:
    wanted = QColor(name).rgb()
    return any(
        image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height())
    )


@pytest.mark.parametrize("width", [560, 640, 900])
def test_nothing_is_cut_off_however_wide_it_is(
    folder: Path, show: Callable[..., ReportDialog], width: int
) -> None:
    dialog = show(read_report(folder), width=width)
    inside = dialog.findChild(QScrollArea).widget()
    for figures in dialog.findChildren(Figures):
        assert figures.verticalScrollBar().maximum() == 0, figures.objectName()
        assert figures.horizontalScrollBar().maximum() == 0, figures.objectName()
    for part in (*dialog.findChildren(SvgChart), *dialog.findChildren(Figures)):
        if inside.isAncestorOf(part) and part.isVisible():
            right = part.mapTo(inside, part.rect().topRight()).x()
            assert right < inside.width() <= dialog.width()
    assert table(dialog, "budget").isColumnHidden(6) == (width < 900)
    curves = [
        chart for chart in dialog.findChildren(SvgChart) if "recall" in chart.accessibleName()
    ]
    tops = {chart.mapTo(inside, chart.rect().topLeft()).y() for chart in curves}
    assert len(tops) == (2 if width < 900 else 1)


def test_many_classes_scroll_sideways_only(folder: Path, show: Callable[..., ReportDialog]) -> None:
    report = copy.deepcopy(read_report(folder))
    for found in report["confusion"].values():
        found["names"] = [f"a class with the number {k}" for k in range(25)]
        found["counts"] = [[1] * 26 for _ in range(26)]
    matrix = table(show(report), "confusion_b")
    assert matrix.horizontalScrollBar().maximum() > 0
    assert matrix.verticalScrollBar().maximum() == 0
    # What is too long for its column shows both its ends, and all of it in a tool tip.
    for header in (matrix.horizontalHeader(), matrix.verticalHeader()):
        assert header.textElideMode() == Qt.TextElideMode.ElideMiddle
    for title in (matrix.horizontalHeaderItem(7), matrix.verticalHeaderItem(7)):
        assert title.toolTip() == "a class with the number 7"


def test_tables_are_reached_and_read_by_keys(
    folder: Path, show: Callable[..., ReportDialog]
) -> None:
    dialog = show(read_report(folder))
    dialog.activateWindow()
    QTest.qWaitForWindowActive(dialog)
    scroll = dialog.findChild(QScrollArea)
    assert scroll.hasFocus()
    QTest.keyClick(scroll, Qt.Key.Key_PageDown)
    assert scroll.verticalScrollBar().value() > 0
    reached = []
    for _ in range(len(TABLES)):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget().objectName())
    assert set(reached) == {f"report_{name}" for name in TABLES}
    for figures in dialog.findChildren(Figures):
        assert figures.accessibleName()
    scores = table(dialog, "scores")
    scroll.verticalScrollBar().setValue(0)
    scores.setCurrentCell(0, 1)
    for _ in range(scores.rowCount()):
        QTest.keyClick(scores, Qt.Key.Key_Down)
    assert scores.currentRow() == scores.rowCount() - 1
    last = scores.viewport().mapTo(
        scroll.viewport(), scores.visualItemRect(scores.currentItem()).center()
    )
    assert scroll.viewport().rect().contains(last)


# --- its buttons --------------------------------------------------------------------------------


def press(dialog: ReportDialog, name: str) -> str:
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    button.click()
    return dialog.findChild(QLabel, "report_said").text()


def test_the_page_is_opened_in_the_browser(
    folder: Path, show: Callable[..., ReportDialog], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    answers = iter((True, False))

    def open_url(url: object) -> bool:
        opened.append(url.toLocalFile())
        return next(answers)

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    dialog = show(read_report(folder))
    page = folder / "report.html"
    assert press(dialog, "report_browser") == ""
    assert press(dialog, "report_browser") == f"No program was found that opens {page}."
    assert opened == [str(page)] * 2
    page.rename(page.with_suffix(".kept"))
    try:
        assert press(dialog, "report_browser") == f"{page} is gone; write the report anew."
        assert len(opened) == 2
    finally:
        page.with_suffix(".kept").rename(page)


def test_a_copy_of_the_page_is_saved(
    folder: Path, show: Callable[..., ReportDialog], tmp_path: Path
) -> None:
    dialog = show(read_report(folder))
    page = folder / "report.html"
    assert save_as(dialog, None) == ""
    # What was typed without an ending gets that of a page.
    for typed, name in (("first.html", "first.html"), ("second", "second.html")):
        path = tmp_path / name
        assert save_as(dialog, tmp_path / typed) == f"The report is copied to {path}."
        assert path.read_bytes() == page.read_bytes()
    page.rename(page.with_suffix(".kept"))
    try:
        said = save_as(dialog, tmp_path / "third.html")
        assert said.startswith("The report could not be copied (")
    finally:
        page.with_suffix(".kept").rename(page)


def test_no_copy_takes_the_place_of_an_image(
    folder: Path, show: Callable[..., ReportDialog]
) -> None:
    image = folder.parents[1] / "a.png"
    before = image.read_bytes()
    said = save_as(show(read_report(folder)), image)
    assert said == f"{image} is named as an image, and images are never written to."
    assert image.read_bytes() == before


def save_as(dialog: ReportDialog, path: Path | None) -> str:
    """Type a place into the dialog for files; return what is said then. None presses Cancel."""

    def replace() -> None:
        asked = QApplication.activeModalWidget()
        if isinstance(asked, QMessageBox):  # "… already exists. Do you want to replace it?"
            asked.button(QMessageBox.StandardButton.Yes).click()

    def answer() -> None:
        asked = QApplication.activeModalWidget()
        assert isinstance(asked, QFileDialog)
        assert asked.selectedFiles() == [f"{dialog._page.parents[2]}_report.html"]
        if path is None:
            asked.reject()
            return
        name = asked.findChild(QLineEdit, "fileNameEdit")
        assert name is not None
        name.setText(str(path))
        QTimer.singleShot(0, replace)
        asked.accept()

    QTimer.singleShot(0, answer)
    return press(dialog, "report_save")
