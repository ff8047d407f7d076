"""The F1 sheet: every action with its keys, which can be changed there and then."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seginst_gui.actions import action_entries
from seginst_gui.actions.keys import (
    RESERVED,
    Keys,
    default_keys,
    given,
    load_keys,
    owner,
    save_keys,
    shown,
    spelled,
)
from seginst_gui.dialogs import resize_on_screen
from seginst_gui.language import later, tr
from seginst_gui.panels.labels import IconLabel
from seginst_gui.widgets.menus import MENUS

MOUSE: Mapping[str, str] = {
    later("Wheel"): later("Zoom at the pointer"),
    later("Middle button or Space, dragged"): later("Move the image"),
    later("Ctrl + wheel"): later("Size of the brush"),
    later("Ctrl + click"): later("Select, with any tool in hand; with Shift one more"),
    later("Double click"): later("Close the polygon"),
    later("Esc"): later("Give up what is under way, then select nothing"),
}
_NAME, _KEYS = range(2)
_ROLE = Qt.ItemDataRole.UserRole
_ICON_PX = 16
_ROOM_PX = 8
"""Above and below the text of a row."""


class ShortcutSheet(QDialog):
    """A table made from the actions themselves; what is changed in it holds at once and is kept."""

    keys_changed = Signal(object)
    """Keys, for the window to give to its actions."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_sheet")
        self.setWindowTitle(tr("Keyboard shortcuts"))
        resize_on_screen(self, 560, 680)
        self._actions = actions
        self._entries = action_entries()
        self._keys = load_keys(self._entries)
        # What has no icon of its own stands in line with what has.
        self._blank = _blank_icon()
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._groups: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Find a command or a key"))
        self._search.setAccessibleName(tr("Find a command or a key"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        self._list = QTreeWidget()
        self._list.setObjectName("shortcut_list")
        self._list.setAccessibleName(tr("Commands and their keys"))
        self._list.setHeaderLabels([tr("Command"), tr("Keys")])
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self._list.header().setSectionResizeMode(_KEYS, QHeaderView.ResizeMode.ResizeToContents)
        self._list.setIndentation(14)
        self._list.currentItemChanged.connect(self._begin)
        self._field = QKeySequenceEdit()
        self._field.setObjectName("shortcut_field")
        self._field.setMaximumSequenceLength(1)
        self._field.setClearButtonEnabled(True)
        self._field.keySequenceChanged.connect(self._check)
        self._list.itemActivated.connect(self._field.setFocus)
        self._use = self._button(tr("Use"), "shortcut_use", self._replace)
        self._add = self._button(tr("Use as well"), "shortcut_add", self._add_key)
        self._none = self._button(tr("No key"), "shortcut_none", self._clear)
        self._usual = self._button(tr("As usual"), "shortcut_usual", self._reset)
        self._words = QLabel()
        self._words.setObjectName("shortcut_words")
        self._words.setWordWrap(True)
        self._words.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self._symbol = IconLabel()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        reset = buttons.addButton(tr("All as usual"), QDialogButtonBox.ButtonRole.ResetRole)
        reset.setObjectName("shortcut_reset")
        reset.setAutoDefault(False)
        reset.clicked.connect(self._reset_all)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        edit = QHBoxLayout()
        edit.addWidget(self._field, 1)
        for button in (self._use, self._add, self._none, self._usual):
            edit.addWidget(button)
        say = QHBoxLayout()
        say.addWidget(self._symbol)
        say.addWidget(self._words, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self._search)
        layout.addWidget(self._list, 1)
        layout.addLayout(say)
        layout.addLayout(edit)
        layout.addWidget(buttons)
        self._fill()
        self._begin()

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        # Enter in the field is a key like any other, not a press of some button.
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        return button

    def _fill(self) -> None:
        groups = {tr(title).replace("&", ""): names for title, names in MENUS.items()}
        menus = {name for names in groups.values() for name in names}
        rest = [name for name in self._entries if name not in menus]
        groups[tr("Classes")] = tuple(name for name in rest if name.startswith("class_"))
        groups[tr("Themes")] = tuple(name for name in rest if name.startswith("theme_"))
        for title, names in groups.items():
            group = self._group(title)
            for name in filter(None, names):
                action = self._actions[name]
                # Keys that hold in one view alone are in no table of the person's own.
                fixed = tuple(key.toString() for key in action.shortcuts())
                own = self._keys.get(name, fixed)
                row = self._row(group, action.text().replace("&", ""), shown(own))
                row.setIcon(_NAME, self._blank if action.icon().isNull() else action.icon())
                row.setToolTip(_NAME, action.statusTip())
                if name in self._keys:
                    row.setData(_NAME, _ROLE, name)
                    self._rows[name] = row
        mouse = self._group(tr("Mouse, and keys that stay"))
        for what, text in MOUSE.items():
            self._row(mouse, tr(text), tr(what))
        self._list.expandAll()

    def _group(self, title: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self._list, [title])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        bold = group.font(_NAME)
        bold.setBold(True)
        group.setFont(_NAME, bold)
        group.setSizeHint(_NAME, QSize(0, self._list.fontMetrics().height() + 2 * _ROOM_PX))
        self._groups.append((group, []))
        return group

    def _row(self, group: QTreeWidgetItem, text: str, keys: str) -> QTreeWidgetItem:
        row = QTreeWidgetItem(group, [text, keys])
        self._groups[-1][1].append(row)
        row.setSizeHint(_NAME, QSize(0, self._list.fontMetrics().height() + _ROOM_PX))
        return row

    def _filter(self, wanted: str) -> None:
        text = wanted.strip().casefold()
        for group, rows in self._groups:
            hits = [text in f"{row.text(_NAME)} {row.text(_KEYS)}".casefold() for row in rows]
            for row, hit in zip(rows, hits, strict=True):
                row.setHidden(not hit)
            group.setHidden(not any(hits))

    # --- changing ---------------------------------------------------------------------------

    def _chosen(self) -> str:
        """Return the id of the action in the current row; empty if that is no action's."""
        row = self._list.currentItem()
        return str(row.data(_NAME, _ROLE) or "") if row is not None else ""

    def _begin(self) -> None:
        self._field.clear()
        self._check()

    def _typed(self) -> str:
        return spelled(self._field.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def _check(self) -> None:
        """Say what the typed key would do, before it does it."""
        name, key = self._chosen(), self._typed()
        has = owner(self._keys, key) if key else None
        fit = bool(name and key and key not in RESERVED and has != name)
        self._field.setEnabled(bool(name))
        label = self._label(name) if name else ""
        self._field.setAccessibleName(tr("New key for {command}").format(command=label))
        self._use.setEnabled(fit)
        self._add.setEnabled(fit and bool(self._keys[name]))
        self._none.setEnabled(bool(name and self._keys[name]))
        self._usual.setEnabled(bool(name and self._keys[name] != self._usual_keys(name)))
        if not name:
            words = tr("Choose a command to change its keys.")
        elif key in RESERVED:
            words = tr(RESERVED[key])
        elif has == name:
            words = tr("{command} has this key already.").format(command=label)
        elif has is not None:
            words = tr("{key} is taken: it is the key of {other}. Used here, it is lost there.")
            words = words.format(key=shown((key,)), other=self._label(has))
        elif key:
            words = tr("{key} is free.").format(key=shown((key,)))
        else:
            words = tr("Press the new key for {command} in the field below.").format(command=label)
        self._words.setText(words)
        trouble = key in RESERVED or has not in (None, name)
        self._symbol.show_icon("problem" if trouble else "shortcuts", "bad" if trouble else None)

    def _label(self, name: str) -> str:
        return self._actions[name].text().replace("&", "").rstrip("…")

    def _usual_keys(self, name: str) -> tuple[str, ...]:
        return default_keys(self._entries)[name]

    def _replace(self) -> None:
        self._give((self._typed(),))

    def _add_key(self) -> None:
        self._give((*self._keys[self._chosen()], self._typed()))

    def _clear(self) -> None:
        self._give(())

    def _reset(self) -> None:
        self._give(self._usual_keys(self._chosen()))

    def _give(self, own: tuple[str, ...]) -> None:
        self._take(given(self._keys, self._chosen(), own))

    def _reset_all(self) -> None:
        self._take(default_keys(self._entries))

    def _take(self, keys: Keys) -> None:
        self._keys = keys
        save_keys(keys, self._entries)
        for name, row in self._rows.items():
            row.setText(_KEYS, shown(keys[name]))
        self.keys_changed.emit(keys)
        self._begin()


def _blank_icon() -> QIcon:
    pixmap = QPixmap(_ICON_PX, _ICON_PX)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)
