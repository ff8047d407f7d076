"""``python -m benchmarks.gate``: how often the gate takes one of two equal models for the better.

Both starters of a class look at the same images. In each of ``--draws`` draws of one to twelve of
these, a coin says for every image which of the two is the new model, so that neither is better,
while the objects of an image move together as they do between real models. The part of the draws in
which the new one would have gone live is to be no more than the level of the test. With few images,
where objects decide, the mean IoU stands in for the mask AP whose sign they have to bear out.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.report import Figure, show
from seginst_core.events import Reporter
from seginst_core.library import resolve
from seginst_core.review.bootstrap import FEW_IMAGES, Ranked, difference_interval, rank
from seginst_core.review.inputs import read_predictions, read_truth
from seginst_core.review.metrics import Analysis, analyse
from seginst_core.training.few_images import LEVEL, Outcome, by_objects
from seginst_core.training.gate import outcomes
from seginst_core.training.validate import answers

N_IMAGES = (1, 2, 3, 4, FEW_IMAGES, 8, 12)
QUICK_DRAWS = 5
N_RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models, and annotation files with images that neither has learned."""

    models: tuple[str, str]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """An image, its objects with what both models make of them, and all that the models found."""

    image_id: int
    objects: list[Outcome]
    old: Analysis
    new: Analysis

    def turned(self) -> "Scene":
        """Return it with the models in each other's place."""
        objects = [replace(one, before=one.after, after=one.before) for one in self.objects]
        return Scene(self.image_id, objects, self.new, self.old)


PAIRS = {
    "vhr10-airplane": Pair(("airplane-two-stage", "airplane-end-to-end"), ("val", "train")),
    "dsb2018-nuclei": Pair(("nuclei-two-stage", "nuclei-end-to-end"), ("val",)),
}


def main() -> None:
    """Print the figures of each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="airplanes, few images, few draws")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--data", nargs="+", choices=PAIRS, default=list(PAIRS))
    given = parser.parse_args()
    home = os.environ.get("SEGINST_DATA")
    if not home:
        sys.exit("Set SEGINST_DATA to the folder that holds the data sets.")
    for data in given.data[:1] if given.quick else given.data:
        pair = PAIRS[data]
        notes = [Path(home) / data / "annotations" / f"instances_{p}.json" for p in pair.parts]
        n_draws, sizes = given.draws, N_IMAGES
        with tempfile.TemporaryDirectory() as folder:
            if given.quick:
                n_draws, sizes = QUICK_DRAWS, (1, FEW_IMAGES)
                notes = [_first_images(notes[0], FEW_IMAGES, Path(folder))]
            images = Path(home) / data / "images"
            scenes = [scene for part in notes for scene in _scenes(part, images, pair.models)]
        for n_images in sizes:
            level = LEVEL if n_images < FEW_IMAGES else 0.025
            rate = _false_rate(scenes, n_images, n_draws)
            words = f"{level} by the test; {n_draws} draws from {len(scenes)} images"
            name = f"{data}.{n_images}_images"
            show(Figure(name, round(rate, 4), "part called better", words, None))


def _first_images(notes: Path, n: int, folder: Path) -> Path:
    """Write the first ``n`` images that have an object as a file of their own."""
    table = json.loads(notes.read_text())
    ids = sorted({row["image_id"] for row in table["annotations"]})[:n]
    table["images"] = [row for row in table["images"] if row["id"] in ids]
    table["annotations"] = [row for row in table["annotations"] if row["image_id"] in ids]
    few = folder / "few.json"
    few.write_text(json.dumps(table))
    return few


def _scenes(truth: Path, images: Path, models: Sequence[str]) -> list[Scene]:
    """Return each image that has an object, and what both models make of it."""
    items = read_truth(truth)

    def look(model: str) -> Analysis:
        found = answers(resolve(model), truth, images, "cpu", Reporter())
        return analyse(items, read_predictions(found.results, items), Reporter())

    old, new = look(models[0]), look(models[1])
    by_image: dict[int, list[Outcome]] = defaultdict(list)
    for one in outcomes(old, new):
        by_image[one.image_id].append(one)
    return [Scene(image_id, objects, old, new) for image_id, objects in by_image.items()]


def _false_rate(scenes: Sequence[Scene], n_images: int, n_draws: int) -> float:
    rng = np.random.default_rng(0)
    n_better = 0
    for _ in range(n_draws):
        drawn = [scenes[index] for index in rng.choice(len(scenes), n_images, replace=False)]
        drawn = [scene.turned() if rng.random() < 0.5 else scene for scene in drawn]
        n_better += (_by_objects if n_images < FEW_IMAGES else _by_images)(drawn)
    return n_better / n_draws


def _by_objects(drawn: Sequence[Scene]) -> bool:
    objects = [one for scene in drawn for one in scene.objects]
    gain = float(np.mean([one.after - one.before for one in objects]))
    return by_objects(gain, objects)[0] == "better"


def _by_images(drawn: Sequence[Scene]) -> bool:
    interval = difference_interval(
        [_ranked(drawn, [scene.old for scene in drawn])],
        [_ranked(drawn, [scene.new for scene in drawn])],
        len(drawn),
        n_resamples=N_RESAMPLES,
        seed=0,
        reporter=Reporter(),
    )
    return interval is not None and interval[0] > 0


def _ranked(drawn: Sequence[Scene], sides: Sequence[Analysis]) -> list[Ranked]:
    groups, ious = {}, {}
    for scene, side in zip(drawn, sides, strict=True):
        keys = [key for key in side.by_key if key[0] == scene.image_id]
        groups.update({key: side.by_key[key] for key in keys})
        ious.update({key: side.ious[key] for key in keys})
    return rank([scene.image_id for scene in drawn], groups, ious)


if __name__ == "__main__":
    main()
