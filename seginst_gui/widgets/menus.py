"""Menus and toolbars: which action stands where."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QDockWidget, QMainWindow, QToolBar, QToolButton

from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.review.keys import REVIEW_ACTIONS
from seginst_gui.tools import TOOLS

MENUS: Mapping[str, tuple[str, ...]] = {
    later("&File"): ("open_folder", "", "import_coco", "export_coco", "save", "", "quit"),
    later("&Edit"): (
        "undo",
        "redo",
        "",
        "copy",
        "paste",
        "duplicate",
        "copy_to_next",
        "delete",
        "",
        "select_all",
        "deselect",
        "next_object",
    ),
    later("&Object"): (
        "fill_holes",
        "smooth",
        "grow",
        "shrink",
        "",
        "merge",
        "subtract",
        "split_parts",
        "",
        "lock",
        "hide",
        "solo",
        "show_all",
    ),
    later("&Image"): ("previous_image", "next_image", "next_todo", "", "mark_done"),
    later("&Model"): (
        "predict_image",
        "predict_all",
        "cancel_job",
        "",
        "accept",
        "accept_all",
        "accept_all_b",
        "",
        "fine_tune",
        "pause_training",
    ),
    later("&Review"): ("review", "review_report", "", *REVIEW_ACTIONS),
    later("&Tools"): (
        *(f"tool_{name}" for name in TOOLS),
        "",
        "keep_apart",
        "",
        "larger",
        "smaller",
    ),
    later("&View"): (
        "zoom_in",
        "zoom_out",
        "fit",
        "actual_size",
        "",
        "show_annotation",
        "show_a",
        "show_b",
        "",
        "show_minimap",
        "pixel_grid",
        "next_colouring",
        "reset_tone",
        "",
    ),
    later("&Help"): ("command_palette", "shortcuts", "about"),
}
_TOP_BAR = (
    "open_folder",
    "",
    "previous_image",
    "next_image",
    "mark_done",
    "",
    "undo",
    "redo",
    "delete",
    "",
    "predict_image",
    "predict_all",
    "accept",
    "accept_all",
    "",
    "review",
    "fine_tune",
    "export_coco",
)
_WORDED = (
    *("open_folder", "mark_done", "predict_image", "accept_all"),
    *("review", "fine_tune", "export_coco"),
)
"""What a newcomer has to find carries its name in the bar."""


def fill_menus(
    window: QMainWindow, actions: Mapping[str, QAction], docks: Mapping[str, QDockWidget]
) -> None:
    """Put the actions into the menu bar, and panels, bars and themes into View."""
    for title, names in MENUS.items():
        menu = window.menuBar().addMenu(tr(title))
        for name in names:
            if name:
                menu.addAction(actions[name])
            else:
                menu.addSeparator()
        if title == "&View":  # the source text, whatever the language
            panels = menu.addMenu(tr("Panels"))
            for dock in docks.values():
                panels.addAction(dock.toggleViewAction())
            for bar in window.findChildren(QToolBar):
                panels.addAction(bar.toggleViewAction())
            themes = menu.addMenu(tr("Theme"))
            group = QActionGroup(window)
            for name in ("theme_system", "theme_light", "theme_dark"):
                group.addAction(actions[name])
                themes.addAction(actions[name])


def fill_toolbars(window: QMainWindow, actions: Mapping[str, QAction]) -> None:
    """Put what is used most into the bar at the top, and the tools into the one at the left."""
    top = _bar(window, "main", tr("Main bar"), Qt.ToolBarArea.TopToolBarArea)
    for name in _TOP_BAR:
        if not name:
            top.addSeparator()
            continue
        _add(top, actions[name], worded=name in _WORDED)
    side = _bar(window, "tools", tr("Tools"), Qt.ToolBarArea.LeftToolBarArea)
    group = QActionGroup(window)
    for name in TOOLS:
        action = actions[f"tool_{name}"]
        group.addAction(action)
        _add(side, action)
    side.addSeparator()
    for name in ("fit", "actual_size"):
        _add(side, actions[name])


def _bar(window: QMainWindow, name: str, title: str, area: Qt.ToolBarArea) -> QToolBar:
    bar = QToolBar(title)
    bar.setObjectName(f"bar_{name}")
    bar.setMovable(False)
    bar.setIconSize(QSize(20, 20))
    window.addToolBar(area, bar)
    # Qt's own is black, whatever the theme.
    for more in bar.findChildren(QToolButton, "qt_toolbar_ext_button"):
        flat = bar.orientation() == Qt.Orientation.Horizontal
        more.setIcon(icon("more_right" if flat else "more_below"))
        more.setAccessibleName(tr("More"))
        more.setToolTip(tr("What the bar has no room for"))
    return bar


def _add(bar: QToolBar, action: QAction, *, worded: bool = False) -> None:
    """Add a button for an action; of a fixed size, if it is an icon alone.

    A bar that holds the action itself, or a button that may grow, has Qt lay the whole window out
    anew whenever the action changes: after every undo, for one.
    """
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setIconSize(bar.iconSize())
    bar.addWidget(button)
    if worded:
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    else:
        button.ensurePolished()
        button.setFixedSize(button.sizeHint())
