"""Finds the texts of widgets that are not between the marks of a catalogue made for a test."""

import re
from collections.abc import Iterator

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSpinBox,
    QTabBar,
    QTableView,
    QTabWidget,
    QTextEdit,
    QTreeWidget,
    QWidget,
)

from seginst_core.models.detectron2 import NOT_INSTALLED
from seginst_core.review.faults.stages import FAULT_NAMES, FAULT_TEXTS
from seginst_core.review.objects.schema import KIND_NAMES, KIND_TEXTS
from seginst_gui.panels.labels import ElidedLabel
from seginst_gui.panels.texts import with_link

NAMES = re.compile(
    r"\w+\.png|images|plane|ship|two-stage|end-to-end|COCO JSON|YOLO segmentation|Pascal VOC"
    r"|labelme|Mask PNG|GrabCut|SegInst|px|RGB|CPU|GPU|Device|cpu|cuda|mps"
    r"|torchvision|detectron2|tiny|fast|accurate|first-"
)
"""Words that are nobody's to translate: of files, classes, formats, devices, models' settings."""
CORE = (
    *(*KIND_NAMES.values(), *KIND_TEXTS.values(), *FAULT_NAMES.values(), *FAULT_TEXTS.values()),
    *(name.lower() for name in FAULT_NAMES.values()),
    with_link(NOT_INSTALLED),
)
"""Sentences of the core, which are shown as they are."""
KEYS = re.compile(
    "Ctrl|Shift|Alt|Backspace|Return|Enter|Esc|Tab|PgUp|PgDown|Del|Down|Space"
    "|Strg|Umschalt|Rücktaste|Bild (auf|ab)wärts|Entf|Herunter|Hoch|Leertaste"
)
"""Qt gives them its own names in German."""


def texts_of(widget: QWidget) -> Iterator[str]:
    """Whatever a person may read, or be read, of one widget."""
    yield widget.toolTip()
    yield widget.accessibleName()
    yield widget.windowTitle()
    # What is cut stands whole in the tool tip.
    if isinstance(widget, QLabel | QAbstractButton) and not isinstance(widget, ElidedLabel):
        yield widget.text()
    if isinstance(widget, QLineEdit | QPlainTextEdit):
        yield widget.placeholderText()
    if isinstance(widget, QTextEdit | QPlainTextEdit):
        yield widget.toPlainText()
    if isinstance(widget, QSpinBox):
        yield widget.suffix()
    if isinstance(widget, QMenu):
        yield from (action.text() for action in widget.actions())
    if isinstance(widget, QTabWidget):
        yield from (widget.tabText(k) for k in range(widget.count()))
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(k) for k in range(widget.count()))
    if isinstance(widget, QTreeWidget):
        yield from (widget.headerItem().text(k) for k in range(widget.columnCount()))
        yield from (widget.headerItem().toolTip(k) for k in range(widget.columnCount()))
    if isinstance(widget, QTableView) and widget.model() is not None:
        across, shown = Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole
        for k in range(widget.model().columnCount()):
            yield str(widget.model().headerData(k, across, shown))
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        yield from rows_of(widget, QModelIndex())


def rows_of(view: QAbstractItemView, parent: QModelIndex) -> Iterator[str]:
    model = view.model()
    for row in range(model.rowCount(parent)):
        n_columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
        for column in range(n_columns):
            index = model.index(row, column, parent)
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                yield str(index.data(role) or "")
        yield from rows_of(view, model.index(row, 0, parent))


def is_marked(text: str, *others: str) -> bool:
    """Whether every word is between marks, a name, a key, of the core or of ``others``.

    Those are patterns.
    """
    rest = text
    # From the inside out, as a text may stand in another.
    while rest != (less := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)):
        rest = less
    core = sorted(map(re.escape, CORE), key=len, reverse=True)
    for known in (*others, *core, NAMES, KEYS):
        rest = re.sub(known, "", rest)
    return not re.search(r"[A-Za-z]{3,}", rest)


def is_qts(widget: QWidget) -> bool:
    """Whether Qt made a widget by itself, whose words are in Qt's catalogue."""
    return isinstance(widget.parent(), QTabBar)


def unmarked(part: QWidget, *others: str) -> set[str]:
    """The texts that hold a word which is neither between marks nor somebody else's."""
    widgets = [w for w in (part, *part.findChildren(QWidget)) if not is_qts(w)]
    return {text for w in widgets for text in texts_of(w) if not is_marked(text, *others)}
