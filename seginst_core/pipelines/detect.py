"""Run a detection network over the tiles of an image."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from seginst_core.engines.base import Detections, Network
from seginst_core.engines.batches import Batches
from seginst_core.events import Reporter
from seginst_core.pipelines.tiling import TILE_PX, Tile, auto_tiles, tile_grid
from seginst_core.types import (
    Box,
    Category,
    FloatArray,
    ImageArray,
    Instance,
    Mask,
    Origin,
    TileChoice,
)

# Measured: with 0, 2, 4, 8 mask AP on nuclei is .365, .394, .402, .408; beyond 4 little is won and
# the scores of sure objects begin to look like doubt.
CERTAINTY_POWER = 4


def choose_tiles(width: int, height: int, tile: TileChoice, input_scale: float) -> tuple[Tile, ...]:
    """Return the tiles of an image.

    ``auto`` cuts large images into tiles that the network sees at 800 px, a number sets the side
    in image pixels, None is the whole image at once. Tiles overlap by a quarter.
    """
    if tile is None:
        return (Tile(0, 0, width, height),)
    if tile == "auto":
        side = round(TILE_PX / input_scale)
        return auto_tiles(width, height, side, side // 4)
    return tile_grid(width, height, tile, tile // 4)


def detect_tiles(
    network: Network,
    image: ImageArray,
    tiles: tuple[Tile, ...],
    *,
    input_scale: float,
    score: float,
    batches: Batches,
    reporter: Reporter,
) -> Iterator[tuple[Tile, Detections]]:
    """Yield each tile's detections, in that tile's own image pixels.

    The tiles of an image are of one size, so none is padded for the sake of its batch. Whatever
    the batches, a box moves by less than half a pixel and a score by less than 0.02: bfloat16
    rounds differently where a processor cuts a larger batch into other blocks.
    """
    numbered = list(enumerate(tiles))

    def look(some: Sequence[tuple[int, Tile]]) -> list[Detections]:
        reporter.progress(some[0][0], len(tiles), "Detecting")
        parts = [image[tile.y0 : tile.y1, tile.x0 : tile.x1] for _, tile in some]
        return network.detect([scale_image(part, input_scale) for part in parts], score)

    answers = batches.run(look, numbered, reporter.log)
    for tile, found in zip(tiles, answers, strict=True):
        found.boxes[:] /= input_scale
        yield tile, found


def scale_image(image: ImageArray, factor: float) -> ImageArray:
    """Resize an image by ``factor``: area mean downwards, bilinear upwards."""
    if math.isclose(factor, 1.0):
        return image
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def drafts(
    found: Detections, tile: Tile, categories: Sequence[Category], origin: Origin
) -> Iterator[tuple[int, Instance]]:
    """Yield the numbers of a tile's detections and their proposals, in full-image pixels.

    A proposal has no mask yet, and its id is given when all tiles are merged.
    """
    for k, label in enumerate(found.labels):
        box = _shifted_box(found, k, tile)
        if box is not None:
            score = float(found.scores[k])
            yield k, Instance(0, categories[label].id, box, None, score=score, origin=origin)


def _shifted_box(found: Detections, index: int, tile: Tile) -> Box | None:
    """Return one detection's box in full-image pixels, clipped to its tile; None if empty."""
    x0, y0, x1, y1 = (float(v) for v in found.boxes[index])
    width, height = tile.x1 - tile.x0, tile.y1 - tile.y0
    x0, x1 = max(x0, 0.0), min(x1, float(width))
    y0, y1 = max(y0, 0.0), min(y1, float(height))
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    return Box(x0 + tile.x0, y0 + tile.y0, x1 + tile.x0, y1 + tile.y0)


def drawn(instance: Instance, mask: Mask, soft: FloatArray) -> Instance:
    """Give a proposal its mask, and a score that knows how sure the mask is.

    A detector's score says that something is there, not that its outline is right (Huang et al.
    2019, "Mask Scoring R-CNN"). It is multiplied by a power of the mean probability of the pixels
    drawn ("maskness" in Wang et al. 2020, "SOLOv2"). ``soft`` are the mask
    network's probabilities, any shape.
    """
    inside = soft[soft >= 0.5]
    certainty = float(inside.mean()) if inside.size else 0.0
    score = (instance.score or 0.0) * certainty**CERTAINTY_POWER
    return replace(instance, mask=mask, score=score, origin=replace(instance.origin, score=score))
