"""``python -m benchmarks.review``: listing the cases of an image, and naming the stage at fault.

The second part takes the true objects of the val images that ``SEGINST_DATA`` names, plants one
mistake into each prediction, and asks which stage failed. It is left out where there are none,
and by ``--quick``.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from benchmarks.report import Figure, figure, is_quick, seconds, show
from seginst_core.formats import coco_json
from seginst_core.images import read_image
from seginst_core.library import resolve
from seginst_core.masks.geometry import clip, iou, mask_box, trim
from seginst_core.pipelines.load import load_pipeline
from seginst_core.pipelines.two_stage import TwoStage
from seginst_core.review.faults.stages import FAULT_NAMES, Fault
from seginst_core.review.objects.cases import image_cases
from seginst_core.review.objects.schema import Drawn, ImageObjects
from seginst_core.types import Box, Dataset, ImageArray, ImageRef, Instance, Mask

N_PLANTED = 200
SETS = {
    "planes": ("vhr10-airplane", "airplane-two-stage"),
    "nuclei": ("dsb2018-nuclei", "nuclei-two-stage"),
}


def main() -> None:
    """Print one figure a line."""
    quick = is_quick("The review, against pycocotools and against planted mistakes.")
    for found in listing(quick):
        show(found)
    folder = os.environ.get("SEGINST_DATA")
    for name, (data, model) in SETS.items() if folder and not quick else ():
        for found in planted(name, Path(str(folder)) / data, model, N_PLANTED):
            show(found)


def listing(quick: bool) -> Iterator[Figure]:
    """List one image's cases: IoUs, matching, stages, worth and why of each object."""
    n = 200 if quick else 2000
    objects = _field(n)
    value = seconds(lambda: image_cases(objects), 1 if quick else 3)
    rles = [
        [coco_mask.encode(np.asfortranarray(_whole(i, objects.image))) for i in side[:100]]
        for side in (objects.truth, objects.a, objects.b)
    ]

    def theirs() -> None:
        for side in rles[1:]:
            for row in side:
                for other in rles[0]:
                    coco_mask.iou([row], [other], [0])

    # One pair at a time, as plain scripts do it; a hundredth of the pairs is enough to wait for.
    against = seconds(theirs, 1) * (n / len(rles[0])) ** 2
    words = f"pycocotools IoU of every pair, one by one, {n} true objects and 2 x {n} predictions"
    yield figure("list_cases", value, "s", words, against)


def planted(name: str, data: Path, model: str, n: int) -> Iterator[Figure]:
    """Plant mistakes and count how many are named for what they are."""
    dataset = coco_json.read(data / "annotations" / "instances_val.json")
    two_stage = load_pipeline(resolve(model), "auto")
    assert isinstance(two_stage, TwoStage)
    rng = np.random.default_rng(0)
    for fault in ("missed", "class", "box", "mask"):
        named = Counter(_named(one, fault, rng) for one in _cases(dataset, data, two_stage, n))
        share = named[fault] / max(sum(named.values()), 1)
        words = f"{sum(named.values())} planted: {FAULT_NAMES[fault].lower()}; named {dict(named)}"
        yield Figure(
            f"{name}.stage_{fault}", round(share, 4), "of 1", words, round(share / 0.95, 3)
        )


@dataclass(frozen=True, slots=True)
class _Subject:
    """A true object, the image it is of, and what the mask stage draws in its own box."""

    image: ImageRef
    pixels: ImageArray
    truth: Instance
    drawn: Mask | None
    model: TwoStage


_DRAWN: dict[tuple[str, int, int], list[_Subject]] = {}


def _cases(dataset: Dataset, data: Path, model: TwoStage, n: int) -> list[_Subject]:
    """Return ``n`` true objects, each drawn once, the same again where there are not so many."""
    key = (model.card.id, len(dataset.images), n)
    if key not in _DRAWN:
        subjects: list[_Subject] = []
        for ref in dataset.images:
            annotation = dataset.annotations.get(ref.id)
            masked = [i for i in annotation.instances if i.mask is not None] if annotation else []
            if not masked or len(subjects) >= n:
                continue
            pixels = read_image(data / "images" / ref.path)
            boxes = [mask_box(i.mask) for i in masked if i.mask is not None]
            drawn = model.masks_in_boxes(pixels, boxes)
            subjects += [
                _Subject(ref, pixels, i, mask, model) for i, mask in zip(masked, drawn, strict=True)
            ]
        _DRAWN[key] = [subjects[k % len(subjects)] for k in range(n)]
    return _DRAWN[key]


