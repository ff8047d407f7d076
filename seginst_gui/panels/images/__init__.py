"""The list of the project's images."""

from seginst_gui.panels.images.panel import ImagesPanel

__all__ = ["ImagesPanel"]
