"""Airfields laid out as bands across the picture: aprons, piers, runways, landside."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from seginst_core.sample import ground, things
from seginst_core.sample.ground import Palette, Rect
from seginst_core.sample.paint_plane import footprint
from seginst_core.sample.scene import Material, Scene, cover, coverage, jitter, uniform
from seginst_core.sample.shapes import LENGTH_M, Kind, Placed, Shape, draw_shape


@dataclass(frozen=True, slots=True)
class Plan:
    """What is laid out: the aeroplanes about, their crowding, and the ground covers."""

    palette: Palette
    fleet: tuple[tuple[Shape, float], ...]  # shape, length in pixels
    fullness: float
    empty: bool
    gear: float  # ground equipment, 0 to 1


Band = Callable[[Scene, Plan, Rect], None]


def draw_fleet(
    scene: Scene, kinds: tuple[Kind, ...], count: int
) -> tuple[tuple[Shape, float], ...]:
    """Draw the aeroplane types about this airfield."""
    fleet = []
    for _ in range(count):
        kind = kinds[int(scene.rng.integers(len(kinds)))]
        low, high = LENGTH_M[kind]
        length_m = low + (high - low) * float(scene.rng.beta(1.1, 2.0))
        length = float(np.clip(scene.metres(length_m), 21, 132))
        fleet.append((draw_shape(scene.rng, kind), length))
    return tuple(fleet)


def park(
    scene: Scene, shape: Shape, length: float, at: tuple[float, float], heading: float, rect: Rect
) -> Placed | None:
    """Put an aeroplane with its nose at a point of the frame, if it fits the band and is free."""
    ends = (at[1], at[1] - length * float(np.sin(heading)))
    if min(ends) < rect[1] - 0.08 * length or max(ends) > rect[3] + 0.08 * length:
        return None
    nose = scene.to_image([at])[0]
    seed = int(scene.rng.integers(2**31))
    placed = Placed(shape, nose, heading + scene.angle, length, seed)
    where = coverage(scene, footprint(placed))
    if where is None:
        return None
    window, mask = where
    whole = sum(abs(cv2.contourArea(p)) for p in footprint(placed)) * 0.85
    visible = float(mask.sum()) / 255
    if visible < max(0.22 * whole, 60):
        return None
    grown = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    if bool(((grown > 0) & (scene.solid[window] > 0)).any()):
        return None
    np.maximum(scene.solid[window], mask, out=scene.solid[window])
    scene.planes.append(placed)
    return placed


def _pick(scene: Scene, plan: Plan) -> tuple[Shape, float]:
    return plan.fleet[int(scene.rng.integers(len(plan.fleet)))]


def stand_row(scene: Scene, plan: Plan, rect: Rect, nose_v: float, up: float) -> None:
    """A row of stands along the frame, noses towards ``up`` (-1 or 1 in v), some taken."""
    rng, (u0, _, u1, _) = scene.rng, rect
    mean = float(np.mean([2 * s.half_span * length for s, length in plan.fleet]))
    largest = max(2 * s.half_span * length for s, length in plan.fleet)
    even = rng.random() < 0.5
    gap = uniform(rng, 1.06, 1.4)
    slant = uniform(rng, -0.8, 0.8) if rng.random() < 0.3 else 0.0
    heading = up * np.pi / 2 + slant
    marks = uniform(rng, 0.2, 0.9) if rng.random() < 0.7 else 0.0
    moons = rng.random() < 0.3
    u = u0 + uniform(rng, 0, largest)
    while u < u1:
        shape, length = _pick(scene, plan)
        width = (largest if even else max(2 * shape.half_span * length, mean * 0.7)) * gap
        way = np.array([np.cos(heading), np.sin(heading)])
        nose = np.array([u, nose_v]) + rng.normal(0, 0.02 * length, 2)
        tail = nose - way * length * 1.5
        if marks:
            paths: list[object] = [np.stack([nose + way * length * 0.1, tail])]
            paths.append(
                ground.arc(tail[0] + length * 0.3, tail[1], length * 0.3, np.pi / 2, np.pi)
            )
            ground.line(scene, paths, 0.6, plan.palette.yellow, marks)
        if moons:
            ground.half_moons(scene, u, tail[1], length * uniform(rng, 0.3, 0.5), up)
        if not plan.empty and rng.random() < plan.fullness:
            turned = heading + rng.normal(0, 0.03) + (np.pi if rng.random() < 0.03 else 0)
            park(scene, shape, length, (float(nose[0]), float(nose[1])), turned, rect)
        if rng.random() < plan.gear:
            spot = (u + width * 0.3, nose_v - length * 0.3, u + width * 0.55, nose_v + length * 0.3)
            things.clutter(scene, spot, int(rng.integers(1, 9)))
        u += width


def apron(scene: Scene, plan: Plan, rect: Rect) -> None:
    """Concrete with rows of parked aeroplanes."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    cover_of = plan.palette.concrete if rng.random() < 0.8 else plan.palette.taxiway
    ground.slabs(scene, rect, cover_of)
    ground.stains(scene, rect, int(rng.integers(5, 35)))
    length = max(length for _, length in plan.fleet)
    v = v0 + length * 0.15
    while v + length * 1.05 < v1 + length * 0.3:
        up = 1.0 if rng.random() < 0.5 else -1.0
        stand_row(scene, plan, rect, v + (length * 1.05 if up > 0 else 0.0), up)
        v += length * uniform(rng, 1.12, 1.5)
        lane = length * uniform(rng, 0.5, 1.3)
        if v + lane < v1 and rng.random() < 0.7:
            ground.taxi_lines(scene, (u0, v, u1, v + lane), plan.palette, edges=False)
            _taxiing(scene, plan, (u0, v, u1, v + lane))
            v += lane
    for _ in range(int(rng.integers(0, 5))):
        things.mast(scene, uniform(rng, u0, u1), v0)
    if plan.empty or rng.random() < 0.15:
        for _ in range(int(rng.integers(1, 5))):
            u = uniform(rng, u0, u1) * 0.6
            things.lookalike(scene, u, uniform(rng, v0, v1), plan.palette)


