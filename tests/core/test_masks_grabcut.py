"""GrabCut finds what stands out, in a bounded crop, and the same each time."""

import cv2
import numpy as np
import pytest

from seginst_core.masks.brush import stroke
from seginst_core.masks.classical.grabcut import grab_in_box, refine
from seginst_core.masks.geometry import iou, subtract, union
from seginst_core.types import Box, ImageArray, Mask


def scene(width: int, height: int, things: Mask) -> ImageArray:
    """Noisy dark ground with one bright thing on it."""
    noise = np.random.default_rng(0).integers(0, 30, (height, width, 3))
    pixels = (60 + noise).astype(np.uint8)
    pixels[things.y0 : things.y1, things.x0 : things.x1][things.bits] += 110
    return cv2.GaussianBlur(pixels, (3, 3), 0)


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0, x1 - x0), np.bool_))


def test_a_box_around_a_thing_gives_the_thing():
    disc = stroke([(60, 50), (90, 60)], 15)
    image = scene(160, 120, disc)
    found = grab_in_box(image, Box(35.5, 28.2, 114.8, 85.1))
    # The blurred edge is a pixel wide, and whose it is cannot be said.
    assert iou(found, disc) > 0.9
    assert grab_in_box(image, Box(35.5, 28.2, 114.8, 85.1)) == found


def test_a_box_beyond_the_image_is_cut_to_it():
    disc = stroke([(0, 0)], 30)
    disc = Mask(0, 0, disc.bits[-disc.y0 :, -disc.x0 :])
    found = grab_in_box(scene(160, 120, disc), Box(-50, -50, 45, 45))
    assert iou(found, disc) > 0.93
    assert (found.x0, found.y0) == (0, 0)
    assert grab_in_box(scene(160, 120, disc), Box(200, 10, 260, 60)) is None
    assert grab_in_box(scene(160, 120, disc), Box(-10, -10, 500, 500)) is None


@pytest.mark.parametrize("scale", [1, 8])
def test_refining_moves_the_outline_to_the_edge_and_no_further_than_its_band(scale):
    thing = block(20 * scale, 20 * scale, 60 * scale, 50 * scale)
    rough = block(18 * scale, 22 * scale, 61 * scale, 48 * scale)
    image = scene(80 * scale, 70 * scale, thing)
    found = refine(image, rough)
    assert iou(found, thing) > max(0.97, iou(rough, thing))
    far = union(thing, block(70 * scale, 20 * scale, 78 * scale, 50 * scale))
    assert iou(refine(scene(80 * scale, 70 * scale, far), rough), thing) > 0.97


def test_refining_keeps_holes_and_parts():
    ring = subtract(stroke([(60, 60)], 40), stroke([(60, 60)], 20))
    both = union(ring, stroke([(150, 60)], 25))
    found = refine(scene(200, 130, both), both)
    assert iou(found, both) > 0.97
    assert not found.bits[60 - found.y0, 60 - found.x0]


def test_a_flat_image_is_no_trouble():
    flat = np.full((60, 80, 3), 90, np.uint8)
    for found in (grab_in_box(flat, Box(20, 20, 40, 40)), refine(flat, block(20, 20, 40, 40))):
        assert found is None or subtract(found, block(17, 17, 43, 43)) is None
    assert grab_in_box(flat, Box(0, 0, 80, 60)) is None
