"""How a review is opened and left: the page takes the canvas's place, and the panels give way."""

from functools import partial
from typing import TYPE_CHECKING

from seginst_gui.language import later, tr
from seginst_gui.review import recalled
from seginst_gui.review.keys import REVIEW_ACTIONS
from seginst_gui.wiring.states import show_states

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

UNDER_WAY = later("A review was under way here; every decision of it is kept.")


def connect_review(window: "MainWindow") -> None:
    """Let the review's actions do their work."""
    actions = window.actions_by_id
    actions["review"].triggered.connect(lambda _on: switch_review(window))
    actions["review_report"].triggered.connect(partial(_report, window))
    for name in REVIEW_ACTIONS:
        actions[name].triggered.connect(partial(_run, window, name))
    window.session.project_changed.connect(partial(_on_project, window))


def switch_review(window: "MainWindow") -> None:
    """Open the review of the open project, or go back to the editor."""
    if window.review_page is not None:
        leave_review(window)
    elif window.session.project is not None:
        _enter(window)
    show_states(window)


def leave_review(window: "MainWindow", *, is_open: bool = False) -> None:
    """Go back to the editor; ``is_open`` says that the review goes on at the next start."""
    page = window.review_page
    if page is None:
        return
    if not is_open:
        page.state.close()
    window.review_page = None
    window.commands.canvas = window.canvas
    window.centre_layout.removeWidget(page)
    page.hide()
    page.deleteLater()
    window.canvas.show()
    window.restoreState(window.layout_before)
    for name in REVIEW_ACTIONS:
        window.actions_by_id[name].setEnabled(False)
    window.use_tool("select")
    window.canvas.setFocus()


def _enter(window: "MainWindow") -> None:
    window.layout_before = window.saveState()
    if window.notice.text == tr(UNDER_WAY):
        window.notice.hide()
    # Imported when it is first wanted, so that no start waits for it; so are the others below.
    from seginst_gui.review.page import ReviewPage

    page = ReviewPage(window.session, window.predictor, window.actions_by_id)
    window.review_page = page
    window.commands.canvas = page.side_a
    for dock in window.docks.values():
        dock.hide()
    window.canvas.hide()
    window.centre_layout.addWidget(page, 1)
    page.problem.connect(window.notice.warn)
    page.noted.connect(window.notice.say)
    page.tool_wanted.connect(window.use_tool)
    page.panel.left.connect(lambda: switch_review(window))
    page.panel.report_wanted.connect(partial(_report, window))
    for side in page.sides:
        side.edit_ready.connect(window.commands.store)
        side.line_changed.connect(partial(show_states, window))
        side.zoom_changed.connect(window.status.show_zoom)
        side.pointer_moved.connect(window.status.show_pointer)
        side.pointer_left.connect(window.status.clear_pointer)
    window.use_tool("select")
    page.show()
    page.start()


def _run(window: "MainWindow", name: str, _checked: bool = False) -> None:
    if window.review_page is not None:
        window.review_page.run(name)


def _report(window: "MainWindow", _checked: bool = False) -> None:
    from seginst_gui.review.report import ask_report

    project = window.session.project
    if project is not None:
        ask_report(project, window.predictor, window.notice, warn=window.notice.warn)


def _on_project(window: "MainWindow") -> None:
    """Leave the review of the former project; offer to go on with one that was cut short."""
    session, page = window.session, window.review_page
    if page is not None and page.folder != (session.project.folder if session.project else None):
        leave_review(window, is_open=True)
        show_states(window)
    if window.review_page is None and recalled(session).get("open") is True:
        window.notice.say(tr(UNDER_WAY), tr("Go on"), lambda: switch_review(window))
