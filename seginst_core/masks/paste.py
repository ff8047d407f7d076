"""From a network's soft square to a mask: resized into its box, never larger than it."""

import math

import numpy as np
import numpy.typing as npt

from seginst_core.masks.geometry import trim
from seginst_core.types import Box, FloatArray, Mask


def paste_soft(
    probabilities: FloatArray, box: Box, width: int, height: int, threshold: float = 0.5
) -> Mask | None:
    """Resample ``probabilities`` ``(S, S)``, which span ``box``, at pixel centres and threshold.

    This is the paste of Mask R-CNN (He et al. 2017, section 3) as detectron2 does it: bilinear,
    zero outside the square, corners not aligned; but only the pixels of the box that lie in an
    image of ``width`` x ``height`` are ever made. None if no pixel reaches ``threshold``.
    """
    x0, y0 = max(math.floor(box.x0), 0), max(math.floor(box.y0), 0)
    x1, y1 = min(math.ceil(box.x1), width), min(math.ceil(box.y1), height)
    if x0 >= x1 or y0 >= y1 or box.width <= 0 or box.height <= 0:
        return None
    rows, columns = probabilities.shape
    # Pixel centre X + 0.5 lies at (X + 0.5 - box.x0) / width of the square; -0.5 makes an index.
    step_x, step_y = columns / box.width, rows / box.height
    x = (np.arange(x0, x1) + 0.5 - box.x0) * step_x - 0.5
    y = (np.arange(y0, y1) + 0.5 - box.y0) * step_y - 0.5
    # Linear in each axis apart, so two small matrices do what a per-pixel map would.
    pasted = _weights(y, rows) @ probabilities.astype(np.float32) @ _weights(x, columns).T
    return trim(pasted >= threshold, x0, y0)


def _weights(at: npt.NDArray[np.float64], length: int) -> FloatArray:
    """Return the bilinear weights ``(len(at), length)`` of samples at ``at``, zero outside."""
    distance = np.abs(at[:, None] - np.arange(length)[None])
    return np.maximum(1 - distance, 0).astype(np.float32)
