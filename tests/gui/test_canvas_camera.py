"""The arithmetic of the view."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seginst_core.types import Box
from seginst_gui.canvas import camera as cameras
from seginst_gui.canvas.camera import Camera

VIEW = (800, 600)
IMAGE = (4000, 3000)

zooms = st.floats(0.01, 64)
places = st.floats(-5000, 5000)


@given(zooms, places, places, places, places)
def test_there_and_back_is_the_same_point(zoom, left, top, x, y) -> None:
    camera = Camera(zoom, left, top)
    assert camera.to_image(*camera.to_widget(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(zooms, zooms, places, places, st.floats(0, 800), st.floats(0, 600))
def test_zooming_keeps_the_point_under_the_pointer(zoom, other, left, top, u, v) -> None:
    camera = Camera(zoom, left, top)
    after = camera.zoomed(other, u, v)
    assert after.zoom == other
    assert after.to_widget(*camera.to_image(u, v)) == pytest.approx((u, v), abs=1e-5)


@given(zooms, places, places, st.sampled_from([1.0, 1.25, 1.5, 2.0]))
def test_snapping_moves_less_than_a_device_pixel_onto_a_whole_one(zoom, left, top, scale) -> None:
    camera = Camera(zoom, left, top)
    snapped = camera.snapped(scale)
    corner = snapped.left * zoom * scale
    assert corner == pytest.approx(round(corner), abs=1e-6)
    assert abs(snapped.left - left) * zoom * scale <= 0.5 + 1e-6
    assert abs(snapped.top - top) * zoom * scale <= 0.5 + 1e-6


def test_the_fit_shows_all_of_the_image_in_the_middle() -> None:
    camera = cameras.fitted(IMAGE, VIEW)
    u0, v0 = camera.to_widget(0, 0)
    u1, v1 = camera.to_widget(*IMAGE)
    assert min(u0, v0) == pytest.approx(cameras.FIT_MARGIN_PX)
    assert u0 + u1 == pytest.approx(VIEW[0])
    assert v0 + v1 == pytest.approx(VIEW[1])


def test_a_tiny_image_is_not_blown_up_without_end() -> None:
    assert cameras.fitted((2, 2), VIEW).zoom == cameras.MAX_ZOOM


def test_zoom_has_its_limits() -> None:
    fit = cameras.fit_zoom(IMAGE, VIEW)
    assert cameras.limited(1e9, IMAGE, VIEW) == 64
    assert cameras.limited(0, IMAGE, VIEW) == pytest.approx(fit / 4)
    assert cameras.limited(1.5, IMAGE, VIEW) == 1.5
    # An image smaller than the view can still be seen at its own size, and less.
    assert cameras.limited(0, (20, 20), VIEW) == 0.25


def test_the_image_cannot_be_pushed_out_of_sight() -> None:
    for away in (-1e6, 1e6):
        camera = cameras.kept_in_view(Camera(0.5).moved(away, away), IMAGE, VIEW)
        u0, v0 = camera.to_widget(0, 0)
        u1, v1 = camera.to_widget(*IMAGE)
        assert min(u1, VIEW[0]) - max(u0, 0) == pytest.approx(40)
        assert min(v1, VIEW[1]) - max(v0, 0) == pytest.approx(40)
    inside = Camera(2.0, 500, 500)
    assert cameras.kept_in_view(inside, IMAGE, VIEW) == inside


def test_flying_to_a_box_keeps_the_zoom_unless_the_box_is_tiny_or_too_large() -> None:
    camera = Camera(2.0, 0, 0)
    for box, kept in (
        (Box(1000, 1000, 1100, 1050), True),
        (Box(1000, 1000, 1010, 1005), False),
        (Box(1000, 1000, 3000, 1500), False),
    ):
        after = cameras.flown_to(camera, box, IMAGE, VIEW)
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        assert after.to_widget(*middle) == pytest.approx((400, 300))
        assert (after.zoom == 2.0) == kept
        assert max(box.width, box.height) * after.zoom >= 64
        assert box.width * after.zoom <= VIEW[0]
        assert box.height * after.zoom <= VIEW[1]
