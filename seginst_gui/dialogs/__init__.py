"""Dialogs that ask before a job starts."""

from pathlib import Path


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
