"""The magic wand: pixels of a colour like the one clicked."""

import cv2
import numpy as np

from seginst_core.masks.geometry import trim
from seginst_core.types import ImageArray, Mask


def flood(
    image: ImageArray, x: int, y: int, tolerance: int, *, contiguous: bool = True
) -> Mask | None:
    """Return the pixels whose every channel is within ``tolerance`` (0..255) of pixel ``(x, y)``.

    With ``contiguous`` only those connected to it through their sides. None outside the image.
    """
    height, width = image.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        return None
    colour = image[y, x].astype(np.int16)
    low = np.clip(colour - tolerance, 0, 255).astype(np.uint8)
    high = np.clip(colour + tolerance, 0, 255).astype(np.uint8)
    alike = cv2.inRange(image, low, high)
    if not contiguous:
        return trim(alike > 0, 0, 0)
    reached = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    _, _, _, (x0, y0, w, h) = cv2.floodFill(alike, reached, (x, y), 0, 0, 0, flags)
    return trim(reached[y0 + 1 : y0 + 1 + h, x0 + 1 : x0 + 1 + w] > 0, x0, y0)
