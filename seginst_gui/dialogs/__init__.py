"""Windows above the window: what is asked before a job starts, and what is only read."""

from pathlib import Path

from PySide6.QtWidgets import QWidget

_FRAME_PX = 40
"""What a window's title and borders take beside its own height."""


def resize_on_screen(window: QWidget, width: int, height: int) -> None:
    """Give a window a size, but no more than its screen has room for: its buttons are below."""
    room = window.screen().availableGeometry()
    window.resize(min(width, room.width()), min(height, room.height() - _FRAME_PX))


def typed_path(text: str) -> Path:
    """Return the path that a person typed; where ``~name`` is nobody's home it is kept as it is."""
    path = Path(text.replace("\0", "").strip())
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def is_there(path: Path) -> bool:
    """Return whether something can be found at a path; an empty folder is nothing."""
    try:
        return any(path.iterdir()) if path.is_dir() else path.exists()
    except OSError:
        return False
