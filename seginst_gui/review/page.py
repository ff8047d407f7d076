"""The page of a review: both sides linked, the keys that repair, the list of cases."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from seginst_core.errors import SegInstError
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.operations import repairs
from seginst_gui.review.keys import REVIEW_ACTIONS, KeyBar, action_of
from seginst_gui.review.panel import ReviewPanel
from seginst_gui.review.sides import SideView
from seginst_gui.review.stages import StageFinder
from seginst_gui.review.state import ReviewState
from seginst_gui.session import Session
from seginst_gui.tools.base import Tool


class ReviewPage(QWidget):
    """A at the left, B at the right: zoom and pan are linked, and both can be drawn on."""

    problem = Signal(str)
    noted = Signal(str)
    tool_wanted = Signal(str)

    def __init__(
        self, session: Session, predictor: Predictor, actions: Mapping[str, QAction]
    ) -> None:
        super().__init__()
        self.setObjectName("review_page")
        self._actions = actions
        self.folder = session.project.folder if session.project is not None else None
        self.state = ReviewState(session, self)
        self.stages = StageFinder(self.state, predictor, self)
        self.side_a = SideView(self.state, "two-stage")
        self.side_b = SideView(self.state, "end-to-end")
        self.panel = ReviewPanel(self.state)
        self._linking = False
        self._flown: object = None
        self._lay_out()
        for view, other in ((self.side_a, self.side_b), (self.side_b, self.side_a)):
            view.view_changed.connect(lambda view=view, other=other: self._link(view, other))
        self.state.focus_changed.connect(self._on_focus)
        session.selection_changed.connect(self._on_selection)
        session.image_changed.connect(self._on_image)
        session.pixels_changed.connect(self._fly)
        session.preview_changed.connect(self._fly)
        self.stages.noted.connect(self.noted)
        self.stages.failed.connect(self.problem)

    @property
    def sides(self) -> tuple[SideView, SideView]:
        """A's canvas and B's."""
        return self.side_a, self.side_b

    def start(self) -> None:
        """List the cases and look at the first one."""
        self.state.start()
        self._on_focus()
        self.side_a.setFocus()

    def set_tool(self, tool: Tool) -> None:
        """Take a tool in hand on both sides."""
        for side in self.sides:
            side.set_tool(tool)

    def run(self, name: str) -> None:
        """Do what a review's action says; what cannot be done is said in a sentence."""
        self._attempt(partial(self._run, name))

    def undo(self) -> None:
        """Take the last decision back, wherever it was made."""
        self._attempt(self.state.undo)

    def redo(self) -> None:
        """Make the decision again that was taken back last, wherever that was."""
        self._attempt(self.state.redo)

    def _attempt(self, act: Callable[[], object]) -> None:
        try:
            act()
        except SegInstError as error:
            self.problem.emit(str(error))

    def _run(self, name: str) -> None:
        state = self.state
        match name:
            case "next_case":
                state.step(1)
            case "previous_case":
                state.step(-1)
            case "confirm_case":
                state.decide(repairs.confirm)
            case "take_a":
                state.decide(lambda session, case: repairs.take(session, case, "two-stage"))
            case "take_b":
                state.decide(lambda session, case: repairs.take(session, case, "end-to-end"))
            case "a_with_b_class":
                state.decide(repairs.name_as_b)
            case "unite":
                state.decide(lambda session, case: repairs.combine(session, case, "union"))
            case "intersect":
                state.decide(lambda session, case: repairs.combine(session, case, "intersection"))
            case "not_object":
                state.decide(repairs.refuse)
            case "redraw_in_b":
                case = state.at_hand()
                if case is not None:
                    self.stages.redraw(case)
            case "draw_case":
                self._draw()

    def _draw(self) -> None:
        """Take the brush: it goes on with the annotated object, or begins one of the seen class."""
        session, case = self.state.session, self.state.at_hand()
        if case is None:
            return
        if case.truth_id is None:
            session.choose_category(case.category_id)
            session.select([])
        else:
            session.select([case.truth_id])
        self.tool_wanted.emit("brush")
        if not any(side.hasFocus() for side in self.sides):
            self.side_a.setFocus()

    # --- the views ------------------------------------------------------------------------------

    def _link(self, view: SideView, other: SideView) -> None:
        if not self._linking:
            self._linking = True
            if view.fits:
                other.fit()
            else:
                other.look_at(*view.centre(), view.zoom)
            self._linking = False

    def _on_focus(self) -> None:
        case = self.state.focus
        shown = None if case is None else case.key
        if shown != self._flown:
            self._flown = shown
            self.tool_wanted.emit("select")
            self._fly()
        self._show_buttons()

    def _on_image(self) -> None:
        """Follow the person to another image of this project."""
        project = self.state.session.project
        if project is not None and project.folder == self.folder:
            self.state.follow()

    def _on_selection(self) -> None:
        """Look at the case of an object that was clicked on either side; the view stays."""
        session, state = self.state.session, self.state
        proposal = session.proposal
        if proposal is not None:
            letter = "a_id" if proposal.pipeline == "two-stage" else "b_id"
            wanted = {letter: proposal.id}
        elif len(session.selection) == 1:
            wanted = {"truth_id": next(iter(session.selection))}
        else:
            return
        here = state.listing.of(session.image_id or 0)
        hits = [c for c in here if all(getattr(c, k) == value for k, value in wanted.items())]
        # An object found twice has two cases; the one in focus is as good as the other.
        if hits and (state.focus is None or state.focus.key not in {c.key for c in hits}):
            self._flown = hits[0].key
            state.look_at(hits[0])

    def _fly(self) -> None:
        case = self.state.focus
        if case is not None and case.image_id == self.state.session.image_id:
            self.side_a.fly_to(case)

    def _show_buttons(self) -> None:
        case = self.state.focus
        a = case is not None and case.a_id is not None
        b = case is not None and case.b_id is not None
        states = {
            **dict.fromkeys(REVIEW_ACTIONS, case is not None),
            "next_case": bool(self.state.order),
            "previous_case": bool(self.state.order),
            "take_a": a,
            "take_b": b,
            "redraw_in_b": b,
            **dict.fromkeys(("a_with_b_class", "unite", "intersect"), a and b),
        }
        for name, enabled in states.items():
            self._actions[name].setEnabled(enabled)

    # --- putting together -----------------------------------------------------------------------

    def _lay_out(self) -> None:
        views = QHBoxLayout()
        views.setSpacing(2)
        views.addWidget(self.side_a, 1)
        views.addWidget(self.side_b, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(views, 1)
        column.addWidget(KeyBar(self._actions))
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(left)
        halves.addWidget(self.panel)
        halves.setStretchFactor(0, 1)
        halves.setSizes([1060, 370])
        halves.setCollapsible(0, False)
        halves.setCollapsible(1, False)
        self.panel.setMinimumWidth(320)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(halves)

    # --- Qt -------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Claim the review's keys before the window's own shortcuts get them."""
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and self._is_ours(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what a key stands for in a review."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
            return
        action = action_of(event, self._actions)
        if action is None:
            super().keyPressEvent(event)
        elif action.isEnabled():
            action.trigger()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the case in focus as large as there is room for it."""
        super().resizeEvent(event)
        # After the layout has given the views their new size.
        QTimer.singleShot(0, self, self._fly)

    def _is_ours(self, event: QKeyEvent) -> bool:
        undo = event.matches(QKeySequence.StandardKey.Undo)
        return undo or action_of(event, self._actions) is not None
