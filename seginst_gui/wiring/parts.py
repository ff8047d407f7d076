"""What the parts of the window say to each other."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seginst_gui import operations
from seginst_gui.session import PIPELINE_LETTERS
from seginst_gui.wiring.states import show_states

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow


def connect_parts(window: "MainWindow") -> None:
    """Connect every signal of the window's parts."""
    session, status, commands = window.session, window.status, window.commands
    session.project_changed.connect(partial(show_project, window))
    session.image_changed.connect(partial(_on_image, window))
    session.pixels_changed.connect(partial(_on_pixels, window))
    for signal in (session.instances_changed, session.selection_changed):
        signal.connect(partial(_on_change, window))
    session.layers_changed.connect(partial(_on_change, window))
    session.display.changed.connect(partial(_on_change, window))
    session.predictions_changed.connect(partial(_on_change, window))
    window.tool_options.changed.connect(window.canvas.refresh)
    window.tool_options.changed.connect(lambda: commands.canvas.setFocus())
    window.canvas.edit_ready.connect(commands.store)
    for tool in window.tools.values():
        tool.refused = window.notice.warn
    window.canvas.line_changed.connect(partial(show_states, window))
    window.canvas.zoom_changed.connect(status.show_zoom)
    window.canvas.pointer_moved.connect(status.show_pointer)
    window.canvas.pointer_left.connect(status.clear_pointer)
    window.images_panel.image_activated.connect(
        lambda image_id: commands.attempt(lambda: session.open_image(image_id, beside=True))
    )
    window.objects_panel.object_activated.connect(
        lambda object_id: commands.show_object(
            session.document.get(object_id) if session.document else None
        )
    )
    window.categories_panel.class_wanted.connect(
        lambda category_id: commands.attempt(lambda: operations.set_class(session, category_id))
    )
    window.categories_panel.problem.connect(window.notice.warn)
    window.objects_panel.problem.connect(window.notice.warn)
    window.layers_panel.accept_wanted.connect(lambda: commands.attempt(commands.accept))
    window.layers_panel.accept_all_wanted.connect(
        lambda pipeline: commands.attempt(lambda: commands.accept_all(pipeline))
    )
    window.history_panel.step_wanted.connect(
        lambda n: commands.attempt(lambda: commands.walk_history(n))
    )
    window.models_panel.model_chosen.connect(
        lambda _pipeline, folder: commands.use_model(Path(folder))
    )
    window.models_panel.problem.connect(window.notice.warn)
    status.cancel_wanted.connect(window.predictor.cancel)
    window.predictor.progress.connect(partial(_on_predicting, window))
    window.predictor.idle.connect(partial(_on_idle, window))
    window.predictor.noted.connect(window.notice.say)
    window.predictor.failed.connect(window.notice.warn)
    window.predictor.device_named.connect(status.show_device)
    commands.models_changed.connect(partial(_show_models, window))


def show_project(window: "MainWindow") -> None:
    """Show the project that is open now, or that none is."""
    window.commands.load_models()
    _on_image(window)


def _on_image(window: "MainWindow") -> None:
    session = window.session
    folder = session.project.folder.name if session.project else ""
    name = session.image.path if session.image else ""
    window.setWindowTitle(" – ".join(part for part in (name, folder, "SegInst") if part))
    image = session.image
    window.status.show_image(f"{image.width} x {image.height} px" if image else "")
    show_states(window)


def _on_pixels(window: "MainWindow") -> None:
    picture = window.session.picture
    if window.session.image is not None and picture is not None:
        height, width = picture.pixels.shape[:2]
        said = "; ".join(picture.notes)
        facts = f"{width} x {height} px"
        window.status.show_image(f"{facts}, {said}" if said else facts, said)


def _on_predicting(window: "MainWindow", text: str, fraction: float) -> None:
    window.status.show_job(text, fraction)
    window.actions_by_id["cancel_job"].setEnabled(True)


def _on_idle(window: "MainWindow") -> None:
    window.status.show_idle()
    show_states(window)


def _show_models(window: "MainWindow") -> None:
    window.models_panel.refresh()
    for pipeline in PIPELINE_LETTERS:
        model = window.commands.models.get(pipeline)
        window.models_panel.set_used(pipeline, model.folder if model else None)


def _on_change(window: "MainWindow", *_of: object) -> None:
    show_states(window)