def _named(one: _Subject, fault: Fault, rng: np.random.Generator) -> Fault | None:
    """Plant a mistake into the prediction of one object; return what it is called."""
    truth = one.truth
    assert truth.mask is not None
    box = mask_box(truth.mask)
    found: tuple[Instance, ...] = ()
    if fault == "class":
        found = (replace(truth, id=1, box=box, category_id=truth.category_id + 1, score=0.9),)
    elif fault == "mask":
        found = (replace(truth, id=1, box=box, mask=_eroded(truth.mask), score=0.9),)
    elif fault == "box":
        shifted, mask = _in_shifted_box(one, box, rng)
        found = (replace(truth, id=1, box=shifted, mask=mask, score=0.9),) if mask else ()
    objects = ImageObjects(
        one.image, "done", (truth,), found, (), drawn={truth.id: Drawn(box, one.drawn)}
    )
    cases = [c for c in image_cases(objects) if c.truth_id == truth.id]
    return cases[0].fault_a


def _eroded(mask: Mask) -> Mask:
    """Take pixels off the edge until the IoU is below one half, but one stays at the least."""
    bits, left = np.pad(mask.bits, 1).astype(np.uint8), mask
    while iou(mask, left) >= 0.5:
        bits = np.asarray(cv2.erode(bits, np.ones((3, 3), np.uint8)))
        smaller = trim(bits.astype(np.bool_), mask.x0 - 1, mask.y0 - 1)
        if smaller is None:
            break
        left = smaller
    return left


def _in_shifted_box(one: _Subject, box: Box, rng: np.random.Generator) -> tuple[Box, Mask | None]:
    """Move the box until what the mask stage draws in it overlaps the object by 0.1 to 0.5."""
    assert one.truth.mask is not None
    for part in np.linspace(0.3, 0.8, 6):
        angle = rng.uniform(0, 2 * np.pi)
        dx, dy = part * box.width * np.cos(angle), part * box.height * np.sin(angle)
        x0, y0 = max(box.x0 + dx, 0.0), max(box.y0 + dy, 0.0)
        x1 = min(box.x1 + dx, float(one.image.width))
        y1 = min(box.y1 + dy, float(one.image.height))
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        shifted = Box(x0, y0, x1, y1)
        (mask,) = one.model.masks_in_boxes(one.pixels, [shifted])
        if mask is not None and 0.1 <= iou(mask, one.truth.mask) < 0.5:
            return shifted, mask
    return box, None


def _field(n: int) -> ImageObjects:
    """An image of 4,000 px a side with ``n`` ellipses, and two predictions of each."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[-12:12, -12:12]
    image = ImageRef(1, "field.png", 4000, 4000)

    def one(number: int, x: float, y: float, score: float | None) -> Instance:
        mask = Mask(int(x), int(y), (columns / 10) ** 2 + (rows / 8) ** 2 <= 1)
        mask = clip(mask, image.width, image.height) or mask
        return Instance(number, 1, mask_box(mask), mask, score=score)

    places = rng.uniform(20, 3960, (n, 2))

    def side(reach: int) -> tuple[Instance, ...]:
        moves = rng.integers(-reach, reach + 1, (n, 2))
        scores = rng.uniform(0.5, 1.0, n)
        return tuple(one(k + 1, x, y, float(scores[k])) for k, (x, y) in enumerate(places + moves))

    truth = tuple(one(k + 1, x, y, None) for k, (x, y) in enumerate(places))
    return ImageObjects(image, "done", truth, side(3), side(5))


def _whole(instance: Instance, image: ImageRef) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    bits = np.zeros((image.height, image.width), np.uint8)
    mask = instance.mask
    assert mask is not None
    bits[mask.y0 : mask.y1, mask.x0 : mask.x1] = mask.bits
    return bits


if __name__ == "__main__":
    main()
