"""Paths cling to edges within reach, and are straight beyond it."""

import numpy as np
import pytest

from seginst_core.masks.classical.scissors import REACH_PX, Scissors

SQUARE = np.full((100, 120, 3), 60, np.uint8)
SQUARE[30:70, 40:90] = 200


def test_a_path_runs_along_the_edge_around_the_corner() -> None:
    start, end = (60.4, 30.2), (89.6, 60.7)
    path = Scissors(SQUARE, start).path_to(*end)
    assert (path[0], path[-1]) == (start, end)
    for x, y in path[1:-1]:
        # The edge lies between two pixels; the path runs in one of them.
        assert min(abs(y - 30), abs(x - 90)) <= 1.5
    steps = np.abs(np.diff(np.array(path[1:-1]), axis=0))
    assert steps.max() <= 1


@pytest.mark.parametrize("place", [(0.0, 0.0), (119.9, 99.9), (-5.0, 50.0), (200.0, 200.0)])
def test_the_images_border_is_no_trouble(place) -> None:
    path = Scissors(SQUARE, place).path_to(60, 50)
    assert (path[0], path[-1]) == (place, (60, 50))
    path = Scissors(SQUARE, (60, 50)).path_to(*place)
    assert path[-1] == place


def test_the_work_is_bounded_and_far_lines_are_straight() -> None:
    wide = np.zeros((50, 10 * REACH_PX, 3), np.uint8)
    scissors = Scissors(wide, (5 * REACH_PX, 25))
    far = (8.0 * REACH_PX, 25.0)
    assert scissors.path_to(*far) == ((5 * REACH_PX, 25), far)
    assert len(scissors.path_to(5.5 * REACH_PX, 25)) > 10


def test_a_path_to_its_start_is_no_path() -> None:
    assert Scissors(SQUARE, (60.4, 50.2)).path_to(60.4, 50.2) == ((60.4, 50.2), (60.4, 50.2))
