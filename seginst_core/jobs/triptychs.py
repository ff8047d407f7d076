"""Pictures for the study: input, truth and what each side drew, side by side."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
import orjson

from seginst_core.errors import ImageError
from seginst_core.images import image_file, read_image
from seginst_core.masks.rle import decode
from seginst_core.review.schema import CASE_SCORE
from seginst_core.types import PALETTE, Dataset, ImageArray, Mask

N_PICTURES = 6
SIDE_PX = 320
FILL = 0.45
GAP_PX = 6


def triptychs(dataset: Dataset, images: Path, predictions: Mapping[str, Path]) -> list[str]:
    """Return a ``<figure>`` for each of the images with the most objects, JPEG inside.

    Predictions below a score of 0.5 are left out; images that cannot be read are, too.
    """
    busiest = sorted(
        dataset.images,
        key=lambda ref: (
            -len(dataset.annotations[ref.id].instances) if ref.id in dataset.annotations else 0
        ),
    )[:N_PICTURES]
    drawn = {side: _masks_by_image(path) for side, path in predictions.items()}
    figures = []
    for ref in busiest:
        try:
            pixels = read_image(image_file(images, ref.path))
        except ImageError:
            continue
        annotation = dataset.annotations.get(ref.id)
        truth = [i.mask for i in annotation.instances if i.mask] if annotation else []
        panels = [pixels, _painted(pixels, truth)]
        panels += [_painted(pixels, masks.get(ref.id, [])) for masks in drawn.values()]
        names = ", ".join(["input", "truth", *(side.upper() for side in drawn)])
        figures.append(_figure(panels, f"{ref.path}: {names}"))
    return figures


def _masks_by_image(path: Path) -> dict[int, list[Mask]]:
    found: dict[int, list[Mask]] = {}
    for row in orjson.loads(path.read_bytes()):
        mask = decode(row["segmentation"]) if row["score"] >= CASE_SCORE else None
        if mask is not None:
            found.setdefault(row["image_id"], []).append(mask)
    return found


def _painted(pixels: ImageArray, masks: Sequence[Mask]) -> ImageArray:
    """Return a copy with every mask tinted in a colour of its own."""
    out = pixels.copy()
    for number, mask in enumerate(masks):
        part = out[mask.y0 : mask.y1, mask.x0 : mask.x1]
        tint = np.array(PALETTE[number % len(PALETTE)], np.float32)
        part[mask.bits] = (part[mask.bits] * (1 - FILL) + tint * FILL).astype(np.uint8)
    return out


def _figure(panels: Sequence[ImageArray], caption: str) -> str:
    height, width = panels[0].shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA)) for p in panels]
    gap = np.full((size[1], GAP_PX, 3), 255, np.uint8)
    strip = np.concatenate([part for p in small for part in (p, gap)][:-1], axis=1)
    _, data = cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    text = base64.b64encode(data.tobytes()).decode()
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><img alt="{escape(caption)}" '
        f'src="data:image/jpeg;base64,{text}" style="max-width: 100%"></figure>'
    )
