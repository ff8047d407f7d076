"""A simulated annotator: knows the truth perfectly, and counts what its hands do.

One action is one click, one key press or one stroke (press, drag, release). An object is finished
when its mask has an IoU of 0.9 or more with the truth. What is counted, and what is not:

- by hand, an object costs one click a vertex of the coarsest polygon that reaches IoU 0.9 (one
  polygon a piece; found by simplifying the true outline, also grown by a pixel, at every
  tolerance); closing the polygon is free, which favours the hand;
- with proposals (those with a score of 0.5 or more, as the window shows them; for one action more
  the threshold is set to another of ``THRESHOLDS``), the person either accepts the good ones one by
  one, with a click and a key each, or all of the image with one key, whichever is cheaper for that
  image. The one key comes after what has to be drawn, since it leaves out what meets an object that
  is there by ``THERE_IOU``; a proposal that is wanted although it does is accepted before, with a
  click and a key. What came along and is of no use is deleted: a click each and one key for all;
- an accepted object below 0.9 is repaired, each time by what helps most for its actions: a key that
  grows, shrinks, smooths or fills it, a line along which its outline is drawn anew, strokes of the
  brush or eraser, or one corner dragged. For all but the line it is selected with a click (it is
  already, if it was accepted alone); for the line only where the tool would take another object. A
  line follows the true outline along one wrong region or several that lie one after the other, half
  of the outline at most: the rest takes another. A stroke of the brush is what the tool really
  does: a disc swept along one simple line, inside the truth when it paints and outside when it
  erases; it is the longest line through the wrong region that it is for. A corner goes to a corner
  of the true outline. Keys, lines and corners are the window's own code. Every key, line, stroke
  and drag is an action, every change of tool or radius one more, and so is the way back to the tool
  that came first; wobble is not simulated. Where one press of a key mends several objects, they are
  selected with a click each and the key is pressed once;
- an object that is missing, or too wrong to repair cheaply, is begun by one stroke: a box, in which
  the nested U-Net draws the mask, or the magic wand, whose tolerance follows the drag, after the
  key that asks for a new object. It may be repaired in the same way; keys do that at once, for the
  brush and corners it is selected again with a click. Or it is drawn as a polygon, if that is
  cheaper;
- taking a tool in hand is one key, and setting a radius one action, for each that an image needs:
  the person goes through it tool by tool, and selects with any tool in hand (Ctrl+click);
- models learn from the masks it accepted, repaired and drew, not from the truth;
- opening images, marking them done, waiting and looking are the same for all and not counted.

For each object the cheapest of these ways is taken: the person knows in advance what each costs.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from benchmarks.repair import GOOD_IOU, Repair, repair
from seginst_core.masks.geometry import iou
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.types import Instance, Mask
from seginst_gui.operations.objects import SAME_OBJECT_IOU

SCORE = 0.5
"""From here on the window shows a proposal and takes it over."""
THRESHOLDS = (SCORE, 0.2, 0.35, 0.65, 0.8)
THERE_IOU = SAME_OBJECT_IOU
STROKES = {"box": 1, "wand": 2}
"""What begins an object, and its actions: a stroke, for the wand after the key for a new one."""
USABLE_IOU = 0.3
"""A proposal that overlaps less is another object's, or none."""
_TOLERANCES_PX = np.geomspace(0.3, 24, 28)


@dataclass(frozen=True, slots=True)
class Drawing:
    """An object drawn as a polygon: its clicks, and the mask that comes of them."""

    clicks: int
    mask: Mask


@dataclass(frozen=True, slots=True)
class Work:
    """What one image cost: actions, objects finished and how, and the masks that are left.

    ``begun`` are the places of the masks that a model drew first, asked or not, and ``untouched``
    of those that are still as it did.
    """

    actions: int
    masks: tuple[Mask, ...]
    begun: frozenset[int] = frozenset()
    untouched: frozenset[int] = frozenset()
    n_accepted: int = 0
    n_repaired: int = 0
    n_boxed: int = 0
    n_waved: int = 0
    n_polygons: int = 0
    n_deleted: int = 0


def by_hand(drawings: Sequence[Drawing]) -> Work:
    """Return the work of drawing every object."""
    masks = tuple(d.mask for d in drawings)
    return Work(sum(d.clicks for d in drawings), masks, n_polygons=len(masks))


