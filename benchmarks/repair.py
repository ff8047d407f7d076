"""Repairing a mask with the window's tools: what the simulated annotator does to it."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.lines import lines
from seginst_core.masks.classical.flood import flood
from seginst_core.masks.corners import move_knot, rings
from seginst_core.masks.geometry import distance, iou, trim, window
from seginst_core.masks.morphology import fill_holes, grow, shrink, smooth
from seginst_core.masks.reshape import reshape
from seginst_core.types import BoolArray, ImageArray, Mask

GOOD_IOU = 0.9
MAX_STEPS = 8
_VIEWS_PX = (1.5, 3.0, 6.0)
"""How coarse the corners are that the tool offers, from near and from further away."""
_N_TARGETS = 2
_WAVE_IOU = 0.6
"""Below this a person tries another tool, instead of mending what the wand made."""
_TOLERANCES = (4, 8, 12, 16, 20, 25, 30, 36, 43, 52, 62, 75, 90)


@dataclass(frozen=True, slots=True)
class Repair:
    """Actions that bring a mask to GOOD_IOU, the click that selects it left out.

    ``hands`` are the tools and radii they need; ``key`` is the one key, if that is all;
    ``selects`` tells whether it has to be selected.
    """

    actions: int
    hands: frozenset[str]
    mask: Mask
    key: str = ""
    selects: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """One key, stroke or drag: the key or the tool in hand, its radius, the mask after it.

    ``selects`` tells whether the object has to be selected first.
    """

    tool: str
    radius: int
    mask: Mask
    iou: float
    key: str = ""
    selects: bool = True


def repair(mask: Mask, truth: Mask, size: tuple[int, int], others: Sequence[Mask]) -> Repair | None:
    """Return the steps that bring ``mask`` to GOOD_IOU; None if MAX_STEPS do not.

    Each step is the one that helps most for its actions. ``size`` is the image's width and height,
    ``others`` are the other objects in it.
    """
    near = [other for other in others if _meet(other, truth)]
    taken: list[_Step] = []
    for _ in range(MAX_STEPS + 1):
        now = iou(mask, truth)
        if now >= GOOD_IOU:
            return _counted(taken, mask)
        # One after the other: thousands of masks at once may not fit into memory.
        steps = chain(
            _keys(mask, truth, size),
            _redrawn(mask, truth, size, near),
            _strokes(mask, truth),
            _drags(mask, truth),
        )
        best = max(steps, key=lambda step: _gain(step, taken, now), default=None)
        if best is None or best.iou <= now:
            return None
        mask = best.mask
        taken.append(best)
    return None


def _gain(step: _Step, taken: Sequence[_Step], now: float) -> float:
    """Return what a step brings per action; more than GOOD_IOU is worth no more."""
    tool = next((one.tool for one in reversed(taken) if one.tool), "")
    radius = next((one.radius for one in reversed(taken) if one.radius), 0)
    other_tool = bool(tool and step.tool) and step.tool != tool
    other_radius = bool(radius and step.radius) and step.radius != radius
    selects = step.selects and not any(one.selects for one in taken)
    return (min(step.iou, GOOD_IOU) - now) / (1 + other_tool + other_radius + selects)


def _counted(taken: Sequence[_Step], mask: Mask) -> Repair:
    """Count steps: each, each change of tool or radius, and the way back after such a change."""
    n_changes = 0
    tools = [step.tool for step in taken if step.tool]
    radii = [step.radius for step in taken if step.radius]
    for held in (tools, radii):
        changes = sum(a != b for a, b in pairwise(held))
        n_changes += changes + (changes > 0)
    hands = frozenset((*tools, *(f"{radius} px" for radius in radii)))
    key = taken[0].key if len(taken) == 1 else ""
    selects = any(step.selects for step in taken)
    return Repair(len(taken) + n_changes, hands, mask, key, selects)


def _keys(mask: Mask, truth: Mask, size: tuple[int, int]) -> Iterator[_Step]:
    """Yield what comes of one key that changes the whole object; it needs no tool in hand."""
    changed = {
        "grow": grow(mask, *size),
        "shrink": shrink(mask, *size),
        "smooth": smooth(mask, *size),
        "fill": fill_holes(mask),
    }
    for key, after in changed.items():
        if after is not None:
            yield _Step("", 0, after, iou(after, truth), key)


def _redrawn(
    mask: Mask, truth: Mask, size: tuple[int, int], near: Sequence[Mask]
) -> Iterator[_Step]:
    """Yield what comes of drawing the outline anew along one line, from either end.

    The tool takes the object nearest to where the line begins that it changes. Where that is
    another one, this one has to be selected.
    """
    for line in lines(mask, truth):
        after = reshape(mask, line.points, *size, reach_px=line.reach_px)
        if after is None:
            continue
        away_px = 0.0 if line.begins_within else 1.0
        misled = [
            any(
                distance(other, *way[0]) <= away_px
                and reshape(other, way, *size, reach_px=line.reach_px) is not None
                for other in near
            )
            for way in (line.points, line.points[::-1])
        ]
        yield _Step("reshape", 0, after, iou(after, truth), selects=all(misled))


def _meet(a: Mask, b: Mask) -> bool:
    """Whether two masks' boxes are no more than a few pixels apart."""
    return a.x0 - 4 < b.x1 and b.x0 < a.x1 + 4 and a.y0 - 4 < b.y1 and b.y0 < a.y1 + 4


