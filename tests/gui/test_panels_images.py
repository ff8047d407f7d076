"""The image list on real projects, with real clicks and keys."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractListModel, QPoint, Qt, QThreadPool
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QListView
from pytestqt.qtbot import QtBot

from seginst_core.project import Edit, ImageEntry, add
from seginst_core.types import ImageRef, Instance, Prediction
from seginst_gui.panels.images import ImagesPanel
from seginst_gui.panels.images.delegate import short_counts
from seginst_gui.panels.images.panel import SENTENCE_NO_FOLDER, SENTENCE_NO_MATCH
from seginst_gui.panels.images.rows import ENTRY_ROLE, counts, tooltip
from seginst_gui.panels.images.thumbnails import N_WAITING, Thumbnails
from seginst_gui.session import Session

from .canvas_scenes import Paints


@pytest.fixture
def make_panel(qtbot: QtBot, session: Session) -> Callable[[], ImagesPanel]:
    def make() -> ImagesPanel:
        panel = ImagesPanel(session)
        panel.image_activated.connect(session.open_image)
        qtbot.addWidget(panel)
        panel.resize(280, 420)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return make


@pytest.fixture
def panel(opened: Session, make_panel) -> ImagesPanel:
    return make_panel()


def view(panel: ImagesPanel) -> QListView:
    return panel.findChildren(QListView, "images")[0]


def model(panel: ImagesPanel) -> QAbstractListModel:
    model = view(panel).model()
    assert isinstance(model, QAbstractListModel)
    return model


def names(panel: ImagesPanel) -> list[str]:
    rows = model(panel)
    return [rows.index(row).data() for row in range(rows.rowCount())]


def selected(panel: ImagesPanel) -> list[str]:
    return [index.data() for index in view(panel).selectedIndexes()]


def texts(panel: ImagesPanel) -> list[str]:
    return [w.text() for w in panel.findChildren(QLabel) if w.isVisible() and w.text()]


def middle(panel: ImagesPanel, row: int) -> QPoint:
    return view(panel).visualRect(model(panel).index(row)).center()


def choose_state(panel: ImagesPanel, name: str) -> None:
    combo = panel.findChildren(QComboBox)[0]
    combo.setCurrentIndex(combo.findText(name))


def mark(session: Session, state: str) -> None:
    assert session.document is not None
    before = session.document.state
    session.apply(Edit(session.document.image.id, (), "State", state=(before, state)))


def test_an_edit_paints_one_row_anew(
    panel: ImagesPanel, opened: Session, make_instance: Callable[..., Instance], qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    qtbot.wait(50)
    paints = Paints(view(panel).viewport())
    assert opened.image is not None
    opened.apply(add(opened.image.id, [make_instance()], "Draw"))
    qtbot.waitUntil(lambda: bool(paints.rects))
    row = view(panel).visualRect(model(panel).index(0))
    assert all(row.contains(rect) for rect in paints.rects)


def test_lists_the_images_with_the_open_one_selected(panel: ImagesPanel) -> None:
    assert names(panel) == ["a.png", "b.png", "sub/c.png"]
    assert selected(panel) == ["a.png"]
    assert texts(panel) == ["0 of 3 done"]


def test_a_click_opens_an_image_once(qtbot: QtBot, panel: ImagesPanel, opened: Session) -> None:
    asked: list[int] = []
    panel.image_activated.connect(asked.append)
    for click in (qtbot.mouseClick, qtbot.mouseDClick):
        click(view(panel).viewport(), Qt.MouseButton.LeftButton, pos=middle(panel, 1))
    assert asked == [opened.entries[1].ref.id]
    assert opened.image is not None
    assert opened.image.path == "b.png"


def test_arrows_and_enter_open_an_image(qtbot: QtBot, panel: ImagesPanel, opened: Session) -> None:
    view(panel).setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(view(panel), key)
    assert opened.image is not None
    assert opened.image.path == "sub/c.png"


def test_follows_the_session(panel: ImagesPanel, opened: Session) -> None:
    opened.step(2)
    assert selected(panel) == ["sub/c.png"]


def test_an_image_that_cannot_be_read_is_current_all_the_same(
    session: Session, make_folder, make_panel
) -> None:
    folder: Path = make_folder("a.png", "b.png", "c.png")
    (folder / "b.png").write_bytes(b"not an image")
    session.open_folder(folder)
    panel = make_panel()
    session.step(1)
    assert session.image is None
    assert selected(panel) == ["b.png"]


def test_keeps_a_far_image_in_view(session: Session, make_folder, make_panel) -> None:
    session.open_folder(make_folder(*(f"{n:03}.png" for n in range(60))))
    panel = make_panel()
    session.step(50)
    rect = view(panel).visualRect(view(panel).currentIndex())
    assert view(panel).viewport().rect().contains(rect)


def test_typing_filters_by_name(qtbot: QtBot, panel: ImagesPanel, opened: Session) -> None:
    field = panel.findChildren(QLineEdit)[0]
    qtbot.keyClicks(field, "SUB")
    assert names(panel) == ["sub/c.png"]
    assert selected(panel) == []
    assert "1 shown" in texts(panel)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert opened.image is not None
    assert opened.image.path == "sub/c.png"
    qtbot.keyClicks(field, "x")
    assert names(panel) == []
    assert SENTENCE_NO_MATCH in texts(panel)
    field.clear()
    assert len(names(panel)) == 3
    assert selected(panel) == ["sub/c.png"]


def test_states_and_counts_are_live(
    panel: ImagesPanel, opened: Session, make_instance: Callable[..., Instance]
) -> None:
    assert opened.image is not None
    changed: list[int] = []
    model(panel).dataChanged.connect(lambda first, _last: changed.append(first.row()))
    opened.apply(add(opened.image.id, [make_instance()], "Draw"))
    assert set(changed) == {0}
    entry = model(panel).index(0).data(ENTRY_ROLE)
    assert (entry.state, counts(entry)) == ("draft", "1 object")
    mark(opened, "done")
    assert "1 of 3 done" in texts(panel)
    assert "Done" in model(panel).index(0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_the_state_filter_lets_go_of_an_image_only_when_another_opens(
    panel: ImagesPanel, opened: Session
) -> None:
    choose_state(panel, "To do")
    assert len(names(panel)) == 3
    mark(opened, "done")
    assert "a.png" in names(panel)
    opened.step(1)
    assert names(panel) == ["b.png", "sub/c.png"]
    assert selected(panel) == ["b.png"]
    choose_state(panel, "Done")
    assert names(panel) == ["a.png"]
    mark(opened, "done")
    assert names(panel) == ["a.png", "b.png"]
    assert opened.undo() is not None
    opened.step(-1)
    assert names(panel) == ["a.png"]


def test_the_next_image_is_the_next_one_listed(panel: ImagesPanel, opened: Session) -> None:
    """While the filter can be seen: hidden, it would pass images over for no reason."""
    panel.findChild(QLineEdit).setText("sub")
    assert names(panel) == ["sub/c.png"]
    opened.step(1)
    assert opened.image.path == "sub/c.png"
    opened.step(1)
    opened.step(-1)
    assert opened.image.path == "sub/c.png", "there is no other"
    panel.findChild(QLineEdit).setText("b")
    opened.step(-1)
    assert opened.image.path == "b.png"
    panel.hide()
    opened.step(-1)
    assert opened.image.path == "a.png"


def test_missing_files_are_listed_as_missing(
    session: Session, make_folder, make_panel, qtbot: QtBot
) -> None:
    folder: Path = make_folder("a.png", "b.png")
    session.open_folder(folder)
    session.close()
    (folder / "b.png").unlink()
    session.open_folder(folder)
    panel = make_panel()
    choose_state(panel, "Missing")
    assert names(panel) == ["b.png"]
    assert "Missing" in model(panel).index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    panel.grab()
    assert panel.thumbnails.asked() <= {session.entries[0].ref.id}


def test_the_same_folder_opened_again_is_looked_at_anew(
    session: Session, make_folder, make_panel
) -> None:
    folder: Path = make_folder("a.png", "b.png")
    session.open_folder(folder)
    panel = make_panel()
    session.open_image(session.entries[1].ref.id)
    (folder / "a.png").rename(folder / "c.png")
    session.open_folder(folder)
    assert names(panel) == ["b.png", "c.png", "a.png"]
    assert [entry.missing for entry in session.entries] == [False, False, True]
    assert session.image is not None
    assert session.image.path == "b.png"


def test_predictions_are_counted(panel: ImagesPanel, opened: Session, make_instance) -> None:
    assert opened.project is not None
    image_id = opened.entries[1].ref.id
    found = tuple(replace(make_instance(), score=0.9) for _ in range(3))
    opened.project.add_prediction(Prediction(image_id, "m1", "two-stage", found), "planes")
    opened.refresh_image(image_id)
    assert counts(model(panel).index(1).data(ENTRY_ROLE)) == "3 predicted"


def test_a_narrow_panel_shows_its_states_in_full(qtbot: QtBot, panel: ImagesPanel) -> None:
    panel.setFixedWidth(170)
    panel.show()
    qtbot.waitExposed(panel)
    (states,) = (box for box in panel.findChildren(QComboBox) if box.accessibleName() == "State")
    states.showPopup()
    choices = states.view()
    assert states.width() < choices.sizeHintForColumn(0) <= choices.width()
    states.hidePopup()


@pytest.mark.parametrize(
    ("n_instances", "n_predicted", "fits", "text"),
    [
        (1, 2, "1 object · 2 predicted", "1 object · 2 predicted"),
        (1, 2, "1 object", "1 object"),
        (1234, 2, "1,234", "1,234"),
        (0, 0, "0", "0"),
        (0, 31, "31", ""),
    ],
)
def test_counts_are_never_cut_within_a_word(
    qapp: QApplication, n_instances: int, n_predicted: int, fits: str, text: str
) -> None:
    entry = ImageEntry(ImageRef(1, "a.png", 0, 0), "todo", n_instances, n_predicted, False)
    metrics = QFontMetrics(qapp.font())
    assert short_counts(entry, metrics, metrics.horizontalAdvance(fits)) == text


@pytest.mark.parametrize(
    ("n_instances", "n_predicted", "text"),
    [
        (0, 0, "no objects"),
        (12, 0, "12 objects"),
        (0, 31, "31 predicted"),
        (1, 2, "1 object · 2 predicted"),
    ],
)
def test_counts_in_words(n_instances: int, n_predicted: int, text: str) -> None:
    entry = ImageEntry(ImageRef(1, "a.png", 0, 0), "todo", n_instances, n_predicted, False)
    assert counts(entry) == text
    lines = tooltip(replace(entry, ref=ImageRef(1, "a.png", 1200, 800))).splitlines()
    assert lines[:3] == ["a.png", "1,200 × 800 px", text]
    assert [line.startswith("Predictions of any score") for line in lines[3:]] == (
        [True] if n_predicted else []
    )


def test_another_folder_replaces_everything(
    panel: ImagesPanel, opened: Session, make_folder
) -> None:
    opened.open_folder(make_folder("x.png", folder="others"))
    assert names(panel) == ["x.png"]
    assert selected(panel) == ["x.png"]


def test_says_what_to_do_when_nothing_is_open(make_panel) -> None:
    assert SENTENCE_NO_FOLDER in texts(make_panel())


def test_only_visible_thumbnails_of_ten_thousand_are_asked_for(
    session: Session, make_folder, make_panel, qtbot: QtBot
) -> None:
    session.open_folder(make_folder("a.png"))
    first = session.entries[0]
    panel = make_panel()
    session.entries = tuple(
        replace(first, ref=ImageRef(n, f"folder/{n:05}.png", 0, 0)) for n in range(1, 10_001)
    )
    session.project_changed.emit()
    assert model(panel).rowCount() == 10_000
    panel.grab()
    n_rows = view(panel).height() // view(panel).sizeHintForRow(0) + 2
    assert 0 < len(panel.thumbnails.asked()) <= n_rows
    view(panel).scrollToBottom()
    panel.grab()
    assert len(panel.thumbnails.asked()) <= 2 * n_rows
    assert 10_000 in panel.thumbnails.asked()


def test_thumbnails_arrive_and_bad_files_do_not_stop_them(qtbot: QtBot, make_folder) -> None:
    folder = make_folder("a.png", "b.png", width=400, height=200)
    (folder / "b.png").write_bytes(b"not an image")
    thumbnails = Thumbnails()
    thumbnails.use_folder(folder)
    for image_id, name in ((1, "a.png"), (2, "b.png"), (3, "gone.png")):
        assert thumbnails.get(image_id, name) is None
    qtbot.waitUntil(lambda: thumbnails.failed(2) and thumbnails.failed(3))
    qtbot.waitUntil(lambda: thumbnails.get(1, "a.png") is not None)
    pixmap = thumbnails.get(1, "a.png")
    assert pixmap is not None
    assert (pixmap.width(), pixmap.height()) == (128, 64)
    assert not thumbnails.failed(1)


def test_thumbnails_keep_neither_a_long_queue_nor_all_there_were(qtbot: QtBot, make_folder) -> None:
    thumbnails = Thumbnails(n_kept=10)
    thumbnails.use_folder(make_folder("a.png", width=4, height=4))
    answered: list[int] = []
    thumbnails.ready.connect(answered.append)
    for image_id in range(500):
        thumbnails.get(image_id, "a.png")
    assert thumbnails.asked() == {0, *range(500 - N_WAITING, 500)}
    qtbot.waitUntil(lambda: len(answered) == N_WAITING + 1)
    assert answered[1] == 499, "what was wanted last comes first"
    assert len(thumbnails.asked()) == 10


def test_a_list_can_go_while_it_decodes(qtbot: QtBot, make_folder) -> None:
    folder = make_folder("large.png", width=3000, height=3000)
    for _ in range(5):
        thumbnails = Thumbnails()
        thumbnails.use_folder(folder)
        thumbnails.get(1, "large.png")
        with qtbot.waitSignal(thumbnails.destroyed):
            thumbnails.deleteLater()
    QThreadPool.globalInstance().waitForDone()
