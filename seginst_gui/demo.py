"""``--demo``: a generated airfield, opened and looked at by both pipelines."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from seginst_core.events import Event, Reporter
from seginst_core.library import user_folder
from seginst_gui.jobs.aside import Aside
from seginst_gui.language import tr

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

N_IMAGES = 8


def start_demo(window: "MainWindow") -> None:
    """Draw the sample in the person's own data folder unless it is there, then open it."""
    folder = user_folder() / "sample"
    painter = _Painter()
    painter.progress.connect(window.status.show_job)
    # The models are loaded while the images are being drawn.
    window.predictor.warm_up()
    Aside(
        partial(_draw, folder, painter),
        lambda _: _show(window, folder, ""),
        lambda trouble: _show(window, folder, trouble),
        window,
    )


def _show(window: "MainWindow", folder: Path, trouble: str) -> None:
    window.status.show_idle()
    if trouble:
        window.notice.warn(trouble)
    elif window.commands.open_folder(folder / "images"):
        window.commands.predict_image()


class _Painter(QObject):
    """Carries the drawing thread's words into the window's; it lives as long as the application."""

    progress = Signal(str, float)

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())

    def send(self, event: Event) -> None:
        """Say how far the drawing is; called in its thread."""
        done, total = event["done"], event["total"]
        if isinstance(done, int | float) and isinstance(total, int | float):
            self.progress.emit(tr("Drawing the sample"), done / total)


def _draw(folder: Path, painter: _Painter) -> None:
    from seginst_core.sample import write_sample

    # The json files come last, so a sample that has them is whole.
    if not (folder / "instances_val.json").is_file():
        write_sample(folder, n_images=N_IMAGES, reporter=Reporter(painter.send))
