"""``seginst-gui``: starts the window."""

import argparse
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

_WITHOUT_QT = (
    *("images", "project", "formats", "library", "events"),
    *("masks.classical.grabcut", "masks.classical.scissors", "masks.classical.superpixels"),
    *("masks.corners", "masks.cut", "masks.reshape"),
)
SWITCH_SECONDS = 0.0005
"""A tenth of what Python allows a thread before another one may run."""
NO_DISPLAY = (
    "SegInst needs a display, and there is none (neither DISPLAY nor WAYLAND_DISPLAY is set); "
    "the `seginst` commands work without one."
)


def main() -> None:
    """Run the application; exit code 1 with one sentence if it cannot start."""
    arguments = _arguments()
    if not _has_display():
        _give_up(NO_DISPLAY)
    folder: Path | None = arguments.folder
    if folder is not None and not folder.is_dir():
        _give_up(f"The folder {folder} does not exist.")
    import_core()
    try:
        from PySide6.QtWidgets import QApplication
    except ImportError as error:
        _give_up(f"Qt cannot be loaded ({error}); `seginst doctor` says which package is missing.")
    app = QApplication(sys.argv[:1])
    sys.excepthook = _report
    window = build_window(folder)
    if folder is not None and window.session.project is None:
        _give_up(window.notice.text)
    from seginst_gui.dialogs import resize_on_screen

    resize_on_screen(window, window.width(), window.height())
    window.show()
    settle_memory()
    if arguments.demo:
        from seginst_gui.demo import start_demo

        start_demo(window)
    sys.exit(app.exec())


def build_window(folder: Path | None = None) -> "MainWindow":
    """Make a window, with the project of ``folder`` open, without running an event loop.

    A QApplication is made if there is none. If the folder cannot be opened, the window says why.
    """
    import_core()
    from PySide6.QtCore import QTranslator
    from PySide6.QtWidgets import QApplication

    from seginst_gui import settings
    from seginst_gui.language import load_language
    from seginst_gui.theme import apply_theme

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    # A thread beside the window may keep it waiting so long, every time the window drew something.
    sys.setswitchinterval(SWITCH_SECONDS)
    app.setApplicationName("SegInst")
    app.setDesktopFileName("seginst")
    apply_theme(app, settings.load_theme())
    if app.findChild(QTranslator) is None:
        load_language(app)
    from seginst_gui.main_window import MainWindow

    window = MainWindow()
    if folder is not None:
        window.commands.open_folder(folder)
    return window


def import_core() -> None:
    """Import what needs no Qt before Qt is.

    Qt's bindings read the source text of every module that is imported after them: in this order
    the window is there after five sixths of the time.
    """
    for name in _WITHOUT_QT:
        import_module(f"seginst_core.{name}")


def settle_memory() -> None:
    """Take what the window was built of out of the garbage collector's rounds.

    It stays until the end, and looking through it doubled the time it took to read 2,000 objects.
    """
    gc.freeze()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="seginst-gui", description="Label images together with two models."
    )
    parser.add_argument("folder", nargs="?", type=Path, help="folder of images to open")
    parser.add_argument(
        "--demo", action="store_true", help="open a generated sample and pre-label an image"
    )
    return parser.parse_args()


def _has_display() -> bool:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _give_up(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201 - there is no window to say it in
    raise SystemExit(1)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Put a bug's details into a file and say one sentence; the annotations are stored already."""
    if issubclass(kind, KeyboardInterrupt):
        raise SystemExit(130)
    from PySide6.QtWidgets import QApplication

    from seginst_core.failures import write_log
    from seginst_gui.language import tr

    sentence = tr("Something went wrong inside SegInst; your work is saved.")
    log = write_log(error.with_traceback(trace))
    if log is not None:
        sentence = f"{sentence} {tr('Details: {file}').format(file=log)}"
    print(sentence, file=sys.stderr)  # noqa: T201
    for widget in QApplication.topLevelWidgets():
        notice = getattr(widget, "notice", None)
        if notice is not None:
            notice.warn(sentence)


if __name__ == "__main__":
    main()
