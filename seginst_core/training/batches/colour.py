"""Changes of colour that an object survives."""

import numpy as np

from seginst_core.types import ImageArray


def jitter_colour(image: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Vary brightness, contrast, gamma and channel balance of an RGB image, through one table."""
    if rng.random() < 0.2:
        return image
    ramp = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(np.exp(rng.normal(0, 0.15)))
    contrast = np.exp(rng.normal(0, 0.15))
    brightness = rng.normal(0, 0.06)
    gains = np.exp(rng.normal(0, 0.04, 3))
    tables = ((ramp[:, None] - 0.5) * contrast + 0.5 + brightness) * gains
    tables = np.clip(tables * 255, 0, 255).astype(np.uint8)
    out = np.empty_like(image)
    for channel in range(3):
        out[..., channel] = tables[:, channel][image[..., channel]]
    return out
