"""Which action does what."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from seginst_gui import operations, settings
from seginst_gui.actions import N_CLASS_KEYS, action_entries
from seginst_gui.actions.keys import Keys, apply_keys, load_keys, shown
from seginst_gui.commands import Commands
from seginst_gui.dialogs.about import show_about
from seginst_gui.dialogs.command_palette import run_palette
from seginst_gui.dialogs.shortcuts import ShortcutSheet
from seginst_gui.display.switches import SWITCHES
from seginst_gui.language import tr
from seginst_gui.theme import THEMES, ThemeName, apply_theme
from seginst_gui.tools import TOOLS

if TYPE_CHECKING:
    from seginst_gui.main_window import MainWindow

ZOOM_STEP = 1.25
CANVAS_ONLY = ("accept", "next_object")
"""Actions on keys that text fields and lists need for themselves, so only the canvas has them."""


def connect_actions(window: "MainWindow") -> None:
    """Let every action of the window do its work; what goes wrong is said in the notice."""
    session, canvas, commands = window.session, window.canvas, window.commands
    actions = window.actions_by_id
    acts: dict[str, Callable[[], object]] = {
        "open_folder": commands.ask_folder,
        "import_coco": commands.import_coco,
        "export_coco": commands.export_coco,
        "save": lambda: window.notice.say(tr("Saved: everything is, as it happens.")),
        "quit": window.close,
        "undo": lambda: window.take_back() or (window.review_page or session).undo(),
        "redo": lambda: (window.review_page or session).redo(),
        "paste": lambda: commands.in_sight(operations.paste),
        "show_all": lambda: operations.show_all(session),
        "select_all": lambda: session.select(i.id for i in session.open_to_change),
        "deselect": lambda: session.select(()),
        "next_object": commands.next_object,
        "previous_image": lambda: session.step(-1, beside=True),
        "next_image": lambda: session.step(1, beside=True),
        "next_todo": commands.next_todo,
        "mark_done": commands.toggle_done,
        "predict_image": commands.predict_image,
        "predict_all": commands.predict_all,
        "accept": commands.accept,
        "accept_all": lambda: commands.accept_all("two-stage"),
        "accept_all_b": lambda: commands.accept_all("end-to-end"),
        "fine_tune": window.learner.fine_tune,
        "pause_training": window.learner.pause_or_resume,
        "cancel_job": commands.cancel_job,
        "zoom_in": lambda: commands.canvas.zoom_by(ZOOM_STEP),
        "zoom_out": lambda: commands.canvas.zoom_by(1 / ZOOM_STEP),
        "fit": lambda: commands.canvas.fit(),
        "actual_size": lambda: commands.canvas.actual_size(),
        "show_annotation": lambda: commands.switch_layers("annotation"),
        "show_a": lambda: commands.switch_layers("two_stage"),
        "show_b": lambda: commands.switch_layers("end_to_end"),
        "keep_apart": commands.switch_keep_apart,
        "larger": lambda: commands.resize_tool(1),
        "smaller": lambda: commands.resize_tool(-1),
        "command_palette": lambda: run_palette(actions.values(), window),
        "shortcuts": partial(_show_shortcuts, window),
        "about": lambda: show_about(window),
    }
    for name, operate in operations.ON_SELECTION.items():
        acts[name] = partial(commands.on_selection, operate)
    delete = acts["delete"]
    acts["delete"] = lambda: window.take_back() or delete()
    for name, switch in SWITCHES.items():
        acts[name] = partial(switch, session)
    for theme in THEMES:
        acts[f"theme_{theme}"] = partial(_use_theme, theme)
    for name in TOOLS:
        acts[f"tool_{name}"] = partial(window.use_tool, name)
    for number in range(1, N_CLASS_KEYS + 1):
        acts[f"class_{number}"] = partial(commands.class_key, number)
    for name, act in acts.items():
        actions[name].triggered.connect(partial(_run, commands, act))
    for name in CANVAS_ONLY:
        actions[name].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        canvas.addAction(actions[name])
    for number in range(1, N_CLASS_KEYS + 1):
        window.addAction(actions[f"class_{number}"])
    actions[f"theme_{settings.load_theme()}"].setChecked(True)
    use_keys(window, load_keys(action_entries()))


def _run(commands: Commands, act: Callable[[], object], _checked: bool = False) -> None:
    commands.attempt(act)


def use_keys(window: "MainWindow", keys: Keys) -> None:
    """Give the window's actions their keys, and say them wherever keys are said."""
    apply_keys(window.actions_by_id, keys, action_entries())
    class_keys = [shown(keys[f"class_{number}"]) for number in range(1, N_CLASS_KEYS + 1)]
    window.categories_panel.show_keys(class_keys)


def _show_shortcuts(window: "MainWindow") -> None:
    sheet = ShortcutSheet(window.actions_by_id, window)
    sheet.keys_changed.connect(partial(use_keys, window))
    sheet.exec()


def _use_theme(name: ThemeName) -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication):
        apply_theme(app, name)
        settings.save_theme(name)