def _drags(mask: Mask, truth: Mask) -> Iterator[_Step]:
    """Yield what comes of dragging one corner to a near corner of the true outline."""
    width, height = max(mask.x1, truth.x1), max(mask.y1, truth.y1)
    targets = np.concatenate([np.array(ring.corners()) for ring in rings(truth, 1.0)])
    for view_px in _VIEWS_PX:
        for ring in rings(mask, view_px):
            for place, corner in enumerate(ring.corners()):
                distances = np.hypot(*(targets - corner).T)
                for k in np.argsort(distances)[:_N_TARGETS]:
                    x, y = map(float, targets[k])
                    after = move_knot(mask, ring, place, (x, y), width, height)
                    if after is not None:
                        yield _Step("corners", 0, after, iou(after, truth))


def _strokes(mask: Mask, truth: Mask) -> Iterator[_Step]:
    """Yield what comes of one stroke of the brush, which erases with Alt."""
    x0, y0 = min(mask.x0, truth.x0) - 2, min(mask.y0, truth.y0) - 2
    x1, y1 = max(mask.x1, truth.x1) + 2, max(mask.y1, truth.y1) + 2
    now, true = window(mask, x0, y0, x1, y1), window(truth, x0, y0, x1, y1)
    for erases, wrong, free in ((False, true & ~now, true), (True, now & ~true, ~true)):
        for touched, radius in _lines(wrong, _depth(free)):
            after = trim(now & ~touched if erases else now | touched, x0, y0)
            if after is not None:
                # With Alt the brush erases: the same tool in hand.
                yield _Step("brush", radius, after, iou(after, truth))


def _lines(wrong: BoolArray, depth: npt.NDArray[np.float32]) -> list[tuple[BoolArray, int]]:
    """Return strokes for the two largest wrong regions: the pixels they touch, and the radius.

    ``depth`` is how large a disc may be at each pixel without touching what is right.
    """
    n, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=8)
    found = []
    for k in sorted(range(1, n), key=lambda k: -stats[k, cv2.CC_STAT_AREA])[:2]:
        region = labels == k
        widest = max(float(_depth(np.pad(region, 1)).max()), 1.0)
        reach = max(float(depth[region].max()), 1.0)
        for r in sorted({max(1, int(min(widest, reach))), max(1, int(min(2 * widest, reach)))}):
            centres = (depth >= r) & _grown(region, r)
            line = _longest_line(centres)
            if line is not None:
                found.append((_grown(line, r), r))
    return found


def _longest_line(where: BoolArray) -> BoolArray | None:
    """Return the shortest path between two far ends of the largest piece: a line one can drag."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=8)
    if n < 2:
        return None
    piece = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    start = tuple(int(v) for v in np.argwhere(piece)[0])
    far, _ = _walk(piece, start)
    end, before = _walk(piece, far)
    line = np.zeros_like(piece)
    here: tuple[int, int] | None = end
    while here is not None:
        line[here] = True
        here = before[here]
    return line


def _walk(
    piece: BoolArray, start: tuple[int, int]
) -> tuple[tuple[int, int], dict[tuple[int, int], tuple[int, int] | None]]:
    """Return the pixel farthest from ``start`` within a piece, and the way back from each."""
    before: dict[tuple[int, int], tuple[int, int] | None] = {start: None}
    waiting, here = deque([start]), start
    height, width = piece.shape
    while waiting:
        here = waiting.popleft()
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            y, x = here[0] + dy, here[1] + dx
            if 0 <= y < height and 0 <= x < width and piece[y, x] and (y, x) not in before:
                before[y, x] = here
                waiting.append((y, x))
    return here, before


def _grown(bits: BoolArray, radius: int) -> BoolArray:
    side = 2 * radius - 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(bits.astype(np.uint8), disc), dtype=bool)


def _depth(bits: BoolArray) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform(bits.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def wave(image: ImageArray, truth: Mask) -> Mask | None:
    """Return the best that one stroke of the magic wand makes of an object; None if nothing.

    It is pressed in the object's middle, on its brightest, darkest or most usual pixel, and dragged
    to any tolerance.
    """
    x0, y0 = max(truth.x0 - truth.bits.shape[1], 0), max(truth.y0 - truth.bits.shape[0], 0)
    around = np.ascontiguousarray(
        image[y0 : truth.y1 + truth.bits.shape[0], x0 : truth.x1 + truth.bits.shape[1]]
    )
    best, best_iou = (0, 0, 0), 0.0
    for x, y in _presses(image, truth):
        for tolerance in _TOLERANCES:
            found = flood(around, x - x0, y - y0, tolerance)
            if found is not None:
                score = iou(Mask(found.x0 + x0, found.y0 + y0, found.bits), truth)
                if score > best_iou:
                    best, best_iou = (x, y, tolerance), score
    if best_iou < _WAVE_IOU:
        return None
    # It may have run out of what was looked at.
    found = flood(image, *best)
    return found if found is not None and iou(found, truth) >= _WAVE_IOU else None


def _presses(image: ImageArray, truth: Mask) -> set[tuple[int, int]]:
    inner = _depth(np.pad(truth.bits, 1))[1:-1, 1:-1]
    grey = image[truth.y0 : truth.y1, truth.x0 : truth.x1].mean(axis=2)
    values = np.where(truth.bits, grey, np.nan)
    middle = np.abs(values - np.nanmedian(values))
    places = (inner.argmax(), np.nanargmax(values), np.nanargmin(values), np.nanargmin(middle))
    wide = truth.bits.shape[1]
    return {(truth.x0 + int(k) % wide, truth.y0 + int(k) // wide) for k in places}
