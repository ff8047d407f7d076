"""What stands on the ground: buildings, bridges, vehicles, trees, tanks, masts, look-alikes."""

from functools import partial

import cv2
import numpy as np

from seginst_core.sample.ground import Palette, Rect, arc, corners, dashes, line, tilted
from seginst_core.sample.scene import (
    SHIFT,
    Colour,
    Material,
    Scene,
    blend,
    cast,
    cover,
    coverage,
    fill,
    fixed,
    jitter,
    uniform,
)
from seginst_core.sample.shapes import Kind, Placed, draw_shape
from seginst_core.types import FloatArray

ROOFS: tuple[Colour, ...] = (
    (0.88, 0.88, 0.88), (0.72, 0.74, 0.77), (0.55, 0.57, 0.6), (0.38, 0.4, 0.42), (0.62, 0.6, 0.54),
    (0.62, 0.45, 0.38), (0.5, 0.33, 0.27), (0.33, 0.42, 0.5), (0.42, 0.5, 0.46), (0.8, 0.76, 0.66),
)  # fmt: skip
CARS: tuple[Colour, ...] = (
    (0.9, 0.9, 0.9), (0.84, 0.84, 0.84), (0.7, 0.71, 0.73), (0.14, 0.14, 0.16), (0.25, 0.26, 0.28),
    (0.5, 0.16, 0.14), (0.2, 0.26, 0.4), (0.66, 0.6, 0.4), (0.5, 0.5, 0.5),
)  # fmt: skip


def crate(scene: Scene, polygon: FloatArray, height_px: float, colour: Colour) -> None:
    """A small box drawn at once, lit above its own short shadow, with hard edges for speed."""
    x, y = polygon.mean(axis=0).astype(int).tolist()
    if not (0 <= x < scene.side and 0 <= y < scene.side):
        return
    here = int(scene.shadow[y, x])
    shade = polygon + scene.sun * height_px
    for shape in (shade, polygon + scene.sun * (height_px / 2)):
        cv2.fillConvexPoly(scene.shadow, fixed(shape), 255, cv2.LINE_AA, SHIFT)
    cv2.fillConvexPoly(scene.shadow, fixed(polygon), here, cv2.LINE_8, SHIFT)
    cv2.fillConvexPoly(scene.pixels, fixed(polygon), colour, cv2.LINE_8, SHIFT)


def building(
    scene: Scene, outline: FloatArray, height_m: float, roof: Colour | None = None
) -> None:
    """A building of a frame outline; its roof is painted after the shadows have fallen."""
    rng = scene.rng
    ground = scene.to_image(outline)
    height = scene.metres(height_m)
    cast(scene, ground, height)
    where = coverage(scene, [ground])
    if where is not None:
        np.maximum(scene.solid[where[0]], where[1], out=scene.solid[where[0]])
    colour = jitter(rng, roof or ROOFS[int(rng.integers(len(ROOFS)))], 0.04)
    top = ground + scene.tilt * height
    cover_of = Material(colour, jitter(rng, colour, 0.03), 0.025, 0.03, 0.03)
    ribs, ridge, units = rng.random() < 0.5, rng.random() < 0.4, int(rng.integers(0, 10))
    marks = rng.random((16, 4))

    def paint() -> None:
        ring = [*range(1, len(ground)), 0]
        walls = [np.stack([ground[i], ground[j], top[j], top[i]]) for i, j in enumerate(ring)]
        fill(scene, walls, (colour[0] * 0.55, colour[1] * 0.55, colour[2] * 0.58))
        cover(scene, [top], cover_of)
        dark: Colour = (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7)
        if len(top) == 4:
            a, b = top[1] - top[0], top[3] - top[0]
            if np.hypot(*b) > np.hypot(*a):
                a, b = b, a
            if ridge:
                fill(scene, [np.stack([top[0], top[0] + a, top[0] + a + b / 2, top[0] + b / 2])],
                     (0.05, 0.05, 0.06), 0.14)  # fmt: skip
            if ribs:
                n = max(2, int(np.hypot(*a) / scene.metres(6)))
                starts = [top[0] + a * t for t in np.linspace(0, 1, n)]
                thin = a * 0.004
                lines = [np.stack([p, p + thin, p + b + thin, p + b]) for p in starts]
                blend(scene, coverage(scene, lines), dark, 0.5)
            for mark in marks[:units]:
                p = top[0] + a * (0.05 + 0.85 * mark[0]) + b * (0.08 + 0.75 * mark[1])
                size = scene.metres(2 + 5 * mark[2])
                da, db = a / np.hypot(*a) * size * (1 + mark[3]), b / np.hypot(*b) * size
                box = np.stack([p, p + da, p + da + db, p + db])
                fill(scene, [box + scene.sun * scene.metres(2)], (0.1, 0.1, 0.12), 0.5)
                tone = 0.3 + 0.65 * mark[3]
                fill(scene, [box], (tone, tone, tone))
        light: Colour = (min(1, colour[0] * 1.2), min(1, colour[1] * 1.2), min(1, colour[2] * 1.2))
        for p, q in zip(top, top[ring], strict=True):
            inward = np.array([p[1] - q[1], q[0] - p[0]], np.float32)
            inward *= scene.metres(1) / (np.hypot(*(q - p)) + 1e-6)
            blend(scene, coverage(scene, [np.stack([p, q, q + inward, p + inward])]), light, 0.6)

    scene.roofs.append(paint)


