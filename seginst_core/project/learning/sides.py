"""Which images are held out of training: drawn once, never moved, and nothing leaks across.

Images that show the same thing would let a model be scored on what it learned by heart, so tiles
of one image (by their names) and near-duplicates (by their looks) always share a side.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

HELD_OUT_SHARE = 0.2
"""The part of the images that is held out."""
FEWEST_HELD_OUT = 4
"""Held out while a fifth would be fewer: on two images a better model may be so by luck."""
MIN_DONE = 5
"""With fewer images done none is held out: training needs them all."""
SAME_LOOK_BITS = 8
"""Looks that differ in at most so many of their 64 bits are of near-duplicates."""

# P0003__1__0___200 (iSAID), scene__tile3, scene_0_800, scene-x0-y800, scene_r02_c11; then the four
# sides of a tile, scene_0_512_800_1312, and a day, photo_2024-05-12.
_TILE = re.compile(r"^(?P<of>.+?)(?:__.+|[_-][xr]?(?P<a>\d{1,5})[_-][yc]?(?P<b>\d{1,5}))$")
_SIDES = re.compile(r"^(?P<of>.+?)[_-](\d{1,5})[_-](\d{1,5})[_-](\d{1,5})[_-](\d{1,5})$")
_DAY = re.compile(r"(^|\D)(19|20)\d\d[_-](0[1-9]|1[0-2])[_-](0[1-9]|[12]\d|3[01])$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image to be given a side; ``side`` is the one it has: held out or not, None for none.

    ``look`` is a perceptual hash in hex, empty where the image has none.
    """

    image_id: int
    path: str
    look: str
    side: bool | None
    has_objects: bool


def draw_sides(candidates: Sequence[Candidate]) -> dict[int, bool]:
    """Return the sides of those images that have none yet: True is held out.

    A newcomer follows the near-duplicates that have a side, into the hold-out where they are on
    both. New groups are dealt in the fixed, random order of a hash of their names so that a fifth
    of the images is held out, or ``FEWEST_HELD_OUT`` if that is more, though never above a third.
    Nothing is drawn while there are fewer than ``MIN_DONE`` images and none is held out; at least
    one group with objects is always left to train on.
    """
    held = sum(c.side is True for c in candidates)
    if not held and len(candidates) < MIN_DONE:
        return {}
    drawn: dict[int, bool] = {}
    fresh: list[list[Candidate]] = []
    for group in groups(candidates):
        known = {c.side for c in group if c.side is not None}
        if not known:
            fresh.append(group)
            continue
        for candidate in group:
            if candidate.side is None:
                drawn[candidate.image_id] = True in known
    held += sum(drawn.values())
    few = min(FEWEST_HELD_OUT, len(candidates) // 3)
    wanted = max(few, round(HELD_OUT_SHARE * len(candidates)))
    # Only groups with objects can be scored on, and one of them has to be left to learn from.
    n_left = sum(any(c.has_objects for c in group) for group in fresh)
    n_left += any(c.side is False and c.has_objects for c in candidates)
    for group in sorted(fresh, key=_order):
        usable = any(c.has_objects for c in group)
        # Never twice the wanted share: a group larger than that stays on the training side.
        fits = held + len(group) <= max(wanted, 1) if held else len(group) <= 2 * max(wanted, 1)
        side = usable and n_left > 1 and held < wanted and fits
        n_left -= side
        held += len(group) if side else 0
        drawn.update((c.image_id, side) for c in group)
    return drawn


def sides_of_drafts(candidates: Sequence[Candidate]) -> dict[int, bool]:
    """Return every image's side; one without is held out if it shows the same as one that is."""
    sides: dict[int, bool] = {}
    for group in groups(candidates):
        leaks = any(c.side for c in group)
        sides.update((c.image_id, leaks if c.side is None else c.side) for c in group)
    return sides


def groups(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the images in groups of those that share a side: tiles of one, or alike."""
    parent = list(range(len(candidates)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    first: dict[str, int] = {}
    for k, candidate in enumerate(candidates):
        parent[root(k)] = root(first.setdefault(whole_name(candidate.path), k))
    looks = [int(c.look, 16) if c.look else None for c in candidates]
    newcomers = [k for k, c in enumerate(candidates) if c.side is None and looks[k] is not None]
    for a in newcomers:
        for b, other in enumerate(looks):
            if other is not None and ((looks[a] or 0) ^ other).bit_count() <= SAME_LOOK_BITS:
                parent[root(a)] = root(b)
    found: dict[int, list[Candidate]] = {}
    for k, candidate in enumerate(candidates):
        found.setdefault(root(k), []).append(candidate)
    return list(found.values())


def whole_name(path: str) -> str:
    """Return the name of the image that a tile was cut from, or the path itself if it is none."""
    pure = PurePosixPath(path)
    if (sides := _SIDES.match(pure.stem)) is not None:
        a0, b0, a1, b1 = (int(n) for n in sides.groups()[1:])
        if a0 < a1 and b0 < b1:
            return str(pure.with_name(sides["of"]))
    match = _TILE.match(pure.stem)
    if match is None or _DAY.search(pure.stem):
        return path
    a, b = match["a"], match["b"]
    # 2019_05 is a date: places are padded to one width, or not padded at all.
    if a is not None and len(a) != len(b) and any(n != "0" and n.startswith("0") for n in (a, b)):
        return path
    return str(pure.with_name(match["of"]))


def _order(group: Sequence[Candidate]) -> str:
    name = min(whole_name(c.path) for c in group)
    return hashlib.sha256(name.encode()).hexdigest()
