"""Tiles over a large image; ``merge_tiles`` makes one answer of the answers of all tiles."""

from seginst_core.pipelines.merging import merge_tiles
from seginst_core.pipelines.seams import Tile

__all__ = ["Tile", "auto_tiles", "merge_tiles", "tile_grid"]

TILE_PX = 800
OVERLAP_PX = 200
ONE_TILE_FACTOR = 1.28


def tile_grid(
    width: int, height: int, tile_px: int = TILE_PX, overlap_px: int = OVERLAP_PX
) -> tuple[Tile, ...]:
    """Cover an image with equal tiles, row by row, neighbours sharing at least ``overlap_px``.

    A tile is ``tile_px`` a side, or the image's own side where that is shorter. Starts are spread
    evenly instead of pushing only the last tile inwards: as many tiles, and what would be
    one huge overlap becomes a little more context at every border.
    """
    if not 0 <= overlap_px < tile_px:
        raise ValueError(f"the overlap must be 0 or more and less than the tile: {overlap_px}")
    columns = _starts(width, tile_px, overlap_px)
    rows = _starts(height, tile_px, overlap_px)
    wide, high = min(width, tile_px), min(height, tile_px)
    return tuple(Tile(x, y, x + wide, y + high) for y in rows for x in columns)


def auto_tiles(
    width: int, height: int, tile_px: int = TILE_PX, overlap_px: int = OVERLAP_PX
) -> tuple[Tile, ...]:
    """One tile for an image not much larger than a tile, else the grid.

    Up to 1.28 tiles a side (1024 px for 800) the whole image at once is better than the grid: four
    tiles of 800 px cost 2.4 times the pixels of 1024 x 1024, every border is a chance to err, and a
    network that shrinks its input to a tile's size loses no more than a fifth of the resolution.
    """
    if max(width, height) <= ONE_TILE_FACTOR * tile_px:
        return (Tile(0, 0, width, height),)
    return tile_grid(width, height, tile_px, overlap_px)


def _starts(side: int, tile_px: int, overlap_px: int) -> list[int]:
    if side <= tile_px:
        return [0]
    last = side - tile_px
    n_steps = -(-last // (tile_px - overlap_px))
    return [round(i * last / n_steps) for i in range(n_steps + 1)]
