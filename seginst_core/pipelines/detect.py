"""Run a detection network over the tiles of an image."""

import math
from collections.abc import Iterator
from typing import Literal

import cv2

from seginst_core.engines.base import Detections, Network
from seginst_core.events import Reporter
from seginst_core.pipelines.tiling import Tile, auto_tiles, tile_grid
from seginst_core.types import Box, Category, ImageArray, Instance, Origin

TileChoice = int | None | Literal["auto"]
NETWORK_TILE_PX = 800


def choose_tiles(width: int, height: int, tile: TileChoice, input_scale: float) -> tuple[Tile, ...]:
    """Return the tiles of an image.

    ``auto`` cuts large images into tiles that the network sees at 800 px, a number sets the side
    in image pixels, None is the whole image at once. Tiles overlap by a quarter.
    """
    if tile is None:
        return (Tile(0, 0, width, height),)
    if tile == "auto":
        side = round(NETWORK_TILE_PX / input_scale)
        return auto_tiles(width, height, side, side // 4)
    return tile_grid(width, height, tile, tile // 4)


def detect_tiles(
    network: Network,
    image: ImageArray,
    tiles: tuple[Tile, ...],
    *,
    input_scale: float,
    score: float,
    reporter: Reporter,
) -> Iterator[tuple[Tile, Detections]]:
    """Yield each tile's detections, in that tile's own image pixels."""
    for done, tile in enumerate(tiles):
        reporter.progress(done, len(tiles), "Detecting")
        pixels = image[tile.y0 : tile.y1, tile.x0 : tile.x1]
        found = network.detect([scale_image(pixels, input_scale)], score)[0]
        found.boxes[:] /= input_scale
        yield tile, found


def scale_image(image: ImageArray, factor: float) -> ImageArray:
    """Resize an image by ``factor``: area mean downwards, bilinear upwards."""
    if math.isclose(factor, 1.0):
        return image
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return cv2.resize(image, size, interpolation=how)


def shifted_box(found: Detections, index: int, tile: Tile) -> Box | None:
    """Return one detection's box in full-image pixels, clipped to its tile; None if empty."""
    x0, y0, x1, y1 = (float(v) for v in found.boxes[index])
    width, height = tile.x1 - tile.x0, tile.y1 - tile.y0
    x0, x1 = max(x0, 0.0), min(x1, float(width))
    y0, y1 = max(y0, 0.0), min(y1, float(height))
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    return Box(x0 + tile.x0, y0 + tile.y0, x1 + tile.x0, y1 + tile.y0)


def draft(box: Box, category: Category, score: float, origin: Origin) -> Instance:
    """Make a proposal without a mask yet; ids are given when all tiles are merged."""
    return Instance(0, category.id, box, None, score=score, origin=origin)
