"""The objects of the current image: their table, what it is filtered by, their attributes."""

from seginst_gui.panels.objects.panel import ObjectsPanel

__all__ = ["ObjectsPanel"]
