"""The sheet a synthetic aerial image is drawn on: light, scale, noise and soft-edged fills.

Layouts are drawn in a frame of their own, turned by ``angle`` about the image centre: ``u`` along
and ``v`` across, both in pixels. Colours are RGB reflectances from 0 to 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.sample.shapes import Placed
from seginst_core.types import FloatArray, ImageArray

Colour = tuple[float, float, float]
SHIFT = 4
_SPARSE_FROM_PX = 8000


@dataclass(frozen=True, slots=True)
class Material:
    """A ground cover: two colours mixed by noise, and the strength of noise at three scales."""

    colour: Colour
    other: Colour
    fine: float = 0.03
    mid: float = 0.04
    coarse: float = 0.05


@dataclass(slots=True)
class Scene:
    """One image being drawn; ``shadow`` and ``solid`` are uint8 (H, W) coverages."""

    rng: np.random.Generator
    side: int
    angle: float
    px_per_m: float
    sun: FloatArray  # shadow displacement in pixels a pixel of height
    tilt: FloatArray  # displacement of high things by an oblique view
    pixels: FloatArray
    shadow: ImageArray
    solid: ImageArray
    noise: tuple[FloatArray, FloatArray, FloatArray]
    roofs: list[Callable[[], None]] = field(default_factory=list)
    planes: list[Placed] = field(default_factory=list)

    def to_image(self, points: npt.ArrayLike) -> FloatArray:
        """Points (n, 2) of the layout frame in image pixels."""
        array = np.asarray(points, np.float32).reshape(-1, 2)
        c, s = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[c, s], [-s, c]], np.float32)
        return np.asarray(array @ turn + self.side / 2, np.float32)

    def metres(self, length: float) -> float:
        """A length in metres as pixels."""
        return length * self.px_per_m


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A float drawn evenly between two bounds."""
    return float(rng.uniform(low, high))


