"""One answer from the answers of overlapping tiles: every object once, and whole.

A tile's edge cuts objects, and where tiles overlap an object is seen twice. Two sightings are
compared only inside the area both tiles saw: there the half that one tile saw and the whole that
the other saw look alike, while neighbours that touch share next to nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from seginst_core.masks.geometry import union
from seginst_core.pipelines.seams import (
    Pair,
    Sighting,
    Tile,
    find_pairs,
    is_cut,
    is_sliver,
    reaches_beyond,
    sees_around,
)
from seginst_core.types import Box, Instance, Mask

# A doubtful outline may not swallow or redraw one that is more than twice as sure.
_DOUBT = 0.5
_Key = tuple[float, int, float, float, float, float, int, int]


@dataclass(slots=True)
class _Merge:
    """The state of one merge: who is cut, who speaks for whom."""

    sightings: Sequence[Sighting]
    pairs: Sequence[Pair]
    cut: list[bool]
    speaker: list[int]  # of each sighting; itself while it stands on its own
    score: list[float]  # of each speaker, the best of all it speaks for

    def root(self, index: int) -> int:
        while self.speaker[index] != index:
            index = self.speaker[index]
        return index

    def absorb(self, speaker: int, index: int) -> None:
        self.speaker[index] = speaker
        self.score[speaker] = max(self.score[speaker], self.score[index])


def merge_tiles(
    found: Sequence[tuple[Tile, Sequence[Instance]]],
    width: int,
    height: int,
    *,
    limit: int = 1000,
) -> list[Instance]:
    """Make one list of instances of what each tile found, all in full-image coordinates.

    Sightings of one category in different tiles are one object if, within the area both tiles
    saw, they overlap by more than half of the smaller. A sighting clear of its tile's
    inner edges is taken as it is and replaces cut ones; where all are cut the result is their
    union. Instances without a mask are compared by their boxes. Detections of one tile are never
    compared with each other: the detector has done that.

    Returns them by falling score, ids 0..n-1, at most ``limit`` times the number of tiles. The
    result does not depend on the order of the tiles.
    """
    sightings = _sightings(found, width, height)
    cut = [is_cut(s.instance.box, s.tile, width, height, _margin_px(s.tile)) for s in sightings]
    pairs = find_pairs(sightings)
    for pair in pairs:
        if pair.same:
            for one, other in ((pair.small, pair.large), (pair.large, pair.small)):
                tile = sightings[one].tile
                # Agreement in the shared area, yet the other goes on outside: this one is cut
                # too, its detector only stopped short of the edge.
                cut[one] |= reaches_beyond(sightings[other].instance.box, tile, _margin_px(tile))
    merge = _Merge(
        sightings,
        _meaningful(pairs, sightings, cut),
        cut,
        list(range(len(sightings))),
        [s.instance.score or 0.0 for s in sightings],
    )
    _settle_whole(merge)
    _settle_cut(merge)
    objects = _drop_doubles(merge)
    merged = sorted((_object(merge, members) for members in objects), key=_instance_key)
    return [replace(one, id=k) for k, one in enumerate(merged[: limit * max(1, len(found))])]


def _margin_px(tile: Tile) -> float:
    # Detectors place edges to about a hundredth of what they see.
    return max(2.0, 0.01 * max(tile.width, tile.height))


def _sightings(
    found: Sequence[tuple[Tile, Sequence[Instance]]], width: int, height: int
) -> list[Sighting]:
    """All sightings, best first, without slivers that another tile saw with their surroundings.

    A strip a few pixels thin along a tile's edge may miss the object it belongs to by a pixel,
    and then nothing would tie the two; the tile that sees around it knows better.
    """
    tiles = [tile for tile, _ in found]
    sightings = []
    for index, (tile, instances) in enumerate(found):
        margin = _margin_px(tile)
        for instance in instances:
            box = instance.box
            if is_sliver(box, tile, width, height, margin) and any(
                sees_around(other, box, width, height, margin) for other in tiles
            ):
                continue
            sightings.append(Sighting(index, tile, instance))
    return sorted(sightings, key=_sighting_key)


def _sighting_key(sighting: Sighting) -> tuple[_Key, int, int, int, int]:
    tile = sighting.tile
    return _instance_key(sighting.instance), tile.y0, tile.x0, tile.y1, tile.x1


def _instance_key(one: Instance) -> _Key:
    box, mask = one.box, one.mask
    place = (box.y0, box.x0, box.y1, box.x1)
    corner = (0, 0) if mask is None else (mask.y0, mask.x0)
    return (-(one.score or 0.0), one.category_id, *place, *corner)


def _meaningful(
    pairs: Sequence[Pair], sightings: Sequence[Sighting], cut: Sequence[bool]
) -> list[Pair]:
    """Leave out parts that the other tile saw as objects of their own.

    A small object on a large one overlaps it fully; but if the large one's tile saw the small one
    as well, or the small one's tile saw both whole, they are two.
    """
    seen = {(a, sightings[b].tile_index) for pair in pairs if pair.same for a, b in _both(pair)}
    return [
        pair
        for pair in pairs
        if pair.same
        or not (
            (pair.small, sightings[pair.large].tile_index) in seen
            or ((pair.large, sightings[pair.small].tile_index) in seen and not cut[pair.small])
        )
    ]


def _both(pair: Pair) -> tuple[tuple[int, int], tuple[int, int]]:
    return (pair.small, pair.large), (pair.large, pair.small)


def _settle_whole(merge: _Merge) -> None:
    """Among whole sightings the surest speaks, as in non-maximum suppression."""
    partners: dict[int, list[int]] = {}
    for pair in merge.pairs:
        if not (merge.cut[pair.small] or merge.cut[pair.large]):
            for one, other in _both(pair):
                partners.setdefault(one, []).append(other)
    for index in sorted(partners):  # indices are in falling score
        speakers = [k for k in partners[index] if k < index and merge.speaker[k] == k]
        if speakers:
            merge.absorb(min(speakers), index)


def _settle_cut(merge: _Merge) -> None:
    """Cut sightings give way to a whole one that covers them, else are joined with each other."""
    covers: dict[int, list[tuple[bool, int]]] = {}
    joins: list[Pair] = []
    for pair in merge.pairs:
        small, large = pair.small, pair.large
        if not (pair.same or _trusted(merge, pair)):
            continue
        if merge.cut[small] and merge.cut[large]:
            joins.append(pair)
        elif merge.cut[small]:
            covers.setdefault(small, []).append((not pair.same, large))
        elif pair.same and merge.cut[large]:
            covers.setdefault(large, []).append((False, small))
    for index in sorted(covers):
        merge.absorb(merge.root(min(covers[index])[1]), index)
    for pair in joins:
        if not (pair.small in covers or pair.large in covers):
            first, second = sorted((merge.root(pair.small), merge.root(pair.large)))
            if first != second:
                merge.absorb(first, second)


def _trusted(merge: _Merge, pair: Pair) -> bool:
    own = [merge.sightings[k].instance.score or 0.0 for k in (pair.small, pair.large)]
    return own[1] >= _DOUBT * own[0]


def _drop_doubles(merge: _Merge) -> list[list[int]]:
    """Group sightings by their object; of two objects that still share a pair the surer stays."""
    roots = [merge.root(k) for k in range(len(merge.sightings))]
    rivals: dict[int, set[int]] = {}
    for pair in merge.pairs:
        first, second = roots[pair.small], roots[pair.large]
        alive = _draws(merge, pair.small, first) and _draws(merge, pair.large, second)
        if first != second and alive:
            rivals.setdefault(first, set()).add(second)
            rivals.setdefault(second, set()).add(first)
    kept: set[int] = set()
    for root in sorted(set(roots), key=lambda k: (-merge.score[k], k)):
        if kept.isdisjoint(rivals.get(root, ())):
            kept.add(root)
    members: dict[int, list[int]] = {root: [] for root in sorted(kept)}
    for index, root in enumerate(roots):
        if root in members:
            members[root].append(index)
    return list(members.values())


def _draws(merge: _Merge, index: int, root: int) -> bool:
    """Whether a sighting's own outline is part of its object's outline."""
    return index == root or merge.cut[root]


def _object(merge: _Merge, members: Sequence[int]) -> Instance:
    root = merge.root(members[0])
    best = merge.sightings[root].instance
    score = None if best.score is None else merge.score[root]
    origin = best.origin
    if origin.score is not None:
        origin = replace(origin, score=score)
    drawing = [merge.sightings[k].instance for k in members if _draws(merge, k, root)]
    mask = _united(one.mask for one in drawing)
    return replace(best, box=_around(drawing), mask=mask, score=score, origin=origin)


def _united(masks: Iterable[Mask | None]) -> Mask | None:
    known = [mask for mask in masks if mask is not None]
    return reduce(union, known) if known else None


def _around(instances: Sequence[Instance]) -> Box:
    boxes = [one.box for one in instances]
    return Box(
        min(b.x0 for b in boxes),
        min(b.y0 for b in boxes),
        max(b.x1 for b in boxes),
        max(b.y1 for b in boxes),
    )
