"""What the window remembers between two starts: its look, its layout, keys, the last folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from seginst_gui.theme import THEMES, ThemeName

REFRESH_EVERY = 20


def load_theme() -> ThemeName:
    """Return the theme the person chose."""
    value = _settings().value("theme", "system")
    return next((name for name in THEMES if name == value), "system")


def save_theme(name: ThemeName) -> None:
    """Remember the theme."""
    _settings().setValue("theme", name)


def load_layout() -> tuple[QByteArray, QByteArray] | None:
    """Return the window's geometry and the places of its panels, None the first time."""
    geometry, state = (_settings().value(key) for key in ("geometry", "state"))
    if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):
        return geometry, state
    return None


def save_layout(geometry: QByteArray, state: QByteArray) -> None:
    """Remember the window's geometry and the places of its panels."""
    settings = _settings()
    settings.setValue("geometry", geometry)
    settings.setValue("state", state)


def load_folder() -> Path | None:
    """Return the folder opened last, None if there is none any more."""
    value = _settings().value("folder")
    folder = Path(str(value)) if value else None
    return folder if folder and folder.is_dir() else None


def save_folder(folder: Path) -> None:
    """Remember the folder opened last."""
    _settings().setValue("folder", str(folder))


def load_keys() -> dict[str, tuple[str, ...]]:
    """Return the keys that the person chose, by the ids of their actions; others are not named."""
    try:
        stored = json.loads(str(_settings().value("keys", "{}")))
    except ValueError:
        return {}
    items = stored.items() if isinstance(stored, dict) else ()
    return {name: tuple(str(key) for key in keys) for name, keys in items if isinstance(keys, list)}


def save_keys(keys: Mapping[str, tuple[str, ...]]) -> None:
    """Remember the keys that the person chose."""
    _settings().setValue("keys", json.dumps(keys))


def load_refresh() -> int:
    """Return after how many corrected objects the masks are refreshed; 0 is never."""
    value = _settings().value("refresh_every", REFRESH_EVERY)
    text = str(value)
    return int(text) if text.isdecimal() else REFRESH_EVERY


def save_refresh(n: int) -> None:
    """Remember after how many corrected objects the masks are refreshed."""
    _settings().setValue("refresh_every", n)


def _settings() -> QSettings:
    # An INI file on every platform: one that a person can read, move and delete.
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "SegInst", "SegInst")
