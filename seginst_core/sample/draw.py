"""One synthetic aerial image with its aeroplanes' masks, from a seed and a number."""

from dataclasses import dataclass

import cv2
import numpy as np

from seginst_core.sample import layout
from seginst_core.sample.camera import expose
from seginst_core.sample.ground import draw_palette
from seginst_core.sample.layout import Band, Plan
from seginst_core.sample.paint_plane import draw_livery, paint, shadows
from seginst_core.sample.scene import Colour, Scene, make_noise, uniform
from seginst_core.sample.shapes import Kind
from seginst_core.types import BoolArray, ImageArray


@dataclass(frozen=True, slots=True)
class Sample:
    """An image and the full-size masks (H, W) of its aeroplanes, none overlapping another."""

    image: ImageArray
    masks: tuple[BoolArray, ...]


_AIRLINERS: tuple[Kind, ...] = ("jet",) * 8 + ("rear_jet",) * 3 + ("quad_jet",) * 2 + ("regional",)
_LIGHT: tuple[Kind, ...] = ("light", "light", "light", "twin", "rear_jet")
_MILITARY: tuple[Kind, ...] = ("fighter", "fighter", "transport", "quad_jet", "regional")


def draw_sample(seed: int, number: int, side_px: int) -> Sample:
    """Draw image ``number`` of a series; it depends on these three numbers only."""
    rng = np.random.default_rng([seed, number])
    block, place = divmod(number, 6)
    empty = place == (5 if block % 4 == 3 else 4)
    use = str(rng.choice(["airport", "light", "military"], p=[0.78, 0.12, 0.10]))
    scene = _scene(rng, side_px, use)
    kinds = {"airport": _AIRLINERS, "light": _LIGHT, "military": _MILITARY}[use]
    fleet = layout.draw_fleet(scene, kinds, int(rng.integers(1, 6)))
    palette = draw_palette(rng)
    fullness = uniform(rng, 0.35, 0.98)
    plan = Plan(palette, fleet, fullness, empty, float(rng.random()) if use == "airport" else 0.1)
    _bands(scene, plan, use)
    if not empty and not scene.planes:
        _one(scene, plan)
    for placed in scene.planes:
        shadows(scene, placed)
    _light(scene)
    for roof in scene.roofs:
        roof()
    masks: list[BoolArray] = []
    taken = np.zeros((side_px, side_px), np.bool_)
    for placed in scene.planes:
        x, y = np.clip(placed.nose.astype(int), 0, side_px - 1)
        r, g, b = scene.pixels[y, x]
        beneath: Colour = (float(r), float(g), float(b))
        livery = draw_livery(
            np.random.default_rng(placed.seed + 1),
            use == "military" and rng.random() < 0.85,
            beneath,
        )
        cover = paint(scene, placed, livery)
        if cover is not None:
            mask = (cover >= 128) & ~taken
            taken |= mask
            if mask.any():
                masks.append(mask)
    return Sample(expose(rng, scene.pixels), tuple(masks))


def _scene(rng: np.random.Generator, side: int, use: str) -> Scene:
    metres = {"airport": 38.0, "light": 8.8, "military": 19.0}[use]
    typical = {"airport": 82.0, "light": 36.0, "military": 52.0}[use]
    size = float(np.clip(typical * np.exp(rng.normal(0, 0.28)), 28, 105))
    way, slope = uniform(rng, 0, 2 * np.pi), 0.25 + 0.95 * float(rng.beta(1.3, 2.0))
    lean = uniform(rng, 0, 2 * np.pi)
    tilt = uniform(rng, 0, 0.4) if rng.random() < 0.6 else 0.0
    return Scene(
        rng=rng,
        side=side,
        angle=float(rng.choice([0, np.pi / 2])) + rng.normal(0, 0.02)
        if rng.random() < 0.25
        else uniform(rng, 0, 2 * np.pi),
        px_per_m=size / metres,
        sun=np.array([np.cos(way), np.sin(way)], np.float32) * np.float32(slope),
        tilt=np.array([np.cos(lean), np.sin(lean)], np.float32) * np.float32(tilt),
        pixels=np.full((side, side, 3), 0.4, np.float32),
        shadow=np.zeros((side, side), np.uint8),
        solid=np.zeros((side, side), np.uint8),
        noise=make_noise(rng, side),
    )


def _bands(scene: Scene, plan: Plan, use: str) -> None:
    """Stack bands across the picture from one end to the other."""
    rng = scene.rng
    reach = scene.side * 0.75
    length = max(length for _, length in plan.fleet)
    order: dict[str, tuple[tuple[Band, float], ...]] = {
        "airport": ((layout.apron, 0.24), (layout.pier, 0.26), (layout.hangars, 0.06),
                    (layout.taxiway, 0.14), (layout.grass, 0.08), (layout.runway, 0.08),
                    (layout.landside, 0.14)),
        "light": ((layout.apron, 0.4), (layout.hangars, 0.2), (layout.grass, 0.15),
                  (layout.taxiway, 0.1), (layout.landside, 0.15)),
        "military": ((layout.apron, 0.4), (layout.hangars, 0.15), (layout.grass, 0.15),
                     (layout.taxiway, 0.15), (layout.runway, 0.15)),
    }  # fmt: skip
    bands = [band for band, _ in order[use]]
    odds = np.array([odd for _, odd in order[use]])
    if plan.empty and rng.random() < 0.5:
        bands, odds = [layout.landside, layout.grass, layout.runway], np.array([0.7, 0.2, 0.1])
    v = -reach - uniform(rng, 0, 0.2) * scene.side
    previous: Band | None = None
    crossings = []
    while v < reach:
        band = bands[int(rng.choice(len(bands), p=odds / odds.sum()))]
        if band is previous and band is not layout.landside:
            continue
        depths: dict[Band, float] = {
            layout.apron: length * uniform(rng, 1.4, 4.5),
            layout.pier: length * uniform(rng, 3.3, 4.6) + scene.metres(75),
            layout.hangars: length * 1.4 + scene.metres(uniform(rng, 30, 80)),
            layout.taxiway: scene.metres(uniform(rng, 30, 90)),
            layout.grass: scene.metres(uniform(rng, 20, 120)),
            layout.runway: scene.metres(uniform(rng, 60, 140)),
            layout.landside: scene.metres(uniform(rng, 50, 160)),
        }
        deep = depths[band]
        band(scene, plan, (-reach, v, reach, v + deep))
        if band is layout.grass and previous is not layout.landside:
            crossings.append((v, v + deep))
        v, previous = v + deep, band
    for low, high in crossings:
        layout.links(scene, plan, low, high)


def _one(scene: Scene, plan: Plan) -> None:
    """An aeroplane somewhere near the middle, for a picture that would have none."""
    rng = scene.rng
    everywhere = (-1e4, -1e4, 1e4, 1e4)
    for _ in range(60):
        shape, length = plan.fleet[int(rng.integers(len(plan.fleet)))]
        u, v = (uniform(rng, -0.4, 0.4) * scene.side for _ in range(2))
        if layout.park(scene, shape, length, (u, v), uniform(rng, 0, 2 * np.pi), everywhere):
            return


def _light(scene: Scene) -> None:
    """Let the shadows fall: soft-edged, darker and bluer than the sunlit ground."""
    rng = scene.rng
    soft = cv2.GaussianBlur(scene.shadow, (0, 0), uniform(rng, 0.4, 1.1))
    dark = np.array([1.0, 0.97, 0.92], np.float32) * np.float32(uniform(rng, 0.5, 0.82))
    scene.pixels *= 1 - (soft.astype(np.float32) / 255)[..., None] * dark
