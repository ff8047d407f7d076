"""A report that was written is read back as it was, and none that is not whole."""

import copy
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from seginst_core.errors import DataError
from seginst_core.review.compare import compare
from seginst_core.review.report import write_report
from seginst_core.review.report.reading import read_report

from .review_scenes import random_predictions, random_truth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scene = random_truth(3)
    found = (random_predictions(seed, scene) for seed in (4, 5))
    write_report(compare(scene, *found, n_resamples=2), tmp_path / "report")
    return tmp_path / "report"


def parts(value: object, way: tuple = ()) -> Iterator[tuple]:
    """The way to each value inside a value of JSON, but for the rows of long lists."""
    if way:
        yield way
    inner = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        inner = list(enumerate(value))[:1]
    for key, item in inner:
        yield from parts(item, (*way, key))


def refusal(folder: Path) -> str:
    try:
        read_report(folder)
    except DataError as error:
        return str(error)
    return ""


def test_a_report_with_any_part_gone_or_of_another_kind_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    whole = orjson.loads((folder / "report.json").read_bytes())
    free = {"cases", "images", "curves"}
    for way in parts(whole):
        for change in ("gone", "of another kind"):
            if change == "gone" and isinstance(way[-1], int) and way[-2] in free:
                continue
            damaged = copy.deepcopy(whole)
            place = damaged
            for key in way[:-1]:
                place = place[key]
            if change == "gone":
                del place[way[-1]]
            else:
                place[way[-1]] = {"no": ["such thing"]}
            (tmp_path / "report.json").write_bytes(orjson.dumps(damaged))
            assert refusal(tmp_path).endswith("write it anew."), (way, change)
    (tmp_path / "report.json").write_bytes(orjson.dumps({**whole, "new": 1}))
    assert read_report(tmp_path) == {**whole, "new": 1}
