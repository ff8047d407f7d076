"""A simulated annotator: knows the truth perfectly, and counts what its hands do.

One action is one click, one key press or one stroke (press, drag, release). An object is finished
when its mask has an IoU of 0.9 or more with the truth. What is counted, and what is not:

- by hand, an object costs one click a vertex of the coarsest polygon that reaches IoU 0.9 (one
  polygon a piece; found by simplifying the true outline, also grown by a pixel, at every
  tolerance); closing the polygon is free, which favours the hand;
- with proposals (those with a score of 0.5 or more, as the window shows them; for one action more
  the threshold is set to another of ``THRESHOLDS``), the person either accepts all of an image with
  one key and deletes each false or useless one with a click and a key, or accepts each good one
  with a click and a key, whichever is cheaper for that image;
- an accepted object below 0.9 is selected with a click and repaired, each time by what helps most:
  a key that grows, shrinks, smooths or fills it, strokes of the brush or eraser, or one corner
  dragged. A stroke is what the tool really does: a disc swept along one simple line, inside the
  truth when it paints and outside when it erases; it is the longest line through the wrong region
  that it is for. A corner goes to a corner of the true outline. Keys and corners are the window's
  own code. Every key, stroke and drag is an action, every change of tool one key, and every change
  of radius one more; wobble is not simulated;
- an object that is missing, or too wrong to repair cheaply, is begun by one stroke: a box, in which
  the nested U-Net draws the mask, or the magic wand, whose tolerance follows the drag. It may be
  repaired in the same way (the new object is selected already). Or it is drawn as a polygon, if
  that is cheaper;
- taking a tool in hand is one key for each tool used in an image;
- models learn from the masks it accepted, repaired and drew, not from the truth;
- opening images, marking them done, waiting and looking are the same for all and not counted.

For each object the cheapest of these ways is taken: the person knows in advance what each costs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from benchmarks.repair import GOOD_IOU, Repair, repair
from seginst_core.masks.geometry import iou
from seginst_core.masks.polygons import from_polygons, to_polygons
from seginst_core.types import Instance, Mask

SCORE = 0.5
"""From here on the window shows a proposal and takes it over."""
THRESHOLDS = (SCORE, 0.2, 0.35, 0.65, 0.8)
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
    """What one image cost: actions, objects finished and how, and the masks that are left."""

    actions: int
    masks: tuple[Mask, ...]
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

    @cache
    def mended(truth: int, way: str, k: int) -> Repair | None:
        mask = proposals[k].mask if way == "repair" else begun[way][k]
        return None if mask is None else repair(mask, truths[truth], size)

    works = []
    for threshold in THRESHOLDS:
        shown = [k for k, one in enumerate(proposals) if (one.score or 0.0) >= threshold]
        work = _finish(truths, drawings, proposals, shown, begun, mended)
        works.append(work if threshold == SCORE else replace(work, actions=work.actions + 1))
    return min(works, key=lambda work: work.actions)


def _finish(
    truths: Sequence[Mask],
    drawings: Sequence[Drawing],
    proposals: Sequence[Instance],
    shown: Sequence[int],
    begun: Mapping[str, Sequence[Mask | None]],
    mended: Callable[[int, str, int], Repair | None],
) -> Work:
    """Return the work with one threshold; ``mended`` repairs what a way gives for a truth."""
    masks_shown = {k: mask for k in shown if (mask := proposals[k].mask) is not None}
    partners = _match(truths, masks_shown)
    used: set[str] = set()
    actions = 0
    n_of = dict.fromkeys(("repair", "box", "wand", "polygon"), 0)
    kept: set[int] = set()
    masks: list[Mask] = []
    for k, truth in enumerate(truths):
        p = partners.get(k)
        if p is not None and iou(truth, masks_shown[p]) >= GOOD_IOU:
            kept.add(p)
            masks.append(masks_shown[p])
            continue
        by_clicks = Repair(0, frozenset(), drawings[k].mask)
        ways: list[tuple[int, str, Repair]] = [(drawings[k].clicks, "polygon", by_clicks)]
        for tool in begun:
            if (mend := mended(k, tool, k)) is not None:
                ways.append((1 + mend.actions, tool, mend))
        if p is not None and (mend := mended(k, "repair", p)) is not None:
            # What is not kept has to be deleted, or not accepted, which the image's rule counts.
            ways.append((mend.actions - 1, "repair", mend))
        cost, way, mend = min(ways, key=lambda one: one[0])
        masks.append(mend.mask)
        used |= mend.tools | ({way} - {"repair"})
        if way == "repair" and p is not None:
            kept.add(p)
            cost += 2
        actions += cost
        n_of[way] += 1
    useless = len(masks_shown) - len(kept)
    all_at_once = 1 + 2 * useless if masks_shown else 0
    accepting = min(all_at_once, 2 * len(kept))
    return Work(
        actions + accepting + len(used),
        tuple(masks),
        n_accepted=len(kept) - n_of["repair"],
        n_repaired=n_of["repair"],
        n_boxed=n_of["box"],
        n_waved=n_of["wand"],
        n_polygons=n_of["polygon"],
        n_deleted=useless if accepting == all_at_once else 0,
    )


def draw_polygon(mask: Mask) -> Drawing:
    """Return the coarsest polygon that reaches GOOD_IOU with ``mask``."""
    width, height = mask.x1 + 4, mask.y1 + 4
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
