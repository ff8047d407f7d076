"""Every action of the window: its id, which is its objectName, its words, icon and shortcuts."""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from seginst_gui.icons import ICONS, icon
from seginst_gui.language import later, tr
from seginst_gui.tools import TOOLS

N_CLASS_KEYS = 9


@dataclass(frozen=True, slots=True)
class ActionEntry:
    """An action as the window offers it; ``checkable`` ones are switched on and off."""

    label: str
    shortcuts: tuple[str, ...] = ()
    tip: str = ""
    checkable: bool = False


ACTIONS: Mapping[str, ActionEntry] = {
    "open_folder": ActionEntry(
        later("Open folder…"), ("Ctrl+O",), later("Open a folder of images")
    ),
    "import_coco": ActionEntry(
        later("Import…"), ("Ctrl+I",), later("Bring annotations into this project")
    ),
    "export_coco": ActionEntry(
        later("Export…"), ("Ctrl+E",), later("Write the annotations, as COCO or in another format")
    ),
    "save": ActionEntry(later("Save"), ("Ctrl+S",), later("Everything is saved as it happens")),
    "quit": ActionEntry(later("Quit"), ("Ctrl+Q",)),
    "undo": ActionEntry(
        later("Undo"), ("Ctrl+Z",), later("Take back the last change of this image")
    ),
    "redo": ActionEntry(later("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), later("Do it again")),
    "delete": ActionEntry(
        later("Delete"), ("Del", "Backspace"), later("Delete the selected objects")
    ),
    "copy": ActionEntry(later("Copy"), ("Ctrl+C",), later("Copy the selected objects")),
    "paste": ActionEntry(
        later("Paste"), ("Ctrl+V",), later("Add the copied objects to this image")
    ),
    "duplicate": ActionEntry(
        later("Duplicate"), ("Ctrl+D",), later("Add a copy beside each selected object")
    ),
    "copy_to_next": ActionEntry(
        later("Copy to next image"),
        ("Ctrl+Shift+V",),
        later("Go to the next image and add the selected objects there"),
    ),
    "lock": ActionEntry(
        later("Lock"),
        ("L",),
        later("Keep the selected objects from being changed, or allow it again"),
    ),
    "hide": ActionEntry(
        later("Hide"),
        ("Shift+H",),
        later("Hide the selected objects until another image is opened"),
    ),
    "solo": ActionEntry(later("Solo"), ("O",), later("Hide all but the selected objects")),
    "show_all": ActionEntry(
        later("Show all"), ("Shift+O",), later("Show the hidden objects again")
    ),
    "select_all": ActionEntry(
        later("Select all"),
        ("Ctrl+A",),
        later("Select all objects of this image that are neither hidden nor locked"),
    ),
    "deselect": ActionEntry(
        later("New object"), ("N",), later("Select nothing: the next stroke is new")
    ),
    "next_object": ActionEntry(
        later("Next object"),
        ("Tab",),
        later("Select the next object; of several at the pointer, the next one there"),
    ),
    "fill_holes": ActionEntry(
        later("Fill holes"), ("Shift+F",), later("Fill the holes of the selected objects")
    ),
    "smooth": ActionEntry(
        later("Smooth"),
        ("Shift+S",),
        later("Take spikes and notches below four pixels off the selected objects"),
    ),
    "grow": ActionEntry(
        later("Grow"), ("Ctrl+]",), later("Grow the selected objects by one pixel")
    ),
    "shrink": ActionEntry(
        later("Shrink"), ("Ctrl+[",), later("Shrink the selected objects by one pixel")
    ),
    "merge": ActionEntry(
        later("Merge"),
        ("M",),
        later("Make one object of the selected ones; it keeps the first one's class"),
    ),
    "subtract": ActionEntry(
        later("Subtract"),
        ("Shift+M",),
        later("Take the selected object drawn last out of the other ones"),
    ),
    "split_parts": ActionEntry(
        later("Split into parts"),
        ("Ctrl+Shift+M",),
        later("Make an object of each part of the selected ones"),
    ),
    "previous_image": ActionEntry(later("Previous image"), ("A", "PgUp")),
    "next_image": ActionEntry(later("Next image"), ("D", "PgDown")),
    "next_todo": ActionEntry(
        later("Next image not done"),
        ("Ctrl+Shift+D",),
        later("Go to the next image that is not done"),
    ),
    "mark_done": ActionEntry(
        later("Done"), ("Ctrl+M",), later("Mark this image as done, or open it again"), True
    ),
    "predict_image": ActionEntry(
        later("Pre-label image"), ("Ctrl+L",), later("Both models in use look at this image")
    ),
    "predict_all": ActionEntry(
        later("Pre-label all images"),
        ("Ctrl+Shift+L",),
        later("Both models look at every image that is not done"),
    ),
    "accept": ActionEntry(
        later("Accept"),
        ("Return", "Enter"),
        later("Take the selected prediction into the annotation"),
    ),
    "accept_all": ActionEntry(
        later("Accept all of A"), ("Ctrl+Return",), later("Take all shown predictions of A")
    ),
    "accept_all_b": ActionEntry(
        later("Accept all of B"), ("Ctrl+Shift+Return",), later("Take all shown predictions of B")
    ),
    "fine_tune": ActionEntry(
        later("Fine-tune…"), ("Ctrl+T",), later("Train a model further on the images marked done")
    ),
    "review": ActionEntry(
        later("Review"),
        ("Ctrl+R",),
        later("Go through what A and B see, object by object"),
        True,
    ),
    "review_report": ActionEntry(
        later("Report…"),
        tip=later("Scores, curves, confusions and error budgets of A and B on what is done"),
    ),
    "pause_training": ActionEntry(
        later("Pause or resume training"),
        (),
        later("Stop the training for now, or go on where it was"),
    ),
    "cancel_job": ActionEntry(
        later("Cancel"),
        ("Ctrl+.",),
        later("Stop the predictions under way, or pause the training"),
    ),
    "zoom_in": ActionEntry(later("Zoom in"), ("Ctrl++", "Ctrl+=")),
    "zoom_out": ActionEntry(later("Zoom out"), ("Ctrl+-",)),
    "fit": ActionEntry(later("Fit to window"), ("F", "Ctrl+0")),
    "actual_size": ActionEntry(later("Actual size"), ("Ctrl+1",)),
    "show_annotation": ActionEntry(
        later("Show annotation"), ("H",), later("Show or hide the annotation's masks"), True
    ),
    "show_a": ActionEntry(later("Show A"), ("Shift+A",), later("Show or hide what A found"), True),
    "show_b": ActionEntry(later("Show B"), ("Shift+B",), later("Show or hide what B found"), True),
    "show_minimap": ActionEntry(
        later("Small map"), ("J",), later("The whole image in a corner of the canvas"), True
    ),
    "pixel_grid": ActionEntry(
        later("Pixel grid"),
        ("Shift+G",),
        later("Borders of pixels, and their values where there is room"),
        True,
    ),
    "next_colouring": ActionEntry(
        later("Next colouring"),
        ("Shift+C",),
        later("Colour objects by class, by object or by origin"),
    ),
    "reset_tone": ActionEntry(
        later("Image as it is"),
        ("Ctrl+Shift+0",),
        later("Usual brightness, contrast, gamma and bands"),
    ),
    "larger": ActionEntry(later("Larger brush"), ("]",)),
    "smaller": ActionEntry(later("Smaller brush"), ("[",)),
    "keep_apart": ActionEntry(
        later("Keep apart"), ("K",), later("What is drawn never covers other objects"), True
    ),
    "theme_system": ActionEntry(later("As the system"), checkable=True),
    "theme_light": ActionEntry(later("Light"), checkable=True),
    "theme_dark": ActionEntry(later("Dark"), checkable=True),
    "command_palette": ActionEntry(
        later("Commands…"), ("Ctrl+Shift+P",), later("Find any command by a part of its name")
    ),
    "shortcuts": ActionEntry(later("Keyboard shortcuts"), ("F1",)),
    "about": ActionEntry(later("About SegInst")),
}


def action_entries() -> dict[str, ActionEntry]:
    """Return every action by id: ACTIONS, one ``tool_…`` for each tool, ``class_1`` and so on."""
    entries = dict(ACTIONS)
    for name, tool in TOOLS.items():
        entries[f"tool_{name}"] = ActionEntry(tool.label, (tool.shortcut,), tool.hint, True)
    for number in range(1, N_CLASS_KEYS + 1):
        entries[f"class_{number}"] = ActionEntry(later("Class {number}"), (str(number),))
    return entries


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """Make all actions by id, with the keys that they have at first."""
    return {name: make_action(parent, name, e) for name, e in action_entries().items()}


def make_action(parent: QWidget, name: str, entry: ActionEntry) -> QAction:
    """Make one action with the keys that it has at first."""
    action = QAction(_label(name, entry), parent)
    action.setObjectName(name)
    action.setCheckable(entry.checkable)
    if name in ICONS:
        action.setIcon(icon(name))
    show_keys(action, entry, entry.shortcuts)
    return action


def show_keys(action: QAction, entry: ActionEntry, keys: tuple[str, ...]) -> None:
    """Give an action its keys, and name them in its tool tip."""
    sequences = [QKeySequence(key) for key in keys]
    action.setShortcuts(sequences)
    native = QKeySequence.SequenceFormat.NativeText
    named = ", ".join(sequence.toString(native) for sequence in sequences)
    tip = tr(entry.tip) if entry.tip else ""
    words = action.text().rstrip("…")
    action.setToolTip(f"{words} ({named})\n{tip}".strip() if named else f"{words}\n{tip}".strip())
    action.setStatusTip(tip)


def _label(name: str, entry: ActionEntry) -> str:
    number = name.removeprefix("class_")
    return tr(entry.label).format(number=number) if number.isdigit() else tr(entry.label)
