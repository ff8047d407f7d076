"""The job panel: what is running, how far it is, what it says and how the losses fall."""

import time
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from seginst_core.events import Event
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import IconLabel
from seginst_gui.panels.learning.curves import LossCurves
from seginst_gui.panels.texts import duration

SENTENCE_IDLE = later(
    "Nothing is being trained. Fine-tune (Ctrl+T) learns from the images marked done."
)
LOG_LINES = 2000
_WIDE_PX = 700
"""From this width on the messages stand beside the curves, else below them."""
_LOG_HEIGHT_PX = 40
_STEPS = 1000
# Before that, a job's pace is mostly its loading.
_SECONDS_BEFORE_GUESS = 3.0


class JobsPanel(QWidget):
    """Shows one job at a time, from ``start`` over ``show_event`` to ``finish`` or ``pause``."""

    cancel_wanted = Signal()
    pause_wanted = Signal()
    resume_wanted = Signal()

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._pace = _Pace(clock)
        self._clock = clock
        self._started = 0.0
        self._title = QLabel(tr(SENTENCE_IDLE))
        self._title.setWordWrap(True)
        self._cancel = QPushButton(icon("cancel_job"), tr("Cancel"))
        self._cancel.setObjectName("cancel")
        self._cancel.setToolTip(tr("Give the training up: nothing comes of it"))
        self._cancel.clicked.connect(self._ask_to_cancel)
        self._pause = QPushButton(icon("pause"), tr("Pause"))
        self._pause.setObjectName("pause")
        self._pause.setToolTip(tr("Stop for now; it goes on where it was, also after a restart"))
        self._pause.clicked.connect(self._ask_to_pause)
        self._resume = QPushButton(icon("resume"), tr("Resume"))
        self._resume.setObjectName("resume")
        self._resume.setToolTip(tr("Go on where it was"))
        self._resume.clicked.connect(self.resume_wanted)
        self._bar = QProgressBar()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._mark = IconLabel()
        self._curves = LossCurves()
        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setMinimumHeight(_LOG_HEIGHT_PX)
        self._log.setMaximumBlockCount(LOG_LINES)
        self._log.setAccessibleName(tr("Messages of the job"))
        self._lower = QSplitter(Qt.Orientation.Vertical)
        self._lower.addWidget(self._curves)
        self._lower.addWidget(self._log)
        self._lower.setStretchFactor(0, 3)
        self._lower.setStretchFactor(1, 1)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        for button in (self._resume, self._pause, self._cancel):
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._text, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self._bar)
        layout.addLayout(line)
        layout.addWidget(self._lower, 1)
        self._buttons = (self._cancel, self._pause, self._resume)
        for widget in (*self._buttons, self._bar, self._mark, self._text, self._lower):
            widget.hide()
        self._curves.hide()
        layout.addStretch()

    def start(self, title: str, *, may_pause: bool = True) -> None:
        """Begin to show a job; what the last one left is cleared."""
        self._started = self._clock()
        self._pace.reset()
        self._head(title)
        self._say(tr("Starting"))
        self._bar.setRange(0, 0)
        self._curves.forget()
        self._curves.hide()
        self._log.clear()
        self._offer(*((self._pause,) if may_pause else ()), self._cancel)
        for widget in (self._bar, self._text, self._lower):
            widget.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Spend the room that there is: the panel may be wide and low, or narrow."""
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE_PX
        self._lower.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def show_event(self, event: Event) -> None:
        """Show what a job reports; events of a kind not known here are for others."""
        kind = event.get("event")
        if kind == "progress":
            self._show_progress(event)
        elif kind == "loss":
            self._show_loss(event)
        elif kind == "log":
            self._log_line(str(event.get("text", "")))

    def finish(self, text: str, *, ok: bool) -> None:
        """Say how the job ended; its curves and messages stay."""
        self._offer()
        self._bar.hide()
        self._say(text, ok)
        took = duration(self._clock() - self._started)
        self._log_line(tr("{text} (took {time})").format(text=text, time=took))

    def idle(self) -> None:
        """Show that nothing is under way; what the last job left is cleared."""
        self._title.setText(tr(SENTENCE_IDLE))
        self._title.setFont(self.font())
        self._offer()
        for widget in (self._bar, self._text, self._mark, self._lower):
            widget.hide()

    def pause(self, title: str, text: str) -> None:
        """Show a job that does not run and can go on; ``text`` says why."""
        self._head(title)
        self._bar.hide()
        self._offer(self._resume, self._cancel)
        self._text.show()
        self._mark.show()
        self._mark.show_icon("pause", "busy")
        self._text.setText(text)

    def _head(self, title: str) -> None:
        self._title.setText(title)
        bold = self.font()
        bold.setBold(True)
        self._title.setFont(bold)

    def _offer(self, *buttons: QPushButton) -> None:
        """Show exactly these buttons, ready to be pressed."""
        for button in self._buttons:
            button.setVisible(button in buttons)
            button.setEnabled(True)
        self._cancel.setText(tr("Discard") if self._resume in buttons else tr("Cancel"))
        self._pause.setText(tr("Pause"))

    def _ask_to_cancel(self) -> None:
        self._stopping(self._cancel)
        self.cancel_wanted.emit()

    def _ask_to_pause(self) -> None:
        self._stopping(self._pause)
        self.pause_wanted.emit()

    def _stopping(self, button: QPushButton) -> None:
        for one in self._buttons:
            one.setEnabled(False)
        button.setText(tr("Stopping…"))

    def _show_progress(self, event: Event) -> None:
        done, total = event.get("done"), event.get("total")
        if not isinstance(done, int | float) or not isinstance(total, int | float):
            return
        text = str(event.get("text") or "")
        if total <= 0:
            self._bar.setRange(0, 0)
            self._say(text)
            return
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(round(_STEPS * min(1.0, done / total)))
        left = self._pace.seconds_left(float(done), float(total))
        rest = "" if left is None else tr("about {time} left").format(time=duration(left))
        self._say(" · ".join(part for part in (text, rest) if part))

    def _show_loss(self, event: Event) -> None:
        iteration, losses = event.get("iteration"), event.get("losses")
        if not isinstance(iteration, int) or not isinstance(losses, dict):
            return
        numbers = {k: float(v) for k, v in losses.items() if isinstance(v, int | float)}
        self._curves.add(str(event.get("part") or tr("network")), iteration, numbers)
        self._curves.show()

    def _log_line(self, text: str) -> None:
        # appendPlainText keeps the view at the end only if it was there: reading is not disturbed.
        self._log.appendPlainText(f"{datetime.now():%H:%M:%S}  {text}")

    def _say(self, text: str, ok: bool | None = None) -> None:
        self._mark.setVisible(ok is not None)
        self._mark.show_icon("done" if ok else "problem", "good" if ok else "bad")
        self._text.setText(text)


class _Pace:
    """Guesses the time left from the pace since a step of the job began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self._begun = (0.0, 0.0)
        self._last: tuple[float, float] | None = None

    def seconds_left(self, done: float, total: float) -> float | None:
        now = self._clock()
        last = self._last
        self._last = (done, total)
        if last is None or last[1] != total or done < last[0]:
            self._begun = (now, done)
            return None
        seconds, gained = now - self._begun[0], done - self._begun[1]
        if gained <= 0 or seconds < _SECONDS_BEFORE_GUESS:
            return None
        return (total - done) * seconds / gained
