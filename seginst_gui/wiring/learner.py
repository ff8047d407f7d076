"""What a person can ask of learning: fine-tune, pause, go on, take a model or go back to one."""

from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog

from seginst_core.project.learning import LiveModel, Run
from seginst_core.types import PipelineName
from seginst_gui.commands import Commands
from seginst_gui.dialogs.fine_tune import FineTuneDialog
from seginst_gui.jobs.model_choice import find_model
from seginst_gui.jobs.plan import decide, gather, write_jobs
from seginst_gui.jobs.training import Trainer
from seginst_gui.language import tr
from seginst_gui.panels.texts import count


class Learner(QObject):
    """Starts training and decides on its outcome: a model goes live only if it is better."""

    judged = Signal(object)
    """A finished ``Run`` whose outcome is to be shown."""

    def __init__(self, commands: Commands, trainer: Trainer) -> None:
        super().__init__(commands)
        self._commands = commands
        self._session = commands.session
        self._trainer = trainer
        trainer.ended.connect(self._on_ended)
        self._session.project_changed.connect(self.offer_to_resume)

    def fine_tune(self) -> None:
        """Show what would be trained; one button starts it in the background."""
        project = self._session.project
        if project is None:
            return
        models = dict(self._commands.models)
        facts = gather(project)
        unfinished = len(self._trainer.unfinished())
        dialog = FineTuneDialog(
            facts, decide(facts, models), models, self._commands.library(), unfinished,
            self._commands.window,
        )  # fmt: skip
        if dialog.exec() == QDialog.DialogCode.Accepted:
            plan = dialog.plan()
            self._trainer.start(lambda project: write_jobs(project, plan, models))

    def pause_or_resume(self) -> None:
        """Stop the training for now, or go on with what was stopped."""
        if self._trainer.busy:
            self._trainer.pause()
        else:
            self._trainer.resume()

    def offer_to_resume(self) -> None:
        """Say that a training was left unfinished, and offer to go on with it."""
        runs = self._trainer.unfinished()
        if runs:
            titles = ", ".join(run.title for run in runs)
            self._commands.notice.say(
                tr("Training was interrupted ({titles}). It can go on where it was.").format(
                    titles=titles
                ),
                tr("Resume"),
                self._resume,
            )

    def _resume(self) -> None:
        self._commands.attempt(self._trainer.resume)

    def take(self, run: Run) -> None:
        """Let the model of a finished run go live although it is not known to be better."""
        self._go_live(run, " ".join((tr("Taken by hand."), _reason(run))))

    def go_back(self, step: LiveModel) -> None:
        """Let a former model be live again; its predictions are shown again."""
        project = self._session.project
        model = find_model(project, step.folder, step.model) if project else None
        if model is None:
            text = tr("{name} is no longer there, so it cannot go live.")
            self._commands.notice.warn(text.format(name=step.name))
            return
        self._commands.use_model(model.folder, tr("Gone back to."))

    def _on_ended(self, run: Run | None, sentence: str) -> None:
        """Decide on a finished run; whatever else happened is said by who shows the runs."""
        if run is None or run.state != "finished":
            if sentence:
                self._commands.notice.warn(sentence)
            return
        word = word_of(run)
        if word == "better" and self._is_live(run):
            self._go_live(run, f"{_title(run)}. {_reason(run)}")
        elif word == "better":
            self._commands.notice.say(
                tr(
                    "{name} is better than the model that was live when it was begun; "
                    "another is live now."
                ).format(name=run.outcome["name"]),
                tr("Use it all the same"),
                lambda: self.take(run),
            )
        elif word == "untested":
            self._commands.notice.say(
                tr("{name} is trained, but there was nothing to test it on.").format(
                    name=run.outcome["name"]
                ),
                tr("Use it all the same"),
                lambda: self.take(run),
            )
        elif run.kind == "fine_tune":
            text = tr("{name} is not better, so it does not go live.")
            self._commands.notice.say(
                " ".join((text.format(name=run.outcome["name"]), _reason(run)))
            )
        self.judged.emit(run)

    def _is_live(self, run: Run) -> bool:
        """Whether the model that a run was measured against is still the live one."""
        refresh = run.kind == "refresh_masks"
        pipeline = "two-stage" if refresh else cast(PipelineName, run.params["pipeline"])
        live = self._commands.models.get(pipeline)
        against = str(run.params["model" if refresh else "former"])
        return against == (str(live.folder) if live else "")

    def _go_live(self, run: Run, note: str) -> None:
        project = self._session.project
        model = find_model(project, str(run.outcome.get("model"))) if project else None
        if model is None:
            self._commands.notice.warn(tr("The model of this training is no longer there."))
            return
        self._commands.use_model(model.folder, note)


def word_of(run: Run) -> str:
    """Return what came of a finished run: better, not better, worse or untested."""
    if run.kind == "refresh_masks":
        return "better" if run.outcome.get("better") is True else "not better"
    verdict = run.outcome.get("verdict")
    return str(verdict["word"]) if isinstance(verdict, dict) else "untested"


def _title(run: Run) -> str:
    return run.title if run.kind == "refresh_masks" else tr("Fine-tuned")


def _reason(run: Run) -> str:
    if run.kind == "refresh_masks":
        before, after = (cast(float, run.outcome[name]) for name in ("before", "after"))
        tried = count(cast(int, run.outcome["n"]), "corrected object")
        text = tr("Mean IoU {before} before, {after} after, on {objects} kept out of training.")
        return text.format(before=f"{before:.3f}", after=f"{after:.3f}", objects=tried)
    verdict = run.outcome.get("verdict")
    return str(verdict["reason"]) if isinstance(verdict, dict) else tr("It was not tested.")
