"""One model over many images: what every kind of prediction shares."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from seginst_core.errors import ImageError
from seginst_core.events import Event, Reporter
from seginst_core.types import ImageArray, Instance, TileChoice

if TYPE_CHECKING:
    from seginst_core.pipelines.load import Pipeline

READ_AHEAD_PIXELS = 1 << 25


@dataclass(frozen=True, slots=True)
class Item:
    """An image to look at; ``width`` and ``height`` are what its data set says, 0 if unknown."""

    image_id: int
    path: Path
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model found in one image, or in ``problem`` why it could not look."""

    item: Item
    width: int = 0
    height: int = 0
    instances: tuple[Instance, ...] = ()
    seconds: float = 0.0
    problem: str = ""


def predict_each(
    pipeline: "Pipeline",
    items: Sequence[Item],
    *,
    score: float,
    tile: TileChoice,
    reporter: Reporter,
) -> Iterator[Answer]:
    """Yield the answer for each image in order; one that cannot be read does not stop the rest."""
    for number, (item, read) in enumerate(_read_ahead(items)):
        reporter.progress(number, len(items), item.path.name)
        try:
            image = read()
        except ImageError as error:
            yield Answer(item, problem=str(error))
            continue
        height, width = image.shape[:2]
        if item.width and (width, height) != (item.width, item.height):
            yield Answer(
                item,
                problem=f"{item.path.name} is {width} x {height} pixels but its data set says "
                f"{item.width} x {item.height}, so it was left out.",
            )
            continue
        began = time.perf_counter()
        found = pipeline.predict(
            image,
            score=score,
            tile=tile,
            reporter=_part_of(reporter, number, len(items), item.path.name),
        )
        seconds = time.perf_counter() - began
        del image  # else it would stay while the next one is decoded
        yield Answer(item, width, height, tuple(found), seconds)
    reporter.progress(len(items), len(items))


def _read_ahead(items: Sequence[Item]) -> Iterator[tuple[Item, Callable[[], ImageArray]]]:
    """Yield each item with what returns its pixels, the next image being decoded meanwhile.

    At most one image waits, and never a large one: two of those might not fit in memory.
    """
    from seginst_core.images import read_image

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode") as pool:
        waiting: Future[ImageArray] | None = None
        for item, following in zip_longest(items, items[1:]):
            read = waiting.result if waiting else partial(read_image, item.path)
            waiting = None
            if following is not None and _is_small(following.path):
                waiting = pool.submit(read_image, following.path)
            yield item, read


def _is_small(path: Path) -> bool:
    from seginst_core.images import read_size

    try:
        width, height = read_size(path)
    except ImageError:
        return False
    return width * height <= READ_AHEAD_PIXELS


def _part_of(reporter: Reporter, number: int, total: int, text: str) -> Reporter:
    """A reporter that shows one image's own progress as a fraction of the whole list's."""
    furthest = 0.0

    def send(event: Event) -> None:
        nonlocal furthest
        if event.get("event") != "progress":
            reporter.send(event)
            return
        done, parts = event["done"], event["total"]
        if isinstance(done, int | float) and isinstance(parts, int | float) and parts > 0:
            # An image has several passes, each from 0 to its end; the bar never runs backwards.
            furthest = max(furthest, min(done / parts, 1.0))
            reporter.send({**event, "done": number + furthest, "total": total, "text": text})

    return Reporter(send, reporter.stop)
