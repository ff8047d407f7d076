"""Cutting a mask in pieces along a line."""

from collections.abc import Sequence

import numpy as np

from seginst_core.masks.brush import stroke
from seginst_core.masks.geometry import trim, window
from seginst_core.masks.morphology import connected, spread
from seginst_core.types import Mask

MIN_PIECE_PX = 8
"""A wavering line leaves crumbs beside it; what is smaller goes to the piece next to it."""
_REACH_PX = 0.75
"""Half the diagonal of a pixel and a little: a line this wide has no gap, not even at corners."""


def cut(mask: Mask, line: Sequence[tuple[float, float]]) -> list[Mask]:
    """Return the pieces that a line through points (x, y in pixels) cuts a mask into.

    No pixel is lost: those under the line go to a piece beside it. The first piece is the largest,
    and with it stay the parts of the mask that the line does not divide. A line that divides
    nothing, as it ends inside or opens a ring at one place only, leaves the mask alone.
    """
    bits = mask.bits
    under = window(stroke(line, _REACH_PX), mask.x0, mask.y0, mask.x1, mask.y1)
    pieces = connected(bits & ~under)
    areas = np.bincount(pieces.ravel())
    labels = spread(np.where(areas[pieces] >= MIN_PIECE_PX, pieces, 0), bits)
    parts = connected(bits)
    pairs = np.unique(np.stack([parts[bits], labels[bits]]), axis=1)
    n_pieces = np.bincount(pairs[0])
    divided = [int(label) for part, label in pairs.T if n_pieces[part] > 1]
    if not divided:
        return [mask]
    areas = np.bincount(labels[bits])
    _, *others = sorted(divided, key=lambda label: areas[label], reverse=True)
    found = [trim(bits & ~np.isin(labels, others), mask.x0, mask.y0)]
    found += [trim(labels == label, mask.x0, mask.y0) for label in others]
    return [m for m in found if m is not None]
