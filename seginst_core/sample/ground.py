"""Ground covers and what is painted or spilt on them.

Rectangles are (u0, v0, u1, v1) in the layout frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seginst_core.sample.scene import (
    Colour,
    Material,
    Scene,
    blend,
    cover,
    coverage,
    fill,
    jitter,
    strokes,
    uniform,
)
from seginst_core.types import FloatArray

Rect = tuple[float, float, float, float]
YELLOW: Colour = (0.72, 0.58, 0.18)
WHITE: Colour = (0.88, 0.88, 0.87)


@dataclass(frozen=True, slots=True)
class Palette:
    """The ground covers of one image."""

    concrete: Material
    asphalt: Material
    taxiway: Material
    grass: Material
    field: Material
    yellow: Colour


def draw_palette(rng: np.random.Generator) -> Palette:
    """Draw the ground covers of one image."""

    def grey(level: float, fine: float, mid: float, coarse: float) -> Material:
        warm = rng.normal(0, 0.022)
        colour = jitter(rng, (level + warm, level, level - warm), 0.012)
        return Material(colour, jitter(rng, colour, 0.03), fine, mid, coarse)

    rough = uniform(rng, 0.6, 1.5)
    concrete = grey(
        float(rng.choice([0.3, 0.36, 0.42, 0.48, 0.55, 0.62, 0.7, 0.78])), 0.02, 0.018, 0.03
    )
    asphalt = grey(uniform(rng, 0.22, 0.44), 0.035 * rough, 0.02 * rough, 0.04)
    taxiway = asphalt if rng.random() < 0.6 else grey(uniform(rng, 0.32, 0.6), 0.025, 0.02, 0.04)
    greens: tuple[tuple[Colour, Colour], ...] = (
        ((0.20, 0.29, 0.13), (0.27, 0.33, 0.17)),
        ((0.27, 0.33, 0.20), (0.37, 0.37, 0.24)),
        ((0.36, 0.35, 0.23), (0.46, 0.41, 0.28)),
        ((0.30, 0.27, 0.19), (0.38, 0.33, 0.23)),
        ((0.52, 0.45, 0.34), (0.60, 0.53, 0.41)),
        ((0.13, 0.19, 0.10), (0.20, 0.24, 0.13)),
    )
    covers = []
    for _ in range(2):
        a, b = greens[int(rng.integers(len(greens)))]
        covers.append(Material(jitter(rng, a, 0.02), jitter(rng, b, 0.02), 0.06, 0.05, 0.06))
    yellow = YELLOW if rng.random() < 0.7 else jitter(rng, (0.68, 0.62, 0.44), 0.05)
    return Palette(concrete, asphalt, taxiway, covers[0], covers[1], yellow)


def corners(rect: Rect) -> list[tuple[float, float]]:
    """The corners of a rectangle of the frame."""
    u0, v0, u1, v1 = rect
    return [(u0, v0), (u1, v0), (u1, v1), (u0, v1)]


def tilted(u: float, v: float, length: float, width: float, turn: float) -> FloatArray:
    """A rectangle about (u, v), turned, as points of the frame."""
    c, s = np.cos(turn), np.sin(turn)
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [length / 2, width / 2]
    return np.asarray(half @ [[c, s], [-s, c]] + [u, v], np.float32)


def line(
    scene: Scene, paths: Sequence[object], width_m: float, colour: Colour, alpha: float = 1.0
) -> None:
    """Paint lines given as points of the frame."""
    images = [scene.to_image(np.asarray(p, np.float32)) for p in paths]
    if images:
        blend(scene, strokes(scene, images, scene.metres(width_m)), colour, alpha)


def dashes(
    scene: Scene, a: tuple[float, float], b: tuple[float, float], on_m: float, off_m: float
) -> list[FloatArray]:
    """The pieces of a dashed line from a to b."""
    start, end = np.array(a), np.array(b)
    length = float(np.hypot(*(end - start)))
    step, on = scene.metres(on_m + off_m), scene.metres(on_m)
    way = (end - start) / max(length, 1e-6)
    starts = np.arange(0, length, max(step, 2.0))
    return [np.stack([start + way * t, start + way * min(t + on, length)]) for t in starts]


def arc(u: float, v: float, radius: float, start: float, end: float) -> FloatArray:
    """A circular arc as points of the frame."""
    t = np.linspace(start, end, 24)
    return np.stack([u + radius * np.cos(t), v + radius * np.sin(t)], axis=1).astype(np.float32)


def area(scene: Scene, rect: Rect, material: Material) -> None:
    """Cover a rectangle of the frame."""
    cover(scene, [scene.to_image(corners(rect))], material)


def slabs(scene: Scene, rect: Rect, material: Material) -> None:
    """Concrete with joints, replaced slabs and long pours of other tones."""
    rng = scene.rng
    area(scene, rect, material)
    u0, v0, u1, v1 = rect
    pitch = scene.metres(uniform(rng, 4.5, 8))
    base = np.asarray(material.colour)
    for _ in range(int(rng.integers(0, 6))):
        along = rng.random() < 0.5
        a = uniform(rng, u0, u1) if along else uniform(rng, v0, v1)
        b = a + pitch * int(rng.integers(1, 14))
        strip = (a, v0, min(b, u1), v1) if along else (u0, a, u1, min(b, v1))
        tone = jitter(rng, material.colour, 0.07)
        fill(scene, [scene.to_image(corners(strip))], tone, uniform(rng, 0.2, 0.6))
    tiles = []
    for _ in range(int(rng.integers(4, 40))):
        a = u0 + pitch * int(rng.integers(0, max(1, int((u1 - u0) / pitch))))
        b = v0 + pitch * int(rng.integers(0, max(1, int((v1 - v0) / pitch))))
        size = pitch * rng.integers(1, 3, 2)
        tile = (a, b, min(a + size[0], u1), min(b + size[1], v1))
        tiles.append(scene.to_image(corners(tile)))
    half = len(tiles) // 2
    fill(scene, tiles[:half], tuple(np.clip(base * 1.12, 0, 1)), 0.5)
    fill(scene, tiles[half:], tuple(base * 0.88), 0.5)
    strength = uniform(rng, 0.03, 0.22)
    joints = [[(u, v0), (u, v1)] for u in np.arange(u0, u1, pitch)]
    joints += [[(u0, v), (u1, v)] for v in np.arange(v0, v1, pitch)]
    line(scene, joints, 0.5, tuple(base * 0.55), strength)
    cracks = []
    for _ in range(int(rng.integers(0, 8))):
        start = np.array([uniform(rng, u0, u1), uniform(rng, v0, v1)])
        steps = rng.normal(0, pitch * 0.5, (12, 2)) + rng.normal(0, pitch * 0.5, 2)
        cracks.append(np.clip(start + np.cumsum(steps, axis=0), [u0, v0], [u1, v1]))
    line(scene, cracks, 0.5, tuple(base * 0.5), 0.3)


def stains(scene: Scene, rect: Rect, count: int) -> None:
    """Oil, rubber and water marks: blots, streaks and turning arcs, darker or lighter."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    for _ in range(count):
        u, v = uniform(rng, u0, u1), uniform(rng, v0, v1)
        size = scene.metres(uniform(rng, 2, 16))
        tone: Colour = (0.12, 0.12, 0.12) if rng.random() < 0.8 else (0.8, 0.78, 0.74)
        alpha = uniform(rng, 0.06, 0.4)
        pick = rng.random()
        if pick < 0.5:
            t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
            radius = size * (1 + 0.25 * rng.standard_normal(16))
            squeeze = np.array([1, uniform(rng, 0.3, 1)])
            blob = np.stack([np.cos(t), np.sin(t)], axis=1) * radius[:, None] * squeeze + [u, v]
            blend(scene, coverage(scene, [scene.to_image(blob)]), tone, alpha, size * 0.22 + 0.5)
        elif pick < 0.75:
            turn = uniform(rng, 0, 2 * np.pi)
            path = scene.to_image(arc(u, v, size * 2.5, turn, turn + uniform(rng, 0.7, 2.6)))
            where = strokes(scene, [path], scene.metres(uniform(rng, 0.6, 4)))
            blend(scene, where, tone, alpha * 0.6, 0.8)
        else:
            way = rng.normal(0, 1, 2) * size * 2
            path = scene.to_image([(u, v), (u + way[0], v + way[1])])
            blend(scene, strokes(scene, [path], scene.metres(1.5)), tone, alpha * 0.5, 1.0)


