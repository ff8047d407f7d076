"""Whole masks changed by their neighbourhoods: holes, smoothness, growth and parts.

What lies beyond the image counts as what lies at its edge, so that an object which the image cuts
off keeps its straight side there.
"""

import cv2
import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import trim, window
from seginst_core.types import BoolArray, ImageArray, Mask

SMOOTH_RADIUS_PX = 2
Labels = npt.NDArray[np.int32]
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def fill_holes(mask: Mask) -> Mask:
    """Return the mask with its holes filled: background that no path over sides leads out of."""
    around = (~np.pad(mask.bits, 1)).astype(np.uint8)
    cv2.floodFill(around, None, (0, 0), 0, flags=4)
    return Mask(mask.x0, mask.y0, mask.bits | around[1:-1, 1:-1].view(np.bool_))


def smooth(mask: Mask, width: int, height: int, radius_px: int = SMOOTH_RADIUS_PX) -> Mask | None:
    """Return the mask opened, then closed by a disc: spikes go first, then notches and gaps.

    ``width`` and ``height`` are the image's. None if no disc of that radius fits into the mask.
    """
    reach = np.arange(-radius_px, radius_px + 1)
    # The half pixel makes small discs round: one of radius 1 is a square, not a cross.
    disc = (reach[:, None] ** 2 + reach**2 <= (radius_px + 0.5) ** 2).astype(np.uint8)
    bits, x0, y0 = _around(mask, width, height, 2 * radius_px + 1)
    for kind in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE):
        bits = np.asarray(
            cv2.morphologyEx(bits, kind, disc, borderType=cv2.BORDER_REPLICATE), np.uint8
        )
    return trim(bits.view(np.bool_), x0, y0)


def grow(mask: Mask, width: int, height: int) -> Mask | None:
    """Return the mask and every pixel beside it; ``width`` and ``height`` are the image's."""
    bits, x0, y0 = _around(mask, width, height, 1)
    return trim(np.asarray(cv2.dilate(bits, _CROSS), np.uint8).view(np.bool_), x0, y0)


def shrink(mask: Mask, width: int, height: int) -> Mask | None:
    """Return the mask without the pixels that have background beside them; None if all have."""
    bits, x0, y0 = _around(mask, width, height, 1)
    return trim(np.asarray(cv2.erode(bits, _CROSS), np.uint8).view(np.bool_), x0, y0)


def parts(mask: Mask) -> list[Mask]:
    """Return the pieces of a mask, the largest first; pixels that touch at a corner are one."""
    found = connected(mask.bits)
    masks = [trim(found == label, mask.x0, mask.y0) for label in range(1, int(found.max()) + 1)]
    return sorted((m for m in masks if m is not None), key=lambda m: m.area, reverse=True)


def connected(bits: BoolArray) -> Labels:
    """Return the number of the piece each pixel belongs to, from 1 on; 0 is the background."""
    _, labels = cv2.connectedComponents(bits.view(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32)


def spread(labels: Labels, where: BoolArray) -> Labels:
    """Return the labels, with each unlabelled (0) pixel of ``where`` given one from beside it.

    What no label reaches through ``where`` stays 0.
    """
    # As float, since OpenCV dilates no integers that hold so many.
    grown = labels.astype(np.float32)
    while (bare := where & (grown == 0)).any():
        beside = np.asarray(cv2.dilate(grown, np.ones((3, 3), np.uint8)), np.float32)
        if not beside[bare].any():
            break
        grown[bare] = beside[bare]
    return grown.astype(np.int32)


def _around(mask: Mask, width: int, height: int, margin_px: int) -> tuple[ImageArray, int, int]:
    """Return the mask's pixels with a margin that ends at the image, and the corner's x and y."""
    x0, y0 = max(mask.x0 - margin_px, 0), max(mask.y0 - margin_px, 0)
    x1, y1 = min(mask.x1 + margin_px, width), min(mask.y1 + margin_px, height)
    return window(mask, x0, y0, x1, y1).view(np.uint8), x0, y0
