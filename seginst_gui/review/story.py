"""Where the object in focus comes from, and all that was done to it."""

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from seginst_core.errors import SegInstError
from seginst_core.project.reviewing import StoryStep
from seginst_core.types import Instance, Origin
from seginst_gui.language import tr
from seginst_gui.operations.repairs import truth_of
from seginst_gui.panels.labels import dim_label
from seginst_gui.panels.texts import count, moment
from seginst_gui.review.state import ReviewState
from seginst_gui.session import PIPELINE_LETTERS, Session

MAX_STEPS = 30


class StoryCard(QScrollArea):
    """Says of the object in focus: origin, verdict, and each edit with its time and pixels."""

    def __init__(self, state: ReviewState) -> None:
        super().__init__()
        self.setObjectName("story")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._state = state
        self._head, self._steps = QLabel(), dim_label()
        self._head.setWordWrap(True)
        self._head.setObjectName("story_head")
        self._steps.setObjectName("story_steps")
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(10, 4, 10, 8)
        column.setSpacing(4)
        column.addWidget(self._head)
        column.addWidget(self._steps)
        column.addStretch(1)
        self.setWidget(inner)
        state.focus_changed.connect(self.refresh)
        self.refresh()

    @property
    def text(self) -> str:
        """All that the card says."""
        return f"{self._head.text()}\n{self._steps.text()}"

    def refresh(self) -> None:
        """Tell the story of the case in focus."""
        session, case = self._state.session, self._state.focus
        truth = truth_of(session, case) if case is not None else None
        if case is None:
            self._head.setText("")
            self._steps.setText("")
            return
        if truth is None or session.project is None or session.image is None:
            refused = case.truth_id is None and case.settled
            self._head.setText(tr("Said to be no object.") if refused else tr("Not annotated yet"))
            self._steps.setText("\n".join(why[0].upper() + why[1:] for why in case.why))
            return
        try:
            steps = session.project.reviewing.story(session.image.id, truth.id)
        except SegInstError as error:
            self._head.setText(str(error))
            return
        self._head.setText(_head(session, truth, steps))
        now = datetime.now().astimezone()
        lines = [_line(step, now) for step in steps[-MAX_STEPS:]]
        self._steps.setText("\n".join(lines))


def _head(session: Session, truth: Instance, steps: tuple[StoryStep, ...]) -> str:
    parts = [_origin(session, truth.origin)]
    raw = next((s.after for s in steps if s.after is not None), None)
    if truth.origin.kind == "model" and raw is not None and raw.mask is not None:
        now = truth.mask.area if truth.mask is not None else 0
        parts.append(
            tr("Raw mask {area:,} px, now {now:,} px.").format(area=raw.mask.area, now=now)
        )
    seconds = sum(step.seconds for step in steps)
    spent = f"{count(max(len(steps) - 1, 0), 'edit')}, {seconds:.0f} s."
    verdict = tr("Vouched for") if truth.origin.vouched else tr("Only accepted, never looked at")
    if truth.origin.kind == "model" and not truth.origin.vouched:
        verdict += tr(": it does not score its model")
    return " ".join(parts) + f"\n{verdict}; {spent}"


def _origin(session: Session, origin: Origin) -> str:
    if origin.kind == "human":
        return tr("Drawn by hand.")
    if origin.kind == "import":
        return tr("Imported.")
    name = ""
    if origin.pipeline is not None and session.project is not None and session.image is not None:
        shown = session.predictions.get(origin.pipeline)
        if shown is not None and shown.model == origin.model:
            name = session.project.prediction_model_name(session.image.id, origin.pipeline)
    letter = PIPELINE_LETTERS[origin.pipeline] if origin.pipeline else tr("a model")
    parts = [
        tr("From {letter}").format(letter=letter)
        + (f" ({name}, {origin.model[:10]})" if name else "")
    ]
    if not name:
        parts[0] += f" ({origin.model[:10]})"
    if origin.score is not None:
        parts.append(tr("score {score:.2f}").format(score=origin.score))
    if origin.threshold is not None:
        parts.append(tr("threshold {threshold:.2f}").format(threshold=origin.threshold))
    return ", ".join(parts) + "."


def _line(step: StoryStep, now: datetime) -> str:
    facts = [f"{step.n_pixels:,} px"] if step.n_pixels else []
    facts.append(f"{step.seconds:.0f} s")
    return f"{moment(step.made_at, now)}  {step.text}  ({', '.join(facts)})"
