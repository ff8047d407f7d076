"""The command palette: type a part of an action's name, press Enter, and it is done."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_gui.language import tr

_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
ROOM_PX = 8
"""Above and below the text of a row."""
Rank = tuple[int, int, str]


class CommandPalette(QDialog):
    """Lists the actions that can be done now; ``chosen`` is the one to do."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Commands"))
        self.resize(460, 380)
        self.chosen: QAction | None = None
        self._actions = [action for action in actions if action.isEnabled()]
        self._field = QLineEdit()
        self._field.setPlaceholderText(tr("Type what you want to do"))
        self._field.setAccessibleName(tr("Command"))
        self._list = QTreeWidget()
        self._list.setAccessibleName(tr("Commands"))
        self._list.setColumnCount(2)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.addWidget(self._field)
        layout.addWidget(self._list)
        self._field.textChanged.connect(self._fill)
        self._field.returnPressed.connect(self._take)
        self._field.installEventFilter(self)
        self._list.itemActivated.connect(self._take)
        self._list.itemClicked.connect(self._take)
        self._fill("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the field keep the focus while arrow keys go through the list."""
        if (
            watched is self._field
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in _LIST_KEYS
        ):
            QApplication.sendEvent(self._list, event)
            return True
        return super().eventFilter(watched, event)

    def _fill(self, wanted: str) -> None:
        ranked = [(rank(wanted, _title(a), a.statusTip()), a) for a in self._actions]
        found = sorted(((r, a) for r, a in ranked if r is not None), key=lambda pair: pair[0])
        self._list.clear()
        for _, action in found:
            native = QKeySequence.SequenceFormat.NativeText
            row = QTreeWidgetItem([_title(action), action.shortcut().toString(native)])
            row.setIcon(0, action.icon())
            row.setSizeHint(0, QSize(0, self._list.fontMetrics().height() + ROOM_PX))
            row.setToolTip(0, action.statusTip())
            row.setData(0, Qt.ItemDataRole.UserRole, action)
            self._list.addTopLevelItem(row)
        self._list.setCurrentIndex(self._list.model().index(0, 0))

    def _take(self) -> None:
        row = self._list.currentItem()
        if row is not None:
            self.chosen = row.data(0, Qt.ItemDataRole.UserRole)
            self.accept()


def rank(wanted: str, title: str, tip: str) -> Rank | None:
    """Return how well an action answers, the best lowest; None if it does not.

    Best is the text within the title, then its letters in order, then the text within the tip.
    """
    text, name = "".join(wanted.casefold().split()), title.casefold()
    whole = name.replace(" ", "")
    if text in whole:
        return 0, whole.index(text), name
    place, start = -1, None
    for letter in text:
        place = whole.find(letter, place + 1)
        if place < 0:
            return (2, 0, name) if text in tip.casefold().replace(" ", "") else None
        start = place if start is None else start
    return 1, place - (start or 0), name


def run_palette(actions: Iterable[QAction], parent: QWidget) -> None:
    """Let the person pick an action, then do it, once the dialog is gone."""
    palette = CommandPalette(actions, parent)
    palette.exec()
    if palette.chosen is not None:
        palette.chosen.trigger()


def _title(action: QAction) -> str:
    return action.text().replace("&", "").rstrip("…")
