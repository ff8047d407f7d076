"""Greedy matching: best scores first, each object once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seginst_core.review.matching import greedy


@st.composite
def overlaps(draw):
    n_found, n_truth = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    values = st.sampled_from([0.0, 0.2, 0.5, 0.6, 0.75, 0.9, 1.0])
    ious = draw(st.lists(values, min_size=n_found * n_truth, max_size=n_found * n_truth))
    scores = draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=n_found, max_size=n_found))
    return np.array(ious, float).reshape(n_found, n_truth), np.array(scores, float)


def reference(ious, scores, threshold):
    """Return what each prediction takes, as the words of the definition say it."""
    taken = [-1] * len(ious)
    for p in sorted(range(len(ious)), key=lambda p: -scores[p]):
        free = [t for t in range(ious.shape[1]) if t not in taken and ious[p, t] >= threshold]
        if free:
            taken[p] = max(free, key=lambda t: (ious[p, t], t))
    return taken


@given(overlaps())
def test_greedy_is_the_definition_at_every_threshold(case):
    ious, scores = case
    thresholds = [0.5, 0.75, 0.1]
    expected = [reference(ious, scores, threshold) for threshold in thresholds]
    assert greedy(ious, scores, thresholds).tolist() == expected


def test_a_better_score_chooses_before_a_better_fit():
    ious = np.array([[0.6, 0.0], [0.9, 0.55]])
    assert greedy(ious, np.array([0.9, 0.8]), [0.5]).tolist() == [[0, 1]]
    assert greedy(ious, np.array([0.8, 0.9]), [0.5]).tolist() == [[-1, 0]]
