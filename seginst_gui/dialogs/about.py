"""What SegInst is, in a box."""

from PySide6.QtWidgets import QMessageBox, QWidget

from seginst_core import __version__
from seginst_core.library import list_models
from seginst_gui.language import tr
from seginst_gui.panels.texts import count


def show_about(parent: QWidget) -> None:
    """Show the version and how many models there are."""
    n_models = len(list_models().models)
    what = tr(
        "A model makes the first draft, a person corrects it, and the model learns from the "
        "correction."
    )
    library = tr("There are {models} in your library.").format(models=count(n_models, "model"))
    QMessageBox.about(
        parent,
        tr("About SegInst"),
        f"<h3>SegInst {__version__}</h3><p>{what}</p><p>{library}</p>",
    )
