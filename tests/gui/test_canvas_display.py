"""How image and objects are shown can be changed, and the data stays as it is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from seginst_core.types import Category, Origin
from seginst_gui.canvas.looks import ORIGIN_COLOURS, PIPELINE_COLOURS, object_colour
from seginst_gui.display.panel import DisplayPanel
from seginst_gui.display.settings import Display, Style, Tone, from_text, to_text
from seginst_gui.display.tones import tone_table
from seginst_gui.session import Session

from .canvas_scenes import GROUND, Stage, block, hover, mixed, open_stage, picture, wheel

RED = (230, 20, 0)


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        opened.open()
        yield opened


@pytest.fixture
def panel(stage: Stage) -> DisplayPanel:
    panel = DisplayPanel(stage.session)
    stage.qtbot.addWidget(panel)
    panel.resize(320, 640)
    panel.show()
    return panel


def show(stage: Stage, **changed: object) -> None:
    stage.session.display.set(replace(stage.session.display.now, **changed))


def slide(stage: Stage, panel: DisplayPanel, name: str, value: int) -> None:
    """Set a slider with the keys a person would use."""
    slider = panel.findChild(QSlider, name)
    stage.qtbot.keyClick(slider, Qt.Key.Key_Home)
    for _ in range(value - slider.minimum()):
        stage.qtbot.keyClick(slider, Qt.Key.Key_Right)


# --- brightness, contrast, gamma, bands -----------------------------------------------------


def test_the_usual_tone_changes_nothing() -> None:
    assert tone_table(Tone()) is None


@pytest.mark.parametrize(
    ("tone", "brighter"),
    [
        (Tone(brightness=0.2), (True, True)),
        (Tone(brightness=-0.2), (False, False)),
        (Tone(contrast=0.5), (False, True)),
        (Tone(contrast=-0.5), (True, False)),
        (Tone(gamma=2.0), (True, True)),
        (Tone(gamma=0.5), (False, False)),
    ],
)
def test_a_tone_moves_dark_and_bright_as_it_says_and_keeps_their_order(tone, brighter) -> None:
    table = tone_table(tone)
    assert table is not None
    assert (np.diff(table.astype(int)) >= 0).all()
    assert (table[64] > 64, table[192] > 192) == brighter


@pytest.mark.parametrize("zoom", [0.3, 1.0, 1.5, 4.0])
def test_the_canvas_shows_every_pixel_through_the_tone(stage: Stage, zoom: float) -> None:
    stage.look(150, 100, zoom)
    tone = Tone(0.1, 0.4, 1.8)
    show(stage, tone=tone)
    table = tone_table(tone)
    assert stage.colour(150, 100) == tuple(int(table[v]) for v in GROUND)
    assert np.array_equal(stage.session.picture.pixels, picture()), "the data stays as it is"
    show(stage, tone=Tone())
    assert stage.colour(150, 100) == GROUND


def test_the_panel_s_sliders_and_its_reset(stage: Stage, panel: DisplayPanel) -> None:
    reset = panel.findChild(QPushButton, "reset_tone")
    assert not reset.isEnabled()
    slide(stage, panel, "brightness", 20)
    slide(stage, panel, "gamma", 25)
    assert stage.session.display.now.tone == Tone(0.2, 0.0, round(5**0.5, 3))
    assert stage.colour(150, 100) != GROUND
    stage.qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert stage.session.display.now.tone == Tone()
    assert panel.findChild(QSlider, "brightness").value() == 0
    assert stage.colour(150, 100) == GROUND
    slide(stage, panel, "contrast", -30)
    slider = panel.findChild(QSlider, "contrast")
    stage.qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton)
    assert stage.session.display.now.tone == Tone()


def test_any_bands_of_a_file_with_many_are_chosen_in_the_panel(
    qtbot: QtBot, tmp_path: Path
) -> None:
    values = np.full((40, 60, 5), (10, 20, 30, 40, 50), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig")
    with open_stage(qtbot, tmp_path) as stage:
        stage.session.open_folder(tmp_path)
        panel = DisplayPanel(stage.session)
        qtbot.addWidget(panel)
        tiff = next(e.ref.id for e in stage.session.entries if e.ref.path == "a.tif")
        stage.session.open_image(tiff)
        stage.wait_for_pixels()
        boxes = [panel.findChild(QComboBox, f"band_{c}") for c in ("red", "green", "blue")]
        assert [box.count() for box in boxes] == [5] * 3
        place = stage.canvas.image_to_widget(30, 20)
        for box, band in zip(boxes, (4, 2, 3), strict=True):
            before = stage.session.picture
            box.setFocus()
            qtbot.keyClick(box, str(band + 1))
            qtbot.waitUntil(lambda before=before: stage.session.picture is not before)
        assert stage.colour(30, 20) == (50, 30, 40)
        assert stage.canvas.image_to_widget(30, 20) == place, "the view is kept"
        qtbot.mouseClick(panel.findChild(QPushButton, "reset_tone"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: stage.colour(30, 20) == (10, 20, 30))


# --- objects ----------------------------------------------------------------------------------


def test_fill_outline_and_opacity(stage: Stage) -> None:
    stage.session.project.update_category(Category(stage.category.id, "plane", RED))
    stage.session.refresh_categories()
    stage.add(block(100, 80, 160, 140))
    stage.look(130, 110, 2)
    edge = stage.canvas.image_to_widget(100, 110)

    def seen() -> tuple[tuple[int, ...], tuple[int, ...]]:
        return stage.colour(130, 110), stage.colour_at(edge.x() + 3, edge.y())

    show(stage, style=Style(fill=0.0))
    assert seen() == (GROUND, GROUND), "two pixels of line, nothing inside"
    show(stage, style=Style(fill=0.0, outline_px=4))
    assert seen() == (GROUND, RED)
    show(stage, style=Style(fill=1.0, outline_px=0))
    assert seen() == (RED, RED)
    show(stage, style=Style(fill=1.0, outline_px=0, opacity=0.25))
    assert seen()[0] == pytest.approx(mixed(RED, GROUND, 0.25), abs=2)
    show(stage, style=Style(opacity=0.0))
    assert seen() == (GROUND, GROUND)


def test_colours_by_object_and_by_origin(stage: Stage) -> None:
    made = stage.add(*(block(20 + 40 * k, 80, 50 + 40 * k, 110) for k in range(4)))
    origins = (
        Origin("human"),
        Origin("import", edited=True),
        Origin("model", "m", "two-stage", 0.9),
        Origin("model", "m", "end-to-end", 0.8),
    )
    for instance, origin in zip(made, origins, strict=True):
        changed = replace(instance, origin=origin)
        stage.session.document._instances[instance.id] = changed
    solid = Style(fill=1.0, outline_px=0)
    show(stage, style=replace(solid, colour_by="object"))
    seen = [stage.colour(35 + 40 * k, 95) for k in range(4)]
    assert seen == [object_colour(i.id) for i in made]
    assert len(set(seen)) == 4
    show(stage, style=replace(solid, colour_by="origin"))
    expected = [ORIGIN_COLOURS["human"], ORIGIN_COLOURS["import"], *PIPELINE_COLOURS.values()]
    assert [stage.colour(35 + 40 * k, 95) for k in range(4)] == expected


def test_objects_next_to_each_other_in_the_list_have_colours_that_differ() -> None:
    colours = np.array([object_colour(k) for k in range(1, 200)], int)
    assert np.abs(np.diff(colours, axis=0)).sum(axis=1).min() > 90


def test_the_object_under_the_pointer_is_named(stage: Stage) -> None:
    canvas = stage.canvas
    large, small = stage.add(block(100, 80, 160, 140), block(120, 100, 130, 110))
    stage.look(130, 110, 3)
    hover(canvas, canvas._camera.to_widget(150, 130))
    assert canvas._label == "plane"
    hover(canvas, canvas._camera.to_widget(125, 105))
    assert canvas._label == "plane · 1 of 2"
    named = canvas.grab().toImage()
    stage.session.set_marks(locked=frozenset({small.id}))
    assert canvas._label == "plane · locked · 1 of 2"
    stage.session.set_marks(hidden=frozenset({small.id}), locked=frozenset())
    assert canvas._label == "plane"
    hover(canvas, canvas._camera.to_widget(105, 70))
    assert canvas._label == ""
    stage.session.set_marks(hidden=frozenset())
    clean = canvas.grab().toImage()
    assert named != clean
    show(stage, style=Style(names=False))
    hover(canvas, canvas._camera.to_widget(125, 105))
    assert canvas._label == ""
    # What is named leaves no trace: every pixel is as before the pointer came.
    hover(canvas, canvas._camera.to_widget(105, 70))
    assert canvas.grab().toImage() == clean
    assert large.id in {i.id for i in stage.session.instances}


# --- grid and values ----------------------------------------------------------------------------


def test_pixels_have_borders_from_twelve_times_on(stage: Stage) -> None:
    for zoom, lines in ((8.0, False), (16.0, True)):
        stage.look(150, 100, zoom)
        corner = stage.canvas.image_to_widget(150, 100)
        assert (stage.colour_at(corner.x(), corner.y() + 4) != GROUND) == lines
        assert stage.colour_at(corner.x() + 3, corner.y() + 3) == GROUND
    show(stage, pixel_grid=False)
    assert stage.colour_at(corner.x(), corner.y() + 4) == GROUND


def test_values_are_written_on_pixels_large_enough(stage: Stage) -> None:
    def written(x: int, y: int) -> int:
        corner = stage.canvas.image_to_widget(x, y)
        side = int(stage.canvas.zoom) - 2
        shot = stage.canvas.grab().toImage()
        ground = shot.pixelColor(corner + QPoint(2, 2)).rgb()
        cell = (
            shot.pixelColor(corner + QPoint(u, v)).rgb()
            for v in range(2, side)
            for u in range(2, side)
        )
        return sum(colour != ground for colour in cell)

    stage.look(150, 100, 30)
    assert written(150, 100) == 0
    stage.look(150, 100, 48)
    assert written(150, 100) > 60
    # Three numbers differ from pixel to pixel where the pixels do.
    stage.look(20, 20, 48)
    assert written(20, 20) > 60


# --- what is remembered ---------------------------------------------------------------------------

CHANGED = Display(
    Tone(0.25, -0.5, 2.0), (3, 1, 0), Style("origin", 0.1, 4, 0.7, False), False, False
)


def test_settings_survive_as_text() -> None:
    assert from_text(to_text(CHANGED)) == CHANGED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{",
        '{"tone": 3, "style": [], "bands": "x", "minimap": 1, "pixel_grid": null}',
        '{"tone": {"gamma": NaN, "brightness": "x"}, "bands": [0, 1], "style": {"fill": true}}',
        '{"bands": [0, -1, 2], "style": {"colour_by": "mood"}}',
    ],
)
def test_settings_that_make_no_sense_are_as_at_first(text: str) -> None:
    assert from_text(text) == Display()


def test_numbers_out_of_range_are_brought_back() -> None:
    read = from_text('{"tone": {"gamma": 99, "contrast": -7}, "style": {"outline_px": 50}}')
    assert read.tone == Tone(0.0, -1.0, 5.0)
    assert read.style.outline_px == 4


def test_a_project_remembers_how_it_was_shown(stage: Stage, tmp_path: Path) -> None:
    stage.session.display.set(CHANGED)
    stage.session.close()
    assert stage.session.display.now == Display(), "another project is not shown like this one"
    session = Session()
    session.open_folder(stage.folder)
    assert session.display.now == CHANGED
    session.close()


def test_the_panel_follows_what_is_set_elsewhere(stage: Stage, panel: DisplayPanel) -> None:
    stage.session.display.set(CHANGED)
    assert panel.findChild(QSlider, "fill").value() == 10
    assert panel.findChild(QSlider, "outline").value() == 4
    assert panel.findChild(QComboBox, "colour_by").currentText() == "Origin"
    assert not panel.findChild(QCheckBox, "display_minimap").isChecked()
    assert stage.session.display.now == CHANGED, "the panel does not echo"
    box = panel.findChild(QCheckBox, "display_minimap")
    stage.qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert stage.session.display.now == replace(CHANGED, minimap=True)


# --- the small map --------------------------------------------------------------------------------


def test_the_small_map_shows_when_there_is_more_than_is_seen(stage: Stage) -> None:
    small = stage.canvas._minimap
    show(stage, minimap=True)
    assert not small.isVisible(), "all of the image is seen"
    wheel(stage.canvas, (320, 240), 480)
    assert small.isVisible()
    assert small.geometry().bottomRight() == QPoint(640 - 11, 480 - 11)
    assert small.width() / small.height() == pytest.approx(300 / 200, abs=0.03)
    stage.canvas.resize(800, 500)
    assert small.geometry().bottomRight() == QPoint(800 - 11, 500 - 11)
    show(stage, minimap=False)
    assert not small.isVisible()


def test_a_drag_on_the_small_map_moves_the_view(stage: Stage) -> None:
    show(stage, minimap=True)
    canvas, small = stage.canvas, stage.canvas._minimap
    stage.look(150, 100, 6)
    left = Qt.MouseButton.LeftButton
    at = QPoint(round(small.width() * 0.3), round(small.height() * 0.6))
    QTest.mousePress(small, left, pos=at)
    assert canvas.centre() == pytest.approx((90, 120), abs=2)
    QTest.mouseMove(small, QPoint(small.width() // 2, small.height() // 2))
    assert canvas.centre() == pytest.approx((150, 100), abs=2)
    QTest.mouseRelease(small, left, pos=QPoint(small.width() // 2, small.height() // 2))
    QTest.mouseMove(small, at)
    assert canvas.centre() == pytest.approx((150, 100), abs=2)
    assert canvas.zoom == pytest.approx(6)


def test_nothing_is_made_of_the_small_map_while_it_is_hidden(stage: Stage) -> None:
    small = stage.canvas._minimap
    painted: list[bool] = []
    small.paintEvent = lambda event: painted.append(True)
    n = small.n_made
    stage.look(150, 100, 5)
    wheel(stage.canvas, (200, 200), -120)
    show(stage, tone=Tone(0.3))
    stage.session.step(1)
    stage.wait_for_pixels()
    stage.canvas.grab()
    assert (small.n_made, painted) == (n, [])


def test_the_small_map_shows_the_image_and_where_the_view_is(stage: Stage) -> None:
    show(stage, minimap=True)
    stage.look(225, 150, 8)
    small = stage.canvas._minimap
    shot = small.grab().toImage()

    def at(x: float, y: float) -> tuple[int, ...]:
        return shot.pixelColor(int(x / 300 * shot.width()), int(y / 200 * shot.height())).getRgb()[
            :3
        ]

    assert at(225, 150) == GROUND, "what is seen is bright"
    assert at(100, 150) == pytest.approx(mixed((0, 0, 0), GROUND, 90 / 255), abs=2)
    show(stage, tone=Tone(0.3))
    shot = small.grab().toImage()
    assert at(225, 150) == tuple(int(tone_table(Tone(0.3))[v]) for v in GROUND)
