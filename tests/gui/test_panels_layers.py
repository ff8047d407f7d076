"""The layer panel on a real project, with real clicks and keys."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from seginst_core.project import add
from seginst_core.types import PIPELINES, Prediction
from seginst_gui.display.settings import Layers
from seginst_gui.panels.layers import LayersPanel
from seginst_gui.session import Proposal, Session


@pytest.fixture
def panel(qtbot: QtBot, opened: Session) -> LayersPanel:
    panel = LayersPanel(opened)
    qtbot.addWidget(panel)
    panel.resize(340, 300)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@pytest.fixture
def predicted(opened: Session, make_instance) -> dict[str, list[int]]:
    """Both pipelines look at the open image: A finds 0.2, 0.6 and 0.9, B finds 0.7."""
    assert opened.project is not None
    assert opened.image is not None
    ids = {}
    for pipeline, scores in zip(PIPELINES, ((0.2, 0.6, 0.9), (0.7,)), strict=True):
        found = tuple(make_instance(score=score) for score in scores)
        ids[pipeline] = [instance.id for instance in found]
        prediction = Prediction(opened.image.id, "m1", pipeline, found)
        opened.project.add_prediction(prediction, f"model of {pipeline}")
    opened.refresh_image(opened.image.id)
    return ids


def box(panel: LayersPanel, name: str) -> QCheckBox:
    found = panel.findChild(QCheckBox, f"layer_{name}")
    assert found is not None
    return found


def button(panel: LayersPanel, name: str) -> QPushButton:
    found = panel.findChild(QPushButton, name)
    assert found is not None
    return found


def click_box(qtbot: QtBot, panel: LayersPanel, name: str) -> None:
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(box(panel, name), left, pos=QPoint(8, box(panel, name).height() // 2))


def tips(panel: LayersPanel) -> list[str]:
    """The whole texts of the lines, which may be cut on a narrow screen."""
    return [w.toolTip() for w in panel.findChildren(QLabel) if w.toolTip()]


def test_counts_follow_the_image_and_the_score(
    panel: LayersPanel, opened: Session, predicted, make_instance
) -> None:
    assert opened.image is not None
    assert tips(panel) == [
        "0 objects",
        "2 of 3 · model of two-stage",
        "1 of 1 · model of end-to-end",
    ]
    opened.apply(add(opened.image.id, [make_instance()], "Draw"))
    opened.set_layers(replace(opened.layers, threshold=0.8))
    assert tips(panel) == [
        "1 object",
        "1 of 3 · model of two-stage",
        "0 of 1 · model of end-to-end",
    ]
    opened.step(1)
    assert tips(panel) == ["0 objects", "has not looked yet", "has not looked yet"]


def test_boxes_switch_layers_both_ways(
    qtbot: QtBot, panel: LayersPanel, opened: Session, predicted
) -> None:
    click_box(qtbot, panel, "a")
    assert opened.layers == Layers(two_stage=False)
    click_box(qtbot, panel, "annotation")
    click_box(qtbot, panel, "b")
    assert opened.layers == Layers(annotation=False, two_stage=False, end_to_end=False)
    opened.set_layers(Layers())
    assert all(box(panel, name).isChecked() for name in ("annotation", "a", "b"))


def test_the_slider_sets_the_score_live(qtbot: QtBot, panel: LayersPanel, opened: Session) -> None:
    heard: list[float] = []
    opened.layers_changed.connect(lambda: heard.append(opened.layers.threshold))
    slider = panel.findChild(QSlider, "score")
    assert slider is not None
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_PageUp)
    assert heard == [0.51, 0.56]
    assert "0.56" in [w.text() for w in panel.findChildren(QLabel)]
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert heard[2:] == [0.05, 0.95]
    opened.set_layers(Layers(threshold=0.3))
    assert slider.value() == 30
    assert heard[4:] == [0.3], "the slider does not echo"


def test_accept_all_asks_for_its_pipeline(qtbot: QtBot, panel: LayersPanel, predicted) -> None:
    asked: list[str] = []
    panel.accept_all_wanted.connect(asked.append)
    for name in ("accept_all_a", "accept_all_b"):
        qtbot.mouseClick(button(panel, name), Qt.MouseButton.LeftButton)
    assert asked == ["two-stage", "end-to-end"]


def test_what_cannot_be_done_is_disabled(
    qtbot: QtBot, panel: LayersPanel, opened: Session, predicted
) -> None:
    a, b = button(panel, "accept_all_a"), button(panel, "accept_all_b")
    assert (a.isEnabled(), b.isEnabled()) == (True, True)
    opened.set_layers(replace(opened.layers, threshold=0.8))
    assert (a.isEnabled(), b.isEnabled()) == (True, False)
    click_box(qtbot, panel, "a")
    assert not a.isEnabled(), "nobody accepts what is hidden"
    opened.set_layers(Layers())
    opened.step(1)
    assert (a.isEnabled(), b.isEnabled()) == (False, False)


def test_accept_needs_a_selected_prediction(
    qtbot: QtBot, panel: LayersPanel, opened: Session, predicted
) -> None:
    accept = button(panel, "accept_selected")
    asked: list[bool] = []
    panel.accept_wanted.connect(lambda: asked.append(True))
    assert not accept.isEnabled()
    opened.select_proposal(Proposal("two-stage", predicted["two-stage"][2]))
    assert accept.isEnabled()
    qtbot.mouseClick(accept, Qt.MouseButton.LeftButton)
    assert asked == [True]
    opened.select_proposal(None)
    assert not accept.isEnabled()


def test_nothing_open_says_nothing(qtbot: QtBot, session: Session) -> None:
    panel = LayersPanel(session)
    qtbot.addWidget(panel)
    assert tips(panel) == []
    assert not any(b.isEnabled() for b in panel.findChildren(QPushButton))
