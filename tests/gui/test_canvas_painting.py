"""What the canvas paints: the image's own colours, and the objects exactly where they are."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from seginst_core.project.edits import change, painted
from seginst_core.types import Box, Mask, Prediction
from seginst_gui.canvas import overlay, scene_view
from seginst_gui.session import Proposal
from seginst_gui.tools.base import PlainTool, Preview

from .canvas_scenes import (
    GROUND,
    HEIGHT,
    WIDTH,
    Paints,
    Stage,
    block,
    hover,
    mixed,
    open_stage,
    picture,
    write,
)

BACKGROUND = (43, 43, 43)
RED = (230, 20, 0)


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    with open_stage(qtbot, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("zoom", [8.0, 3.3, 2.0, 1.0])
def test_every_pixel_has_its_own_colour(stage: Stage, zoom: float) -> None:
    stage.open()
    stage.look(20, 20, zoom)
    assert stage.canvas.zoom == pytest.approx(zoom)
    pixels = picture()
    shot = stage.canvas.grab().toImage()
    for x, y in ((0, 0), (13, 7), (20, 20), (39, 38), (25, 31)):
        place = stage.canvas.image_to_widget(x + 0.5, y + 0.5)
        assert shot.pixelColor(place).getRgb()[:3] == tuple(pixels[y, x].tolist())


def test_a_pixel_is_a_square_to_its_very_corners(stage: Stage) -> None:
    stage.open()
    stage.look(20, 20, 8)
    corner = stage.canvas.image_to_widget(20, 20)
    expected = tuple(picture()[20, 20].tolist())
    for du, dv in ((0, 0), (7, 0), (0, 7), (7, 7)):
        assert stage.colour_at(corner.x() + du, corner.y() + dv) == expected
    assert stage.colour_at(corner.x() - 1, corner.y()) != expected
    assert stage.colour_at(corner.x() + 8, corner.y()) != expected


def test_around_the_image_is_the_background(stage: Stage) -> None:
    stage.open()
    stage.canvas.zoom_by(0.5)
    for x, y in ((-5, 50), (WIDTH + 5, 50), (50, -5), (50, HEIGHT + 5)):
        assert stage.colour(x, y) == BACKGROUND


@pytest.mark.parametrize("zoom", [8.0, 1.0, 1 / 8])
def test_a_mask_is_tinted_exactly_where_it_is(stage: Stage, zoom: float) -> None:
    stage.open()
    stage.session.project.update_category(replace(stage.category, colour=RED))
    stage.session.refresh_categories()
    stage.add(block(120, 88, 152, 120))
    stage.look(136, 104, zoom)
    cell = max(1.0, 1 / zoom)
    tinted = pytest.approx(mixed(RED, GROUND, 0.35), abs=2)
    assert stage.colour(136, 104) == tinted
    for x, y in ((120, 104), (152 - cell, 104), (136, 88), (136, 120 - cell)):
        # The outline lies within the mask, up to its very edge.
        assert stage.colour(x + 0.5 * cell, y + 0.5 * cell) != GROUND
    edge = stage.colour(120 + 0.01 * cell, 104)
    assert edge == pytest.approx(RED, abs=1)
    for x, y in ((120 - 1.5 * cell, 104), (152 + 1.5 * cell, 104), (136, 88 - 1.5 * cell)):
        assert stage.colour(x, y) == GROUND


def test_undo_paints_the_place_anew_and_nothing_else(stage: Stage) -> None:
    stage.open()
    stage.look(150, 100, 4)
    near, _ = stage.add(block(140, 90, 170, 120), block(200, 90, 210, 100))
    before = stage.canvas.grab().toImage()
    bits = near.mask.bits.copy()
    bits[10:20, 10:20] = False
    holed = painted(near, Mask(near.mask.x0, near.mask.y0, bits))
    n = stage.canvas._scene.n_rendered
    stage.session.apply(change(stage.session.image.id, [(near, holed)], "Erase"))
    assert stage.colour(155, 105) == GROUND
    assert 1 <= stage.canvas._scene.n_rendered - n <= 4
    stage.session.undo()
    assert stage.canvas.grab().toImage() == before
    stage.session.undo()
    assert stage.colour(155, 105) == stage.colour(205, 95) == GROUND


def test_painting_again_costs_no_new_tiles(stage: Stage) -> None:
    stage.open()
    stage.add(*(block(10 * n, 10 * n, 10 * n + 8, 10 * n + 8) for n in range(15)))
    stage.canvas.grab()
    n = stage.canvas._scene.n_rendered
    stage.canvas.grab()
    assert stage.canvas._scene.n_rendered == n


def test_many_objects_are_finished_in_later_frames(stage: Stage) -> None:
    stage.open()
    places = [(x, y) for y in range(1, HEIGHT - 3, 4) for x in range(1, WIDTH - 3, 4)]
    stage.canvas.tile_seconds = 0.0
    stage.add(*(block(x, y, x + 2, y + 2) for x, y in places))
    stage.canvas.grab()
    assert not stage.canvas.settled
    stage.canvas.tile_seconds = 0.001
    stage.qtbot.waitUntil(lambda: stage.canvas.settled, timeout=20_000)
    shot = stage.canvas.grab().toImage()
    for x, y in places[:: len(places) // 50]:
        assert shot.pixelColor(stage.canvas.image_to_widget(x + 1, y + 1)).getRgb()[:3] != GROUND


def test_later_frames_paint_only_what_is_left(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open()
    clock = count()
    for module in (overlay, scene_view):
        monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    stage.canvas.tile_seconds = 1.5  # one tile, by this clock
    paints = Paints(stage.canvas)
    stage.add(*(block(x, y, x + 8, y + 8) for y in range(0, 200, 12) for x in range(0, 300, 12)))
    stage.qtbot.waitUntil(lambda: bool(paints.rects) and stage.canvas.settled)
    sizes = [rect.width() * rect.height() for rect in paints.rects]
    assert len(sizes) > 4
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] <= overlay.TILE_PX**2
    shown = stage.canvas.screen().grabWindow(stage.canvas.winId()).toImage()
    assert shown == stage.canvas.grab().toImage()


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5])
def test_all_of_it_is_painted_in_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    stage.open()
    monkeypatch.setattr(stage.canvas, "devicePixelRatioF", lambda: scale)
    clock = count()
    for module in (overlay, scene_view):
        monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    stage.canvas.tile_seconds = 1.5
    stage.canvas.resize(643, 483)
    stage.add(*(block(x, y, x + 8, y + 8) for y in range(0, 200, 12) for x in range(0, 300, 12)))
    display = stage.session.display
    # The small map covers a part of what is left to paint.
    display.set(replace(display.now, minimap=True))
    paints = Paints(stage.canvas)
    stage.canvas.zoom_by(3.0)
    stage.qtbot.waitUntil(lambda: bool(paints.rects) and stage.canvas.settled)
    n = len(paints.rects)
    stage.qtbot.wait(50)
    assert len(paints.rects) == n, "it comes to rest"


def test_while_zooming_the_objects_as_they_were_last_seen_stand_in(stage: Stage) -> None:
    stage.open()
    (one,) = stage.add(block(100, 80, 140, 120))
    stage.look(140, 100, 2.0)
    stage.canvas.grab()
    moved = replace(one, box=Box(150, 80, 190, 120), mask=block(150, 80, 190, 120))
    stage.session.apply(change(stage.session.image.id, [(one, moved)], "Move"))
    stage.canvas.zoom_by(1.5)
    assert stage.colour(120, 100) == GROUND
    stage.canvas.tile_seconds = 0.0
    stage.canvas.zoom_by(0.5)
    assert stage.colour(120, 100) == GROUND
    assert stage.colour(170, 100) != GROUND


def test_with_nothing_to_show_nothing_is_left_to_paint(stage: Stage) -> None:
    stage.open()
    stage.canvas.tile_seconds = 0.0
    stage.add(block(100, 80, 140, 120))
    stage.canvas.grab()
    assert not stage.canvas.settled
    stage.session.close()
    stage.session.project_changed.emit()
    assert stage.canvas.settled


def test_a_selected_object_stands_out(stage: Stage) -> None:
    stage.open()
    (one,) = stage.add(block(100, 80, 160, 140))
    stage.look(130, 110, 2)
    plain = stage.colour(130, 110)
    stage.session.select([one.id])
    assert stage.colour(130, 110) != plain
    left = stage.canvas.image_to_widget(100, 110)
    assert stage.colour_at(left.x() - 1, left.y()) == (255, 255, 255)
    stage.session.select([])
    assert stage.colour(130, 110) == plain


def test_a_class_s_new_colour_shows_at_once(stage: Stage) -> None:
    stage.open()
    stage.add(block(100, 80, 160, 140))
    before = stage.colour(130, 110)
    stage.session.project.update_category(replace(stage.category, colour=(0, 0, 255)))
    stage.session.refresh_categories()
    assert stage.colour(130, 110) == pytest.approx(mixed((0, 0, 255), GROUND, 0.35), abs=2)
    assert stage.colour(130, 110) != before


def test_layers_and_the_threshold_switch_proposals(stage: Stage) -> None:
    stage.open()
    (object_,) = stage.add(block(100, 80, 130, 110))
    session = stage.session
    a = replace(object_, mask=block(150, 80, 180, 110), score=0.9)
    b = replace(object_, mask=block(200, 80, 230, 110), score=0.6)
    ref = session.image.id
    session.predictions = {
        "two-stage": Prediction(ref, "m", "two-stage", (a,)),
        "end-to-end": Prediction(ref, "m", "end-to-end", (b,)),
    }
    session.predictions_changed.emit()
    stage.look(165, 95, 3)

    def seen() -> tuple[bool, bool, bool]:
        left_a, left_b = (stage.canvas.image_to_widget(x, 95) for x in (150, 200))
        return (
            stage.colour(115, 95) != GROUND,
            stage.colour_at(left_a.x() - 1, left_a.y()) == (0, 200, 255),
            stage.colour_at(left_b.x() - 3, left_b.y()) == (255, 80, 200),
        )

    assert seen() == (True, True, True)
    assert stage.colour(165, 95) == GROUND
    shown = session.layers
    for name, expected in (
        ("annotation", (False, True, True)),
        ("two_stage", (True, False, True)),
        ("end_to_end", (True, True, False)),
    ):
        session.set_layers(replace(shown, **{name: False}))
        assert seen() == expected
    session.set_layers(replace(shown, threshold=0.7))
    assert seen() == (True, True, False)
    session.set_layers(shown)
    session.select_proposal(Proposal("two-stage", a.id))
    assert stage.colour(165, 95) != GROUND


def test_the_tool_s_preview_is_painted_and_taken_away(stage: Stage) -> None:
    stage.open()
    stage.look(150, 100, 4)
    tool = PlainTool(stage.session)
    stage.canvas.set_tool(tool)
    tool.preview = Preview(mask=block(150, 100, 160, 110), colour=RED)
    stage.canvas.refresh()
    assert stage.colour(155, 105) == pytest.approx(mixed(RED, GROUND, 0.5), abs=2)
    tool.preview = Preview(mask=block(150, 100, 160, 110), erases=True)
    stage.canvas.refresh()
    assert sum(stage.colour(155, 105)) < sum(GROUND)
    tool.preview = Preview()
    stage.canvas.refresh()
    assert stage.colour(155, 105) == GROUND
    assert stage.session.instances == ()


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("radius_px", [2, 10, 64, 70])
def test_the_ring_is_as_large_as_the_brush_however_large(
    stage: Stage, radius_px: int, square: bool
) -> None:
    # Rings of up to 256 pixels of the screen are kept as images, the last one here is not.
    stage.open()
    stage.look(150, 100, 4)
    tool = PlainTool(stage.session)
    tool.preview, tool.cursor = Preview(ring_px=radius_px, square=square), "none"
    stage.canvas.set_tool(tool)
    hover(stage.canvas, (320, 240))
    shot = stage.canvas.grab().toImage()
    for du, dv in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        reach = range(20, 315) if du else range(20, 235)
        white = [sum(shot.pixelColor(320 + d * du, 240 + d * dv).getRgb()[:3]) for d in reach]
        if radius_px == 2:
            assert max(white) < 3 * 255, "a ring of eight pixels ends before twenty"
        elif 4 * radius_px in reach:
            assert abs(20 + int(np.argmax(white)) - 4 * radius_px) <= 1
    if radius_px == 10:
        corner = shot.pixelColor(320 + 40, 240 + 40).getRgb()[:3]
        assert (corner != GROUND) == square, "a square alone has a corner there"


def test_the_ring_is_as_large_as_the_brush(stage: Stage) -> None:
    stage.open()
    stage.look(150, 100, 4)
    tool = PlainTool(stage.session)
    tool.preview, tool.cursor = Preview(ring_px=10), "none"
    stage.canvas.set_tool(tool)
    hover(stage.canvas, (320, 240))
    white = np.array(
        [
            sum(stage.canvas.grab().toImage().pixelColor(320 + d, 240).getRgb()[:3])
            for d in range(60)
        ]
    )
    assert abs(int(white.argmax()) - 40) <= 1
    assert stage.colour_at(320, 240) == GROUND


def test_empty_states_differ_and_go_away(stage: Stage) -> None:
    texts = []

    def take() -> None:
        texts.append(stage.canvas.grab().toImage())

    take()
    (stage.folder / "a.png").write_bytes(b"no image")
    stage.session.open_folder(stage.folder)
    take()
    stage.session.step(1)
    image = next(e.ref.id for e in stage.session.entries if e.ref.path == "b.png")
    stage.session.open_image(image)
    take()
    stage.wait_for_pixels()
    take()
    assert all(a != b for n, a in enumerate(texts) for b in texts[:n])
    assert stage.colour(200, 100) == GROUND


def test_the_view_is_kept_when_an_image_is_read_again_and_fits_another(stage: Stage) -> None:
    stage.open()
    stage.look(100, 100, 5)
    place = stage.canvas.image_to_widget(100, 100)
    first = stage.session.image.id
    stage.session.open_image(first)
    stage.wait_for_pixels()
    assert stage.canvas.zoom == pytest.approx(5)
    assert stage.canvas.image_to_widget(100, 100) == place
    stage.session.step(1)
    stage.wait_for_pixels()
    width = 250 * stage.canvas.zoom
    assert stage.canvas.image_to_widget(125, 100) == stage.canvas.rect().center() or width <= 640
    assert stage.canvas.zoom == pytest.approx(min((640 - 24) / 250, (480 - 24) / HEIGHT))


def test_the_fit_follows_the_widget_s_size(stage: Stage) -> None:
    stage.open()
    stage.canvas.resize(900, 700)
    assert stage.canvas.zoom == pytest.approx((900 - 24) / WIDTH)
    stage.look(100, 100, 5)
    stage.canvas.resize(QSize(640, 480))
    assert stage.canvas.zoom == pytest.approx(5)
    assert (
        stage.canvas.image_to_widget(100, 100) - stage.canvas.rect().center()
    ).manhattanLength() <= 4


def test_smaller_levels_come_from_the_background_and_show_the_same(stage: Stage) -> None:
    large = np.tile(picture(), (8, 8, 1))
    write(stage.folder / "a.png", large)
    stage.open()
    assert len(stage.canvas._scene.pyramid.levels) > 1
    stage.canvas.fit()
    x, y = WIDTH * 3 + 200, HEIGHT * 3 + 100
    assert stage.colour(x, y) == GROUND
    assert stage.canvas._scene.pyramid.levels[-1].shape[:2] == (200, 300)


def test_another_folder_leaves_nothing_of_the_last_one(stage: Stage) -> None:
    stage.open()
    stage.add(block(100, 80, 160, 140))
    stage.session.close()
    stage.session.project_changed.emit()
    shot = stage.canvas.grab().toImage()
    colours = {shot.pixelColor(u, 100).getRgb()[:3] for u in range(0, 640, 7)}
    assert colours == {BACKGROUND}
    stage.session.open_folder(stage.folder)
    stage.wait_for_pixels()
    assert stage.colour(130, 110) != GROUND
    assert stage.canvas.zoom == pytest.approx((640 - 24) / WIDTH)
