"""The strip above the canvas: which tool is in hand, and what can be set for it."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QWidget,
)

from seginst_gui.language import tr
from seginst_gui.panels.labels import IconLabel
from seginst_gui.tools.base import Amount, Option, Switch, Tool

ROW_PX = 34


class ToolOptions(QWidget):
    """Shows the options of one tool at a time, as they are."""

    changed = Signal()
    """A person set something; the canvas shows the tool anew and takes the keys back."""

    def __init__(self, keep_apart: QAction) -> None:
        super().__init__()
        self.setObjectName("tool_options")
        self.setFixedHeight(ROW_PX)
        self._tool: Tool | None = None
        self._fields: dict[str, QSpinBox | QCheckBox] = {}
        self._symbol = IconLabel()
        self._name = QLabel()
        self._inner = QHBoxLayout()
        self._inner.setSpacing(8)
        apart = QToolButton()
        apart.setDefaultAction(keep_apart)
        apart.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        apart.setAccessibleName(keep_apart.text())
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 8, 2)
        row.setSpacing(8)
        row.addWidget(self._symbol)
        row.addWidget(self._name)
        row.addSpacing(12)
        row.addLayout(self._inner)
        row.addStretch()
        row.addWidget(apart)

    def show_tool(self, name: str, label: str, tool: Tool) -> None:
        """Show another tool; ``name`` is its id in TOOLS."""
        if self._tool is not None:
            self._tool.changed = _nothing
        self._tool = tool
        tool.changed = self._show
        self._symbol.show_icon(f"tool_{name}", None)
        self._name.setText(label)
        while self._inner.count():
            item = self._inner.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                # At once, so that nobody meets the fields of two tools.
                widget.setParent(None)
                widget.deleteLater()
        self._fields = {option.name: self._field(option) for option in tool.options}
        self._show()

    def _field(self, option: Option) -> QSpinBox | QCheckBox:
        field: QSpinBox | QCheckBox
        if isinstance(option, Amount):
            label = QLabel(tr(option.label))
            field = QSpinBox()
            field.setRange(option.low, option.high)
            field.setSuffix(f" {option.unit}" if option.unit else "")
            field.setKeyboardTracking(False)
            field.setAccessibleName(tr(option.label))
            field.valueChanged.connect(lambda value: self._set_amount(option, value))
            field.editingFinished.connect(self.changed)
            label.setBuddy(field)
            self._inner.addWidget(label)
        else:
            field = QCheckBox(tr(option.label))
            field.toggled.connect(lambda on: self._set_switch(option, on))
        field.setObjectName(f"option_{option.name}")
        field.setToolTip(tr(option.tip))
        self._inner.addWidget(field)
        return field

    def _set_amount(self, option: Amount, value: int) -> None:
        option.set(value)
        self.changed.emit()

    def _set_switch(self, option: Switch, on: bool) -> None:
        option.set(on)
        self.changed.emit()

    def _show(self) -> None:
        for option in self._tool.options if self._tool is not None else ():
            field = self._fields[option.name]
            with QSignalBlocker(field):
                if isinstance(option, Amount) and isinstance(field, QSpinBox):
                    field.setValue(round(option.get()))
                elif isinstance(option, Switch) and isinstance(field, QCheckBox):
                    field.setChecked(option.get())


def _nothing() -> None:
    """A tool that is not in hand tells nobody."""
