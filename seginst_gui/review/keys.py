"""The review's actions and their keys, which hold only while it is open and has the keyboard.

So the letters of the editor's tools are free for verdicts: one key settles a case.
"""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from seginst_gui.actions import ActionEntry, make_action
from seginst_gui.language import later

REVIEW_ACTIONS: Mapping[str, ActionEntry] = {
    "next_case": ActionEntry(
        later("Next case"), ("J", "Down"), later("Leave this case as it is and go on")
    ),
    "previous_case": ActionEntry(
        later("Previous case"), ("K", "Up"), later("Go back to the case before")
    ),
    "confirm_case": ActionEntry(
        later("Right as it is"),
        ("Return", "Enter"),
        later("Keep the object; what A or B sees alone is taken"),
    ),
    "take_a": ActionEntry(later("Take A"), ("A",), later("Let A's mask and class be the object")),
    "take_b": ActionEntry(later("Take B"), ("B",), later("Let B's mask and class be the object")),
    "redraw_in_b": ActionEntry(
        later("A's mask in B's box"),
        ("X",),
        later("Let A's nested U-Net draw the object in B's box"),
    ),
    "a_with_b_class": ActionEntry(
        later("A's mask, B's class"), ("C",), later("Let the object be A's mask with B's class")
    ),
    "unite": ActionEntry(later("Union"), ("U",), later("Let the object be all that A or B covers")),
    "intersect": ActionEntry(
        later("Intersection"), ("I",), later("Let the object be what A and B both cover")
    ),
    "draw_case": ActionEntry(
        later("Draw"), ("D",), later("Take the brush and correct the object on either side")
    ),
    "not_object": ActionEntry(
        later("Not an object"),
        ("N", "Del"),
        later("Delete it, and remember that A and B were wrong here"),
    ),
}


_BUTTONS = (
    *("confirm_case", "take_a", "take_b", "", "redraw_in_b", "a_with_b_class"),
    *("unite", "intersect", "", "draw_case", "not_object"),
)


class KeyBar(QFrame):
    """The review's buttons: what each does and its key, the key alone where words have no room."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("review_bar")
        self._actions = [actions[name] for name in _BUTTONS if name]
        self._wide_px = 0
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 6, 8, 6)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        for name in _BUTTONS:
            if name:
                self._row.addWidget(_button(actions[name]))
            else:
                self._row.addSpacing(12)
        self._row.addStretch(1)
        self._say(words=False)
        self._narrow_px = self._row.minimumSize().width()
        self._say(words=True)

    def minimumSizeHint(self) -> QSize:
        """Return the room that the keys alone take."""
        return QSize(self._narrow_px, self._row.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say in words what the keys do as long as there is room."""
        super().resizeEvent(event)
        if self._words:
            self._wide_px = self._row.minimumSize().width()
        if self._words != (event.size().width() >= self._wide_px):
            self._say(words=not self._words)

    def _say(self, *, words: bool) -> None:
        self._words = words
        for action in self._actions:
            name = action.shortcuts()[0].toString(QKeySequence.SequenceFormat.NativeText)
            key = f"[{'⏎' if name == 'Return' else name}]"
            action.setIconText(f"{action.text()}\n{key}" if words else key)


def make_review_actions(parent: QWidget) -> dict[str, QAction]:
    """Make the review's actions; their keys are the page's to give, not the window's."""
    actions = {name: make_action(parent, name, entry) for name, entry in REVIEW_ACTIONS.items()}
    for action in actions.values():
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.setEnabled(False)
    return actions


def action_of(event: QKeyEvent, actions: Mapping[str, QAction]) -> QAction | None:
    """Return the review's action that a key stands for, None if it stands for none."""
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    pressed = QKeySequence(event.key() | plain.value)
    for name in REVIEW_ACTIONS:
        if pressed in actions[name].shortcuts():
            return actions[name]
    return None


def _button(action: QAction) -> QToolButton:
    """Return a button with its text below its picture."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setObjectName(f"button_{action.objectName()}")
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    button.setIconSize(QSize(20, 20))
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button
