"""Icons: glyphs of qtawesome's Material Design font, drawn in the colours of the palette.

Only the font and its character table are read. Importing qtawesome itself takes a quarter of a
second and loads twelve fonts, of which one is used here.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import QApplication

from seginst_gui.colours import Tone, tone_colour

ICONS: dict[str, str] = {
    # files and images
    "open_folder": "folder-open-outline",
    "next_image": "arrow-right",
    "previous_image": "arrow-left",
    "import_coco": "file-import-outline",
    "export_coco": "file-export-outline",
    "image": "image-outline",
    "image_missing": "image-off-outline",
    # states
    "todo": "circle-outline",
    "draft": "circle-slice-4",
    "done": "check-circle",
    "missing": "alert-circle-outline",
    "mark_done": "check-circle-outline",
    # edits
    "undo": "undo",
    "redo": "redo",
    "current": "menu-right",
    "add": "plus",
    "more_right": "chevron-double-right",
    "more_below": "chevron-double-down",
    "rename": "pencil-outline",
    "recolour": "palette-outline",
    "delete": "trash-can-outline",
    "select_all": "select-all",
    "copy": "content-copy",
    "paste": "content-paste",
    "duplicate": "content-duplicate",
    "copy_to_next": "page-next-outline",
    "lock": "lock-outline",
    "hide": "eye-off-outline",
    "solo": "eye-circle-outline",
    "show_all": "eye-outline",
    # tools
    "tool_select": "cursor-default-outline",
    "tool_brush": "brush",
    "tool_eraser": "eraser",
    "tool_polygon": "vector-polygon",
    "tool_box": "vector-square",
    "tool_wand": "magic-staff",
    "tool_reshape": "vector-curve",
    "tool_corners": "vector-polyline-edit",
    "tool_scissors": "content-cut",
    "tool_superpixel": "hexagon-multiple-outline",
    "tool_grabcut": "image-filter-center-focus",
    "tool_cut": "box-cutter",
    "keep_apart": "set-right",
    # shapes of objects
    "fill_holes": "format-color-fill",
    "smooth": "vector-curve",
    "grow": "arrow-expand-all",
    "shrink": "arrow-collapse-all",
    "merge": "vector-union",
    "subtract": "vector-difference",
    "split_parts": "call-split",
    # models
    "predict_image": "creation",
    "predict_all": "image-multiple-outline",
    "accept": "check-bold",
    "accept_all": "check-all",
    "fine_tune": "school-outline",
    "review": "compare",
    "review_report": "chart-box-outline",
    "next_case": "chevron-down",
    "previous_case": "chevron-up",
    "confirm_case": "check-bold",
    "take_a": "alpha-a-box-outline",
    "take_b": "alpha-b-box-outline",
    "redraw_in_b": "vector-square-edit",
    "a_with_b_class": "tag-outline",
    "unite": "vector-union",
    "intersect": "vector-intersection",
    "draw_case": "brush",
    "not_object": "close-circle-outline",
    # display
    "show_minimap": "map-outline",
    "pixel_grid": "grid",
    "next_colouring": "palette-swatch-outline",
    "reset_tone": "brightness-auto",
    "model": "cube-outline",
    "add_model": "folder-plus-outline",
    "in_use": "check-bold",
    "cancel_job": "stop-circle-outline",
    "pause_training": "pause-circle-outline",
    "pause": "pause-circle-outline",
    "resume": "play-circle-outline",
    "better": "arrow-up-bold",
    "worse": "arrow-down-bold",
    "go_back": "history",
    "note": "note-edit-outline",
    # view
    "zoom_in": "magnify-plus-outline",
    "zoom_out": "magnify-minus-outline",
    "fit": "fit-to-page-outline",
    "actual_size": "numeric-1-box-outline",
    "search": "magnify",
    # the rest
    "command_palette": "console-line",
    "shortcuts": "keyboard-outline",
    "information": "information-outline",
    "problem": "alert-circle-outline",
}

_FONT = "materialdesignicons6-webfont"
# Glyphs fill their em square; a little air keeps their edges inside the icon.
_FILL = 0.92


@cache
def icon(name: str, tone: Tone | None = None) -> QIcon:
    """Return the icon of that name in ICONS, in the colour of texts or of a ``tone``."""
    return QIcon(_Glyph(_characters()[ICONS[name]], tone))


def paint_icon(painter: QPainter, rect: QRect, name: str, colour: QColor) -> None:
    """Draw the icon of that name, as large as ``rect``, in one colour."""
    _paint(painter, rect, _characters()[ICONS[name]], colour)


class _Glyph(QIconEngine):
    def __init__(self, character: str, tone: Tone | None) -> None:
        super().__init__()
        self._character, self._tone = character, tone

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        del state
        _paint(painter, rect, self._character, self._shade(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def _shade(self, mode: QIcon.Mode) -> QColor:
        palette = QApplication.palette()
        if mode == QIcon.Mode.Disabled:
            return palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
        if mode == QIcon.Mode.Selected:
            return palette.color(QPalette.ColorRole.HighlightedText)
        if self._tone is not None:
            return tone_colour(self._tone)
        return palette.color(QPalette.ColorRole.ButtonText)


def _paint(painter: QPainter, rect: QRect, character: str, colour: QColor) -> None:
    font = QFont(_family())
    font.setPixelSize(max(1, round(_FILL * min(rect.width(), rect.height()))))
    painter.save()
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
    painter.restore()


@cache
def _family() -> str:
    """Load the font, once the application is there, and return its family."""
    number = QFontDatabase.addApplicationFont(str(_file(".ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0]


@cache
def _characters() -> dict[str, str]:
    """Return the character of each glyph that ICONS names."""
    table: dict[str, str] = json.loads(_file(".json").read_text(encoding="utf-8"))
    return {glyph: chr(int(table[glyph], 16)) for glyph in ICONS.values()}


def _file(suffix: str) -> Path:
    spec = find_spec("qtawesome")
    assert spec is not None, "qtawesome is a dependency"
    assert spec.origin is not None
    return next((Path(spec.origin).parent / "fonts").glob(f"{_FONT}*{suffix}"))