def _taxiing(scene: Scene, plan: Plan, rect: Rect) -> None:
    """Now and then an aeroplane rolling along a lane."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    while not plan.empty and rng.random() < 0.4:
        shape, length = _pick(scene, plan)
        heading = (0 if rng.random() < 0.5 else np.pi) + rng.normal(0, 0.04)
        if rng.random() < 0.2:
            heading = uniform(rng, 0, 2 * np.pi)
        middle = np.array([uniform(rng, u0, u1) * 0.6, (v0 + v1) / 2])
        nose = middle + length / 2 * np.array([np.cos(heading), np.sin(heading)])
        park(scene, shape, length, (float(nose[0]), float(nose[1])), heading, rect)


def pier(scene: Scene, plan: Plan, rect: Rect) -> None:
    """A terminal or pier with gates on both sides where there is room."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    ground.slabs(scene, rect, plan.palette.concrete)
    ground.stains(scene, rect, int(rng.integers(5, 35)))
    length = max(length for _, length in plan.fleet)
    width = scene.metres(uniform(rng, 16, 48))
    middle = (v0 + v1) / 2 + uniform(rng, -0.04, 0.04) * (v1 - v0)
    left = u0 if rng.random() < 0.6 else uniform(rng, u0 * 0.6, 0)
    right = u1 if rng.random() < 0.6 or left > u0 else uniform(rng, 0, u1 * 0.6)
    roof = jitter(rng, things.ROOFS[int(rng.integers(len(things.ROOFS)))], 0.04)
    u = left
    while u < right:
        end = min(right, u + scene.metres(uniform(rng, 40, 180)))
        grow = width * uniform(rng, -0.12, 0.25)
        part = (u, middle - width / 2 - grow, end, middle + width / 2 + grow * rng.integers(0, 2))
        things.building(scene, np.array(ground.corners(part)), uniform(rng, 9, 15), roof)
        u = end
    tone = jitter(rng, (0.66, 0.67, 0.68) if rng.random() < 0.6 else roof, 0.08)
    reach = scene.metres(uniform(rng, 10, 20))
    spacing = max(2 * s.half_span * length for s, length in plan.fleet) * uniform(rng, 1.07, 1.35)
    for up in (1.0, -1.0):
        wall = middle - up * width * 0.5
        lane_v = wall - up * (reach + length * uniform(rng, 1.2, 1.5))
        lane = sorted((lane_v, lane_v - up * length * 0.8))
        ground.taxi_lines(scene, (u0, lane[0], u1, lane[1]), plan.palette, edges=False)
        u = left + spacing * uniform(rng, 0.4, 1)
        while u < right - spacing * 0.3:
            _gate(scene, plan, (u, wall - up * width * 0.12), up, reach, tone, rect)
            u += spacing
        _taxiing(scene, plan, (u0, lane[0], u1, lane[1]))


