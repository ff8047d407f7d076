"""The model panel: what there is, what each model is and how well it does, and which is in use."""

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QTabWidget,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_core import library
from seginst_core.errors import SegInstError, plain
from seginst_core.library import LibraryModel, Place
from seginst_core.types import PIPELINES, PipelineName
from seginst_gui.colours import tone_colour
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.learning.model_history import ModelHistory
from seginst_gui.panels.model_facts import facts_html, lineage
from seginst_gui.session import PIPELINE_LETTERS, Session

PLACES: dict[Place, tuple[str, str]] = {
    "project": (later("project"), later("this project")),
    "user": (later("yours"), later("your models")),
    "starter": (later("starter"), later("SegInst itself")),
}
"""In the list, and in a sentence."""
_FOLDER = Qt.ItemDataRole.UserRole
_NAME, _PLACE, _AP = range(3)
_ROW_PAD_PX = 8
_LEAST_FACTS_PX = 30


class ModelsPanel(QWidget):
    """``model_chosen(pipeline, folder)`` asks to use a model for its own pipeline."""

    model_chosen = Signal(str, str)
    problem = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._used: dict[PipelineName, Path | None] = {}
        self._models: dict[str, LibraryModel] = {}
        self._rows: list[QTreeWidgetItem] = []
        self._page = ""
        self._tree = self._make_tree()
        self._facts = QTextBrowser()
        self._facts.setObjectName("model_facts")
        self._facts.setAccessibleName(tr("About the model"))
        self._facts.setFrameShape(QFrame.Shape.NoFrame)
        self._facts.document().setDocumentMargin(8)
        self._facts.setMinimumHeight(_LEAST_FACTS_PX)
        self._use_button = QPushButton(tr("Use"))
        self._use_button.setObjectName("use_model")
        self._use_button.clicked.connect(self._use)
        self._add_button = QPushButton(icon("add_model"), tr("Add model"))
        self._add_button.setObjectName("add_model")
        self._add_button.setToolTip(tr("Copy a model into your models"))
        ways = QMenu(self._add_button)
        ways.addAction(tr("A model directory…"), self._add_directory)
        ways.addAction(tr("A detectron2 model…"), self._add_detectron2)
        self._add_button.setMenu(ways)
        self._remove_button = QPushButton(icon("delete"), tr("Remove"))
        self._remove_button.setObjectName("remove_model")
        self._remove_button.clicked.connect(self._remove)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 6, 8, 8)
        for button in (self._use_button, self._add_button, self._remove_button):
            buttons.addWidget(button)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._tree)
        split.addWidget(self._facts)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        models = QWidget()
        column = QVBoxLayout(models)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(split, 1)
        column.addLayout(buttons)
        self.history = ModelHistory(session)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.addTab(models, tr("Library"))
        self._tabs.addTab(self.history, tr("Lineage"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._tabs)
        self._on_current()

    def refresh(self) -> None:
        """Read the library anew; ``problem`` names each directory that holds no readable model."""
        project = self._session.project
        chosen = self._current_folder()
        listing = library.list_models(project.folder if project else None)
        self._models = {str(model.folder): model for model in listing.models}
        self._rows = []
        self._tree.clear()
        for pipeline in PIPELINES:
            group = self._group(pipeline)
            for model in listing.models:
                if model.card.pipeline == pipeline:
                    self._rows.append(self._row(model))
                    group.addChild(self._rows[-1])
        self._mark_used()
        self._select(chosen)
        self.history.refresh()
        for note in listing.notes:
            self.problem.emit(note)

    def show_history(self) -> None:
        """Show which models were live."""
        self._tabs.setCurrentWidget(self.history)

    def set_used(self, pipeline: PipelineName, folder: Path | None) -> None:
        """Mark the model that a pipeline uses."""
        if self._used.get(pipeline) != folder:
            self._used[pipeline] = folder
            self._mark_used()

    def changeEvent(self, event: QEvent) -> None:
        """Write the page anew in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._on_current()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setObjectName("models")
        tree.setAccessibleName(tr("Models"))
        tree.setHeaderLabels([tr("Model"), tr("From"), tr("Mask AP")])
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setRootIsDecorated(False)
        tree.setIndentation(10)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_PLACE, _AP):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        tree.currentItemChanged.connect(self._on_current)
        tree.itemDoubleClicked.connect(lambda _item: self._use())
        return tree

    def _group(self, pipeline: PipelineName) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self._tree, [f"{PIPELINE_LETTERS[pipeline]} · {pipeline}"])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setFirstColumnSpanned(True)
        group.setExpanded(True)
        self._set_height(group)
        font = group.font(_NAME)
        font.setBold(True)
        group.setFont(_NAME, font)
        return group

    def _row(self, model: LibraryModel) -> QTreeWidgetItem:
        ap = model.card.scores.get("segm_AP")
        short, at_length = PLACES[model.place]
        row = QTreeWidgetItem([model.name, tr(short), "–" if ap is None else f"{ap:.2f}"])
        row.setData(_NAME, _FOLDER, str(model.folder))
        row.setTextAlignment(_AP, Qt.AlignmentFlag.AlignCenter)
        names = ", ".join(category.name for category in model.card.categories)
        row.setToolTip(
            _NAME,
            tr("{name}: finds {classes}; from {place}").format(
                name=model.name, classes=names, place=tr(at_length)
            ),
        )
        self._set_height(row)
        return row

    def _set_height(self, row: QTreeWidgetItem) -> None:
        row.setSizeHint(_NAME, QSize(0, self._tree.fontMetrics().height() + _ROW_PAD_PX))

    def _mark_used(self) -> None:
        used = {str(folder) for folder in self._used.values() if folder is not None}
        for row in self._rows:
            in_use = row.data(_NAME, _FOLDER) in used
            row.setIcon(_NAME, icon("in_use") if in_use else icon("model", "dim"))
            font = row.font(_NAME)
            font.setBold(in_use)
            row.setFont(_NAME, font)
        self._on_current()

    def _select(self, folder: str) -> None:
        """Select the model in a folder, else the first."""
        for row in sorted(self._rows, key=lambda row: row.data(_NAME, _FOLDER) != folder)[:1]:
            self._tree.setCurrentItem(row)

    def _current_folder(self) -> str:
        row = self._tree.currentItem()
        return str(row.data(_NAME, _FOLDER) or "") if row else ""

    def _on_current(self) -> None:
        model = self._models.get(self._current_folder())
        dim = tone_colour("dim").name()
        page = ""
        if model is not None:
            ancestors = lineage(model, list(self._models.values()))
            page = facts_html(model, tr(PLACES[model.place][1]), dim, ancestors)
        if page != self._page:
            self._page = page
            self._facts.setHtml(page)
        in_use = model is not None and self._used.get(model.card.pipeline) == model.folder
        letter = PIPELINE_LETTERS[model.card.pipeline] if model else ""
        use = tr("In use for {letter}") if in_use else tr("Use for {letter}")
        self._use_button.setText(use.format(letter=letter).strip())
        open_project = self._session.project is not None
        self._use_button.setEnabled(model is not None and not in_use and open_project)
        starter = model is not None and model.place == "starter"
        self._remove_button.setEnabled(model is not None and not starter)
        self._remove_button.setToolTip(
            tr("Starter models come with SegInst and stay")
            if starter
            else tr("Delete the model's files")
        )

    def _use(self) -> None:
        model = self._models.get(self._current_folder())
        if model is not None and self._use_button.isEnabled():
            self.model_chosen.emit(model.card.pipeline, str(model.folder))

    def _add_directory(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Add a model directory"))
        if not name:
            return
        try:
            added = library.add(Path(name))
        except (SegInstError, OSError) as error:
            self.problem.emit(plain(error))
            return
        self.refresh()
        self._select(str(added.folder))

    def _add_detectron2(self) -> None:
        donors = [model for model in self._models.values() if model.card.mask is not None]
        # Imported when it is first wanted: no start waits for it.
        from seginst_gui.dialogs.detectron2_model import Detectron2Dialog

        dialog = Detectron2Dialog(donors, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.refresh()
            self._select(str(dialog.folder))

    def _remove(self) -> None:
        model = self._models.get(self._current_folder())
        if model is None:
            return
        if model.folder in self._used.values():
            self.problem.emit(
                tr("{name} is in use; choose another model first.").format(name=model.name)
            )
            return
        title = tr("Remove model")
        question = tr("Delete the model {name} and its weights? This cannot be undone.").format(
            name=model.name
        )
        if QMessageBox.question(self, title, question) != QMessageBox.StandardButton.Yes:
            return
        project = self._session.project
        # Without the project it is the person's own model that goes, even if both have the name.
        within = project.folder if project and model.place == "project" else None
        try:
            library.remove(model.name, within)
        except (SegInstError, OSError) as error:
            self.problem.emit(plain(error))
        self.refresh()
