"""What lies between the ground and the file: haze, exposure, cast, blur, noise, compression."""

import cv2
import numpy as np

from seginst_core.sample.scene import uniform
from seginst_core.types import FloatArray, ImageArray


def expose(rng: np.random.Generator, pixels: FloatArray) -> ImageArray:
    """Turn reflectances (H, W, 3) into the uint8 RGB image a sensor and its archive would give."""
    image = np.clip(pixels, 0, 1.3)
    image = image * np.float32(uniform(rng, 0.76, 1.26))
    cast = 1 + rng.normal(0, 0.035, 3)
    image = image * cast.astype(np.float32)
    if rng.random() < 0.5:
        veil = uniform(rng, 0.02, 0.22)
        tone = np.array([0.62, 0.68, 0.74], np.float32) + rng.normal(0, 0.05, 3).astype(np.float32)
        image = image * (1 - veil) + tone * veil
    image = np.clip(image, 0, 1) ** np.float32(uniform(rng, 0.8, 1.3))
    image = 0.45 + (image - 0.45) * np.float32(uniform(rng, 0.8, 1.15))
    grey = image @ np.array([0.3, 0.59, 0.11], np.float32)
    pick = rng.random()
    colourful = 0.0 if pick < 0.1 else uniform(rng, 0.45, 1.1)
    image = grey[..., None] + (image - grey[..., None]) * np.float32(colourful)
    height, width = image.shape[:2]
    if rng.random() < 0.35:
        scale = uniform(rng, 0.55, 0.9)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        image = np.asarray(large, np.float32)
    else:
        blurred = cv2.GaussianBlur(image, (0, 0), uniform(rng, 0.35, 0.95))
        image = np.asarray(blurred, np.float32)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = image + (image - soft) * np.float32(uniform(rng, 0.3, 1.1))
    deviation = uniform(rng, 0.001, 0.016)
    noise = rng.standard_normal((height, width, 1 if pick < 0.1 else 3), np.float32)
    image = np.clip(image + noise * np.float32(deviation), 0, 1)
    result = np.asarray(np.rint(image * 255), np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(45, 88))
        ok, data = cv2.imencode(".jpg", result[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok:
            packed = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
            result = np.ascontiguousarray(packed[..., ::-1])
    return result
