"""The class panel: the project's classes, their colours and keys, and which one draws."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QColorDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_core.errors import ProjectError
from seginst_core.types import Category
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import empty_label
from seginst_gui.panels.swatch import SWATCH_PX, swatch
from seginst_gui.session import Session

SENTENCE_EMPTY = later("No class yet. Add one with +, or draw: the first object makes one.")
NEW_NAME = "class"
_NAME, _KEY, _COUNT = range(3)
_ROW_PAD_PX = 8
_EMPTY_PAD_PX = 6
_LEAST_PX = 48
"""A row of the list below its head, or the sentence that stands for it."""


class CategoriesPanel(QWidget):
    """``class_wanted(category_id)`` asks to draw with a class and to give it to the selection."""

    class_wanted = Signal(int)
    problem = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._items: list[QTreeWidgetItem] = []
        self._keys: tuple[str, ...] = ()
        self._list = QTreeWidget()
        self._list.setObjectName("categories")
        self._list.setAccessibleName(tr("Classes"))
        self._list.setHeaderLabels([tr("Class"), tr("Key"), tr("Objects")])
        self._list.headerItem().setToolTip(_KEY, tr("Press it to draw with the class"))
        self._list.headerItem().setToolTip(_COUNT, tr("Objects in this image"))
        self._list.setIconSize(QSize(SWATCH_PX, SWATCH_PX))
        self._list.setUniformRowHeights(True)
        self._list.setRootIsDecorated(False)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        header = self._list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_KEY, _COUNT):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self._list.currentItemChanged.connect(self._on_current)
        self._list.itemClicked.connect(self._on_clicked)
        self._list.itemDoubleClicked.connect(lambda _item: self._rename())
        self._list.itemChanged.connect(self._on_edited)
        f2 = QShortcut(QKeySequence(Qt.Key.Key_F2), self._list, self._rename)
        f2.setContext(Qt.ShortcutContext.WidgetShortcut)
        self._empty = empty_label(tr(SENTENCE_EMPTY))
        self._empty.setMargin(_EMPTY_PAD_PX)  # the panel may be low
        for shown in (self._list, self._empty):
            shown.setMinimumHeight(_LEAST_PX)
        self._add = _button("add", tr("Add a class"), self.add)
        self._rename_button = _button("rename", tr("Rename (F2)"), self._rename)
        self._colour = _button("recolour", tr("Change the colour"), self._recolour)
        self._remove = _button("delete", tr("Remove a class that no object has"), self._drop)
        row = QHBoxLayout()
        row.setContentsMargins(6, 4, 6, 6)
        row.setSpacing(2)
        for button in (self._add, self._rename_button, self._colour, self._remove):
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._list, 1)
        layout.addWidget(self._empty, 1)
        layout.addLayout(row)
        for signal in (session.categories_changed, session.project_changed):
            signal.connect(self._reload)
        session.category_changed.connect(self._mark)
        for signal in (session.instances_changed, session.image_changed):
            signal.connect(self._count)
        self._reload()

    def add(self) -> None:
        """Add a class with a free name and let the person type a better one."""
        project = self._session.project
        if project is None:
            return
        taken = {category.name.casefold() for category in self._session.categories}
        n = next(n for n in range(1, len(taken) + 2) if f"{NEW_NAME} {n}" not in taken)
        if self._attempt(lambda: project.add_category(f"{NEW_NAME} {n}")):
            self._list.setCurrentItem(self._items[-1])
            self._rename()

    def show_keys(self, keys: Sequence[str]) -> None:
        """Show which keys choose the first classes."""
        self._keys = tuple(keys)
        self._reload()

    def _reload(self) -> None:
        categories = self._session.categories
        with QSignalBlocker(self._list):
            # The row that is being renamed must outlive its own editor, so rows are kept.
            while len(self._items) > len(categories):
                self._list.takeTopLevelItem(len(self._items) - 1)
                self._items.pop()
            while len(self._items) < len(categories):
                self._items.append(_item(self._list))
            for number, (item, category) in enumerate(zip(self._items, categories, strict=True)):
                item.setText(_NAME, category.name)
                item.setToolTip(_NAME, category.name)
                item.setIcon(_NAME, swatch(category.colour))
                item.setText(_KEY, self._keys[number] if number < len(self._keys) else "")
        some = bool(categories)
        self._list.setVisible(some)
        self._empty.setVisible(not some)
        self._add.setEnabled(self._session.project is not None)
        for button in (self._rename_button, self._colour, self._remove):
            button.setEnabled(some)
        self._mark()
        self._count()

    def _mark(self) -> None:
        for item, category in zip(self._items, self._session.categories, strict=True):
            if category == self._session.category:
                self._list.setCurrentItem(item)

    def _on_current(self) -> None:
        category = self._current()
        if category is not None:
            self._session.choose_category(category.id)

    def _count(self) -> None:
        counts = Counter(map(attrgetter("category_id"), self._session.instances))
        with QSignalBlocker(self._list):
            for item, category in zip(self._items, self._session.categories, strict=True):
                text = str(counts[category.id])
                if text != item.text(_COUNT):
                    item.setText(_COUNT, text)

    def _current(self) -> Category | None:
        current = self._list.currentItem()
        return self._category_of(current) if current else None

    def _category_of(self, item: QTreeWidgetItem) -> Category | None:
        place = self._list.indexOfTopLevelItem(item)
        return self._session.categories[place] if place >= 0 else None

    def _on_clicked(self) -> None:
        category = self._current()
        if category is not None:
            self.class_wanted.emit(category.id)

    def _rename(self) -> None:
        item = self._list.currentItem()
        if item is not None:
            self._list.editItem(item, _NAME)

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        project, category = self._session.project, self._category_of(item)
        if column != _NAME or project is None or category is None:
            return
        name = item.text(_NAME).strip()
        if name != category.name:
            self._attempt(lambda: project.update_category(replace(category, name=name)))

    def _recolour(self) -> None:
        project, category = self._session.project, self._current()
        if project is None or category is None:
            return
        picked = QColorDialog.getColor(
            QColor(*category.colour), self, tr("Colour of {name}").format(name=category.name)
        )
        if picked.isValid():
            colour = (picked.red(), picked.green(), picked.blue())
            self._attempt(lambda: project.update_category(replace(category, colour=colour)))

    def _drop(self) -> None:
        project, category = self._session.project, self._current()
        if project is not None and category is not None:
            self._attempt(lambda: project.remove_category(category.id))

    def _attempt(self, act: Callable[[], object]) -> bool:
        """Change the project's classes and show them; a refusal is said in its sentence."""
        try:
            act()
        except ProjectError as error:
            self.problem.emit(str(error))
            self._reload()
            return False
        self._session.refresh_categories()
        return True


def _button(name: str, tip: str, act: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"category_{name}")
    button.setIcon(icon(name))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.clicked.connect(lambda: act())
    return button


def _item(parent: QTreeWidget) -> QTreeWidgetItem:
    item = QTreeWidgetItem(parent)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    item.setSizeHint(_NAME, QSize(0, parent.fontMetrics().height() + _ROW_PAD_PX))
    for column in (_KEY, _COUNT):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
    return item
