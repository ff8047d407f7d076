"""The window as a whole: keys and menus do what they say, and trouble is one sentence."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTabBar, QTableView
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import add, change
from seginst_core.types import Box, Instance, Mask, Prediction
from seginst_gui.app import _report, build_window
from seginst_gui.main_window import MainWindow
from seginst_gui.session import Proposal

CTRL, LEFT = Qt.KeyboardModifier.ControlModifier, Qt.MouseButton.LeftButton
PUBLIC_IDS = (
    *("open_folder", "next_image", "previous_image", "undo", "redo", "mark_done", "export_coco"),
    *("tool_select", "tool_brush", "tool_eraser", "tool_polygon", "tool_box", "tool_wand"),
    *("predict_image", "predict_all", "accept_all", "fine_tune", "cancel_job"),
)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(path.suffix, np.full((60, 80, 3), 90, np.uint8))
        path.write_bytes(data.tobytes())
    return folder


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    window = build_window(fill(tmp_path / "images", "a.png", "b.png", "c.png"))
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    yield window
    window.close()


def press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, key, held or Qt.KeyboardModifier.NoModifier)


def square(window: MainWindow, x0: int, **fields: object) -> Instance:
    category = window.session.drawing_category()
    mask = Mask(x0, 10, np.ones((10, 10), np.bool_))
    box = Box(x0, 10, x0 + 10, 20)
    return Instance(window.session.new_ids()[0], category.id, box, mask, **fields)


def put(window: MainWindow, *columns: int) -> list[Instance]:
    made = [square(window, x0) for x0 in columns]
    window.session.apply(add(window.session.image.id, made, "Put"))
    return made


def test_the_ids_that_scripts_rely_on_are_there(window: MainWindow) -> None:
    for name in PUBLIC_IDS:
        assert window.findChild(type(window.actions_by_id[name]), name) is not None
    assert window.canvas.objectName() == "canvas"


def test_every_panel_has_one_tab_at_most(window: MainWindow) -> None:
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    titles = [bar.tabText(n) for bar in bars for n in range(bar.count())]
    assert {"Layers", "Display", "Objects", "History"} <= set(titles)
    assert len(titles) == len(set(titles))


def test_keys_go_through_the_images(window: MainWindow) -> None:
    session = window.session
    seen = [session.image.path]
    for _ in range(3):
        press(window, Qt.Key.Key_D)
        seen.append(session.image.path)
    assert seen == ["a.png", "b.png", "c.png", "c.png"]
    press(window, Qt.Key.Key_A)
    assert session.image.path == "b.png"


def test_done_is_a_step_like_any_other(window: MainWindow) -> None:
    press(window, Qt.Key.Key_M, CTRL)
    assert window.session.entries[0].state == "done"
    assert window.actions_by_id["mark_done"].isChecked()
    press(window, Qt.Key.Key_Z, CTRL)
    assert window.session.entries[0].state == "todo"
    press(window, Qt.Key.Key_M, CTRL)
    press(window, Qt.Key.Key_D, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert window.session.image.path == "b.png"


def test_number_keys_give_the_selected_objects_a_class(window: MainWindow) -> None:
    session = window.session
    one, two = put(window, 10, 30)
    ship = session.project.add_category("ship")
    session.refresh_categories()
    press(window, Qt.Key.Key_A, CTRL)
    press(window, Qt.Key.Key_2)
    assert {i.category_id for i in session.instances} == {ship.id}
    assert session.category == ship
    press(window, Qt.Key.Key_Z, CTRL)
    assert session.instances == (one, two)
    press(window, Qt.Key.Key_9)
    assert session.instances == (one, two)


def test_delete_asks_nothing_and_can_be_undone(window: MainWindow) -> None:
    session = window.session
    one, two = put(window, 10, 30)
    press(window, Qt.Key.Key_Tab)
    assert session.selection == {one.id}
    press(window, Qt.Key.Key_Tab)
    assert session.selection == {two.id}
    press(window, Qt.Key.Key_Delete)
    assert session.instances == (one,)
    press(window, Qt.Key.Key_Z, CTRL)
    assert session.instances == (one, two)


def test_tool_keys_stay_letters_while_someone_types(window: MainWindow) -> None:
    press(window, Qt.Key.Key_B)
    assert window.canvas.tool is window.tools["brush"]
    field = window.images_panel.findChild(QLineEdit)
    field.setFocus()
    QTest.keyClicks(field, "eva1")
    assert field.text() == "eva1"
    assert window.canvas.tool is window.tools["brush"]


def test_accepting_twice_takes_nothing_twice(window: MainWindow) -> None:
    session = window.session
    found = (square(window, 10, score=0.9), square(window, 40, score=0.2))
    session.project.add_prediction(Prediction(session.image.id, "m", "two-stage", found), "model")
    session.refresh_image(session.image.id)
    press(window, Qt.Key.Key_Return, CTRL)
    assert [i.mask for i in session.instances] == [found[0].mask]
    assert session.instances[0].origin.threshold == 0.5
    press(window, Qt.Key.Key_Return, CTRL)
    assert len(session.instances) == 1
    assert "already" in window.notice.text


def test_layers_switch_by_key(window: MainWindow) -> None:
    shift = Qt.KeyboardModifier.ShiftModifier
    press(window, Qt.Key.Key_H)
    press(window, Qt.Key.Key_A, shift)
    layers = window.session.layers
    assert (layers.annotation, layers.two_stage, layers.end_to_end) == (False, False, True)


def test_copy_and_paste_keys_are_the_objects_but_a_texts_own_in_a_field(window: MainWindow) -> None:
    session = window.session
    (one,) = put(window, 10)
    press(window, Qt.Key.Key_Tab)
    press(window, Qt.Key.Key_C, CTRL)
    field = window.images_panel.findChild(QLineEdit)
    field.setFocus()
    QTest.keyClicks(field, "ab")
    for key in (Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_V):
        QTest.keyClick(field, key, CTRL)
    assert field.text() == "abab"
    assert session.instances == (one,)
    field.clear()
    press(window, Qt.Key.Key_D)
    press(window, Qt.Key.Key_V, CTRL)
    assert [i.mask for i in session.instances] == [one.mask]
    assert session.image.path == "b.png"


def test_what_does_not_fit_on_the_next_image_is_said(window: MainWindow, tmp_path: Path) -> None:
    put(window, 10, 60)
    press(window, Qt.Key.Key_A, CTRL)
    press(window, Qt.Key.Key_C, CTRL)
    (tmp_path / "images" / "b.png").write_bytes(
        cv2.imencode(".png", np.full((15, 40, 3), 90, np.uint8))[1].tobytes()
    )
    press(window, Qt.Key.Key_D)
    press(window, Qt.Key.Key_V, CTRL)
    assert [(i.box.x0, i.box.y1) for i in window.session.instances] == [(10, 15)]
    assert window.notice.text == (
        "1 object cut at the image's edge, 1 object outside the image left out."
    )


def test_tab_stays_at_the_pointer_where_objects_lie_over_each_other(window: MainWindow) -> None:
    one, _, three = put(window, 10, 40, 12)
    place = window.canvas.image_to_widget(15, 15)
    QTest.mouseMove(window.canvas, place)
    QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, pos=place)
    assert window.session.selection == {one.id}
    press(window, Qt.Key.Key_Tab)
    assert window.session.selection == {three.id}
    press(window, Qt.Key.Key_Tab)
    assert window.session.selection == {one.id}


def test_ctrl_a_in_the_table_selects_and_del_deletes_what_is_shown(window: MainWindow) -> None:
    session = window.session
    hand, one, two, locked = put(window, 0, 20, 40, 60)
    ship = session.project.add_category("ship").id
    session.refresh_categories()
    ships = [replace(i, category_id=ship) for i in (one, two, locked)]
    session.apply(change(session.image.id, zip((one, two, locked), ships, strict=True), "Name"))
    session.set_marks(locked=frozenset({locked.id}))
    window.docks["objects"].raise_()
    window.objects_panel.findChild(QLineEdit, "object_filter").setText("ship")
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    (table,) = window.objects_panel.findChildren(QTableView)
    place = table.visualRect(table.model().index(0, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.keyClick(table, Qt.Key.Key_A, CTRL)
    assert session.selection == {one.id, two.id}
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [i.id for i in session.instances] == [hand.id, locked.id]


def test_keep_apart_is_a_switch(window: MainWindow) -> None:
    for wanted in (True, False):
        press(window, Qt.Key.Key_K)
        assert window.session.keep_apart is wanted
        assert window.actions_by_id["keep_apart"].isChecked() is wanted


def test_brackets_size_the_brush(window: MainWindow) -> None:
    press(window, Qt.Key.Key_B)
    before = window.tools["brush"].radius_px
    press(window, Qt.Key.Key_BracketRight)
    assert window.tools["brush"].radius_px > before
    press(window, Qt.Key.Key_BracketLeft)
    press(window, Qt.Key.Key_BracketLeft)
    assert window.tools["brush"].radius_px < before


def test_what_cannot_be_opened_leaves_the_present_project(
    window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "nowhere", tmp_path / "empty"):
        assert not window.commands.open_folder(folder)
        assert window.notice.isVisible()
        assert window.notice.text.endswith(".")
        assert str(folder) in window.notice.text
    assert window.session.project.folder.name == "images"
    assert not (tmp_path / "empty" / ".seginst").exists()


def test_an_unreadable_image_says_so_and_the_next_one_opens(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    folder = fill(tmp_path / "mixed", "b.png")
    (folder / "a.png").write_bytes(b"this is no picture")
    assert window.commands.open_folder(folder)
    assert "a.png" in window.session.unreadable
    press(window, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: window.session.picture is not None)
    assert window.session.image.path == "b.png"


def drop(window: MainWindow, url: QUrl) -> bool:
    """Drag a thing over the window and let it go; return whether the window takes such things."""
    data = QMimeData()
    data.setUrls([url])
    copy = Qt.DropAction.CopyAction
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    over = QDragEnterEvent(QPoint(5, 5), copy, data, no_button, no_key)
    over.ignore()
    window.dragEnterEvent(over)
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, no_button, no_key))
    return over.isAccepted()


def test_a_dropped_folder_is_opened(window: MainWindow, tmp_path: Path) -> None:
    folder = fill(tmp_path / "other", "x.png")
    assert drop(window, QUrl.fromLocalFile(str(folder)))
    assert window.session.project.folder == folder


def test_a_dropped_image_is_shown(window: MainWindow, tmp_path: Path) -> None:
    fill(tmp_path / "images", "sub/x.png")
    other = fill(tmp_path / "other", "x.png", "y.png")
    assert drop(window, QUrl.fromLocalFile(str(other / "y.png")))
    assert (window.session.project.folder, window.session.image.path) == (other, "y.png")
    window.commands.open_folder(tmp_path / "images")
    drop(window, QUrl.fromLocalFile(str(tmp_path / "images" / "sub" / "x.png")))
    assert window.session.project.folder == tmp_path / "images", "which has it already"
    assert window.session.image.path == "sub/x.png"


def test_what_is_no_folder_and_no_image_is_not_taken(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = window.session.project
    monkeypatch.chdir(fill(tmp_path / "here", "x.png"))
    (tmp_path / "here" / "labels.json").write_text("{}")
    for url in (
        QUrl("https://example.org/x.png"),
        QUrl.fromLocalFile(str(tmp_path / "here" / "labels.json")),
    ):
        assert not drop(window, url)
        assert window.session.project is before


def test_accept_is_offered_while_there_is_something_to_accept(window: MainWindow) -> None:
    session, accept = window.session, window.actions_by_id["accept"]
    assert not accept.isEnabled()
    found = (square(window, 20, score=0.9),)
    session.project.add_prediction(Prediction(session.image.id, "m", "two-stage", found), "model")
    session.refresh_image(session.image.id)
    session.select_proposal(Proposal("two-stage", found[0].id))
    assert accept.isEnabled()
    accept.trigger()
    assert len(session.instances) == 1
    assert not accept.isEnabled()
    window.use_tool("polygon")
    for x, y in ((40, 10), (60, 10), (60, 30)):
        QTest.mouseClick(window.canvas, LEFT, pos=window.canvas.image_to_widget(x, y))
    assert accept.isEnabled()
    accept.trigger()
    assert len(session.instances) == 2


def test_save_says_that_everything_is(window: MainWindow) -> None:
    press(window, Qt.Key.Key_S, CTRL)
    assert "Saved" in window.notice.text


def test_without_a_model_prelabelling_says_what_to_do(window: MainWindow) -> None:
    window.commands.models = {}
    press(window, Qt.Key.Key_L, CTRL)
    assert "Models panel" in window.notice.text


@pytest.mark.parametrize("name", ["theme_dark", "theme_light", "theme_system"])
def test_themes(window: MainWindow, name: str) -> None:
    window.actions_by_id[name].trigger()
    shade = QApplication.palette().window().color().lightness()
    if name != "theme_system":
        assert (shade < 128) == (name == "theme_dark")
    again = build_window()
    assert again.actions_by_id[name].isChecked()
    again.close()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_killed_worker_is_reported_and_replaced_and_edits_stay(
    qtbot: QtBot, window: MainWindow
) -> None:
    (made,) = put(window, 10)
    client = window.predictor._worker
    with qtbot.waitSignal(client.ready, timeout=120_000):
        if client.device:
            client.ready.emit(client.device, client.device_name)
    assert "CPU" in window.status.device_text or "GPU" in window.status.device_text
    first = client._process.processId()
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: "killed" in window.notice.text, timeout=60_000)
    qtbot.waitUntil(lambda: client.running and client._process.processId() not in (0, first))
    assert window.session.instances == (made,)


def test_a_bug_is_said_and_its_details_are_with_the_persons_logs(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGINST_HOME", str(tmp_path))
    for bug in (KeyError("oops"), ValueError("and then")):
        _report(type(bug), bug, None)
    logs = sorted((tmp_path / "logs").iterdir())
    written = "".join(log.read_text() for log in logs)
    assert "KeyError: 'oops'" in written
    assert "ValueError: and then" in written
    assert str(logs[-1]) in window.notice.text
