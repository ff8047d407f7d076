"""The table of actions: every key means one thing, and every action can be found."""

from pytestqt.qtbot import QtBot

from seginst_gui.app import build_window
from seginst_gui.icons import ICONS
from seginst_gui.review.keys import REVIEW_ACTIONS


def test_no_two_actions_share_a_key(qtbot: QtBot) -> None:
    window = build_window()
    qtbot.addWidget(window)
    seen: dict[str, str] = {}
    in_review: dict[str, str] = {}
    for name, action in window.actions_by_id.items():
        # The review's keys hold in the review alone, where it takes them before the window does.
        seen_here = in_review if name in REVIEW_ACTIONS else seen
        for keys in action.shortcuts():
            text = keys.toString()
            assert text, f"{name} has a key that Qt does not know"
            assert text not in seen_here, f"{text} means {name} and {seen_here[text]}"
            seen_here[text] = name


def test_every_action_but_the_class_keys_is_in_a_menu(qtbot: QtBot) -> None:
    window = build_window()
    qtbot.addWidget(window)
    menus = [window.menuBar()]
    there = set()
    while menus:
        for action in menus.pop().actions():
            there.add(action.objectName())
            if action.menu() is not None:
                menus.append(action.menu())
    keys = {name for name in window.actions_by_id if name.startswith("class_")}
    assert set(window.actions_by_id) - there == keys


def test_every_tool_and_every_shape_operation_has_an_icon() -> None:
    from seginst_gui.operations import ON_SELECTION
    from seginst_gui.tools import TOOLS

    assert {*(f"tool_{name}" for name in TOOLS), *ON_SELECTION} <= set(ICONS)
