"""Outlines of aeroplanes seen from above, in lengths of the fuselage.

``x`` runs forward with the nose at 0 and the tail near -1, ``y`` to the right. Proportions follow
well-known types (narrow and wide bodies, regional props, light aircraft, fighters, transports).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from seginst_core.types import FloatArray

Role = Literal["wing", "fuselage", "tail", "engine", "fin", "prop", "canopy"]
Kind = Literal["jet", "rear_jet", "quad_jet", "regional", "light", "twin", "fighter", "transport"]

LENGTH_M: dict[Kind, tuple[float, float]] = {
    "jet": (31, 66),
    "rear_jet": (15, 45),
    "quad_jet": (58, 73),
    "regional": (22, 33),
    "light": (7, 10),
    "twin": (9.5, 15),
    "fighter": (14, 21),
    "transport": (30, 53),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One surface: its outline (n, 2), its height above ground and, for fins, its rise."""

    role: Role
    outline: FloatArray
    height: float
    rise: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """An aeroplane: parts from low to high and the fuselage's half width along x."""

    kind: Kind
    parts: tuple[Part, ...]
    profile_x: FloatArray  # ascending, -1 .. 0
    profile_half: FloatArray
    half_span: float


@dataclass(frozen=True, slots=True)
class Placed:
    """An aeroplane on the image: its nose in pixels, its heading (radians) and its length."""

    shape: Shape
    nose: FloatArray
    heading: float
    length_px: float
    seed: int

    def to_image(self, local: FloatArray) -> FloatArray:
        """Points (n, 2) in fuselage lengths as image pixels."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        turn = np.array([[c, s], [-s, c]], np.float32) * self.length_px
        return np.asarray(local @ turn + self.nose, np.float32)


def _points(*rows: tuple[float, float]) -> FloatArray:
    return np.array(rows, np.float32)


def _pair(role: Role, outline: FloatArray, height: float) -> list[Part]:
    mirrored = outline * np.array([1, -1], np.float32)
    return [Part(role, outline, height), Part(role, mirrored, height)]


def _nacelle(x: float, y: float, length: float, width: float) -> FloatArray:
    t = np.array([0, 0.08, 0.35, 0.7, 1.0], np.float32)
    half = np.array([0.40, 0.48, 0.5, 0.42, 0.22], np.float32) * width
    top = np.stack([x - t * length, y - half], axis=1)
    bottom = np.stack([x - t * length, y + half], axis=1)[::-1]
    return np.concatenate([top, bottom]).astype(np.float32)


def _fuselage(
    half: float, nose: float, tail: float, tip: float, blunt: float = 0.5
) -> tuple[FloatArray, FloatArray, FloatArray]:
    t = np.linspace(0, 1, 41, dtype=np.float32)
    front = np.clip(1 - (1 - np.clip(t / nose, 0, 1)) ** 2, 0, 1) ** blunt
    back = np.clip((t - (1 - tail)) / tail, 0, 1)
    width = half * front * (1 - (1 - tip) * (0.35 * back + 0.65 * back**1.7))
    upper = np.stack([-t, width], axis=1)
    outline = np.concatenate([upper, (upper * [1, -1])[::-1]]).astype(np.float32)
    return outline, -t[::-1].copy(), width[::-1].astype(np.float32)


def _wing(
    root_x: float, chord: float, span: float, sweep: float, tip: float, kink: float, half: float
) -> FloatArray:
    tip_x = root_x - np.tan(sweep) * span
    trail = root_x - chord
    kink_x = trail - 0.012 if kink > 0 else trail + (tip_x - tip - trail) * 0.3
    inner = half * 0.3
    return _points(
        (root_x + 0.03, inner),
        (root_x - np.tan(sweep) * half, half),
        (tip_x + tip * 0.15, span * 0.985),
        (tip_x - tip * 0.35, span),
        (tip_x - tip, span * 0.99),
        (kink_x, span * max(kink, 0.3)),
        (trail, half),
        (trail, inner),
    )


def _surface(x: float, chord: float, span: float, sweep: float, tip: float) -> FloatArray:
    back = x - np.tan(sweep) * span
    return _points((x, 0), (back, span), (back - tip, span), (x - chord, 0))


def _fin(x: float, chord: float, lean: float, rise: float, z: float, y: float = 0.0) -> Part:
    # Rows: leading root, trailing root, trailing top, leading top.
    outline = _points((x, y), (x - chord, y), (x - chord - lean * 0.55, y), (x - lean, y))
    return Part("fin", outline, z, rise)


def draw_shape(rng: np.random.Generator, kind: Kind) -> Shape:
    """Draw an aeroplane of a kind with proportions of its own."""

    def r(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    if kind == "fighter":
        return _fighter(rng)
    if kind in ("light", "twin", "regional"):
        return _propeller(rng, kind)
    parts: list[Part] = []
    quad, rear, transport = kind == "quad_jet", kind == "rear_jet", kind == "transport"
    business = rear and r(0, 1) < 0.5
    half = r(0.036, 0.043) if rear and not business else r(0.043, 0.058)
    half = r(0.055, 0.068) if transport else half
    body, px, ph = _fuselage(half, r(0.09, 0.14), r(0.27, 0.38), r(0.1, 0.22))
    span = r(0.37, 0.44) if rear and not business else r(0.435, 0.525)
    root = -r(0.44, 0.5) if rear else -r(0.31, 0.37)
    sweep = np.deg2rad(r(17, 26) if rear else r(25, 36))
    if transport:
        span, sweep, root = r(0.46, 0.54), np.deg2rad(r(4, 27)), -r(0.3, 0.36)
    chord = r(0.15, 0.19) if rear or transport else r(0.19, 0.25)
    tip, kink = r(0.035, 0.06), 0.0 if transport else r(0.32, 0.42)
    wing = _pair("wing", _wing(root, chord, span, sweep, tip, kink, half), 0.09)
    high_tail = rear or transport
    tail_span = r(0.155, 0.2)
    tail_x = -0.925 if high_tail else -r(0.84, 0.87)
    tail_chord = r(0.07, 0.095) if high_tail else r(0.10, 0.13)
    tail_sweep = np.deg2rad(r(22, 36))
    tail_height = 0.24 if high_tail else 0.12
    tail = _pair(
        "tail", _surface(tail_x, tail_chord, tail_span, tail_sweep, r(0.035, 0.05)), tail_height
    )
    fin = _fin(-r(0.79, 0.83), r(0.13, 0.16), r(0.12, 0.16), r(0.14, 0.2), 0.12)
    engines: list[Part] = []
    if rear:
        length, width = r(0.10, 0.14), r(0.036, 0.05)
        engines = _pair("engine", _nacelle(-r(0.68, 0.74), half + width * 0.65, length, width), 0.1)
    else:
        length, width = r(0.085, 0.125), r(0.042, 0.066)
        if quad or transport:
            width *= 0.8
        stations = (0.36, 0.63) if quad or (transport and r(0, 1) < 0.8) else (r(0.32, 0.36),)
        for station in stations:
            y = span * station
            front = root - np.tan(sweep) * y + length * r(0.55, 0.8)
            engines += _pair("engine", _nacelle(front, y, length, width), 0.05)
    fuselage = Part("fuselage", body, 0.11)
    if transport:
        parts = [*engines, fuselage, *wing, fin, *tail]
    elif rear:
        parts = [*wing, *engines, fuselage, fin, *tail]
    else:
        parts = [*engines, *wing, *tail, fuselage, fin]
    return Shape(kind, tuple(parts), px, ph, span)


def _propeller(rng: np.random.Generator, kind: Kind) -> Shape:
    def r(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    light, regional = kind == "light", kind == "regional"
    half = r(0.06, 0.075) if light else r(0.05, 0.06) if regional else r(0.052, 0.066)
    body, px, ph = _fuselage(
        half, r(0.1, 0.2), r(0.55, 0.68) if light else r(0.34, 0.46), r(0.12, 0.22)
    )
    span = r(0.6, 0.72) if light else r(0.48, 0.56)
    chord = r(0.16, 0.2) if light else r(0.1, 0.13)
    root = -r(0.22, 0.3) if light else -r(0.34, 0.42)
    sweep = np.deg2rad(r(-1, 5))
    tip = chord * (r(0.75, 1.0) if light and r(0, 1) < 0.6 else r(0.42, 0.7))
    back = root - np.tan(sweep) * span
    outline = _points(
        (root, 0),
        (root, span * 0.25),
        (back, span * 0.97),
        (back - tip * 0.3, span),
        (back - tip * 0.8, span),
        (back - tip, span * 0.97),
        (root - chord, span * 0.3),
        (root - chord, 0),
    )
    high = regional or r(0, 1) < 0.5
    wing = _pair("wing", outline, 0.2 if high else 0.1)
    t_tail = regional or (not light and r(0, 1) < 0.4)
    surface = _surface(
        -0.93 if t_tail else -r(0.84, 0.87),
        r(0.085, 0.12),
        r(0.18, 0.23),
        np.deg2rad(r(2, 12)),
        r(0.06, 0.085),
    )
    tail = _pair("tail", surface, 0.27 if t_tail else 0.13)
    fin = _fin(-r(0.8, 0.84), r(0.12, 0.15), r(0.06, 0.12), r(0.12, 0.17), 0.13)
    engines: list[Part] = []
    props: list[Part] = []
    if light:
        props = [Part("prop", _points((0, -0.1), (0.008, 0), (0, 0.1), (-0.008, 0)), 0.12)]
    else:
        y, length = span * r(0.27, 0.35), r(0.16, 0.22)
        front = root + length * r(0.45, 0.6)
        engines = _pair("engine", _nacelle(front, y, length, r(0.04, 0.052)), 0.14)
        blade = _points(
            (front, y - 0.07), (front + 0.012, y), (front, y + 0.07), (front - 0.006, y)
        )
        props = _pair("prop", blade, 0.14)
    fuselage = Part("fuselage", body, 0.12)
    canopy = Part("canopy", _canopy(-r(0.17, 0.22), r(0.1, 0.16), half * 0.8), 0.13)
    top = [canopy] if light and not high else []
    if high:
        parts = [*props, *engines, fuselage, *wing, fin, *tail]
    else:
        parts = [*props, *wing, *engines, *tail, fuselage, *top, fin]
    return Shape(kind, tuple(parts), px, ph, span)


def _canopy(x: float, length: float, half: float) -> FloatArray:
    t = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    rim = np.stack([x - length / 2 + length / 2 * np.cos(t), half * np.sin(t)], axis=1)
    return rim.astype(np.float32)


def _fighter(rng: np.random.Generator) -> Shape:
    def r(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    half = r(0.048, 0.085)
    body, px, ph = _fuselage(half, r(0.4, 0.55), r(0.12, 0.3), r(0.5, 0.9), 0.85)
    delta = r(0, 1) < 0.35
    span = r(0.28, 0.33) if delta else r(0.29, 0.37)
    root = -r(0.33, 0.42) if delta else -r(0.38, 0.46)
    sweep = np.deg2rad(r(52, 60) if delta else r(38, 46))
    chord = r(0.5, 0.54) if delta else r(0.28, 0.34)
    tip = r(0.02, 0.05) if delta else r(0.07, 0.1)
    back = root - np.tan(sweep) * span
    outline = _points(
        (root + 0.16, half * 0.5),
        (root, half),
        (back, span),
        (back - tip, span),
        (max(root - chord, -0.97), half),
        (max(root - chord, -0.97), 0),
    )
    wing = _pair("wing", outline, 0.1)
    tail: list[Part] = []
    if not delta:
        stab = _points((-0.80, half * 0.6), (-0.91, 0.19), (-0.99, 0.195), (-0.985, half * 0.6))
        tail = _pair("tail", stab * np.array([1, r(0.85, 1.15)], np.float32), 0.1)
    twin = r(0, 1) < 0.5
    offsets = (-half * 0.85, half * 0.85) if twin else (0.0,)
    fins = [_fin(-0.72, 0.15, 0.14, r(0.12, 0.17), 0.12, y) for y in offsets]
    canopy = Part("canopy", _canopy(-r(0.15, 0.2), r(0.12, 0.17), half * r(0.4, 0.55)), 0.14)
    fuselage = Part("fuselage", body, 0.12)
    return Shape("fighter", (*tail, *wing, fuselage, canopy, *fins), px, ph, span)
