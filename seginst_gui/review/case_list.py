"""The list of cases: two lines each, under headings where they are grouped."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from seginst_core.review.faults.stages import FAULT_NAMES, FAULT_TEXTS, Fault
from seginst_core.review.objects.arrange import Group
from seginst_core.review.objects.schema import KIND_NAMES, KIND_TEXTS, Kind, ObjectCase
from seginst_core.types import PipelineName
from seginst_gui.canvas.looks import PIPELINE_COLOURS
from seginst_gui.colours import Tone, tone_colour
from seginst_gui.icons import paint_icon
from seginst_gui.language import tr

Index = QModelIndex | QPersistentModelIndex
Row = ObjectCase | str
"""A case, or the heading of those below it."""
CASE_ROLE = Qt.ItemDataRole.UserRole + 1
_PAD_PX = 10
_BADGE_PX = 46

TONES: dict[Kind, Tone] = {
    "agree": "dim",
    "masks_differ": "busy",
    "classes_differ": "bad",
    "a_alone": "busy",
    "b_alone": "busy",
    "both_right": "good",
    "a_only": "busy",
    "b_only": "busy",
    "both_poor": "bad",
    "wrong_class": "bad",
    "missed": "bad",
    "duplicate": "busy",
    "false_a": "bad",
    "false_b": "bad",
    "false_both": "bad",
}


class CaseRows(QAbstractListModel):
    """The listed cases in order, with a heading above each group that has one."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._places: dict[tuple[int | str | None, ...], int] = {}

    def show(self, groups: Sequence[Group]) -> None:
        """Take other cases."""
        rows: list[Row] = []
        for group in groups:
            if group.title:
                n = len(group.cases)
                rows.append(f"{group.title}  ·  {n:,}")
            rows += group.cases
        # The same rows with other facts in them leave the list where it was scrolled to.
        same = [_key(row) for row in rows] == [_key(row) for row in self._rows]
        if same:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self._places = {r.key: k for k, r in enumerate(rows) if isinstance(r, ObjectCase)}
        self.endResetModel()

    def row(self, place: int) -> Row:
        """Return what a row holds."""
        return self._rows[place]

    def place_of(self, case: ObjectCase | None) -> int | None:
        """Return the row of a case, if it is listed."""
        return None if case is None else self._places.get(case.key)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let cases be chosen, headings not."""
        if not index.isValid() or isinstance(self._rows[index.row()], str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's words, or the row itself."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == CASE_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row if isinstance(row, str) else KIND_NAMES[row.kind]
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(row, ObjectCase):
            return _tip(row)
        return None


class CaseList(QListView):
    """Shows the cases; a click asks for one, and letters belong to the review's keys."""

    case_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("case_list")
        self.setAccessibleName(tr("Cases"))
        self.rows = CaseRows(self)
        self.setModel(self.rows)
        self.setItemDelegate(_CaseDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMouseTracking(True)
        self.clicked.connect(self._on_clicked)

    def show_focus(self, case: ObjectCase | None) -> None:
        """Mark the case in focus and bring it into view."""
        place = self.rows.place_of(case)
        if place is None:
            self.clearSelection()
            return
        index = self.rows.index(place)
        self.setCurrentIndex(index)
        seen = self.viewport().rect().contains(self.visualRect(index))
        if not seen:
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go up and down with the arrow keys; all other keys are the review's."""
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
            self._on_clicked(self.currentIndex())
        else:
            event.ignore()

    def _on_clicked(self, index: QModelIndex) -> None:
        row = index.data(CASE_ROLE)
        if isinstance(row, ObjectCase):
            self.case_wanted.emit(row)


class _CaseDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = 1 if isinstance(index.data(CASE_ROLE), str) else 2
        return QSize(200, lines * option.fontMetrics.height() + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = index.data(CASE_ROLE)
        rect: QRect = option.rect
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, str):
            _paint_heading(painter, rect, palette, row)
        elif isinstance(row, ObjectCase):
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            hover = bool(state & QStyle.StateFlag.State_MouseOver)
            _paint_case(painter, rect, palette, row, chosen=chosen, hover=hover)
        painter.restore()


def _paint_heading(painter: QPainter, rect: QRect, palette: QPalette, text: str) -> None:
    painter.fillRect(rect, palette.color(QPalette.ColorRole.Window))
    painter.setPen(tone_colour("dim"))
    font = painter.font()
    font.setBold(True)
    painter.setFont(font)
    room = rect.adjusted(_PAD_PX, 0, -_PAD_PX, 0)
    middle = Qt.TextElideMode.ElideMiddle
    text = painter.fontMetrics().elidedText(text, middle, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), text)


