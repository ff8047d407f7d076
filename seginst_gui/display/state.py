"""The display settings in use; they are the open project's, and remembered with it."""

from PySide6.QtCore import QObject, Signal

from seginst_core.project import Project
from seginst_gui.display.settings import Display, from_text, to_text

KEY = "display"


class DisplayState(QObject):
    """Holds the settings and says when they change."""

    changed = Signal()
    bands_changed = Signal()
    """Comes after ``changed``: the image has to be read anew."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.now = Display()
        self._project: Project | None = None

    def open(self, project: Project | None) -> None:
        """Take a project's settings; without a project they are as at first."""
        self._project = project
        text = project.setting(KEY) if project else None
        self._take(from_text(text) if text else Display())

    def set(self, display: Display) -> None:
        """Show it this way from now on."""
        if display == self.now:
            return
        if self._project is not None:
            self._project.set_setting(KEY, to_text(display))
        self._take(display)

    def _take(self, display: Display) -> None:
        before, self.now = self.now, display
        if display != before:
            self.changed.emit()
        if display.bands != before.bands:
            self.bands_changed.emit()
