"""Which of two models is better where the images held out are too few for an interval.

Then their objects speak, in two ways, each at ``LEVEL``:

- **moved**: more got better than worse, beyond what a coin would show (a one-sided sign test over
  the objects whose IoU changed by ``NOTICED_IOU`` or more);
- **found**: one model finds a larger part of them, beyond chance (the posterior of two binomial
  rates with uniform priors; Altham 1969). That is what tells a model that knows a class from one
  that does not, where no count of a handful of objects could.

Objects of one image tend to move together, so they count as fewer: as many as their number over the
design effect (Kish 1965, section 5.4). How often two models as good as each other are told apart
all the same is measured (``benchmarks.gate``; docs/decisions/0006).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seginst_core.review.schema import CASE_IOU

Word = Literal["better", "not better", "worse"]

ALIKE = 0.2
"""How alike objects of one image change, as an intraclass correlation; docs/decisions/0006."""
LEVEL = 0.05
NOTICED_IOU = 0.05
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One true object and what two models make of it; ``bbox`` is x, y, width, height.

    ``before`` and ``after`` are the mask IoUs of what each model found there, 0 for nothing.
    """

    image_id: int
    truth_id: int
    bbox: tuple[float, float, float, float]
    before: float
    after: float

    @property
    def is_noticed(self) -> bool:
        """Whether the IoU changed enough to be seen."""
        return abs(self.after - self.before) >= NOTICED_IOU


def by_objects(gain: float, objects: Sequence[Outcome]) -> tuple[Word, str]:
    """Return the word for the model of ``after``, and why in one sentence.

    The word follows ``gain``, the difference in mask AP, or is "not better" if the objects do not
    bear it out.
    """
    moved = [one for one in objects if one.is_noticed]
    n_up = sum(one.after > one.before for one in moved)
    n_down = len(moved) - n_up
    old = sum(one.before >= CASE_IOU for one in objects)
    new = sum(one.after >= CASE_IOU for one in objects)
    n_images = len({one.image_id for one in objects})
    images = "1 image with objects is" if n_images == 1 else f"{n_images} images with objects are"
    said = (
        f"{images} too few for an interval, so objects are counted: {n_up} got better, {n_down} "
        f"got worse; {new} of {len(objects)} are found, {old} before; mask AP {gain:+.3f}"
    )
    ups, downs = (n_up, n_down) if gain > 0 else (n_down, n_up)
    less, more = (old, new) if gain > 0 else (new, old)
    effect, effect_of_all = (design_effect(_in_images(some)) for some in (moved, objects))
    is_sure = coin_chance(ups, downs, effect) < LEVEL or (
        found_chance(less, more, len(objects), effect_of_all) < LEVEL
    )
    if gain != 0 and is_sure:
        return ("better" if gain > 0 else "worse"), f"{said}."
    alone = coin_chance(max(n_up, n_down), min(n_up, n_down))
    why = ", as objects of one image change together" if alone < LEVEL else ""
    return "not better", f"{said}, which may be chance{why}."


def design_effect(in_image: Iterable[int]) -> float:
    """Return how many objects count as one, given how many of them each image holds.

    Objects of one image change together, so many of them say less than as many of other images
    (Kish 1965, section 5.4, with the mean size of the image that an object is in). 1 for none.
    """
    numbers = list(in_image)
    cluster = sum(n * n for n in numbers) / max(sum(numbers), 1)
    return 1 + ALIKE * max(cluster - 1, 0)


def coin_chance(n_for: int, n_against: int, effect: float = 1.0) -> float:
    """Return how likely a fair coin shows ``n_for`` heads or more in as many throws.

    Both numbers are divided by the design effect first. Between whole numbers the tail of the
    binomial distribution is that of the incomplete beta function (Abramowitz and Stegun 1964,
    26.5.24).
    """
    a, b = n_for / effect, n_against / effect + 1
    if a < 1:
        return 1.0
    t = (np.arange(_STEPS) + 0.5) / (2 * _STEPS)
    whole = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return float(np.exp((a - 1) * np.log(t) + (b - 1) * np.log1p(-t) - whole).mean() / 2)


def found_chance(less: int, more: int, n: int, effect: float = 1.0) -> float:
    """Return how likely it is that who found ``more`` of ``n`` is no better at finding them.

    All numbers are divided by the design effect first.
    """
    a, b = (_rate(k / effect, n / effect) for k in (less, more))
    return float(b @ (1 - np.cumsum(a) + a / 2))


def _rate(k: float, n: float) -> npt.NDArray[np.float64]:
    """Return how likely each rate of 0..1 is, seen ``k`` times of ``n`` (a beta distribution)."""
    t = (np.arange(_STEPS) + 0.5) / _STEPS
    density: npt.NDArray[np.float64] = np.exp(k * np.log(t) + (n - k) * np.log1p(-t))
    density /= density.sum()
    return density


def _in_images(objects: Sequence[Outcome]) -> Iterable[int]:
    return Counter(one.image_id for one in objects).values()