def _gate(
    scene: Scene,
    plan: Plan,
    at: tuple[float, float],
    up: float,
    reach: float,
    tone: tuple[float, float, float],
    rect: Rect,
) -> None:
    rng, (u, wall) = scene.rng, at
    shape, length = _pick(scene, plan)
    heading = up * np.pi / 2 + rng.normal(0, 0.02)
    nose = (u + rng.normal(0, 1), wall - up * reach)
    placed = None
    if not plan.empty and rng.random() < plan.fullness:
        placed = park(scene, shape, length, nose, heading, rect)
    ground.line(
        scene, [[nose, (u, wall - up * (reach + length * 1.4))]], 0.6, plan.palette.yellow, 0.7
    )
    # The door is on the left: for a nose towards +v that is the +u side.
    side = up
    half = float(np.interp(-0.13, shape.profile_x, shape.profile_half)) * length
    start = (u + side * length * uniform(rng, 0.22, 0.36), wall + up * 2)
    if rng.random() < 0.88:
        if placed is not None and rng.random() < 0.85:
            door = (nose[0] + side * (half + scene.metres(1.2)), nose[1] - up * length * 0.13)
        else:
            door = (
                start[0] + side * uniform(rng, -4, 4),
                wall - up * reach * uniform(rng, 0.8, 1.4),
            )
        things.bridge(scene, start, door, tone)
    if rng.random() < plan.gear + 0.2:
        ends = (nose[1] + up * reach * 0.7, nose[1] - up * length * 0.5)
        for way in (-1, 1):
            edges = sorted((u + way * length * 0.14, u + way * length * 0.5))
            things.clutter(
                scene, (edges[0], min(ends), edges[1], max(ends)), int(rng.integers(1, 10))
            )


def taxiway(scene: Scene, plan: Plan, rect: Rect) -> None:
    """A taxiway with shoulders of grass."""
    _, v0, _, v1 = rect
    _lawn(scene, plan, rect)
    width = min(v1 - v0, scene.metres(uniform(scene.rng, 20, 55)))
    middle = (v0 + v1) / 2
    lane = (rect[0], middle - width / 2, rect[2], middle + width / 2)
    ground.area(scene, lane, plan.palette.taxiway)
    ground.taxi_lines(scene, lane, plan.palette, edges=scene.rng.random() < 0.5)
    _taxiing(scene, plan, lane)


def runway(scene: Scene, plan: Plan, rect: Rect) -> None:
    """A runway between grass."""
    _lawn(scene, plan, rect)
    width = min(rect[3] - rect[1], scene.metres(uniform(scene.rng, 38, 62)))
    middle = (rect[1] + rect[3]) / 2
    lane = (rect[0], middle - width / 2, rect[2], middle + width / 2)
    ground.runway(scene, lane, plan.palette)
    if scene.rng.random() < 0.5:
        _taxiing(scene, plan, lane)


def grass(scene: Scene, plan: Plan, rect: Rect) -> None:
    """Grass with bare spots, sometimes trees or a look-alike."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    _lawn(scene, plan, rect)
    if rng.random() < 0.25:
        things.trees(scene, rect, int(rng.integers(3, 40)))
    if rng.random() < 0.12:
        things.lookalike(scene, uniform(rng, u0, u1) * 0.6, (v0 + v1) / 2, plan.palette)


def _lawn(scene: Scene, plan: Plan, rect: Rect) -> None:
    ground.area(scene, rect, plan.palette.grass)
    ground.patches(scene, rect, plan.palette.field, int(scene.rng.integers(0, 9)))


def links(scene: Scene, plan: Plan, v0: float, v1: float) -> None:
    """Paved links across the bands, with flared corners and a yellow line."""
    rng = scene.rng
    for _ in range(int(rng.integers(1, 4))):
        u, half = uniform(rng, -0.6, 0.6) * scene.side, scene.metres(uniform(rng, 10, 18))
        slant = uniform(rng, -0.7, 0.7) * (v1 - v0) if rng.random() < 0.4 else 0.0
        flare = half * uniform(rng, 1, 2.5)
        inner = min(flare, (v1 - v0) * 0.4)
        shape = []
        for side in (-1, 1):  # from v0 to v1 along one edge, back along the other
            edge = [
                (u + side * (half + flare), v0),
                (u + side * (half + flare * 0.3), v0 + inner * 0.35),
                (u + side * half + slant * 0.5, v0 + inner),
                (u + side * half + slant * 0.5, v1 - inner),
                (u + slant + side * (half + flare * 0.3), v1 - inner * 0.35),
                (u + slant + side * (half + flare), v1),
            ]
            shape += edge[::-side]
        cover(scene, [scene.to_image(shape)], plan.palette.taxiway)
        ground.line(
            scene, [[(u, v0 - half), (u + slant, v1 + half)]], 0.7, plan.palette.yellow, 0.8
        )


def landside(scene: Scene, plan: Plan, rect: Rect) -> None:
    """Car parks, roads, sheds, containers, houses, trees, tanks, water."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    ground.area(scene, rect, plan.palette.asphalt if rng.random() < 0.6 else plan.palette.field)
    if rng.random() < 0.6 and v1 - v0 > scene.metres(30):
        lanes = int(rng.integers(2, 8))
        lane = (u0, v0, u1, v0 + scene.metres(3.6) * lanes)
        things.road(scene, lane, plan.palette, lanes, uniform(rng, 0.1, 1))
        v0 = lane[3] + scene.metres(4)
    u = u0
    while u < u1:
        end = u + scene.metres(uniform(rng, 40, 150))
        plot = (u, v0, end - scene.metres(6), v1)
        _plot(
            scene,
            plan,
            plot,
            int(rng.choice(9, p=[0.2, 0.3, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])),
        )
        u = end


