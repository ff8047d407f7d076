"""Near-duplicate images by a small perceptual hash."""

from pathlib import Path

import cv2
import numpy as np

from seginst_core.images.read import read_preview

LOOK_SIDE_PX = 32
"""The side to which an image is reduced before it is hashed."""
_FLAT = 1.0
"""Gray levels of spread below which an image shows nothing that could be compared."""


def look_of(path: Path) -> str:
    """Return an image's 64-bit perceptual hash as 16 hex digits, empty if it is all one tone.

    The signs of the lowest 8 x 8 cosine frequencies (without the mean) about their median, of the
    image in gray at 32 x 32 px (pHash: Zauner 2010, Implementation and benchmarking of perceptual
    image hash functions). Copies that were scaled, brightened or saved anew differ in a few bits.
    ImageError if the file cannot be read.
    """
    preview = read_preview(path, 8 * LOOK_SIDE_PX)
    gray = cv2.cvtColor(preview, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(gray, (LOOK_SIDE_PX, LOOK_SIDE_PX), interpolation=cv2.INTER_AREA)
    if float(small.std()) < _FLAT:
        return ""
    low = cv2.dct(small)[:8, :8].ravel()
    # The mean says how bright the image is, not what it shows.
    signs = low > np.median(low[1:])
    signs[0] = False
    return np.packbits(signs).tobytes().hex()
