"""The crops that the nested U-Net sees: the same geometry for training and for prediction."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from seginst_core.models.config import NestedUNetConfig
from seginst_core.types import Box, FloatArray, ImageArray, Mask

MEAN = np.array((123.675, 116.28, 103.53), np.float32)
STD = np.array((58.395, 57.12, 57.375), np.float32)


def crop_window(box: Box, margin: float) -> Box:
    """Return the window of ``box`` with ``margin`` of its sides added all around, 2 px or more."""
    dx, dy = max(box.width * margin, 2.0), max(box.height * margin, 2.0)
    return Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy)


def resample(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    window: Box,
    side_px: int,
    *,
    outside: int,
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Resample ``window`` of ``pixels`` (``(H, W)`` or ``(H, W, 3)``) to a square of ``side_px``.

    ``outside`` is a cv2 border mode for what lies beyond the image. Windows much larger than the
    square are first averaged down, so that nothing aliases.
    """
    height, width = pixels.shape[:2]
    x0, y0 = max(int(window.x0) - 2, 0), max(int(window.y0) - 2, 0)
    x1, y1 = min(int(window.x1) + 3, width), min(int(window.y1) + 3, height)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    part = pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    shrink_x = max(1.0, window.width / side_px / 1.5)
    shrink_y = max(1.0, window.height / side_px / 1.5)
    if shrink_x > 1 or shrink_y > 1:
        to = (max(1, round(part.shape[1] / shrink_x)), max(1, round(part.shape[0] / shrink_y)))
        shrink_x, shrink_y = part.shape[1] / to[0], part.shape[0] / to[1]
        part = np.asarray(cv2.resize(part, to, interpolation=cv2.INTER_AREA), np.uint8)
    step_x, step_y = window.width / side_px / shrink_x, window.height / side_px / shrink_y
    # Pixel centres lie at halves: the square's u + 0.5 maps to window.x0 + (u + 0.5) * step.
    to_source = np.array(
        [
            [step_x, 0, (window.x0 - x0) / shrink_x + step_x / 2 - 0.5],
            [0, step_y, (window.y0 - y0) / shrink_y + step_y / 2 - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (side_px, side_px)
    square = cv2.warpAffine(part, to_source, size, flags=flags, borderMode=outside)
    return np.asarray(square, np.uint8)


def resample_mask(mask: Mask, window: Box, side_px: int) -> FloatArray:
    """Resample a mask to the window's square; 0 or 1, float32 ``(side_px, side_px)``."""
    bits = np.pad(mask.bits.astype(np.uint8) * 255, 1)
    local = Box(
        window.x0 - mask.x0 + 1, window.y0 - mask.y0 + 1,
        window.x1 - mask.x0 + 1, window.y1 - mask.y0 + 1,
    )  # fmt: skip
    if local.x1 <= 0 or local.y1 <= 0 or local.x0 >= bits.shape[1] or local.y0 >= bits.shape[0]:
        return np.zeros((side_px, side_px), np.float32)
    square = resample(bits, local, side_px, outside=cv2.BORDER_CONSTANT)
    return (square >= 128).astype(np.float32)


def box_channel(box: Box, window: Box, side_px: int) -> FloatArray:
    """Return 1 inside the box and 0 in the margin, as the network's fourth channel."""
    centres = (np.arange(side_px, dtype=np.float32) + 0.5) / side_px
    x = window.x0 + centres * window.width
    y = window.y0 + centres * window.height
    inside = ((y >= box.y0) & (y < box.y1))[:, None] & ((x >= box.x0) & (x < box.x1))[None]
    return inside.astype(np.float32)


def crop_tensor(squares: Sequence[ImageArray], boxes: Sequence[FloatArray]) -> Tensor:
    """Normalise RGB squares and their box channels to float ``(n, 4, side, side)``."""
    rgb = (np.stack(squares).astype(np.float32) - MEAN) / STD
    stacked = np.concatenate([rgb, np.stack(boxes)[..., None]], axis=3)
    return torch.from_numpy(stacked).permute(0, 3, 1, 2)


def crops_of(image: ImageArray, boxes: Sequence[Box], config: NestedUNetConfig) -> Tensor:
    """Cut the crops of ``boxes`` out of ``image``; float ``(n, 4, crop_px, crop_px)``."""
    squares, channels = [], []
    for box in boxes:
        window = crop_window(box, config.margin)
        squares.append(resample(image, window, config.crop_px, outside=cv2.BORDER_REPLICATE))
        channels.append(box_channel(box, window, config.crop_px))
    return crop_tensor(squares, channels)
