"""``python -m benchmarks.loop``: actions to label a data set, by hand, with a model, and learning.

The simulated annotator (``benchmarks.annotator`` has its rules) labels the train images of both
home data sets until every mask has an IoU of 0.9, in three rounds, a fifth of the images, two
fifths and the rest, or other ``--shares``: (i) by hand, (ii) with the proposals of a starter model
that learns nothing, (iii) with fine-tuning between the rounds, as the window does it: a project,
its frozen hold-out, the suggested stage, the window's minutes for it (or ``--minutes``) of training
on what the annotator left, and the quick refresh of the nested U-Net within the rounds, after every
``--refresh-every`` objects or more (whole images). A new model goes live only if it is better.
Which images come first is drawn at random; as some are harder than others, several ``--orders``
tell what learning does from what the images do.

The starter is that of the airplanes, which has seen drawn ones only. The one of the nuclei that
ships has learned these very images, so the nuclei too are begun with a model that has never seen
one, as any class of one's own is; or, with ``--starter-minutes``, with one that is trained from it
first, for so long, on the images of ``instances_val.json``.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.loop_rounds import Budget, Cost, Loop, Scene, label_with, scenes_of, train_starter
from benchmarks.report import Figure, figure, show
from seginst_core.library import resolve

SHARES = (0.2, 0.4, 0.4)
"""The parts of the images that are labelled in each round."""
QUICK_IMAGES = 10
STARTER = "airplane-two-stage"
DATA_SETS: Mapping[str, str] = {"planes": "vhr10-airplane", "nuclei": "dsb2018-nuclei"}
"""The folders of the home data sets, by the names of their figures."""
UNIT = "actions per 100 objects"


@dataclass(frozen=True, slots=True)
class Rounds:
    """One labelling of a data set: of each round its objects, their clicks by hand, both ways."""

    n_objects: Sequence[int]
    hand: Sequence[int]
    start: Sequence[Cost]
    loop: Sequence[Cost]


def main() -> None:
    """Print the figures of each data set."""
    # As the worker does: threads that spin while they wait starve each other on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ten images, two iterations a round")
    parser.add_argument("--minutes", type=float, help="of training after a round, for any stage")
    parser.add_argument("--starter", default=STARTER, help="a model to begin with: name or folder")
    parser.add_argument("--starter-minutes", type=float, help="train it first on the val images")
    parser.add_argument(
        "--iterations", type=int, help="a stage, instead of minutes: the same on a busy machine"
    )
    parser.add_argument("--refresh-every", type=int, default=600, help="objects; 0 is never")
    parser.add_argument("--shares", type=float, nargs=3, default=SHARES, help="of each round")
    parser.add_argument("--orders", type=int, nargs="+", default=[0], help="seeds of the orders")
    parser.add_argument("--images", type=int, help="the first so many of the random order alone")
    parser.add_argument("--only", nargs="+", choices=DATA_SETS, default=list(DATA_SETS))
    given = parser.parse_args()
    home = os.environ.get("SEGINST_DATA")
    if not home:
        sys.exit("Set SEGINST_DATA to the folder that holds the data sets.")
    iterations = 2 if given.quick else given.iterations
    budget = Budget(iterations=iterations) if iterations else Budget(minutes=given.minutes)
    for name in given.only:
        data = Path(home) / DATA_SETS[name]
        with tempfile.TemporaryDirectory() as folder:
            starter = resolve(given.starter)
            if given.starter_minutes:
                out = Path(folder) / "starter"
                first = budget if iterations else Budget(given.starter_minutes)
                starter = train_starter(data, out, starter, first)
            every = given.refresh_every or sys.maxsize
            measured = []
            for order in given.orders:
                n_images = QUICK_IMAGES if given.quick else given.images
                rounds = _in_rounds(scenes_of(data, n_images, order), given.shares)
                project = Path(folder) / f"project-{order}"
                words = f"{name}, order {order}"
                measured.append(_measure(words, rounds, starter, project, budget, every))
                if len(given.orders) > 1:
                    _show(f"{name}.order_{order}", measured[-1:])
            _show(name, measured)


def _in_rounds(scenes: Sequence[Scene], shares: Sequence[float]) -> list[Sequence[Scene]]:
    ends = [round(sum(shares[:k]) * len(scenes)) for k in range(len(shares) + 1)]
    return [scenes[a:b] for a, b in pairwise(ends)]


def _measure(
    name: str,
    rounds: Sequence[Sequence[Scene]],
    starter: Path,
    project: Path,
    budget: Budget,
    every: int,
) -> Rounds:
    """Label one data set in all three ways.

    The nested U-Net is refreshed after ``every`` objects or more.
    """
    scenes = [scene for part in rounds for scene in part]
    hand = [sum(d.clicks for scene in part for d in scene.drawings) for part in rounds]
    n_objects = [sum(len(scene.drawings) for scene in part) for part in rounds]
    start: list[Cost] = []
    loop: list[Cost] = []
    with Loop(scenes, project, starter, budget) as learner:
        for number, part in enumerate(rounds, 1):
            start.append(label_with(starter, part))
            loop.append(_label_and_refresh(learner, part, every, starter, start[-1]))
            _say(f"{name}, round {number}: {n_objects[number - 1]} objects")
            _say(f"  by hand {hand[number - 1]} actions")
            _say(f"  starter {start[-1].words()}")
            _say(f"  loop {loop[-1].words()}")
            if number < len(rounds):
                _say(f"  {learner.learn(part, loop[-1])}")
    return Rounds(n_objects, hand, start, loop)


def _show(name: str, measured: Sequence[Rounds]) -> None:
    """Print the figures of one order, or of several together."""
    objects = [sum(n) for n in zip(*(one.n_objects for one in measured), strict=True)]
    hand = [sum(n) for n in zip(*(one.hand for one in measured), strict=True)]
    start = [_actions(costs) for costs in zip(*(one.start for one in measured), strict=True)]
    loop = [_actions(costs) for costs in zip(*(one.loop for one in measured), strict=True)]
    each = 100 / sum(objects)
    by_hand = sum(hand) * each
    show(Figure(f"{name}.actions_by_hand", round(by_hand, 2), UNIT, "itself", 1.0))
    for way, actions in (("starter", start), ("loop", loop)):
        total = sum(actions) * each
        show(figure(f"{name}.actions_{way}", total, UNIT, "polygons by hand", by_hand))
    for k, n in enumerate(objects):
        of_hand, of_starter = hand[k] * 100 / n, start[k] * 100 / n
        words = "polygons by hand in the same round"
        show(figure(f"{name}.starter_{k + 1}", of_starter, UNIT, words, of_hand))
        show(figure(f"{name}.round_{k + 1}", loop[k] * 100 / n, UNIT, words, of_hand))


def _actions(costs: Sequence[Cost]) -> int:
    return sum(cost.actions for cost in costs)


def _label_and_refresh(
    learner: Loop, scenes: Sequence[Scene], every: int, starter: Path, known: Cost
) -> Cost:
    """Label a round with the model that is live, which is refreshed on the way.

    ``known`` is what the round took with the starter, which may be live still.
    """
    costs: list[Cost] = []
    first = 0
    for end in range(1, len(scenes) + 1):
        part = scenes[first:end]
        enough = sum(len(one.drawings) for one in part) >= every
        if enough or end == len(scenes):
            same = learner.live == starter
            costs.append(known.part(first, end) if same else label_with(learner.live, part))
            learner.take(part, costs[-1])
            if enough and end < len(scenes):
                _say(f"  {learner.refresh()}")
            first = end
    works = tuple(work for cost in costs for work in cost.works)
    return Cost(works, tuple(found for cost in costs for found in cost.found))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
