"""``--demo``: a generated airfield, opened and looked at by both pipelines."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from seginst_core.errors import SegInstError
from seginst_core.events import Event, Reporter
from seginst_core.library import user_folder
from seginst_gui.language import tr

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

N_IMAGES = 8


def start_demo(window: "MainWindow") -> None:
    """Draw the sample in the person's own data folder unless it is there, then open it."""
    folder = user_folder() / "sample"
    painter = _Painter(window)
    painter.progress.connect(window.status.show_job)
    painter.done.connect(lambda sentence: _show(window, folder, sentence))
    # The models are loaded while the images are being drawn.
    window.predictor.warm_up()
    QThreadPool.globalInstance().start(_Paint(folder, painter))


def _show(window: "MainWindow", folder: Path, trouble: str) -> None:
    window.status.show_idle()
    if trouble:
        window.notice.warn(trouble)
    elif window.commands.open_folder(folder / "images"):
        window.commands.predict_image()


class _Painter(QObject):
    """Carries the drawing thread's words into the window's."""

    progress = Signal(str, float)
    done = Signal(str)


class _Paint(QRunnable):
    def __init__(self, folder: Path, painter: _Painter) -> None:
        super().__init__()
        self._folder, self._painter = folder, painter

    def run(self) -> None:
        from seginst_core.sample import write_sample

        trouble = ""
        try:
            # The json files come last, so a sample that has them is whole.
            if not (self._folder / "instances_val.json").is_file():
                write_sample(self._folder, n_images=N_IMAGES, reporter=Reporter(self._send))
        except (SegInstError, OSError) as error:
            trouble = str(error)
        self._painter.done.emit(trouble)

    def _send(self, event: Event) -> None:
        done, total = event["done"], event["total"]
        if isinstance(done, int | float) and isinstance(total, int | float):
            self._painter.progress.emit(tr("Drawing the sample"), done / total)
