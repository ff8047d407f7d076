"""The main window: puts the parts together; ``wiring`` connects them."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QMimeData, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QGridLayout,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from seginst_core.images import SUFFIXES
from seginst_gui import settings
from seginst_gui.actions import make_actions
from seginst_gui.canvas.view import Canvas
from seginst_gui.commands import Commands
from seginst_gui.display.panel import DisplayPanel
from seginst_gui.jobs.predicting import Predictor
from seginst_gui.jobs.refreshing import Refresher
from seginst_gui.jobs.training import Trainer
from seginst_gui.language import tr
from seginst_gui.panels.categories import CategoriesPanel
from seginst_gui.panels.history import HistoryPanel
from seginst_gui.panels.images import ImagesPanel
from seginst_gui.panels.layers import LayersPanel
from seginst_gui.panels.learning.panel import TrainingPanel
from seginst_gui.panels.models import ModelsPanel
from seginst_gui.panels.objects import ObjectsPanel
from seginst_gui.review.keys import make_review_actions
from seginst_gui.session import Session
from seginst_gui.tools import TOOLS
from seginst_gui.widgets.menus import fill_menus, fill_toolbars
from seginst_gui.widgets.notice import Notice
from seginst_gui.widgets.status import StatusBar
from seginst_gui.widgets.tool_options import ToolOptions
from seginst_gui.wiring.actions import connect_actions
from seginst_gui.wiring.learner import Learner
from seginst_gui.wiring.learning import connect_learning
from seginst_gui.wiring.parts import connect_parts, show_project
from seginst_gui.wiring.review import connect_review, leave_review

if TYPE_CHECKING:
    from seginst_gui.review.page import ReviewPage


class MainWindow(QMainWindow):
    """One window on one project."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.resize(1440, 900)
        self.setAcceptDrops(True)
        self.session = Session(self)
        self.predictor = Predictor(self.session, self)
        self.trainer = Trainer(self.session, self)
        self.canvas = Canvas(self.session)
        self.notice = Notice()
        self.commands = Commands(
            self.session, self.canvas, self.predictor, self.trainer, self.notice, self
        )
        self.learner = Learner(self.commands, self.trainer)
        self.refresher = Refresher(
            self.session, self.trainer, lambda: self.commands.models.get("two-stage"), self
        )
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.actions_by_id = make_actions(self) | make_review_actions(self)
        self.tool_options = ToolOptions(self.actions_by_id["keep_apart"])
        centre = QWidget()
        grid = QGridLayout(centre)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        self.centre_layout = QVBoxLayout()
        self.centre_layout.addWidget(self.canvas)
        grid.addWidget(self.tool_options, 0, 0)
        grid.addLayout(self.centre_layout, 1, 0)
        # Over the options, not in a row of its own: else it moves the image under the hand whenever
        # it comes or goes, and a stroke with it.
        grid.addWidget(self.notice, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        self.setCentralWidget(centre)
        self.review_page: ReviewPage | None = None
        self.layout_before = QByteArray()
        """Where the panels were before the review."""
        self.tools = {name: entry.make(self.session) for name, entry in TOOLS.items()}
        self._make_docks()
        fill_toolbars(self, self.actions_by_id)
        fill_menus(self, self.actions_by_id, self.docks)
        connect_actions(self)
        connect_parts(self)
        connect_review(self)
        connect_learning(self)
        self._restore_layout()
        self.use_tool("select")
        self.canvas.setFocus()
        show_project(self)

    def use_tool(self, name: str) -> None:
        """Take a tool in hand."""
        self.canvas.set_tool(self.tools[name])
        if self.review_page is not None:
            self.review_page.set_tool(self.tools[name])
        self.actions_by_id[f"tool_{name}"].setChecked(True)
        self.status.show_hint(tr(TOOLS[name].hint))
        self.tool_options.show_tool(name, tr(TOOLS[name].label), self.tools[name])

    def take_back(self) -> bool:
        """Take back the last part of what a tool is drawing; return whether there was any."""
        page = self.review_page
        canvases = page.sides if page is not None else (self.canvas,)
        tool = canvases[0].tool
        done = tool is not None and tool.take_back()
        for canvas in canvases:
            canvas.refresh()
        return done

    # --- putting together ------------------------------------------------------------------

    def _make_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.images_panel = ImagesPanel(self.session)
        self.layers_panel = LayersPanel(self.session)
        self.display_panel = DisplayPanel(self.session)
        self.categories_panel = CategoriesPanel(self.session)
        self.objects_panel = ObjectsPanel(self.session)
        self.history_panel = HistoryPanel(self.session)
        self.models_panel = ModelsPanel(self.session)
        self.training_panel = TrainingPanel(self.session, self.refresher.every)
        self.docks = {
            name: self._dock(name, title, widget, area)
            for name, title, widget, area in (
                ("images", tr("Images"), self.images_panel, left),
                ("layers", tr("Layers"), self.layers_panel, right),
                ("display", tr("Display"), self.display_panel, right),
                ("categories", tr("Classes"), self.categories_panel, right),
                ("objects", tr("Objects"), self.objects_panel, right),
                ("history", tr("History"), self.history_panel, right),
                ("models", tr("Models"), self.models_panel, right),
                ("training", tr("Training"), self.training_panel, bottom),
            )
        }
        for name in ("history", "models"):
            self.tabifyDockWidget(self.docks["objects"], self.docks[name])
        self.tabifyDockWidget(self.docks["layers"], self.docks["display"])
        for name, dock in self.docks.items():
            dock.setVisible(name != "training")
        self.docks["layers"].raise_()
        self.docks["objects"].raise_()
        wide = [self.docks["images"], self.docks["layers"]]
        self.resizeDocks(wide, [270, 320], Qt.Orientation.Horizontal)
        high = [self.docks[name] for name in ("layers", "categories", "objects")]
        self.resizeDocks(high, [230, 190, 370], Qt.Orientation.Vertical)

    def _dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock_{name}")
        dock.setWidget(widget)
        # Until all are in their places: Qt leaves a tab bar behind wherever it regroups seen ones.
        dock.hide()
        self.addDockWidget(area, dock)
        return dock

    # --- Qt --------------------------------------------------------------------------------

    def _restore_layout(self) -> None:
        layout = settings.load_layout()
        if layout is not None:
            self.restoreGeometry(layout[0])
            self.restoreState(layout[1])
        # Below the panels on the right, a training would push a window of 900 pixels off the
        # screen. A layout says whose the corners are, so this comes after it.
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and images."""
        if _dropped(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the folder that was dropped, or show the image."""
        path = _dropped(event.mimeData())
        if path is None:
            return
        event.acceptProposedAction()
        if path.is_dir():
            self.commands.open_folder(path)
        elif not self._show_image(path) and self.commands.open_folder(path.parent):
            self._show_image(path)

    def _show_image(self, path: Path) -> bool:
        """Show an image of the open project; return whether it has it."""
        session, wanted = self.session, path.parent.resolve() / path.name
        folder = session.project.folder.resolve() if session.project is not None else Path()
        found = [e.ref.id for e in session.entries if folder / e.ref.path == wanted]
        if found:
            self.commands.attempt(lambda: session.open_image(found[0], beside=True))
        return bool(found)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout and end the workers; everything else is saved already."""
        leave_review(self, is_open=True)
        settings.save_layout(self.saveGeometry(), self.saveState())
        self.hide()
        self.predictor.stop()
        # Pauses a training under way, which the next start offers to resume.
        self.session.close()
        super().closeEvent(event)


def _dropped(data: QMimeData) -> Path | None:
    """Return the folder or image that is dragged; a link to a page is neither."""
    for path in (Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()):
        if path.is_dir() or (path.is_file() and path.suffix.lower() in SUFFIXES):
            return path
    return None
