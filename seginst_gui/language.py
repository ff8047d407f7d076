"""The window's language: every text goes through ``tr``, whose words a catalogue of Qt's gives.

docs/translating.md says how a catalogue is made and where it is put.
"""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

import resources
from seginst_core.library import user_folder


def tr(text: str, comment: str = "") -> str:
    """Return a text in the person's language, or as it stands where there is no translation.

    ``comment`` tells texts apart that are spelled alike.
    """
    return QCoreApplication.translate("", text, comment)


def later(text: str) -> str:
    """Mark a text of a table for the catalogue; who shows it calls ``tr`` with it."""
    return text


def load_language(app: QCoreApplication, locale: QLocale | None = None) -> bool:
    """Give the application the words of the system's language, or of ``locale``.

    Return whether there is a catalogue ``seginst_xx.qm`` for it, the person's own before the one
    that ships. Qt's own words, on buttons such as Cancel, follow.
    """
    locale = locale or QLocale()
    own = QTranslator(app)
    shipped = Path(str(resources.__file__)).parent / "translations"
    for folder in (user_folder() / "translations", shipped):
        if own.load(locale, "seginst", "_", str(folder)):
            app.installTranslator(own)
            theirs = QTranslator(app)
            folder_of_qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
            if theirs.load(locale, "qtbase", "_", folder_of_qt):
                app.installTranslator(theirs)
            return True
    return False