def label(
    truths: Sequence[Mask],
    drawings: Sequence[Drawing],
    proposals: Sequence[Instance],
    begun: Mapping[str, Sequence[Mask | None]],
    size: tuple[int, int],
) -> Work:
    """Return the work of finishing one image of ``size``, its width and height.

    ``drawings`` are each truth as a polygon; ``begun`` what one stroke makes of each truth, by the
    tool: ``box`` and ``wand`` (None where it makes nothing).
    """

    masks = [one.mask for one in proposals]

    @cache
    def mended(truth: int, way: str, k: int) -> Repair | None:
        mask = masks[k] if way == "repair" else begun[way][k]
        others = [other for k, other in enumerate(truths) if k != truth]
        return None if mask is None else repair(mask, truths[truth], size, others)

    works = []
    for threshold in THRESHOLDS:
        shown = {
            k: mask
            for k, (one, mask) in enumerate(zip(proposals, masks, strict=True))
            if mask is not None and (one.score or 0.0) >= threshold
        }
        for at_once in (True, False):
            work = _finish(truths, drawings, shown, mended, at_once=at_once)
            more = int(threshold != SCORE)
            works.append(replace(work, actions=work.actions + more))
    return min(works, key=lambda work: work.actions)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to finish an object: what its own actions are, and what else it needs."""

    name: str
    actions: int
    mend: Repair
    proposal: int | None = None


def _finish(
    truths: Sequence[Mask],
    drawings: Sequence[Drawing],
    shown: Mapping[int, Mask],
    mended: Callable[[int, str, int], Repair | None],
    *,
    at_once: bool,
) -> Work:
    """Return the work with the proposals shown, accepted all at once or one by one.

    ``mended(truth, way, k)`` repairs what ``way`` gives for a truth, a proposal's or its own ``k``.
    """
    partners = _match(truths, shown)
    ways = []
    for k, truth in enumerate(truths):
        p = partners.get(k)
        # What is drawn keeps out a proposal that meets it; another one has to be deleted.
        extra = int(at_once and p is not None and iou(truth, shown[p]) < THERE_IOU)
        by_clicks = Repair(0, frozenset(), drawings[k].mask)
        found = [_Way("polygon", drawings[k].clicks + extra, by_clicks)]
        for tool, actions in STROKES.items():
            if (mend := mended(k, tool, k)) is not None:
                again = mend.selects and bool(mend.hands)
                found.append(_Way(tool, actions + extra + mend.actions + again, mend))
        if p is not None and (mend := mended(k, "repair", p)) is not None:
            found.append(_Way("repair", _accepting(mend, at_once=at_once), mend, p))
        ways.append(min(found, key=lambda way: way.actions))
    kept = {way.proposal for way in ways if way.proposal is not None}
    drawn = [way.mend.mask for way in ways if way.proposal is None]
    there = {p for p, mask in shown.items() if any(iou(mask, d) >= THERE_IOU for d in drawn)}
    useless = shown.keys() - kept - there if at_once else set()
    deleting = len(useless) + bool(useless)
    one_key = 1 + 2 * len(kept & there) if at_once and shown else 0
    keys = {way.mend.key for way in ways if way.proposal is not None and at_once} - {""}
    hands = {way.name for way in ways if way.proposal is None}.union(*(w.mend.hands for w in ways))
    begun = frozenset(k for k, w in enumerate(ways) if w.name in ("repair", "box"))
    untouched = frozenset(k for k in begun if not ways[k].mend.actions)
    n_of = Counter(
        "accepted" if w.name == "repair" and k in untouched else w.name for k, w in enumerate(ways)
    )
    return Work(
        sum(way.actions for way in ways) + deleting + one_key + len(keys) + len(hands),
        tuple(way.mend.mask for way in ways),
        begun=begun,
        untouched=untouched,
        n_accepted=n_of["accepted"],
        n_repaired=n_of["repair"],
        n_boxed=n_of["box"],
        n_waved=n_of["wand"],
        n_polygons=n_of["polygon"],
        n_deleted=len(useless),
    )


def _accepting(mend: Repair, *, at_once: bool) -> int:
    """Return the actions of one proposal that is accepted and mended.

    Not those that are for all: the key that accepts at once, and the one that mends several.
    """
    if not at_once:
        return 2 + mend.actions + (mend.selects and bool(mend.hands))
    if not mend.actions:
        return 0
    return 1 if mend.key else mend.actions + mend.selects


def draw_polygon(mask: Mask, size: tuple[int, int]) -> Drawing:
    """Return the coarsest polygon that reaches GOOD_IOU with ``mask``; ``size`` is the image's."""
    width, height = min(mask.x1 + 4, size[0]), min(mask.y1 + 4, size[1])
    grown = cv2.dilate(np.pad(mask.bits.astype(np.uint8), 1), np.ones((3, 3), np.uint8))
    starts = [to_polygons(mask), to_polygons(Mask(mask.x0 - 1, mask.y0 - 1, grown.astype(bool)))]
    best = Drawing(sum(len(ring) for ring in starts[0]), mask)
    for rings in starts:
        for tolerance in _TOLERANCES_PX:
            coarse = [cv2.approxPolyDP(r, float(tolerance), True)[:, 0] for r in rings]
            coarse = [np.maximum(ring, 0) for ring in coarse if len(ring) >= 3]
            n = sum(len(ring) for ring in coarse)
            if not coarse or n >= best.clicks:
                continue
            drawn = from_polygons(coarse, width, height)
            if drawn is not None and iou(mask, drawn) >= GOOD_IOU:
                best = Drawing(n, drawn)
    return best


def _match(truths: Sequence[Mask], proposals: Mapping[int, Mask]) -> dict[int, int]:
    """Return the proposal of each truth, best overlaps first, each used once."""
    pairs = [
        (score, t, p)
        for t, truth in enumerate(truths)
        for p, found in proposals.items()
        if (score := iou(truth, found)) >= USABLE_IOU
    ]
    taken: dict[int, int] = {}
    for _, t, p in sorted(pairs, reverse=True):
        if t not in taken and p not in taken.values():
            taken[t] = p
    return taken