def bridge(
    scene: Scene, wall: tuple[float, float], door: tuple[float, float], tone: Colour
) -> None:
    """A jet bridge from a wall to an aeroplane's door, both in the frame."""
    rng = scene.rng
    a, b = np.asarray(wall, np.float32), np.asarray(door, np.float32)
    way = b - a
    length = float(np.hypot(*way))
    turn = float(np.arctan2(way[1], way[0]))
    middle = a + way * 0.5
    tunnel = scene.to_image(tilted(middle[0], middle[1], length, scene.metres(3.2), turn))
    part = a + way * 0.68
    wide = scene.to_image(tilted(part[0], part[1], length * 0.62, scene.metres(4), turn))
    cab = scene.to_image(tilted(b[0], b[1], scene.metres(5), scene.metres(5.2), turn + 0.3))
    hub = scene.to_image(arc(a[0], a[1], scene.metres(3.6), 0, 2 * np.pi))
    legs = a + way * uniform(rng, 0.7, 0.85)
    bogie = scene.to_image(tilted(legs[0], legs[1], scene.metres(2), scene.metres(7), turn))
    for shape in (tunnel, wide, cab, hub):
        cast(scene, shape, scene.metres(6.5), scene.metres(3))
    dark: Colour = (tone[0] * 0.75, tone[1] * 0.75, tone[2] * 0.77)

    def paint() -> None:
        fill(scene, [bogie], dark)
        fill(scene, [tunnel, hub], dark)
        fill(scene, [wide], tone)
        fill(scene, [cab], jitter(rng, tone, 0.06))

    scene.roofs.append(paint)


def cars(scene: Scene, rect: Rect, fullness: float) -> None:
    """A car park: rows of marked bays, some taken."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    bay, deep, lane = scene.metres(2.7), scene.metres(5.2), scene.metres(6.5)
    v = v0 + scene.metres(2)
    while v + deep < v1:
        us = np.arange(u0 + bay, u1 - bay, bay)
        line(scene, [[(u, v), (u, v + deep)] for u in us], 0.3, (0.85, 0.85, 0.85), 0.4)
        for u in us[rng.random(us.size) < fullness]:
            vehicle(scene, float(u) + bay / 2, v + deep / 2, np.pi / 2 + rng.normal(0, 0.03))
        v += deep + (lane if rng.random() < 0.5 else 0.4)


def vehicle(scene: Scene, u: float, v: float, turn: float, length_m: float = 0.0) -> None:
    """A car (or, given a length, a van, bus or lorry)."""
    rng = scene.rng
    length = length_m or uniform(rng, 3.8, 5.0)
    width = 1.9 if length < 5.5 else 2.6
    body = scene.to_image(tilted(u, v, scene.metres(length), scene.metres(width), turn))
    colour = jitter(rng, CARS[int(rng.integers(len(CARS)))], 0.05)
    crate(scene, body, scene.metres(1.5 if length < 5.5 else 3), colour)
    if length < 5.5 and scene.px_per_m > 1.3:
        glass = scene.to_image(tilted(u, v, scene.metres(length * 0.45), scene.metres(1.4), turn))
        tone = (colour[0] * 0.6, colour[1] * 0.62, colour[2] * 0.66)
        cv2.fillConvexPoly(scene.pixels, fixed(glass), tone, cv2.LINE_8, SHIFT)


def clutter(scene: Scene, rect: Rect, count: int) -> None:
    """Ground equipment: carts in short trains, tugs, loaders, fuel lorries, dollies."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    for _ in range(count):
        u, v = uniform(rng, u0, u1), uniform(rng, v0, v1)
        turn = float(rng.choice([0, np.pi / 2, uniform(rng, 0, np.pi)]))
        step = scene.metres(3.6)
        length = float(rng.choice([1.8, 2.5, 3, 4, 6, 9]))
        train = int(rng.integers(1, 6)) if length < 4 else 1
        for k in range(train):
            vehicle(scene, u + k * step * np.cos(turn), v + k * step * np.sin(turn), turn, length)


