"""The object panel: every object of the current image, one row each."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from seginst_gui.language import later, tr
from seginst_gui.panels.labels import empty_label
from seginst_gui.panels.objects.attributes import AttributesView
from seginst_gui.panels.objects.filter import parse_filter
from seginst_gui.panels.objects.rows import AREA, CLASS, ORIGIN, SCORE, ObjectRows
from seginst_gui.panels.swatch import SWATCH_PX
from seginst_gui.panels.texts import count
from seginst_gui.session import Session

SENTENCE_NO_IMAGE = later("No image is open.")
SENTENCE_OPENING = later("The objects are being read…")
SENTENCE_ALL_FILTERED = later("No object is let through by the filter.")
SENTENCE_NO_OBJECTS = later("No objects yet: draw one, or accept what a model found.")
FILTER_TIP = later(
    "Words of the class, the origin (hand, A, B, import) or the attributes, and limits, such as "
    "plane area > 100 score < 0.5. Ctrl+A in the table selects what is shown."
)
_WIDEST = {AREA: later("box 9,999"), SCORE: later("Score"), ORIGIN: later("B, edited")}
_COLUMN_PAD_PX = 18


class ObjectsPanel(QWidget):
    """Table of objects; its selection is the session's, both ways."""

    object_activated = Signal(int)
    problem = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._syncing = False
        self._header = QLabel()
        self._header.setContentsMargins(8, 8, 8, 0)
        self._filter = QLineEdit()
        self._filter.setObjectName("object_filter")
        self._filter.setAccessibleName(tr("Filter of the objects"))
        self._filter.setPlaceholderText(tr("Filter: class, origin, area < 500, score < 0.6"))
        self._filter.setToolTip(tr(FILTER_TIP))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._take_filter)
        self._attributes = AttributesView(session)
        self._attributes.problem.connect(self.problem)
        self._rows = ObjectRows(session, self)
        self._table = _Table()
        self._table.setModel(self._rows)
        self._table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._table.setSortingEnabled(True)
        self._set_widths()
        self._empty = empty_label(tr(SENTENCE_NO_IMAGE))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._header)
        search = QHBoxLayout()
        search.setContentsMargins(6, 0, 6, 0)
        search.addWidget(self._filter)
        layout.addLayout(search)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._attributes, 1)
        self._table.doubleClicked.connect(self._activate)
        self._table.entered_key.connect(self._activate)
        self._table.all_wanted.connect(self._select_all)
        self._table.selectionModel().selectionChanged.connect(self._take_selection)
        session.image_changed.connect(self._reload)
        session.pixels_changed.connect(self._show_counts)
        session.categories_changed.connect(self._reload)
        session.instances_changed.connect(self._update)
        session.selection_changed.connect(self._show_selection)
        self._reload()

    def _set_widths(self) -> None:
        header = self._table.horizontalHeader()
        metrics = self._table.fontMetrics()
        header.setSectionResizeMode(CLASS, QHeaderView.ResizeMode.Stretch)
        for column, text in _WIDEST.items():
            header.resizeSection(column, metrics.horizontalAdvance(tr(text)) + _COLUMN_PAD_PX)
        row_px = metrics.height() + 8
        self._table.verticalHeader().setDefaultSectionSize(row_px)
        self._table.setMinimumHeight(2 * row_px)

    def _take_filter(self, text: str) -> None:
        with self._changing():
            self._rows.set_filter(parse_filter(text))
        self._show_selection()

    def _reload(self) -> None:
        with self._changing():
            self._rows.reload()
        self._show_selection()
        self._show_counts()

    def _update(self, ids: frozenset[int], _dirty: object) -> None:
        with self._changing():
            self._rows.update_objects(ids)
        self._show_selection()
        self._show_counts()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Rows that go or come change the table's selection, but not what the person selected."""
        self._syncing = True
        try:
            yield
        finally:
            self._syncing = False
        # Else it is done while painting, and all is painted twice.
        self._table.executeDelayedItemsLayout()

    def _show_selection(self) -> None:
        rows = self._rows.rows_of(self._session.selection)
        if rows == self._selected_rows():
            self._show_counts()
            return
        selection = QItemSelection()
        for first, last in _runs(rows):
            selection.select(self._rows.index(first, CLASS), self._rows.index(last, ORIGIN))
        with self._changing():
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self._table.selectionModel().select(selection, flag)
        if rows:
            index = self._rows.index(rows[0], CLASS)
            # Keeps arrow keys going on from here; the selection itself stays.
            with QSignalBlocker(self._table.selectionModel()):
                none = QItemSelectionModel.SelectionFlag.NoUpdate
                self._table.selectionModel().setCurrentIndex(index, none)
            self._table.scrollTo(index)
        self._show_counts()

    def _take_selection(self) -> None:
        if not self._syncing:
            self._session.select(self._rows.id_at(row) for row in self._selected_rows())

    def _selected_rows(self) -> list[int]:
        return sorted(index.row() for index in self._table.selectionModel().selectedRows())

    def _show_counts(self) -> None:
        n, n_selected = len(self._session.instances), len(self._session.selection)
        n_rows = self._rows.rowCount()
        said = [count(n, "object")]
        said += [tr("{n_rows:,} shown").format(n_rows=n_rows)] if n_rows < n else []
        said += [tr("{n_selected:,} selected").format(n_selected=n_selected)] if n_selected else []
        self._header.setText(", ".join(said))
        self._header.setVisible(n > 0)
        self._filter.setVisible(n > 0)
        self._table.setVisible(n_rows > 0)
        self._empty.setVisible(n_rows == 0)
        session = self._session
        if session.document is not None:
            empty = SENTENCE_ALL_FILTERED if n else SENTENCE_NO_OBJECTS
        else:
            comes = session.image_id is not None and not session.unreadable
            empty = SENTENCE_OPENING if comes else SENTENCE_NO_IMAGE
        self._empty.setText(tr(empty))

    def _select_all(self) -> None:
        """Select what the filter lets through, but what is locked or hidden."""
        shown = {self._rows.id_at(row) for row in range(self._rows.rowCount())}
        self._session.select(i.id for i in self._session.open_to_change if i.id in shown)

    def _activate(self, index: QModelIndex) -> None:
        self.object_activated.emit(self._rows.id_at(index.row()))


class _Table(QTableView):
    entered_key = Signal(QModelIndex)
    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Objects"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        # A third click on a column gives the order of drawing back.
        self.horizontalHeader().setSortIndicatorClearable(True)

    def event(self, event: QEvent) -> bool:
        # Else the window's shortcut would select also what the filter does not show.
        asked = event.type() == QEvent.Type.ShortcutOverride
        if asked and isinstance(event, QKeyEvent) and _is_all(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_all(event):
            self.all_wanted.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered_key.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


def _is_all(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.SelectAll)


def _runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of neighbours in ascending ``rows``."""
    first = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or rows[place] != rows[place - 1] + 1:
            yield rows[first], rows[place - 1]
            first = place
