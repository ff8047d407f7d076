"""What the parts of the window say to each other about training and its outcome."""

from functools import partial
from typing import TYPE_CHECKING

from seginst_core.events import Event
from seginst_core.project.learning import Run
from seginst_core.types import Box
from seginst_gui.language import later, tr
from seginst_gui.wiring.learner import word_of
from seginst_gui.wiring.states import show_states

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

TITLE_LOOKS = later("Preparing the training")
OUTCOMES = {
    "better": later("better"),
    "not better": later("not better"),
    "worse": later("worse"),
    "untested": later("not tested"),
}
"""By the word of a verdict, what a model is said to be."""


def connect_learning(window: "MainWindow") -> None:
    """Connect the trainer and its panels with what a person may ask of them."""
    trainer, learner, commands = window.trainer, window.learner, window.commands
    panel = window.training_panel
    trainer.preparing.connect(partial(_on_preparing, window))
    trainer.started.connect(partial(_on_started, window))
    trainer.reported.connect(panel.jobs.show_event)
    trainer.ended.connect(partial(_on_ended, window))
    trainer.idle.connect(partial(_on_idle, window))
    trainer.declined.connect(lambda _sentence: show_unfinished(window))
    panel.jobs.pause_wanted.connect(trainer.pause)
    panel.jobs.cancel_wanted.connect(lambda: commands.attempt(trainer.cancel))
    panel.jobs.resume_wanted.connect(lambda: commands.attempt(trainer.resume))
    panel.refresh_set.connect(window.refresher.set_every)
    window.refresher.said.connect(panel.show_refresh)
    commands.models_changed.connect(window.refresher.look_back)
    learner.judged.connect(partial(show_verdict, window))
    panel.verdict.fly_wanted.connect(partial(_fly, window))
    panel.verdict.take_wanted.connect(partial(_take, window))
    history = window.models_panel.history
    history.back_wanted.connect(learner.go_back)
    history.run_wanted.connect(partial(_open_verdict, window))
    window.session.project_changed.connect(panel.verdict.hide)
    window.session.project_changed.connect(partial(show_unfinished, window))


def show_unfinished(window: "MainWindow") -> None:
    """Show in the training panel what was paused or cut short, or that there is nothing."""
    if window.trainer.busy:
        return
    runs = window.trainer.unfinished()
    jobs = window.training_panel.jobs
    if runs:
        title = runs[0].title
        if len(runs) > 1:
            title = tr("{title} and {n} more").format(title=title, n=len(runs) - 1)
        jobs.pause(title, tr("Interrupted. It can go on where it was."))
        window.docks["training"].show()
    else:
        jobs.idle()
    show_states(window)


def show_verdict(window: "MainWindow", run: Run) -> None:
    """Show what came of a run: its outcome on the hold-out, and which model is live now."""
    if run.kind != "fine_tune":
        return
    live = {m.card.id for m in window.commands.models.values()}
    view = window.training_panel.verdict
    view.show_run(run, word_of(run), live=str(run.outcome.get("id")) in live)
    window.training_panel.open_verdict()


def _open_verdict(window: "MainWindow", run: Run) -> None:
    show_verdict(window, run)
    window.docks["training"].show()
    window.docks["training"].raise_()


def _on_preparing(window: "MainWindow", text: str) -> None:
    window.training_panel.jobs.start(tr(TITLE_LOOKS), may_pause=False)
    event: Event = {"event": "progress", "done": 0, "total": 0, "text": text}
    window.training_panel.jobs.show_event(event)
    show_states(window)


def _on_started(window: "MainWindow", run: Run) -> None:
    # A quick refresh is no reason to take room from the canvas.
    if run.kind == "fine_tune":
        window.docks["training"].show()
    window.training_panel.jobs.start(run.title)
    show_states(window)


def _on_ended(window: "MainWindow", run: Run | None, sentence: str) -> None:
    jobs = window.training_panel.jobs
    if run is None:
        jobs.finish(sentence or tr("Given up before it began."), ok=False)
    elif run.state == "paused":
        why = tr("Paused.")
        if sentence:
            why = tr("{sentence} It can go on where it was.").format(sentence=sentence)
        jobs.pause(run.title, why)
    elif run.state == "cancelled":
        jobs.finish(tr("Given up; the models are as they were."), ok=False)
    elif run.state == "failed":
        jobs.finish(sentence, ok=False)
    else:
        word = word_of(run)
        said = tr("Finished: {name} is {outcome}.").format(
            name=run.outcome.get("name"), outcome=tr(OUTCOMES.get(word, word))
        )
        jobs.finish(said, ok=word == "better")
    window.models_panel.refresh()
    show_states(window)


def _on_idle(window: "MainWindow") -> None:
    """Offer what is still paused again; else only see to what may be asked for now."""
    if window.trainer.unfinished():
        show_unfinished(window)
    else:
        show_states(window)


def _fly(window: "MainWindow", image_id: int, box: Box, object_id: int) -> None:
    window.commands.fly_to(image_id, box, object_id)


def _take(window: "MainWindow", run: Run) -> None:
    window.learner.take(run)
    show_verdict(window, run)
