"""What correcting objects cost, from the first to the last: means, a chart, a section."""

import re

import orjson
import pytest

from seginst_core.errors import DataError
from seginst_core.events import Reporter
from seginst_core.jobs.review.measure import compare as compare_job
from seginst_core.review.compare import compare
from seginst_core.review.report.charts import LEFT, PLOT_HEIGHT, PLOT_WIDTH, TOP
from seginst_core.review.report.corrections import chart, points
from seginst_core.review.report.page import page
from seginst_core.review.report.reading import read_report

from .review_scenes import random_predictions, random_truth


def spent(side, *seconds, n_edits=1):
    at = "2026-05-11T10:00:00Z"
    return [{"side": side, "taken_at": at, "n_edits": n_edits, "seconds": s} for s in seconds]


def test_points_are_means_of_equal_parts_where_their_middles_are():
    assert points([1.0] * 5 + [3.0] * 5) == [(2.5, 1.0), (7.5, 3.0)]
    assert points([1.0] * 9) == [], "one point is no line"
    many = points(list(range(1000)))
    assert len(many) == 20
    assert many[0] == (25.0, 24.5)
    assert many[-1] == (975.0, 974.5)
    uneven = points([float(k) for k in range(13)])
    assert [x for x, _ in uneven] == [3.0, 9.5]


def test_the_chart_has_a_line_for_each_side_with_enough_objects():
    assert chart(spent("a", *[1.0] * 9) + spent("b", *[2.0] * 9)) == ""
    rows = spent("a", *[8.0] * 10, *[2.0] * 10) + spent("b", *[2.0] * 4)
    drawn = chart(rows)
    assert re.findall(r'class="line-(\w)"', drawn) == ["a"]
    (line,) = re.findall(r'points="([^"]+)"', drawn)
    heights = [float(point.split(",")[1]) for point in line.split()]
    assert heights[0] < heights[-1], "what costs less is drawn lower"
    both = chart(rows + spent("b", *[3.0] * 20))
    assert re.findall(r'class="line-(\w)"', both) == ["a", "b"]


def test_the_axes_hold_every_point_of_both_lines():
    for rows in (
        spent("a", *[90.0] * 30) + spent("b", *[0.5] * 300),
        spent("a", *[0.1] * 300) + spent("b", *[3.0] * 10),
    ):
        drawn = " ".join(re.findall(r'points="([^"]+)"', chart(rows)))
        places = [tuple(map(float, point.split(","))) for point in drawn.split()]
        assert len(places) > 4
        assert all(LEFT <= x <= LEFT + PLOT_WIDTH for x, _ in places)
        assert all(TOP <= y <= TOP + PLOT_HEIGHT for _, y in places)


def test_the_page_says_it_once_there_is_something_to_draw():
    scene = random_truth(1)
    found = random_predictions(2, scene)
    title = "Time for each object, from the first to the last"
    assert title not in page(compare(scene, found, found, n_resamples=2))
    rows = spent("a", *[8.0] * 10, *[2.0] * 10, n_edits=3) + spent("b", 4.0)
    report = compare(scene, found, found, n_resamples=2, corrections=rows)
    assert report["corrections"] == rows
    html = page(report)
    assert title in html
    assert "20 objects of A took 5.0 s and 3.0 edits each." in html
    assert "1 object of B took 4.0 s and 1.0 edits each." in html


def test_the_job_hands_them_on_and_refuses_what_is_none(tmp_path):
    scene = random_truth(1)
    found = random_predictions(2, scene)
    params = {"out": str(tmp_path), "corrections": spent("b", *[1.0] * 10)}
    for name, content in (("truth", scene), ("a", found), ("b", found)):
        params[name] = str(tmp_path / f"{name}.json")
        (tmp_path / f"{name}.json").write_bytes(orjson.dumps(content))
    compare_job(params, Reporter())
    assert read_report(tmp_path)["corrections"] == params["corrections"]
    for wrong in ([{"side": "c"}], [{"side": "a"}], [3], "all"):
        with pytest.raises(DataError):
            compare_job({**params, "corrections": wrong}, Reporter())
