"""Aeroplanes painted at four times the resolution: shading, livery, shadow and mask."""

from dataclasses import dataclass

import cv2
import numpy as np

from seginst_core.sample.scene import SHIFT, Colour, Scene, cast, fixed, jitter, uniform
from seginst_core.sample.shapes import Part, Placed
from seginst_core.types import FloatArray, ImageArray

_OVER = 4
_BRIGHT: tuple[Colour, ...] = (
    (0.16, 0.30, 0.62), (0.10, 0.16, 0.38), (0.72, 0.12, 0.13), (0.85, 0.42, 0.10),
    (0.12, 0.42, 0.28), (0.35, 0.62, 0.82), (0.85, 0.72, 0.18), (0.42, 0.14, 0.40),
    (0.13, 0.13, 0.14), (0.55, 0.08, 0.12),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Livery:
    """The colours of one aeroplane; ``patches`` is the strength of camouflage."""

    body: Colour
    wing: Colour
    tail: Colour
    engine: Colour
    band: Colour | None
    tail_from: float
    patches: float


def draw_livery(rng: np.random.Generator, military: bool, ground: Colour) -> Livery:
    """Draw colours: mostly white or grey, some coloured, some like the ground beneath."""
    vivid = _BRIGHT[int(rng.integers(len(_BRIGHT)))]
    bright = jitter(
        rng, (vivid[0] * 0.8 + 0.12, vivid[1] * 0.8 + 0.12, vivid[2] * 0.8 + 0.12), 0.04
    )
    grey = uniform(rng, 0.68, 0.94)
    wing = jitter(rng, (grey, grey, grey * 1.01), 0.012)
    pick = rng.random()
    white = jitter(rng, (0.97, 0.97, 0.98), 0.025)
    if military:
        level = uniform(rng, 0.26, 0.62)
        tint = jitter(rng, (level, level * 1.02, level * 1.05), 0.015)
        if rng.random() < 0.3:
            tint = jitter(rng, (0.38, 0.37, 0.27), 0.04)
        patches = uniform(rng, 0.15, 0.35) if rng.random() < 0.4 else 0.0
        return Livery(tint, tint, tint, jitter(rng, tint, 0.05), None, -0.8, patches)
    if pick < 0.42:
        return Livery(white, wing, white, wing, None, -0.8, 0)
    if pick < 0.76:
        engine = bright if rng.random() < 0.4 else wing
        return Livery(white, wing, bright, engine, None, -uniform(rng, 0.72, 0.9), 0)
    if pick < 0.86:
        band = bright if rng.random() < 0.7 else None
        return Livery(wing, wing, bright if band else wing, wing, band, -0.82, 0)
    if pick < 0.94:
        under = wing if rng.random() < 0.8 else bright
        return Livery(bright, under, jitter(rng, bright, 0.1), under, None, -0.8, 0)
    low = jitter(rng, ground, 0.05)
    return Livery(low, jitter(rng, low, 0.04), low, low, None, -0.8, 0)


def shadows(scene: Scene, placed: Placed) -> None:
    """Add the ground shadow of an aeroplane to the scene."""
    for part in placed.shape.parts:
        outline = placed.to_image(part.outline)
        if part.rise > 0:
            lift = np.array([[0], [0], [part.rise], [part.rise]], np.float32)
            high = (part.height + lift) * placed.length_px
            polygon = outline + scene.sun * high
            cv2.fillPoly(scene.shadow, [fixed(polygon)], 255, cv2.LINE_AA, SHIFT)
        elif part.role not in ("prop", "canopy"):
            z = part.height * placed.length_px
            cast(scene, outline, z * 0.9, z * 0.4)


def footprint(placed: Placed) -> list[FloatArray]:
    """The image-pixel outlines an aeroplane covers."""
    return [placed.to_image(part.outline) for part in placed.shape.parts]


def paint(scene: Scene, placed: Placed, livery: Livery) -> ImageArray | None:
    """Paint an aeroplane into the scene; its coverage as uint8 (side, side), None if outside."""
    outlines = [_lifted(scene, placed, part) for part in placed.shape.parts]
    points = np.concatenate(outlines)
    x0, y0 = (np.floor(points.min(axis=0)) - 2).astype(int)
    x1, y1 = (np.ceil(points.max(axis=0)) + 2).astype(int)
    cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x1, scene.side), min(y1, scene.side)
    if cx1 <= cx0 or cy1 <= cy0:
        return None
    sheet = _Sheet(placed, x0, y0, x1 - x0, y1 - y0, scene.sun)
    rng = np.random.default_rng(placed.seed)
    for part, outline in zip(placed.shape.parts, outlines, strict=True):
        sheet.part(part, outline, livery, rng)
    small = (x1 - x0, y1 - y0)
    if livery.patches > 0:
        grid = rng.standard_normal((7, 7), np.float32)
        blobs = cv2.resize(grid, sheet.alpha.shape[::-1], interpolation=cv2.INTER_CUBIC)
        sheet.rgb *= (1 - livery.patches * (blobs > 0.1))[..., None].astype(np.float32)
    weight = sheet.alpha.astype(np.float32) / 255
    rgb = cv2.resize(sheet.rgb * weight[..., None], small, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
    inner = (slice(cy0 - y0, cy1 - y0), slice(cx0 - x0, cx1 - x0))
    under = scene.pixels[cy0:cy1, cx0:cx1]
    under *= 1 - alpha[inner][..., None]
    under += rgb[inner]
    body = cv2.resize(sheet.solid, small, interpolation=cv2.INTER_AREA)
    mask = np.zeros((scene.side, scene.side), np.uint8)
    mask[cy0:cy1, cx0:cx1] = body[inner]
    return mask


def _lifted(scene: Scene, placed: Placed, part: Part) -> FloatArray:
    """A part's outline as an oblique view shows it; a fin leans and has some thickness."""
    outline = placed.to_image(part.outline)
    if part.rise <= 0:
        return outline
    lift = np.array([[0], [0], [part.rise], [part.rise]], np.float32) * placed.length_px
    leaned = outline + scene.tilt * lift
    across = np.array([-np.sin(placed.heading), np.cos(placed.heading)], np.float32)
    half = across * placed.length_px * 0.007
    return np.concatenate([leaned + half, leaned[::-1] - half]).astype(np.float32)


class _Sheet:
    """A window of the image at four times its resolution, holding one aeroplane."""

    def __init__(
        self, placed: Placed, x0: int, y0: int, width: int, height: int, sun: FloatArray
    ) -> None:
        self.placed, self.origin = placed, np.array([x0, y0], np.float32)
        shape = (height * _OVER, width * _OVER)
        self.rgb = np.zeros((*shape, 3), np.float32)
        self.alpha = np.zeros(shape, np.uint8)
        self.solid = np.zeros(shape, np.uint8)
        c, s = np.float32(np.cos(placed.heading)), np.float32(np.sin(placed.heading))
        xs = (np.arange(shape[1], dtype=np.float32) + 0.5) / _OVER + x0 - placed.nose[0]
        ys = (np.arange(shape[0], dtype=np.float32) + 0.5) / _OVER + y0 - placed.nose[1]
        inverse = np.float32(1 / placed.length_px)
        self.x = (xs[None] * c + ys[:, None] * s) * inverse
        self.y = (ys[:, None] * c - xs[None] * s) * inverse
        self.sun = sun
        # How strongly light comes from the right-hand side, -1 to 1 (shadows fall away from it).
        length = float(np.hypot(*sun)) + 1e-6
        self.side_light = float((sun[0] * s - sun[1] * c) / length) * min(1.0, length)

    def _mask(self, outline: FloatArray) -> ImageArray:
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.fillPoly(mask, [fixed((outline - self.origin) * _OVER)], 255, cv2.LINE_8, SHIFT)
        return mask

    def part(
        self, part: Part, outline: FloatArray, livery: Livery, rng: np.random.Generator
    ) -> None:
        """Lay one part over what is there."""
        mask = self._mask(outline)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            return
        at = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        if part.role in ("fuselage", "fin"):
            self._shade_below(part)
        x, y, on = self.x[at], self.y[at], mask[at] > 0
        light = self.side_light
        if part.role == "fuselage":
            colour = self._fuselage(x, y, livery)
        elif part.role == "wing":
            side = 1.0 if part.outline[:, 1].mean() > 0 else -1.0
            colour = np.asarray(livery.wing, np.float32) * self._wing(part, x, y, side, rng)
        elif part.role == "tail":
            own = livery.wing if self.placed.seed % 3 else livery.tail
            side = 1.0 if part.outline[:, 1].mean() > 0 else -1.0
            colour = np.full((*x.shape, 3), own, np.float32) * np.float32(
                0.97 + 0.05 * side * light
            )
        elif part.role == "engine":
            front, back = part.outline[:, 0].max(), part.outline[:, 0].min()
            along = (front - x) / (front - back)
            middle = part.outline[:, 1].mean()
            across = (y - middle) / (np.ptp(part.outline[:, 1]) / 2)
            tone = 0.92 + 0.25 * light * across - 0.25 * across**2
            tone = tone * np.where(along < 0.1, 1.15, np.where(along > 0.8, 0.45, 0.9))
            colour = np.asarray(livery.engine, np.float32) * tone[..., None]
        elif part.role == "fin":
            colour = np.full((*x.shape, 3), livery.tail, np.float32) * np.float32(
                1.0 + 0.15 * light
            )
        elif part.role == "canopy":
            colour = np.full((*x.shape, 3), (0.1, 0.12, 0.15), np.float32)
            colour += (0.45 * np.exp(-(((y - 0.012 * light) / 0.008) ** 2)))[..., None]
        else:
            colour = np.full((*x.shape, 3), (0.3, 0.3, 0.3), np.float32)
        self.rgb[at][on] = colour[on]
        if part.role == "prop":  # thin blades: seen, hardly part of the outline
            self.alpha[at][on & (self.alpha[at] == 0)] = 150
        else:
            self.alpha[at][on] = 255
            self.solid[at][on] = 255

    def _shade_below(self, part: Part) -> None:
        """Darken lower surfaces where this part keeps the sun off them."""
        placed = self.placed
        outline = placed.to_image(part.outline)
        if part.rise > 0:
            lift = np.array([[0], [0], [part.rise], [part.rise]], np.float32)
            outline = outline + self.sun * lift * placed.length_px * 0.8
        else:
            outline = outline + self.sun * placed.length_px * 0.028
        dark = self._mask(outline.astype(np.float32)) > 0
        self.rgb[dark] *= np.array([0.48, 0.5, 0.55], np.float32)

    def _fuselage(self, x: FloatArray, y: FloatArray, livery: Livery) -> FloatArray:
        shape = self.placed.shape
        half = np.interp(x, shape.profile_x, shape.profile_half).astype(np.float32) + 1e-4
        across = np.clip(y / half, -1, 1)
        up = np.sqrt(1 - across**2)
        tone = 0.42 + 0.62 * np.clip(0.8 * up + 0.7 * self.side_light * across, 0, 1.1)
        gleam = np.exp(-(((across - 0.45 * self.side_light) / 0.22) ** 2))
        colour = np.full((*x.shape, 3), livery.body, np.float32)
        colour[x < livery.tail_from - 0.35 * half * np.abs(across)] = livery.tail
        if livery.band is not None:
            colour[np.abs(np.abs(across) - 0.62) < 0.2] = livery.band
        if shape.kind not in ("fighter", "light"):
            cockpit = (x < -0.03) & (x > -0.045) & (np.abs(across) < 0.85)
            colour[cockpit] = (0.28, 0.29, 0.32)
        elif shape.kind == "light":
            colour[(x < -0.19) & (x > -0.25)] = (0.2, 0.22, 0.26)
        shaded = colour * tone[..., None] + 0.13 * gleam[..., None]
        return np.asarray(shaded, np.float32)

    def _wing(
        self, part: Part, x: FloatArray, y: FloatArray, side: float, rng: np.random.Generator
    ) -> FloatArray:
        """Brightness of a wing: leading edge, flap line, ribs and the light on its slope."""
        out = np.abs(y)
        outline = part.outline
        order = np.abs(outline[:, 1])
        n = int(np.argmax(order))
        lead_y, lead_x = order[: n + 1], outline[: n + 1, 0]
        trail_y, trail_x = order[n:][::-1], outline[n:, 0][::-1]
        front, back = np.interp(out, lead_y, lead_x), np.interp(out, trail_y, trail_x)
        along = np.clip((front - x) / np.maximum(front - back, 1e-3), 0, 1)
        tone = 0.94 + 0.07 * side * self.side_light + 0.08 * np.exp(-((along / 0.1) ** 2))
        tone -= 0.12 * np.exp(-(((along - 0.74) / 0.04) ** 2)) + 0.05 * (along > 0.76)
        ribs = rng.uniform(0.2, 0.95, 3) * order[n]
        for rib in ribs:
            tone -= 0.08 * (np.abs(out - rib) < 0.003) * (along > 0.6)
        return np.asarray(tone[..., None], np.float32)
