"""From a network's soft square to a mask: resized into its box, never larger than it."""

import math

import cv2
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
    if box.width <= 0 or box.height <= 0:
        return None
    rows, columns = probabilities.shape
    # A pixel is a mean of the cells around it: it reaches the threshold only beside one that does.
    high = probabilities >= threshold
    left, top, wide, tall = cv2.boundingRect(high.view(np.uint8))
    if wide == 0:
        return None
    # Pixel centre X + 0.5 lies at (X + 0.5 - box.x0) / width of the square; -0.5 makes an index.
    step_x, step_y = columns / box.width, rows / box.height
    x0, x1 = _reached(left, left + wide - 1, box.x0, box.x1, step_x, width)
    y0, y1 = _reached(top, top + tall - 1, box.y0, box.y1, step_y, height)
    if x0 >= x1 or y0 >= y1:
        return None
    x = (np.arange(x0, x1) + 0.5 - box.x0) * step_x - 0.5
    y = (np.arange(y0, y1) + 0.5 - box.y0) * step_y - 0.5
    # Linear in each axis apart, so two small matrices do what a per-pixel map would.
    across = probabilities.astype(np.float32, copy=False) @ _weights(x, columns).T
    return trim(_weights(y, rows) @ across >= threshold, x0, y0)


def _reached(
    first: int, last: int, low: float, high: float, step: float, length: int
) -> tuple[int, int]:
    """Return the pixels, of ``length`` and in the box, less than a cell from ``first..last``."""
    begin = low + (first - 0.5) / step - 0.5
    end = low + (last + 1.5) / step - 0.5
    return max(math.floor(low), math.floor(begin), 0), min(
        math.ceil(high), math.ceil(end) + 1, length
    )


def _weights(at: npt.NDArray[np.float64], length: int) -> FloatArray:
    """Return the bilinear weights ``(len(at), length)`` of samples at ``at``, zero outside."""
    weights = at.astype(np.float32)[:, None] - np.arange(length, dtype=np.float32)
    np.abs(weights, out=weights)
    np.subtract(1, weights, out=weights)
    return np.maximum(weights, 0, out=weights)