def _plot(scene: Scene, plan: Plan, plot: Rect, pick: int) -> None:
    rng, (u0, v0, u1, v1) = scene.rng, plot
    if pick == 0:
        ground.area(scene, plot, plan.palette.asphalt)
        things.cars(scene, plot, uniform(rng, 0.1, 0.95))
    elif pick == 1:
        ground.area(scene, plot, plan.palette.taxiway)
        depth = min(v1 - v0, scene.metres(uniform(rng, 20, 90)))
        shed = (u0, v0 + scene.metres(4), u1 - scene.metres(3), v0 + depth)
        things.building(scene, np.array(ground.corners(shed)), uniform(rng, 6, 18))
        if v1 - shed[3] > scene.metres(15):
            things.cars(scene, (u0, shed[3] + scene.metres(5), u1, v1), uniform(rng, 0.1, 0.8))
    elif pick == 2:
        ground.area(scene, plot, plan.palette.grass)
        things.trees(
            scene, plot, int((u1 - u0) * (v1 - v0) / scene.metres(uniform(rng, 8, 18)) ** 2)
        )
    elif pick == 3:
        colours = [jitter(rng, things.CARS[i], 0.08) for i in rng.integers(0, 9, 5)]
        for v in np.arange(v0 + 4, v1 - 4, scene.metres(9)):
            for u in np.arange(u0 + 4, u1 - 4, scene.metres(14)):
                if rng.random() < 0.75:
                    box = ground.tilted(float(u), float(v), scene.metres(12), scene.metres(2.6), 0)
                    things.crate(
                        scene, scene.to_image(box), scene.metres(4), colours[rng.integers(5)]
                    )
    elif pick == 4:
        ground.area(scene, plot, plan.palette.grass)
        for v in np.arange(v0 + scene.metres(8), v1, scene.metres(20)):
            for u in np.arange(u0 + scene.metres(8), u1, scene.metres(18)):
                if rng.random() < 0.75:
                    size = scene.metres(uniform(rng, 7, 12))
                    house = ground.tilted(
                        float(u), float(v), size, size * 0.75, rng.normal(0, 0.15)
                    )
                    things.building(scene, house, 5, things.ROOFS[int(rng.integers(3, 8))])
        things.trees(scene, plot, 25)
    elif pick == 5:
        water = jitter(rng, (0.12, 0.19, 0.21), 0.04)
        ground.area(scene, plot, Material(water, jitter(rng, water, 0.02), 0.02, 0.02, 0.05))
    elif pick == 6:
        radius = scene.metres(uniform(rng, 6, 14))
        tone = jitter(rng, (0.85, 0.85, 0.84), 0.06)
        for v in np.arange(v0 + radius * 1.5, v1 - radius, radius * 2.7):
            for u in np.arange(u0 + radius * 1.5, u1 - radius, radius * 2.7):
                things.tank(scene, float(u), float(v), radius, tone)
    elif pick == 7:
        sand = jitter(rng, (0.62, 0.55, 0.44), 0.06)
        ground.area(scene, plot, Material(sand, jitter(rng, sand, 0.05), 0.07, 0.08, 0.08))
        ground.stains(scene, plot, 12)
        things.clutter(scene, plot, 8)
    else:
        things.lookalike(scene, (u0 + u1) / 2, (v0 + v1) / 2, plan.palette)


def hangars(scene: Scene, plan: Plan, rect: Rect) -> None:
    """Hangars with a strip of apron before them and aeroplanes on it."""
    rng, (u0, v0, u1, v1) = scene.rng, rect
    ground.slabs(scene, rect, plan.palette.concrete)
    ground.stains(scene, rect, int(rng.integers(5, 40)))
    length = max(length for _, length in plan.fleet)
    depth = max((v1 - v0) - length * 1.4, scene.metres(25))
    u = u0
    while u < u1:
        end = u + scene.metres(uniform(rng, 35, 110))
        back = v0 + depth * uniform(rng, 0.75, 1)
        things.building(scene, np.array(ground.corners((u, v0, end, back))), uniform(rng, 8, 22))
        u = end + (scene.metres(uniform(rng, 4, 50)))
    stand_row(scene, plan, rect, v0 + depth + length * 0.12, -1.0)
