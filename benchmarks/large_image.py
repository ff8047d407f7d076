"""The memory of a process that predicts a large image; a part of ``benchmarks.prediction``.

The picture is planes of the synthetic airfield, pasted on a grid, so that the starter model finds
about a thousand objects in it.
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import resources
from benchmarks.report import Choices, Figure, figure, peak_megabytes
from seginst_core.memory import keep_freed_memory
from seginst_core.pipelines.load import load_pipeline
from seginst_core.sample.draw import draw_sample
from seginst_core.types import ImageArray

STARTERS = Path(str(resources.__file__)).parent / "models"
LIMIT_MB = 2500


def large_image(given: Choices) -> Iterator[Figure]:
    """Yield the most memory a process holds that predicts a large image, network and all."""
    side = 900 if given.quick else 10_000
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        megabytes, n_objects = pool.submit(peak_of_prediction, side).result()
    words = f"the limit of {LIMIT_MB} MB, {side} x {side}, {n_objects} objects found"
    yield figure("large_image_rss", megabytes, "MB", words, LIMIT_MB)


def peak_of_prediction(side: int) -> tuple[float, int]:
    """Return this process's peak in megabytes, and how many objects it found."""
    # A process of its own, as the program has them.
    keep_freed_memory()
    image = picture(side)
    found = load_pipeline(STARTERS / "airplane-end-to-end", "cpu").predict(image, score=0.3)
    return peak_megabytes(), len(found)


def picture(side: int) -> ImageArray:
    """Tile a drawn airfield of 800 px over a square of ``side``."""
    one = draw_sample(0, 1, 800).image
    n = -(-side // 800)
    return np.ascontiguousarray(np.tile(one, (n, n, 1))[:side, :side])