def half_moons(scene: Scene, u: float, v: float, radius: float, side: float) -> None:
    """The dark half disc that engines and turning leave on a stand."""
    start = 0 if side > 0 else np.pi
    disc = scene.to_image(arc(u, v, radius, start, start + np.pi))
    where = coverage(scene, [disc])
    blend(scene, where, (0.16, 0.16, 0.15), uniform(scene.rng, 0.12, 0.45), radius * 0.12)


def patches(scene: Scene, rect: Rect, other: Material, count: int) -> None:
    """Bare or lush blots in grass, mown lines and trodden paths."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    for _ in range(count):
        u, v = uniform(rng, u0, u1), uniform(rng, v0, v1)
        size = scene.metres(uniform(rng, 6, 40))
        t = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        radius = size * (1 + 0.3 * rng.standard_normal(20))
        blob = np.stack([np.cos(t) * 2.2, np.sin(t)], axis=1) * radius[:, None] + [u, v]
        blob = np.clip(blob, [u0, v0], [u1, v1])
        cover(scene, [scene.to_image(blob)], other, size * 0.3)
    if rng.random() < 0.4:
        pitch = scene.metres(uniform(rng, 4, 10))
        rows = [[(u0, v), (u1, v)] for v in np.arange(v0, v1, max(pitch, 4))]
        line(scene, rows, pitch / scene.px_per_m / 2, (0.1, 0.12, 0.06), 0.1)
    for _ in range(int(rng.integers(0, 3))):
        path = [(u0, uniform(rng, v0, v1)), (u1, uniform(rng, v0, v1))]
        line(scene, [path], uniform(rng, 0.8, 3), (0.62, 0.56, 0.46), uniform(rng, 0.15, 0.5))


def taxi_lines(scene: Scene, rect: Rect, palette: Palette, *, edges: bool) -> None:
    """A taxiway's centre line with turn-offs, its edge lines and worn wheel tracks."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    middle = (v0 + v1) / 2
    wear = scene.to_image([(u0, middle), (u1, middle)])
    tone: Colour = (0.1, 0.1, 0.1) if rng.random() < 0.6 else (0.75, 0.73, 0.7)
    width = (v1 - v0) * uniform(rng, 0.2, 0.5)
    blend(scene, strokes(scene, [wear], width), tone, uniform(rng, 0.03, 0.18), width * 0.2)
    paths: list[object] = [[(u0, middle), (u1, middle)]]
    for _ in range(int(rng.integers(0, 5))):
        u, radius = uniform(rng, u0, u1), scene.metres(uniform(rng, 18, 45))
        up = 1 if rng.random() < 0.5 else -1
        start = -up * np.pi / 2
        way = 1 if rng.random() < 0.5 else -1
        paths.append(arc(u, middle + up * radius, radius, start, start + way * np.pi / 2))
    line(scene, paths, 0.7, palette.yellow, uniform(rng, 0.35, 0.95))
    if edges:
        inset = scene.metres(2.5)
        sides = [[(u0, v), (u1, v)] for v in (v0 + inset, v1 - inset)]
        line(scene, sides, 0.6, palette.yellow, 0.6)
        if rng.random() < 0.4:
            pitch, reach = scene.metres(12), scene.metres(6)
            for v, way in ((v0, 1), (v1, -1)):
                ticks = [[(u, v), (u, v + way * reach)] for u in np.arange(u0, u1, pitch)]
                line(scene, ticks, 0.8, palette.yellow, 0.7)


