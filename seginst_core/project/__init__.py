"""A project: a folder of images with its annotations, their history and the models' answers."""

from seginst_core.project.catalogue import ImageEntry
from seginst_core.project.document import Document
from seginst_core.project.edits import (
    Change,
    Edit,
    add,
    change,
    dirty_rect,
    invert,
    painted,
    remove,
)
from seginst_core.project.history import HistoryStep
from seginst_core.project.store import Project

__all__ = [
    "Change",
    "Document",
    "Edit",
    "HistoryStep",
    "ImageEntry",
    "Project",
    "add",
    "change",
    "dirty_rect",
    "invert",
    "painted",
    "remove",
]
