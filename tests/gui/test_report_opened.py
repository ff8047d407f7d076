"""The way to the report: asked for, read beside the window, and opened from the notice."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from seginst_core.project import Project
from seginst_core.project.edits import add
from seginst_core.types import PIPELINES, Origin
from seginst_gui.dialogs.report import ReportDialog
from seginst_gui.dialogs.report_costs import read_costs
from seginst_gui.dialogs.shortcuts import ShortcutSheet
from seginst_gui.main_window import MainWindow
from seginst_gui.widgets.figures import Figures

from .report_hands import row, said, table, write
from .review_scenes import block, make_project, open_window, predict


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    for window in open_window(qtbot, make_project(tmp_path / "images")):
        window.predictor.ask = lambda _job, params, _title, done: done(write(params))
        yield window


def test_the_notice_opens_the_report(qtbot: QtBot, window: MainWindow) -> None:
    window.commands.accept_all(PIPELINES[0])
    for _ in range(2):
        dialog = reported(qtbot, window)
        qtbot.waitUntil(lambda d=dialog: d.findChild(Figures, "report_costs") is not None)
        text = "A is model card-a (two-stage), B is model card-b (end-to-end)."
        assert any(text in label for label in said(dialog))
        assert row(table(dialog, "costs"), 0)[0] == "A · card-a"
        assert row(table(dialog, "costs"), 0)[4:] == ["0.0", "4", "4"]
    shown = [d for d in window.findChildren(ReportDialog) if d.isVisible()]
    assert shown == [dialog]
    assert dialog.parent() is window


def test_a_class_that_was_removed_is_in_no_report(qtbot: QtBot, window: MainWindow) -> None:
    """Nobody's object is a ship, but A and B have seen one."""
    session = window.session
    done = session.entries[2].ref.id
    for pipeline in PIPELINES:
        found = [block(1, 40, 40), block(2, 120, 40, category=2)]
        predict(session.project, done, pipeline, found, model=f"new-{pipeline}")
    session.project.remove_category(2)
    session.refresh_categories()
    figures = table(reported(qtbot, window), "confusion_a")
    assert [row(figures, k) for k in range(figures.rowCount())] == [["1", "2"], ["0", ""]]


def test_names_that_look_like_tags_are_shown_as_they_are(qtbot: QtBot, window: MainWindow) -> None:
    session = window.session
    done = session.entries[2].ref.id
    for pipeline in PIPELINES:
        predict(session.project, done, pipeline, [block(1, 40, 40)], model="<b>x</b>")
    dialog = reported(qtbot, window)
    labels = [label for label in dialog.findChildren(QLabel) if "<b>x</b>" in label.text()]
    notice = window.notice.findChild(QLabel, "notice_text")
    assert notice is not None
    for label in (*labels, notice):
        assert label.textFormat() == Qt.TextFormat.PlainText
    assert len(labels) == 1


def test_the_buttons_are_on_the_screen_however_low_it_is(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1280 x 720 px, of which a bar of tasks takes 40; a window's title takes some, too."""
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: QRect(0, 0, 1280, 680))
    dialog = reported(qtbot, window)
    assert (dialog.width(), dialog.height()) == (900, 640)
    sheet = ShortcutSheet(window.actions_by_id, window)
    assert (sheet.width(), sheet.height()) == (560, 640)


def reported(qtbot: QtBot, window: MainWindow) -> ReportDialog:
    """Ask for a report and open it."""
    window.notice.hide()
    window.actions_by_id["review_report"].trigger()
    button = window.notice.findChild(QPushButton, "notice_button")
    qtbot.waitUntil(lambda: window.notice.isVisible() and button.text() == "Open")
    before = set(window.findChildren(ReportDialog))
    button.click()
    qtbot.waitUntil(lambda: set(window.findChildren(ReportDialog)) - before != set())
    return next(iter(set(window.findChildren(ReportDialog)) - before))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "empty": lambda path: path.write_bytes(b""),
    "something else": lambda path: path.write_bytes(b"[1, 2]"),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_report_is_a_sentence_in_the_notice(
    qtbot: QtBot, window: MainWindow, damage: str
) -> None:
    window.actions_by_id["review_report"].trigger()
    button = window.notice.findChild(QPushButton, "notice_button")
    qtbot.waitUntil(lambda: window.notice.isVisible() and button.text() == "Open")
    path = window.session.project.folder / ".seginst" / "report" / "report.json"
    DAMAGE[damage](path)
    button.click()
    qtbot.waitUntil(lambda: window.notice.text.startswith(f"The report {path} "))
    assert window.notice.text.endswith("write it anew.")
    assert window.notice.isVisible()
    assert window.findChildren(ReportDialog) == []


def test_the_costs_come_with_the_names_of_the_models(tmp_path: Path) -> None:
    with Project.open(make_project(tmp_path / "images")) as project:
        assert read_costs(project) == ()
        for name in ("the first", "the first again"):
            project.learning.go_live("two-stage", "card-a", name, "")
        for model in ("card-a", "a card nobody knows"):
            (number,) = project.new_ids(1)
            document = project.document(project.images()[1].ref.id)
            taken = block(number, 60, 60, origin=Origin("model", model, "two-stage"))
            project.commit(document, add(document.image.id, [taken], "Take A"))
        known, unknown = read_costs(project)
        first, _ = project.learning.live_models()
    assert (known.name, known.since, known.cost.n_accepted) == (
        "the first again",
        first.since,
        1,
    )
    assert (unknown.name, unknown.since) == ("a card nob", "")


def test_nothing_of_it_is_loaded_before_it_is_wanted() -> None:
    code = (
        "import sys; from seginst_gui.app import build_window; window = build_window(); "
        "import seginst_gui.review.report; "
        "print('PySide6.QtSvg' in sys.modules, 'seginst_gui.dialogs.report' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split() == ["False", "False"], result.stderr
