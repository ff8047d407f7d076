"""Which prediction is which true object: greedy, best scores first, as COCO does it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ious = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]


def greedy(
    ious: Ious, scores: npt.NDArray[np.float64], thresholds: Sequence[float] | Ious
) -> Indexes:
    """Return the column that each prediction takes at each threshold, or -1.

    ``ious`` is ``(n_predicted, n_truth)``, ``scores`` ``(n_predicted,)``, the answer
    ``(n_thresholds, n_predicted)``. The highest score chooses first, and takes the free column of
    the highest IoU that reaches the threshold; of equal ones the last, which is COCO's choice.
    """
    least = np.asarray(thresholds, dtype=np.float64)
    taken = np.full((len(least), len(ious)), -1, dtype=np.intp)
    if not ious.size:
        return taken
    n_truth = ious.shape[1]
    free = np.ones((len(least), n_truth), dtype=bool)
    every = np.arange(len(least))
    for p in np.argsort(-scores, kind="stable"):
        if ious[p].max() < least.min():
            continue
        open_ious = np.where(free, ious[p], -1.0)
        best = n_truth - 1 - open_ious[:, ::-1].argmax(axis=1)
        reached = np.flatnonzero(open_ious[every, best] >= least)
        taken[reached, p] = best[reached]
        free[reached, best[reached]] = False
    return taken
