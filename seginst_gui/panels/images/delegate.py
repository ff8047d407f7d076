"""How one row of the image list looks."""

from PySide6.QtCore import QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from seginst_core.project import ImageEntry
from seginst_gui.colours import Tone, tone_colour
from seginst_gui.icons import paint_icon
from seginst_gui.panels.images.rows import ENTRY_ROLE, Index, counts, state_name
from seginst_gui.panels.images.thumbnails import SIDE_PX, Thumbnails

_PAD_PX = 6
_GAP_PX = 10
_ICON_PX = 14
_TONES: dict[str, Tone] = {"todo": "dim", "draft": "busy", "done": "good", "missing": "bad"}


class ImageDelegate(QStyledItemDelegate):
    """Thumbnail, name, folder, state and counts; asks for a thumbnail only when it paints one."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the same size for every row."""
        del index
        lines_px = 3 * QFontMetrics(option.font).height()
        return QSize(200, max(SIDE_PX, lines_px) + 2 * _PAD_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        entry: ImageEntry = index.data(ENTRY_ROLE)
        option = QStyleOptionViewItem(option)
        painter.save()
        style = option.widget.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        inner = option.rect.adjusted(_PAD_PX, _PAD_PX, -_PAD_PX, -_PAD_PX)
        square = QRect(inner.topLeft(), QSize(SIDE_PX, SIDE_PX))
        square.moveTop(inner.center().y() - SIDE_PX // 2)
        self._paint_thumbnail(painter, square, entry, _dim(option))
        text = inner.adjusted(SIDE_PX + _GAP_PX, 0, 0, 0)
        _paint_text(painter, text, option, entry)
        painter.restore()

    def _paint_thumbnail(
        self, painter: QPainter, square: QRect, entry: ImageEntry, dim: QColor
    ) -> None:
        pixmap = None if entry.missing else self._thumbnails.get(entry.ref.id, entry.ref.path)
        if pixmap is None:
            broken = entry.missing or self._thumbnails.failed(entry.ref.id)
            painter.fillRect(square, QColor(128, 128, 128, 40))
            name = "image_missing" if broken else "image"
            side = SIDE_PX // 3
            middle = QRect(0, 0, side, side)
            middle.moveCenter(square.center())
            paint_icon(painter, middle, name, dim)
            return
        size = pixmap.size()
        if max(size.width(), size.height()) > SIDE_PX:
            size.scale(square.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(QPoint(), size)
        target.moveCenter(square.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, pixmap)


def _selected(option: QStyleOptionViewItem) -> bool:
    return bool(option.state & QStyle.StateFlag.State_Selected)


def _plain(option: QStyleOptionViewItem) -> QColor:
    role = QPalette.ColorRole.HighlightedText if _selected(option) else QPalette.ColorRole.Text
    return option.palette.color(role)


def _dim(option: QStyleOptionViewItem) -> QColor:
    return _plain(option) if _selected(option) else tone_colour("dim")


def _paint_text(
    painter: QPainter, area: QRect, option: QStyleOptionViewItem, entry: ImageEntry
) -> None:
    plain, dim = _plain(option), _dim(option)
    folder, _, name = entry.ref.path.rpartition("/")
    metrics = QFontMetrics(option.font)
    line = metrics.height()
    n_lines = 3 if folder else 2
    spare = max(0, area.height() - n_lines * line) // (n_lines + 1)
    top = area.top() + spare
    painter.setFont(option.font)
    middle = Qt.TextElideMode.ElideMiddle
    for text, colour in ((name, plain), (folder, dim)):
        if text:
            painter.setPen(colour)
            where = QRect(area.left(), top, area.width(), line)
            painter.drawText(where, 0, metrics.elidedText(text, middle, area.width()))
            top += line + spare
    state = "missing" if entry.missing else entry.state
    colour = plain if _selected(option) else tone_colour(_TONES[state])
    symbol = QRect(area.left(), top + (line - _ICON_PX) // 2, _ICON_PX, _ICON_PX)
    paint_icon(painter, symbol, state, colour)
    left = symbol.right() + 5
    painter.setPen(colour)
    painter.drawText(QRect(left, top, area.right() - left, line), 0, state_name(entry))
    left += metrics.horizontalAdvance(state_name(entry)) + _GAP_PX
    painter.setPen(dim)
    width = area.right() - left
    painter.drawText(QRect(left, top, width, line), 0, short_counts(entry, metrics, width))


def short_counts(entry: ImageEntry, metrics: QFontMetrics, width_px: int) -> str:
    """Return what fits of an image's counts: all, the first, its number alone, or nothing.

    Half a word helps nobody, and the tool tip has all of it.
    """
    whole = counts(entry)
    number = f"{entry.n_instances:,}" if entry.n_instances or not entry.n_predicted else ""
    texts = (whole, whole.partition(" · ")[0], number)
    return next((text for text in texts if metrics.horizontalAdvance(text) <= width_px), "")
