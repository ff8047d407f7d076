"""What a person can ask of the window: each act once, whichever button, key or panel asks."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from seginst_core.errors import SegInstError, plain
from seginst_core.library import LibraryModel, list_models
from seginst_core.project import Project
from seginst_core.project.edits import Edit
from seginst_core.types import Box, Instance, PipelineName
from seginst_gui import operations, settings
from seginst_gui.canvas.view import Canvas
from seginst_gui.jobs.aside import Aside
from seginst_gui.jobs.model_choice import (
    ModelChoice,
    find_model,
    go_live,
    load_choice,
    replace_gone,
)
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.jobs.training import Trainer
from seginst_gui.language import tr
from seginst_gui.panels.texts import count
from seginst_gui.session import PIPELINE_LETTERS, Session
from seginst_gui.widgets.notice import Notice

# Dialogs are imported when they are first wanted: no start waits for them.


class Commands(QObject):
    """Acts on the session, the canvas and the workers; what goes wrong is said in the notice."""

    models_changed = Signal()

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        predictor: Predictor,
        trainer: Trainer,
        notice: Notice,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self.session = session
        self.canvas = canvas
        self.predictor = predictor
        self.trainer = trainer
        self.notice = notice
        self.window = window
        self.models: ModelChoice = {}
        self._flight: tuple[int, Box, int | None] | None = None
        self._is_cold = False
        self._exports: dict[Path, dict[Path, int]] = {}
        """By the project's folder: where its exports of this session are, and their stamps."""
        session.pixels_changed.connect(self._on_pixels)
        # What it says, and what its button would do, is of the project that was open.
        session.closing.connect(notice.hide)

    def open_folder(self, folder: Path) -> bool:
        """Open the project of a folder; return whether it is open now."""
        self._is_cold = True
        opened = self.attempt(lambda: self.session.open_folder(folder))
        project = self.session.project
        if opened and project is not None and project.notes:
            self.notice.say(" ".join(project.notes))
        return opened

    def load_models(self) -> None:
        """Find the models that the open project uses."""
        project = self.session.project
        self.models = load_choice(project) if project else {}
        if project is not None:
            self.attempt(lambda: self._replace_gone(project))
        self.models_changed.emit()

    def _replace_gone(self, project: Project) -> None:
        said = replace_gone(project, self.models)
        if said:
            self.notice.warn(" ".join(said))

    def predict_image(self) -> None:
        """Let the models in use look at the current image."""
        image = self.session.image
        if image is not None and self._has_models():
            self._predict([image.id], tr("Both models have looked at this image already."))

    def predict_all(self) -> None:
        """Let the models in use look at every image that is not done."""
        ids = [e.ref.id for e in self.session.entries if e.state != "done" and not e.missing]
        if self._has_models():
            self._predict(ids, tr("Every image that is not done is pre-labelled already."))

    def export_coco(self) -> None:
        """Ask where, then write the annotations, in a thread."""
        project = self.session.project
        if project is None:
            return
        suggested = project.folder.parent / f"{project.folder.name}_annotations.json"
        from seginst_gui.dialogs.export import ExportDialog, stamp
        from seginst_gui.jobs import exchange

        finder = exchange.LossFinder(project)
        written = self._exports.setdefault(project.folder, {})
        ours = {path for path, when in written.items() if stamp(path) == when}
        dialog = ExportDialog(self.session.entries, suggested, finder, self.window, ours=ours)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        choice = dialog.choice()

        def done(sentence: str) -> None:
            written[choice.path] = stamp(choice.path)
            self.notice.say(sentence)

        self.notice.say(tr("Writing {path}…").format(path=choice.path))
        Aside(partial(exchange.export, project, choice), done, self.notice.warn, self)

    def import_coco(self) -> None:
        """Ask for a file or folder of annotations and bring them in, and wait for it."""
        project = self.session.project
        if project is None:
            return
        from seginst_gui.dialogs.importing import ImportDialog
        from seginst_gui.dialogs.waiting import WaitingDialog
        from seginst_gui.jobs import exchange

        dialog = ImportDialog(project.folder, self.window)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        choice = dialog.choice()
        if not self.attempt(project.settle_ids):
            return
        waiting = WaitingDialog(tr("Importing {name}…").format(name=choice.path.name), self.window)
        said: list[str] = []

        def failed(sentence: str) -> None:
            self.notice.warn(sentence)
            waiting.finish()

        def done(sentence: str) -> None:
            said.append(sentence)
            waiting.finish()

        # The import has the database to itself, and what workers answer waits for its end.
        for workers in (self.predictor, self.trainer):
            workers.hold()
        Aside(partial(exchange.bring_in, project, choice), done, failed, self)
        waiting.exec()
        if self.attempt(project.follow_ids) and said:
            self.attempt(self.session.reload)
            self.notice.say(said[0])
        for workers in (self.predictor, self.trainer):
            workers.release()

    def use_model(self, folder: Path, note: str = "") -> None:
        """Let a model be live for its own pipeline, and look again at what it has to pre-label.

        Its predictions take the place of the former's, which are kept. Images that are not done
        and were pre-labelled are looked at again; what a person drew or accepted is not touched.
        """
        project = self.session.project
        model = find_model(project, str(folder)) if project else None
        if project is None or model is None:
            return
        pipeline = model.card.pipeline
        if not self.attempt(lambda: go_live(project, model, self.models.get(pipeline), note)):
            return
        self.models[pipeline] = model
        self.models_changed.emit()
        self.session.refresh_predictions()
        n_looks = self.predictor.predict(self._pre_labelled(pipeline), {pipeline: model})
        said = tr("{name} is live for {letter} from now on.").format(
            name=model.name, letter=PIPELINE_LETTERS[pipeline]
        )
        again = ""
        if n_looks:
            again = tr("{images} not done will be pre-labelled again.").format(
                images=count(n_looks, "image")
            )
        self.notice.say(" ".join(part for part in (note, said, again) if part))

    def _pre_labelled(self, pipeline: PipelineName) -> list[int]:
        project = self.session.project
        assert project is not None
        open_ids = [e.ref.id for e in self.session.entries if e.state != "done" and not e.missing]
        return [k for k in open_ids if project.prediction_model_name(k, pipeline)]

    def library(self) -> tuple[LibraryModel, ...]:
        """Return all models that can be used here."""
        project = self.session.project
        return list_models(project.folder if project else None).models

    def fly_to(self, image_id: int, box: Box, object_id: int | None = None) -> None:
        """Show a place of any image, and select the object there."""
        self._flight = None
        if self.session.image_id == image_id:
            self._land(box, object_id)
        else:
            self._flight = image_id, box, object_id
            self.attempt(lambda: self.session.open_image(image_id, beside=True))

    def _on_pixels(self) -> None:
        project = self.session.project
        if self._is_cold and project is not None:
            # Both would hold the first image up: they come after it.
            self._is_cold = False
            settings.save_folder(project.folder)
            self.predictor.warm_up()
        if replaced := self._replaced():
            self.notice.warn(replaced)
        self._arrive()

    def _replaced(self) -> str:
        """Return what to say if the image was drawn on while its file had another size."""
        image, picture = self.session.image, self.session.picture
        if image is None or picture is None:
            return ""
        height, width = picture.pixels.shape[:2]
        if (width, height) == (image.width, image.height):
            return ""
        return tr(
            "{name} was drawn on at {old} px and is a file of {new} px now, so objects may lie "
            "elsewhere; bring the old file back, or give the new one another name."
        ).format(name=image.path, old=f"{image.width} x {image.height}", new=f"{width} x {height}")

    def _is_outside(self, box: Box) -> bool:
        picture = self.session.picture
        height, width = picture.pixels.shape[:2] if picture is not None else (0, 0)
        return bool(box.x1 > width or box.y1 > height)

    def _arrive(self) -> None:
        flight, self._flight = self._flight, None
        if flight is not None and flight[0] == self.session.image_id:
            self._land(*flight[1:])

    def _land(self, box: Box, object_id: int | None) -> None:
        self.canvas.centre_on(box)
        if object_id is not None:
            self.session.select([object_id])

    def ask_folder(self) -> None:
        """Ask for a folder and open it."""
        start = settings.load_folder() or Path.home()
        title = tr("Open a folder of images")
        name = QFileDialog.getExistingDirectory(self.window, title, str(start))
        if name:
            self.open_folder(Path(name))

    def store(self, edit: Edit) -> None:
        """Store what a tool did; an object that is a box yet gets its mask from the model."""
        hidden = not self.session.layers.annotation
        if hidden and any(step.before is not None for step in edit.changes):
            self._warn_hidden()
            return
        replaced = self._replaced()
        if replaced and any(s.after and self._is_outside(s.after.box) for s in edit.changes):
            self.notice.warn(replaced)
            return
        if not self.attempt(lambda: self.session.apply(edit, select_added=True)):
            return
        if hidden:
            self.notice.say(
                tr("What you drew is stored; Show annotation in the View menu brings it to sight.")
            )
        model = self.models.get("two-stage")
        if edit.tool == "box" and model is not None:
            for step in edit.changes:
                if step.before is None and step.after is not None:
                    self.predictor.draw_mask(step.after, model)

    def on_selection(self, act: Callable[[Session], str | None]) -> None:
        """Do something to the selected objects, unless they cannot be seen."""
        (self.in_sight if self.session.selection else self.operate)(act)

    def in_sight(self, act: Callable[[Session], str | None]) -> None:
        """Do something to objects, unless the annotation is hidden."""
        if self.session.layers.annotation:
            self.operate(act)
        else:
            self._warn_hidden()

    def accept(self) -> None:
        """Finish what the tool is drawing; otherwise take the selected prediction."""
        edit = self.canvas.tool.confirm() if self.canvas.tool else None
        if edit is not None:
            self.store(edit)
            self.canvas.refresh()
        elif self.session.proposal is not None:
            self._say_accepted(operations.accept_selected(self.session))

    def accept_all(self, pipeline: PipelineName) -> None:
        """Take all of a pipeline's predictions above the threshold."""
        self._say_accepted(operations.accept_all(self.session, pipeline))

    def toggle_done(self) -> None:
        """Mark the current image as done, or open it again."""
        document = self.session.document
        if document is not None:
            operations.set_state(self.session, "draft" if document.state == "done" else "done")

    def next_todo(self) -> None:
        """Go to the next image that is not done, from the end back to the start."""
        entries, current = self.session.entries, self.session.image_id
        here = next((k for k, e in enumerate(entries) if e.ref.id == current), -1)
        for entry in (*entries[here + 1 :], *entries[: max(here, 0)]):
            if entry.state != "done" and not entry.missing:
                self.session.open_image(entry.ref.id, beside=True)
                return
        is_done = here < 0 or entries[here].state == "done"
        self.notice.say(tr("Every image is done.") if is_done else tr("Every other image is done."))

    def class_key(self, number: int) -> None:
        """Use the class with this number in the list."""
        if number <= len(self.session.categories):
            operations.set_class(self.session, self.session.categories[number - 1].id)

    def walk_history(self, n: int) -> None:
        """Undo (below zero) or redo so many steps."""
        self.session.travel(n)

    def next_object(self) -> None:
        """Select the next object that lies at the pointer, or else the next of all."""
        place = self.canvas.pointer_place()
        if place is None or not operations.select_below(self.session, *place):
            self.show_object(operations.select_next(self.session))

    def show_object(self, instance: Instance | None) -> None:
        """Bring an object into view."""
        if instance is not None:
            self.canvas.centre_on(instance.box)

    def switch_layers(self, name: str) -> None:
        """Show a layer, or hide it."""
        layers = self.session.layers
        shown = {"annotation": layers.annotation, "two_stage": layers.two_stage}
        shown["end_to_end"] = layers.end_to_end
        self.session.set_layers(replace(layers, **{name: not shown[name]}))

    def switch_keep_apart(self) -> None:
        """Let what is drawn cover other objects, or not."""
        self.session.keep_apart = not self.session.keep_apart

    def resize_tool(self, steps: int) -> None:
        """Grow or shrink the tool in hand."""
        if self.canvas.tool is not None:
            self.canvas.tool.resize(steps)
            self.canvas.refresh()

    def cancel_job(self) -> None:
        """Stop the predictions under way, otherwise pause the training."""
        if self.predictor.busy:
            self.predictor.cancel()
        else:
            self.trainer.pause()

    def operate(self, act: Callable[[Session], str | None]) -> None:
        """Do something to objects, and say what of it was not done."""
        said = act(self.session)
        if said:
            self.notice.say(said)

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that may fail in a way the person can mend: then say it in a sentence."""
        try:
            act()
        except (SegInstError, OSError) as error:
            self.notice.warn(plain(error))
            return False
        return True

    def _warn_hidden(self) -> None:
        self.notice.warn(
            tr("The annotation is hidden; Show annotation in the View menu brings it back.")
        )

    def _has_models(self) -> bool:
        if not self.models:
            self.notice.warn(tr("No model is in use yet; add or choose one in the Models panel."))
        return bool(self.models)

    def _predict(self, image_ids: list[int], nothing: str) -> None:
        if not self.predictor.predict(image_ids, self.models):
            self.notice.say(nothing)

    def _say_accepted(self, accepted: operations.Accepted) -> None:
        parts = [tr("{n} taken").format(n=accepted.n_taken)]
        if accepted.n_there:
            parts.append(tr("{n} were annotated already").format(n=accepted.n_there))
        if accepted.n_refused:
            parts.append(tr("{n} were said to be no object").format(n=accepted.n_refused))
        if accepted.n_taken and not self.session.layers.annotation:
            parts.append(tr("the annotation is hidden"))
        if len(parts) > 1:
            self.notice.say(f"{'; '.join(parts)}.")
