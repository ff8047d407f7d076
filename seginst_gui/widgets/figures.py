"""A table of numbers that is only read, and shown whole: what is around it scrolls."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from seginst_core.review.report.style import COLOURS
from seginst_gui.colours import Tone, is_dark, tone_colour

Index = QModelIndex | QPersistentModelIndex
_LOOK = Qt.ItemDataRole.UserRole
NARROW_PX = 700
_SHORTEST_PX, _LONGEST_PX = 48, 130
_CORNER = "QTableCornerButton::section { border: 0; background: palette(window); }"
_ROOM_PX = 3
"""Left and right of what stands in a cell, as in the headers."""
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell with a number, perhaps in a tone, perhaps on a ``shade`` (0..1) of a side's colour."""

    text: str
    tone: Tone | None = None
    shade: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A cell with a text and what its tool tip says."""

    text: str
    tip: str


Cell = str | Text | Figure | QWidget
"""A text, a number, or a small chart."""


class Figures(QTableWidget):
    """Texts at left, numbers at right; ``wide`` is the column that takes what room there is.

    Where it is narrow, the ``spare`` columns are left out, and the first one takes the room.
    ``names`` are those of the rows; they stay where they are if the table scrolls sideways.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        wide: int | None = None,
        spare: Collection[int] = (),
        names: Sequence[str] = (),
    ) -> None:
        super().__init__(len(rows), len(columns))
        self._wide, self._spare = wide, spare
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setStyleSheet(_CORNER)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_Ruled(self) if wide is None else _Wrapped(self))
        self.verticalHeader().setVisible(bool(names))
        for place, name in enumerate(names):
            title = QTableWidgetItem(name)
            title.setToolTip(name)
            self.setVerticalHeaderItem(place, title)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            # Classes of one kind may begin alike or end alike.
            header.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().setMaximumWidth(_LONGEST_PX)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 3 * _ROOM_PX)
        titles = [QTableWidgetItem(text) for text in columns]
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                self._put(row, column, cell)
                titles[column].setTextAlignment(_RIGHT if isinstance(cell, Figure) else _LEFT)
        for column, title in enumerate(titles):
            title.setToolTip(title.text())
            self.setHorizontalHeaderItem(column, title)
        self._header = self.horizontalHeader()
        self._header.setSectionsClickable(False)
        self._header.setHighlightSections(False)
        self._header.setMinimumSectionSize(_SHORTEST_PX)
        self._header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        if names:
            self._header.setMaximumSectionSize(_LONGEST_PX)
        # A column's new width may let a text wrap; that is looked at once for all columns.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._fit)
        self._header.sectionResized.connect(lambda *_sizes: self._soon.start(0))
        self._arrange()

    def needed_width(self) -> int:
        """Return how wide the table is with every column as wide as what stands in it."""
        names = self.verticalHeader()
        for part in (self, self._header, names):
            part.ensurePolished()
        widths = [
            max(_SHORTEST_PX, self.sizeHintForColumn(k), self._header.sectionSizeHint(k))
            for k in range(self.columnCount())
        ]
        most = self._header.maximumSectionSize()
        beside = 0 if names.isHidden() else names.sizeHint().width()
        return sum(min(width, most) for width in widths) + beside

    def sizeHintForColumn(self, column: int) -> int:
        """Ask for some room at left and right."""
        return super().sizeHintForColumn(column) + 2 * _ROOM_PX

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the width there is, and stay as high as all rows are together."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        narrow = self.width() < NARROW_PX
        for column in self._spare:
            self.setColumnHidden(column, narrow)
        mode = QHeaderView.ResizeMode
        wide = 0 if narrow and self._spare else self._wide
        for column in () if self._wide is None else (0, self._wide):
            way = mode.Stretch if column == wide else mode.ResizeToContents
            self._header.setSectionResizeMode(column, way)
        self._fit()

    def _put(self, row: int, column: int, cell: Cell) -> None:
        item = QTableWidgetItem()
        if isinstance(cell, QWidget):
            self.setCellWidget(row, column, cell)
        elif isinstance(cell, Figure):
            item.setText(cell.text)
            item.setTextAlignment(_RIGHT)
            item.setData(_LOOK, cell)
        elif isinstance(cell, Text):
            item.setText(cell.text)
            item.setToolTip(cell.tip)
        else:
            item.setText(cell)
            item.setToolTip(cell)
        self.setItem(row, column, item)

    def _fit(self) -> None:
        if self._wide is not None:
            self.resizeRowsToContents()
        bar = self.horizontalScrollBar()
        under = bar.sizeHint().height() if bar.maximum() > 0 else 0
        rows = self.verticalHeader().length()
        self.setFixedHeight(self._header.sizeHint().height() + rows + under)


class _Ruled(QStyledItemDelegate):
    """Rules a line below each row; gives numbers the colours that the present theme has."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the ground and the line, and the text on them."""
        look, whole = index.data(_LOOK), option.rect
        if isinstance(look, Figure) and look.shade is not None:
            side, part = look.shade
            colour = QColor(COLOURS[side][is_dark()])
            # No stronger, so that the number can be read on it.
            colour.setAlphaF(part / 2)
            painter.fillRect(whole, colour)
        painter.setPen(option.palette.color(QPalette.ColorRole.Midlight))
        painter.drawLine(whole.bottomLeft(), whole.bottomRight())
        inner = _inside(option)
        if isinstance(look, Figure) and look.tone is not None:
            inner.palette.setColor(QPalette.ColorRole.Text, tone_colour(look.tone))
        super().paint(painter, inner, index)


class _Wrapped(_Ruled):
    """For texts that may wrap; a large table of numbers has no need to ask so much."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Ask for the height that a text has in the room it is painted in."""
        return super().sizeHint(_inside(option), index) + QSize(0, 4)


def _inside(option: QStyleOptionViewItem) -> QStyleOptionViewItem:
    inner = QStyleOptionViewItem(option)
    inner.rect = option.rect.adjusted(_ROOM_PX, 0, -_ROOM_PX, 0)
    return inner
