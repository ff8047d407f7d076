"""What the canvas says in words: why there is no image, and what lies under the pointer."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter

from seginst_core.types import Instance
from seginst_gui.language import tr
from seginst_gui.session import PIPELINE_LETTERS, Session

_TITLE, _HINT = QColor(225, 225, 225), QColor(165, 165, 165)
_LABEL, _LABEL_GROUND = QColor(255, 255, 255), QColor(20, 22, 26, 215)
_LABEL_EDGE = QColor(255, 255, 255, 70)
_LABEL_PAD_PX = 6
_FROM_POINTER_PX = 16


def message(session: Session) -> tuple[str, str]:
    """Return a sentence and a hint below it, either may be empty."""
    if session.unreadable:
        return session.unreadable, tr("The other images are not affected.")
    if session.project is None:
        return (
            tr("Open a folder of images to begin"),
            tr("Press Open folder in the bar, or drop a folder here"),
        )
    if session.image_id is not None:
        path = session.entry(session.image_id).ref.path
        return tr("Opening {name}…").format(name=PurePosixPath(path).name), ""
    return tr("There are no images in this folder"), tr(
        "Put images into it, or open another folder"
    )


def paint_message(painter: QPainter, area: QRect, font: QFont, text: tuple[str, str]) -> None:
    """Paint a sentence and its hint in the middle of ``area``, wrapped to it."""
    title, hint = QFont(font), QFont(font)
    title.setPointSizeF(font.pointSizeF() * 1.5 if font.pointSizeF() > 0 else 15.0)
    inner = area.adjusted(32, 32, -32, -32)
    flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap)
    painter.setFont(title)
    above = painter.boundingRect(inner, flags, text[0])
    painter.setFont(hint)
    below = painter.boundingRect(inner, flags, text[1])
    gap = 10 if text[1] else 0
    top = inner.center().y() - (above.height() + gap + below.height()) // 2
    painter.setFont(title)
    painter.setPen(_TITLE)
    painter.drawText(QRect(inner.left(), top, inner.width(), above.height()), flags, text[0])
    painter.setFont(hint)
    painter.setPen(_HINT)
    top += above.height() + gap
    painter.drawText(QRect(inner.left(), top, inner.width(), below.height()), flags, text[1])


def object_label(session: Session, stack: Sequence[Instance]) -> str:
    """Return what the topmost of some objects is, and how many there are: ``plane · A 0.93``."""
    instance = stack[0]
    category = session.category_of(instance)
    parts = [
        category.name
        if category
        else tr("class {category_id}").format(category_id=instance.category_id)
    ]
    origin = instance.origin
    score = origin.score if instance.score is None else instance.score
    model = PIPELINE_LETTERS[origin.pipeline] if origin.pipeline else ""
    if model or score is not None:
        parts.append(
            " ".join((model or tr("score"), "" if score is None else f"{score:.2f}")).strip()
        )
    if origin.edited:
        parts.append(tr("edited"))
    if instance.mask is None:
        parts.append(tr("box"))
    if instance.id in session.locked:
        parts.append(tr("locked"))
    if len(stack) > 1:
        parts.append(tr("1 of {n}").format(n=len(stack)))
    return " · ".join(parts)


def label_area(text: str, pointer: QPoint, room: QRect, font: QFont) -> QRect:
    """Return where a label goes: below right of the pointer, or where there is room for it."""
    metrics = QFontMetrics(font)
    wide = metrics.horizontalAdvance(text) + 2 * _LABEL_PAD_PX
    high = metrics.height() + _LABEL_PAD_PX
    left = min(pointer.x() + _FROM_POINTER_PX, room.right() - wide)
    top = pointer.y() + _FROM_POINTER_PX
    if top + high > room.bottom():
        top = pointer.y() - _FROM_POINTER_PX // 2 - high
    return QRect(max(left, room.left()), top, wide, high)


def paint_label(painter: QPainter, text: str, area: QRect, font: QFont) -> None:
    """Paint a label."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # The edge keeps it a label on black ground, too.
    painter.setPen(_LABEL_EDGE)
    painter.setBrush(_LABEL_GROUND)
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(font)
    painter.setPen(_LABEL)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.restore()