def _paint_case(
    painter: QPainter,
    rect: QRect,
    palette: QPalette,
    case: ObjectCase,
    *,
    chosen: bool,
    hover: bool,
) -> None:
    role = QPalette.ColorRole
    if chosen:
        painter.fillRect(rect, palette.color(role.Highlight))
    elif hover:
        painter.fillRect(rect, palette.color(role.AlternateBase))
    ink = palette.color(role.HighlightedText if chosen else role.Text)
    soft = ink if chosen else tone_colour("dim")
    strip = QRectF(rect.left(), rect.top() + 4, 4, rect.height() - 8)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tone_colour(TONES[case.kind]))
    painter.drawRoundedRect(strip, 2, 2)
    high = painter.fontMetrics().height()
    left = rect.left() + 4 + _PAD_PX
    right = rect.right() - _PAD_PX - 2 * _BADGE_PX - 4
    above = QRect(left, rect.top() + 6, right - left, high)
    below = QRect(left, rect.top() + 8 + high, right - left, high)
    if case.settled:
        paint_icon(painter, QRect(left, above.top() + 1, high - 2, high - 2), "done", soft)
        above.setLeft(left + high + 4)
    font = painter.font()
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(above, int(Qt.AlignmentFlag.AlignVCenter), KIND_NAMES[case.kind])
    font.setBold(False)
    painter.setFont(font)
    painter.setPen(soft)
    elide = Qt.TextElideMode.ElideRight
    why = painter.fontMetrics().elidedText(_why(case), elide, below.width())
    painter.drawText(below, int(Qt.AlignmentFlag.AlignVCenter), why)
    for number, (pipeline, there, value, fault) in enumerate(_sides(case)):
        x = rect.right() - _PAD_PX - (2 - number) * _BADGE_PX - (1 - number) * 4
        area = QRect(x, rect.top() + 6, _BADGE_PX, rect.height() - 12)
        shade = ink if there else soft
        if fault is not None and not chosen:
            shade = tone_colour("bad")
        _paint_badge(painter, area, pipeline, _number(there, value), shade)


def _paint_badge(
    painter: QPainter,
    area: QRect,
    pipeline: PipelineName,
    text: str,
    shade: QColor,
) -> None:
    """Paint what one side reached: its number over a bar in its colour."""
    painter.setPen(shade)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), text)
    bar = QRectF(area.left() + 4, area.bottom() - 5, area.width() - 8, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    colour = QColor(*PIPELINE_COLOURS[pipeline])
    if text == "–":
        colour.setAlpha(50)
    painter.setBrush(colour)
    painter.drawRoundedRect(bar, 2, 2)


def _sides(
    case: ObjectCase,
) -> tuple[tuple[PipelineName, bool, float | None, Fault | None], ...]:
    value_a = case.iou_a if case.truth_id is not None else case.score_a
    value_b = case.iou_b if case.truth_id is not None else case.score_b
    return (
        ("two-stage", case.a_id is not None, value_a, case.fault_a),
        ("end-to-end", case.b_id is not None, value_b, case.fault_b),
    )


def _number(there: bool, value: float | None) -> str:
    return f"{value:.2f}" if there and value is not None else "–"


def _why(case: ObjectCase) -> str:
    faults = [
        f"{letter}: {FAULT_NAMES[fault].lower()}"
        for letter, fault in (("A", case.fault_a), ("B", case.fault_b))
        if fault in ("box", "mask", "class")
    ]
    return ", ".join((*faults, *case.why)) or tr("nothing speaks against it")


def _tip(case: ObjectCase) -> str:
    lines = [KIND_TEXTS[case.kind]]
    for letter, fault in (("A", case.fault_a), ("B", case.fault_b)):
        if fault is not None:
            lines.append(f"{letter}, {FAULT_NAMES[fault].lower()}: {FAULT_TEXTS[fault]}")
    if case.why:
        lines.append(
            tr("Worth a look ({worth:.2f}): {reasons}.").format(
                worth=case.worth, reasons=", ".join(case.why)
            )
        )
    if case.settled:
        lines.append(tr("A person has decided this case."))
    return "\n".join(lines)


def _key(row: Row) -> object:
    return row if isinstance(row, str) else row.key
