"""The attributes of the selected objects: one row each, changed by typing."""

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_core.errors import SegInstError
from seginst_gui.icons import icon
from seginst_gui.language import later, tr
from seginst_gui.operations.attributes import names_for, set_attribute, value_of
from seginst_gui.session import Session

SEVERAL = later("several")
_NAME, _VALUE = range(2)
_ROW_PAD_PX = 6
_MAX_ROWS = 6


class AttributesView(QWidget):
    """Shown while objects are selected; what is typed is one step for all of them.

    Names that other objects of the same class have are offered, with nothing as their value.
    """

    problem = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._list = QTreeWidget()
        self._list.setObjectName("attributes")
        self._list.setAccessibleName(tr("Attributes of the selected objects"))
        self._list.setHeaderLabels([tr("Attribute"), tr("Value")])
        self._list.setRootIsDecorated(False)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setUniformRowHeights(True)
        self._list.setEditTriggers(QTreeWidget.EditTrigger.NoEditTriggers)
        self._list.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._list.itemClicked.connect(self._edit)
        self._list.itemActivated.connect(self._edit)
        self._list.itemChanged.connect(self._on_edited)
        for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            delete = QShortcut(QKeySequence(key), self._list, self._take_away)
            delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        self._field = QLineEdit()
        self._field.setObjectName("attribute_field")
        self._field.setAccessibleName(tr("New attribute"))
        self._field.setPlaceholderText(tr("New attribute: occluded = yes"))
        self._field.returnPressed.connect(self._add)
        add = QToolButton()
        add.setObjectName("attribute_add")
        add.setIcon(icon("add"))
        add.setAutoRaise(True)
        add.setToolTip(tr("Give the attribute to the selected objects"))
        add.setAccessibleName(tr("Give the attribute to the selected objects"))
        add.clicked.connect(self._add)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 6)
        row.setSpacing(2)
        row.addWidget(self._field, 1)
        row.addWidget(add)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._list)
        layout.addLayout(row)
        for signal in (session.selection_changed, session.image_changed):
            signal.connect(self._show)
        session.instances_changed.connect(self._show)
        for signal in (session.leaving_image, session.closing):
            signal.connect(self._take_typed)
        self._show()

    def _show(self, *_of: object) -> None:
        session = self._session
        self.setVisible(bool(session.selection))
        if not session.selection:
            return
        names = names_for(session)
        with QSignalBlocker(self._list):
            # Rows are kept: the one that is being edited must outlive its own editor.
            while self._list.topLevelItemCount() > len(names):
                self._list.takeTopLevelItem(len(names))
            while self._list.topLevelItemCount() < len(names):
                self._new_row()
            for place, name in enumerate(names):
                row, value = self._list.topLevelItem(place), value_of(session, name)
                if row is not None:
                    row.setText(_NAME, name)
                    row.setText(_VALUE, tr(SEVERAL) if value is None else value)
                    dim = self.palette().color(QPalette.ColorRole.PlaceholderText)
                    usual = self.palette().color(QPalette.ColorRole.Text)
                    row.setForeground(_VALUE, dim if value is None else usual)
        height = self._list.fontMetrics().height() + _ROW_PAD_PX
        head = self._list.header().sizeHint().height()
        # As many as there is room for beside the table, but one: else a low window would grow.
        self._list.setMinimumHeight(head + min(len(names), 1) * height + 2)
        self._list.setMaximumHeight(head + min(len(names), _MAX_ROWS) * height + 2)
        self._list.setVisible(bool(names))

    def _new_row(self) -> None:
        row = QTreeWidgetItem(self._list)
        row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
        row.setSizeHint(_NAME, QSize(0, self._list.fontMetrics().height() + _ROW_PAD_PX))

    def _edit(self, row: QTreeWidgetItem) -> None:
        self._list.editItem(row, _VALUE)

    def _take_typed(self) -> None:
        """Take over what is typed but not confirmed yet, as a click elsewhere does."""
        for editor in self._list.viewport().findChildren(QLineEdit):
            self._list.commitData(editor)

    def _on_edited(self, row: QTreeWidgetItem, column: int) -> None:
        name, typed = row.text(_NAME), row.text(_VALUE)
        # An editor that was opened and left says what it found.
        untouched = typed == tr(SEVERAL) and value_of(self._session, name) is None
        if column == _VALUE and not untouched:
            self._attempt(lambda: set_attribute(self._session, name, typed))

    def _take_away(self) -> None:
        row = self._list.currentItem()
        if row is not None:
            name = row.text(_NAME)
            self._attempt(lambda: set_attribute(self._session, name, ""))

    def _add(self) -> None:
        name, _, value = self._field.text().partition("=")
        # A name alone is a mark: it is so.
        if self._attempt(lambda: set_attribute(self._session, name, value.strip() or "yes")):
            self._field.clear()

    def _attempt(self, act: Callable[[], None]) -> bool:
        """Change the objects; a refusal is said in its sentence, and the rows are as before."""
        try:
            act()
        except SegInstError as error:
            self.problem.emit(str(error))
            return False
        finally:
            self._show()
        return True