def trees(scene: Scene, rect: Rect, count: int) -> None:
    """Tree crowns with shadows, single or grown together."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    green = jitter(rng, (0.13, 0.2, 0.1), 0.03)
    for _ in range(count):
        radius = scene.metres(uniform(rng, 1.8, 5.5))
        u, v = uniform(rng, u0, u1), uniform(rng, v0, v1)
        t = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        r = radius * (1 + 0.18 * rng.standard_normal(10))
        crown = scene.to_image(np.stack([u + r * np.cos(t), v + r * np.sin(t)], axis=1))
        cast(scene, crown, radius * 2.0, radius)
        tone = jitter(rng, green, 0.03)
        lit: Colour = (tone[0] * 1.7, tone[1] * 1.6, tone[2] * 1.5)

        def paint(crown: FloatArray = crown, tone: Colour = tone, lit: Colour = lit) -> None:
            middle = crown.mean(axis=0)
            toward = -scene.sun / (np.hypot(*scene.sun) + 1e-6)
            fill(scene, [crown], tone)
            part = middle + (crown - middle) * 0.55 + toward * np.ptp(crown[:, 0]) * 0.14
            fill(scene, [part.astype(np.float32)], lit, 0.35)
            size = (crown - middle) * 0.3
            spots = [size + middle + toward * s * 0.9 + d * 1.6
                     for s, d in zip(np.abs(size[:5, :1]), size[::2], strict=True)]  # fmt: skip
            fill(scene, [spot.astype(np.float32) for spot in spots], lit, 0.45)

        scene.roofs.append(paint)


def tank(scene: Scene, u: float, v: float, radius: float, colour: Colour) -> None:
    """A storage tank."""
    rim = scene.to_image(arc(u, v, radius, 0, 2 * np.pi))
    building(scene, arc(u, v, radius, 0, 2 * np.pi), radius / scene.px_per_m * 0.8, colour)

    def paint() -> None:
        shift = scene.tilt * radius * 0.8
        middle = rim.mean(axis=0)
        inner = middle + (rim - middle) * 0.8 + shift - scene.sun * radius * 0.06
        fill(scene, [inner.astype(np.float32)], jitter(scene.rng, colour, 0.03), 0.6)

    scene.roofs.append(paint)


def mast(scene: Scene, u: float, v: float) -> None:
    """A floodlight mast, mostly seen by its shadow."""
    foot = scene.to_image([(u, v)])[0]
    height = scene.metres(uniform(scene.rng, 12, 25))
    thick = max(0.5, scene.metres(0.5))
    pole = np.stack([foot - thick / 2, foot + thick / 2, foot + thick / 2, foot - thick / 2])
    cast(scene, pole.astype(np.float32), height)
    head = tilted(u, v, scene.metres(5), scene.metres(1.5), uniform(scene.rng, 0, np.pi))
    cast(scene, scene.to_image(head), height, height - 1)
    fill(
        scene, [scene.to_image(tilted(u, v, scene.metres(2), scene.metres(2), 0))], (0.7, 0.7, 0.7)
    )


def lookalike(scene: Scene, u: float, v: float, palette: Palette) -> None:
    """Something an eye might take for an aeroplane: crosses, outlines, T roofs, wind turbines."""
    rng = scene.rng
    turn, size = uniform(rng, 0, 2 * np.pi), scene.metres(uniform(rng, 14, 34))
    c, s = np.cos(turn), np.sin(turn)

    def at(a: float, b: float) -> tuple[float, float]:
        return u + size * (a * c - b * s), v + size * (a * s + b * c)

    pick = int(rng.integers(6))
    if pick == 0:
        paths = [[at(-0.5, -0.5), at(0.5, 0.5)], [at(-0.5, 0.5), at(0.5, -0.5)]]
        line(scene, paths, 2.5, palette.yellow if rng.random() < 0.6 else (0.9, 0.9, 0.9), 0.9)
    elif pick == 1:
        kinds: tuple[Kind, ...] = ("jet", "light", "fighter")
        shape = draw_shape(rng, kinds[int(rng.integers(3))])
        heading = turn + scene.angle
        ghost = Placed(shape, scene.to_image([(u, v)])[0], heading, size * 1.5, 0)
        tone: Colour = palette.yellow if rng.random() < 0.6 else (0.85, 0.85, 0.85)
        for part in shape.parts:
            if part.role in ("wing", "fuselage", "tail"):
                ring = ghost.to_image(np.concatenate([part.outline, part.outline[:1]]))
                turned = (ring - scene.side / 2) @ np.array(
                    [
                        [np.cos(scene.angle), -np.sin(scene.angle)],
                        [np.sin(scene.angle), np.cos(scene.angle)],
                    ]
                )
                line(scene, [turned], 0.8, tone, 0.7)
    elif pick == 2:
        stem, bar = size * 0.8, size * 0.3
        building(
            scene, np.array([at(-0.5, -0.15), at(0.5, -0.15), at(0.5, 0.15), at(-0.5, 0.15)]), 6
        )
        building(scene, tilted(*at(0.5, 0), bar, stem, turn), 6)
    elif pick == 3:
        foot = scene.to_image([(u, v)])[0]
        start = uniform(rng, 0, 2)
        for k in range(3):
            way = start + k * 2 * np.pi / 3
            tip = foot + size * 0.6 * np.array([np.cos(way), np.sin(way)])
            side = np.array([-np.sin(way), np.cos(way)]) * scene.metres(0.9)
            blade = np.stack([foot - side, foot + side, tip]).astype(np.float32)
            cast(scene, blade, size * 0.9, size * 0.88)
            scene.roofs.append(partial(fill, scene, [blade], (0.93, 0.93, 0.93)))
    elif pick == 4:
        paths = [[at(-0.6, 0), at(0.6, 0)], [at(0, -0.45), at(0, 0.45)]]
        line(scene, paths, uniform(rng, 3, 7), jitter(rng, palette.asphalt.colour, 0.06), 0.9)
    else:
        line(scene, [arc(u, v, size * 0.4, 0, 2 * np.pi)], 1.0, (0.9, 0.9, 0.9), 0.9)
        bars = [
            [at(-0.15, -0.2), at(-0.15, 0.2)],
            [at(0.15, -0.2), at(0.15, 0.2)],
            [at(-0.15, 0), at(0.15, 0)],
        ]
        line(scene, bars, 1.5, (0.9, 0.9, 0.9), 0.9)


def road(scene: Scene, rect: Rect, palette: Palette, lanes: int, busy: float) -> None:
    """A road along the frame with lane lines and traffic."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    cover(scene, [scene.to_image(corners(rect))], palette.asphalt)
    tone: Colour = (0.85, 0.85, 0.82)
    width = (v1 - v0) / lanes
    for k in range(1, lanes):
        v = v0 + k * width
        line(scene, dashes(scene, (u0, v), (u1, v), 4, 8), 0.35, tone, 0.8)
    edge = scene.metres(0.5)
    line(
        scene,
        [[(u0, v0 + edge), (u1, v0 + edge)], [(u0, v1 - edge), (u1, v1 - edge)]],
        0.35,
        tone,
        0.7,
    )
    for k in range(lanes):
        u = u0
        while u < u1:
            u += scene.metres(float(rng.exponential(14 / max(busy, 0.05)))) + scene.metres(8)
            length = 0.0 if rng.random() < 0.8 else uniform(rng, 7, 15)
            vehicle(scene, u, v0 + (k + 0.5) * width, rng.normal(0, 0.02), length)
