"""The history panel: the steps of the current image; a click goes back or forth to one."""

from datetime import datetime

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from seginst_core.project import HistoryStep
from seginst_gui.colours import tone_colour
from seginst_gui.icons import paint_icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import empty_label
from seginst_gui.panels.texts import moment
from seginst_gui.session import Session

Index = QModelIndex | QPersistentModelIndex
SENTENCE_NO_STEPS = later("Every change of this image will be listed here, and can be taken back.")
UNTOUCHED = later("Untouched")
TIME_ROLE = Qt.ItemDataRole.UserRole
OFFSET_ROLE = TIME_ROLE + 1
"""How many steps a row is from where the image is now: below 0 to undo, above 0 to redo."""
_BLOCK = 64
"""So many steps are read at a time."""


class HistoryPanel(QWidget):
    """``step_wanted(n)`` asks to undo (below zero) or redo so many steps."""

    step_wanted = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._steps = HistorySteps(session, self)
        self._list = _List()
        self._list.setModel(self._steps)
        self._list.setItemDelegate(_StepDelegate(self._list))
        self._empty = empty_label(tr(SENTENCE_NO_STEPS))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._empty, 1)
        self._list.clicked.connect(self._go)
        self._list.entered_key.connect(self._go)
        for signal in (session.image_changed, session.project_changed):
            signal.connect(self._reload)
        session.instances_changed.connect(self._update)
        self._reload()

    def _reload(self) -> None:
        self._steps.reload()
        self._show()

    def _update(self) -> None:
        self._steps.follow()
        self._show()

    def _show(self) -> None:
        there = self._steps.rowCount() > 0
        self._list.setVisible(there)
        self._empty.setVisible(not there)
        if there:
            here = self._steps.index(self._steps.n_done, 0)
            self._list.setCurrentIndex(here)
            self._list.scrollTo(here)

    def _go(self, index: QModelIndex) -> None:
        n = index.data(OFFSET_ROLE)
        if n:
            self.step_wanted.emit(n)


class HistorySteps(QAbstractTableModel):
    """The image as it was at first, then one row a step, undone ones last.

    However many steps there are, only those that somebody looks at are read.
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[int, HistoryStep] = {}
        self._n_steps = 0
        self.n_done = 0

    def reload(self) -> None:
        """Show the history of the image that is open now."""
        self.beginResetModel()
        self._known.clear()
        self._n_steps, self.n_done = self._size()
        self.endResetModel()

    def follow(self) -> None:
        """Show a step that was made, undone or done again."""
        n_before, (n_steps, n_done) = self.rowCount(), self._size()
        n_rows = n_steps + 1 if n_steps else 0
        if not n_before or not n_rows:
            self.reload()
            return
        # Up to the steps done before and after, the history is what it was.
        stays = min(self.n_done, n_done)
        self._known = {number: step for number, step in self._known.items() if number <= stays}
        none = QModelIndex()
        if n_rows > n_before:
            self.beginInsertRows(none, n_before, n_rows - 1)
            self._n_steps, self.n_done = n_steps, n_done
            self.endInsertRows()
        elif n_rows < n_before:
            self.beginRemoveRows(none, n_rows, n_before - 1)
            self._n_steps, self.n_done = n_steps, n_done
            self.endRemoveRows()
        self._n_steps, self.n_done = n_steps, n_done
        self.dataChanged.emit(self.index(0, 0), self.index(n_rows - 1, 0))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many steps there are, and one for the untouched image."""
        return 0 if parent.isValid() or not self._n_steps else self._n_steps + 1

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return 1."""
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a row says."""
        if not index.isValid():
            return None
        row = index.row()
        step = self._step(row) if row else None
        offset = row - self.n_done
        if role == Qt.ItemDataRole.DisplayRole:
            return step.text if step else tr(UNTOUCHED)
        if role == TIME_ROLE:
            return moment(step.made_at, datetime.now().astimezone()) if step else ""
        if role == OFFSET_ROLE:
            return offset
        if role == Qt.ItemDataRole.ToolTipRole:
            if offset == 0:
                return tr("Where the image is now")
            return (
                tr("Undone; click to do it again") if offset > 0 else tr("Click to go back to here")
            )
        return None

    def _size(self) -> tuple[int, int]:
        project, image = self._session.project, self._session.image
        return project.history_size(image.id) if project and image else (0, 0)

    def _step(self, number: int) -> HistoryStep | None:
        project, image = self._session.project, self._session.image
        if number not in self._known and project and image:
            first = number - number % _BLOCK
            steps = project.history(image.id, first, first + _BLOCK - 1)
            self._known |= {step.step: step for step in steps}
        return self._known.get(number)


class _List(QTableView):
    """A table, not a list: a list lays out all of its rows anew whenever there is one more."""

    entered_key = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("history")
        self.setAccessibleName(tr("History"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered_key.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class _StepDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        offset: int = index.data(OFFSET_ROLE)
        panel = QStyle.PrimitiveElement.PE_PanelItemViewItem
        option.widget.style().drawPrimitive(panel, option, painter, option.widget)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        plain = option.palette.color(role)
        dim = plain if selected else tone_colour("dim")
        area = option.rect.adjusted(6, 0, -8, 0)
        painter.save()
        if offset == 0:
            paint_icon(painter, QRect(area.left(), area.center().y() - 8, 18, 18), "current", plain)
        text_area = area.adjusted(22, 0, 0, 0)
        font = option.font
        painter.setFont(font)
        painter.setPen(dim)
        time: str = index.data(TIME_ROLE)
        painter.drawText(area, _middle(Qt.AlignmentFlag.AlignRight), time)
        text_area.setRight(area.right() - painter.fontMetrics().horizontalAdvance(time) - 8)
        font.setBold(offset == 0)
        # Not by colour alone: what is undone leans, too.
        font.setItalic(offset > 0)
        painter.setFont(font)
        painter.setPen(dim if offset > 0 else plain)
        right = Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(index.data(), right, text_area.width())
        painter.drawText(text_area, _middle(Qt.AlignmentFlag.AlignLeft), text)
        painter.restore()


def _middle(side: Qt.AlignmentFlag) -> Qt.AlignmentFlag:
    return side | Qt.AlignmentFlag.AlignVCenter