def jitter(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    """A colour a little off in brightness and, less, in hue."""
    shift = rng.normal(0, amount) + rng.normal(0, amount * 0.3, 3)
    r, g, b = np.clip(np.asarray(colour) + shift, 0.01, 1)
    return float(r), float(g), float(b)


def make_noise(rng: np.random.Generator, side: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fine, mid and coarse noise fields (side, side), each of unit deviation."""

    def octaves(cells: Sequence[float], gain: float) -> FloatArray:
        total = np.zeros((side, side), np.float32)
        for i, cell in enumerate(cells):
            n = max(4, round(side / cell))
            grid = rng.standard_normal((n, n), np.float32)
            total += gain**i * cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)
        return np.asarray(total / (total.std() + 1e-6), np.float32)

    return octaves((2, 1), 0.6), octaves((24, 11, 5), 0.8), octaves((260, 110, 50), 0.7)


def fixed(points: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    """Image-pixel points as OpenCV draws them: integers with ``SHIFT`` bits of fraction."""
    return np.asarray(np.rint((points - 0.5) * 2**SHIFT), np.int32)


def _window(scene: Scene, points: FloatArray, pad: int) -> tuple[int, int, int, int]:
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    side = scene.side
    return (
        max(0, int(x0) - pad),
        max(0, int(y0) - pad),
        min(side, int(x1) + pad + 1),
        min(side, int(y1) + pad + 1),
    )


def coverage(
    scene: Scene, polygons: Sequence[FloatArray]
) -> tuple[tuple[slice, slice], ImageArray] | None:
    """Soft-edged coverage of image-pixel polygons as a window and its uint8 values."""
    points = np.concatenate(polygons)
    x0, y0, x1, y1 = _window(scene, points, 1)
    if x1 <= x0 or y1 <= y0:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    offset = np.array([x0, y0], np.float32)
    for polygon in polygons:
        cv2.fillPoly(mask, [fixed(polygon - offset)], 255, cv2.LINE_AA, SHIFT)
    return (slice(y0, y1), slice(x0, x1)), mask


def strokes(
    scene: Scene, paths: Sequence[FloatArray], width_px: float
) -> tuple[tuple[slice, slice], ImageArray] | None:
    """Coverage of image-pixel polylines; lines under a pixel wide become fainter instead."""
    points = np.concatenate(paths)
    x0, y0, x1, y1 = _window(scene, points, int(width_px) + 2)
    if x1 <= x0 or y1 <= y0:
        return None
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    offset = np.array([x0, y0], np.float32)
    level = int(255 * min(1.0, width_px / 1.2))
    lines = [fixed(path - offset) for path in paths]
    cv2.polylines(mask, lines, False, level, max(1, round(width_px)), cv2.LINE_AA, SHIFT)
    return (slice(y0, y1), slice(x0, x1)), mask


def blend(
    scene: Scene,
    where: tuple[tuple[slice, slice], ImageArray] | None,
    colour: Colour | FloatArray,
    alpha: float = 1.0,
    soft_px: float = 0.0,
) -> None:
    """Mix a colour (or an array of the window's shape) into the pixels by coverage."""
    if where is None:
        return
    window, mask = where
    if soft_px > 0:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft_px), np.uint8)
    elif mask.size > _SPARSE_FROM_PX and isinstance(colour, tuple):
        rows, columns = np.nonzero(mask)
        if rows.size * 4 < mask.size:  # thin lines across a wide window
            part = mask[rows, columns, None].astype(np.float32) * np.float32(alpha / 255)
            at = (rows + window[0].start, columns + window[1].start)
            old = scene.pixels[at]
            scene.pixels[at] = old + part * (np.asarray(colour, np.float32) - old)
            return
    weight = mask[..., None].astype(np.float32) * np.float32(alpha / 255)
    under = scene.pixels[window]
    under += weight * (np.asarray(colour, np.float32) - under)


def fill(scene: Scene, polygons: Sequence[FloatArray], colour: Colour, alpha: float = 1.0) -> None:
    """Fill image-pixel polygons with one colour."""
    blend(scene, coverage(scene, polygons), colour, alpha)


def texture(scene: Scene, window: tuple[slice, slice], material: Material) -> FloatArray:
    """A material's pixels in a window of the image."""
    fine, mid, coarse = (_turned(scene.rng, field)[window] for field in scene.noise)
    mix = np.clip(0.5 + 0.25 * mid + 0.25 * coarse, 0, 1)[..., None]
    base = np.asarray(material.colour, np.float32) * (1 - mix)
    base += np.asarray(material.other, np.float32) * mix
    gain = 1 + material.fine * fine + material.mid * mid + material.coarse * coarse
    return np.asarray(base * gain[..., None], np.float32)


def cover(
    scene: Scene, polygons: Sequence[FloatArray], material: Material, soft_px: float = 0.0
) -> None:
    """Fill image-pixel polygons with a material."""
    where = coverage(scene, polygons)
    if where is not None:
        blend(scene, where, texture(scene, where[0], material), 1.0, soft_px)


def cast(scene: Scene, polygon: FloatArray, height_px: float, base_px: float = 0.0) -> None:
    """Add the ground shadow of a flat shape that reaches from a base height to a height."""
    near, far = polygon + scene.sun * base_px, polygon + scene.sun * height_px
    quads = [near, far]
    for a, b in zip(range(len(polygon)), [*range(1, len(polygon)), 0], strict=True):
        quads.append(np.stack([near[a], near[b], far[b], far[a]]))
    for quad in quads:
        cv2.fillPoly(scene.shadow, [fixed(quad)], 255, cv2.LINE_AA, SHIFT)


def _turned(rng: np.random.Generator, field: FloatArray) -> FloatArray:
    turned = np.rot90(field, int(rng.integers(4)))
    return turned[:, ::-1] if rng.random() < 0.5 else turned