def runway(scene: Scene, rect: Rect, palette: Palette) -> None:
    """A runway with shoulders, edge and centre lines, rubber and sometimes its threshold."""
    rng = scene.rng
    u0, v0, u1, v1 = rect
    area(scene, rect, palette.asphalt)
    inset, middle = (v1 - v0) * 0.12, (v0 + v1) / 2
    core = (u0, v0 + inset, u1, v1 - inset)
    if rng.random() < 0.6:
        dark = jitter(rng, palette.asphalt.colour, 0.05)
        area(scene, core, Material(dark, palette.asphalt.other, 0.03, 0.03, 0.05))
    seams = [[(u0, v), (u1, v)] for v in np.linspace(v0, v1, 9)]
    line(scene, seams, 0.5, (0.1, 0.1, 0.1), 0.2)
    rubber = scene.to_image([(u0, middle), (u1, middle)])
    width = (v1 - v0) * 0.35
    blend(
        scene,
        strokes(scene, [rubber], width),
        (0.08, 0.08, 0.08),
        uniform(rng, 0, 0.4),
        width * 0.2,
    )
    alpha = uniform(rng, 0.6, 1.0)
    line(scene, [[(u0, core[1]), (u1, core[1])], [(u0, core[3]), (u1, core[3])]], 0.9, WHITE, alpha)
    line(scene, dashes(scene, (u0, middle), (u1, middle), 30, 20), 0.9, WHITE, alpha)
    if rng.random() < 0.6:
        start = uniform(rng, u0 * 0.5, u1 * 0.5)
        bars = np.linspace(core[1] + inset * 0.4, core[3] - inset * 0.4, 12)
        long = scene.metres(30)
        line(scene, [[(start, v), (start + long, v)] for v in bars], 1.8, WHITE, alpha)
        touch = start + long * 3
        for v in (middle - inset * 1.5, middle + inset * 1.5):
            line(scene, [[(touch, v), (touch + long * 1.3, v)]], 5, WHITE, alpha)
            for k in range(1, 4):
                more = touch + long * 3 * k
                line(scene, [[(more, v), (more + long * 0.7, v)]], 2.5, WHITE, alpha)
