"""The report is one page that anybody's browser can read, whatever the files are called."""

import copy
import json
from html.parser import HTMLParser

import pytest

from seginst_core.errors import DataError
from seginst_core.review.compare import compare
from seginst_core.review.report import write_report
from seginst_core.review.report.page import page
from seginst_core.review.report.sections import MAX_ROWS_OF_KIND, MAX_WORST_IMAGES
from seginst_core.review.report.words import explanation, headline, signed

from .review_scenes import predictions, random_predictions, random_truth, rectangle, truth

NASTY = '<b onclick="x()">&amp;"\'.png'
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser would see: tags, their attributes and text, and whether they nest."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text, self.rows, self.titles = [], [], [], {}, []
        self.table = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.table = dict(attrs)["id"]
            self.rows[self.table] = []
        if tag == "tr":
            self.rows[self.table].append([])
        if tag in ("td", "th"):
            self.rows[self.table][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[self.table][-1][-1] += data


@pytest.fixture(scope="module")
def report():
    scene = random_truth(3)
    scene["images"][0]["file_name"] = NASTY
    result = compare(
        scene, random_predictions(4, scene), random_predictions(5, scene), n_resamples=20
    )
    result["names"] = {"truth": NASTY, "a": "<script>alert(1)</script>", "b": "b.json"}
    return result


def test_the_report_is_two_files_with_the_same_numbers(report, tmp_path):
    folder = tmp_path / "new" / "folder"
    write_report(report, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json"]
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == report
    html = (folder / "report.html").read_text(encoding="utf-8")
    seen = Page(html)
    rows = {row[0]: row[1:] for row in seen.rows["scores"]}
    assert rows["Masks: AP, mean of IoU 0.50 to 0.95"] == [
        f"{report['a']['segm']['AP']:.3f}",
        f"{report['b']['segm']['AP']:.3f}",
        signed(report["difference"]["segm_AP"]),
    ]
    assert rows["Mean mask IoU"][0] == f"{report['a']['mean_iou']:.3f}"
    assert len(rows) == 1 + 3 * 6 + 1
    assert sum(int(row[1]) for row in seen.rows["kinds"][1:]) == len(report["cases"])


def test_every_tag_is_closed_and_nothing_comes_from_elsewhere(report):
    seen = Page(page(report))
    assert seen.open == []
    for tag, attributes in seen.tags:
        assert tag not in {"link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "onclick", "onload"} & set(attributes)
    assert "://" not in page(report)
    assert "@import" not in page(report)
    assert "url(" not in page(report)
    assert "prefers-color-scheme: dark" in page(report)


def test_no_name_of_a_file_becomes_html(report):
    html = page(report)
    seen = Page(html)
    assert sum(tag == "script" for tag, _ in seen.tags) == 1
    assert not [tag for tag, _ in seen.tags if tag == "b"]
    assert NASTY in [row[0] for row in seen.rows["cases"]]
    assert NASTY in [row[0] for row in seen.rows["worst"]]
    assert "<script>alert(1)</script>" in seen.text


def test_charts_have_a_line_and_a_title_for_each_side(report):
    seen = Page(page(report))
    lines = [attributes["class"] for tag, attributes in seen.tags if tag == "polyline"]
    # The key first.
    assert lines == ["line-a", "line-b"] * 3
    bars = [attributes for tag, attributes in seen.tags if tag == "rect"]
    assert {bar["class"] for bar in bars} == {"fill-a", "fill-b"}
    drawn = [attributes["points"].split() for tag, attributes in seen.tags if tag == "polyline"]
    for places in drawn[2:]:
        points = [tuple(map(float, place.split(","))) for place in places]
        assert len(points) == 101
        assert all(0 <= x <= 420 and 0 <= y <= 280 for x, y in points)


def test_the_histogram_is_of_masks_alone():
    """An object known only by its box has no mask to measure, though it has a case."""
    bits = rectangle(20, 20, 30, 30)
    scene = truth([(1, 1, bits, False), (2, 1, bits, False)], n_images=2)
    del scene["annotations"][0]["segmentation"]
    found = predictions([(1, 1, bits, 0.9), (2, 1, rectangle(22, 20, 30, 30), 0.9)])
    report = compare(scene, found, [], n_resamples=2)
    assert [case["iou_a"] for case in report["cases"]] == [1.0, pytest.approx(28 / 32)]
    seen = Page(page(report))
    (text,) = [text for text in seen.text if text.startswith("The mask IoU with each of")]
    assert "1 true object whose mask is known" in text
    assert "0 for A, 1 for B" in text
    bars = [text for text in seen.text if text.startswith("A, IoU") and not text.endswith(": 0")]
    assert bars == ["A, IoU 0.85 to 0.90: 1"]


def test_cases_are_all_readable_without_the_script_and_filter_with_it(report):
    seen = Page(page(report))
    rows = [
        attributes for tag, attributes in seen.tags if tag == "tr" and "data-kind" in attributes
    ]
    assert len(rows) == len(seen.rows["cases"]) - 1 == len(report["cases"])
    assert not any("hidden" in row for row in rows)
    kinds = {attributes["value"] for tag, attributes in seen.tags if tag == "option"}
    assert kinds == {row["data-kind"] for row in rows} | {""}


def test_a_large_report_shows_the_cases_most_worth_a_look_and_keeps_all_in_the_json():
    many = 3 * MAX_ROWS_OF_KIND
    objects = [(n, 1, rectangle(50, 50, 30, 30), False) for n in range(1, many + 1)]
    scene = truth(objects, n_images=many)
    found = predictions([(1, 1, rectangle(50, 50, 30, 30), 0.9)])
    report = compare(scene, found, found, n_resamples=2)
    seen = Page(page(report))
    assert len(report["cases"]) == many
    shown = [row[1] for row in seen.rows["cases"][1:]]
    assert shown == ["Missed"] * MAX_ROWS_OF_KIND + ["Both right"]
    assert len(seen.rows["worst"]) == 1 + MAX_WORST_IMAGES


def with_difference(report, gained, low, high):
    changed = copy.deepcopy(report)
    changed["difference"].update(segm_AP=gained, ci95=[low, high])
    if gained is not None:
        changed["a"]["segm"]["AP"], changed["b"]["segm"]["AP"] = 0.5, 0.5 + gained
    return changed


@pytest.mark.parametrize(
    ("difference", "title", "text"),
    [
        ((0.1, 0.05, 0.15), "B is better than A.", "AP of B is 0.100 higher: 0.600 against 0.500"),
        ((-0.1, -0.15, -0.05), "A is better than B.", "of A is 0.100 higher: 0.500 against 0.400"),
        ((0.1, 0.05, 0.15), "B is better", "+0.050 to +0.150, excludes zero"),
        ((0.1, -0.05, 0.15), "No clear winner", "−0.050 to +0.150, includes zero"),
        ((0.1, 0.0, 0.15), "No clear winner", "0.000 to +0.150, includes zero"),
        ((0.0, 0.0, 0.0), "No clear winner", "A and B have the same mask AP, 0.500."),
        ((3e-4, -0.1, 0.1), "No clear winner", "less than 0.001 higher: 0.500 against 0.500"),
        ((0.1, None, None), "No clear winner", "too few to say how sure"),
        ((None, None, None), "Nothing to compare", "at least one object"),
    ],
)
def test_the_headline_never_says_more_than_the_interval(report, difference, title, text):
    changed = with_difference(report, *difference)
    assert title in headline(changed)
    assert text in explanation(changed)
    seen = Page(page(changed))
    assert headline(changed) in seen.text
    assert explanation(changed) in seen.text
    # How the interval was made is said where there is one.
    assert any("with replacement" in text for text in seen.text) == (difference[1] is not None)


def test_a_report_without_any_object_or_prediction_is_a_page_too():
    seen = Page(page(compare(truth([]), [], [], n_resamples=2)))
    assert "There are no objects and no predictions." in seen.text
    assert "Neither side made a mistake in any image." in seen.text
    assert seen.open == []


def test_a_folder_that_cannot_be_written_is_refused_in_one_sentence(report, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="could not be written into") as caught:
        write_report(report, in_the_way)
    assert str(caught.value).endswith(".")
    assert in_the_way.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "+0.100"), (-0.1, "−0.100"), (-0.0004, "0.000"), (None, "–")]
)
def test_a_difference_is_written_with_its_sign(value, text):
    assert signed(value) == text


def test_of_very_many_classes_the_page_lists_the_most_frequent_mix_ups(report):
    many = copy.deepcopy(report)
    for found in many["confusion"].values():
        found["names"] = [f"class {k}" for k in range(26)]
        found["counts"] = [[int(j == k) for j in range(27)] for k in range(27)]
    assert "No class was taken for another." in page(many)
    many["confusion"]["a"]["counts"][3] = list(range(27))
    rows = Page(page(many)).rows["mix-ups"]
    assert rows[0] == ["True class", "Predicted", "A", "B"]
    assert rows[1] == ["class 3", "class 25", "25", "0"]
    assert len(rows) == 1 + 24  # of 26 classes one is right, and one was never taken for it


def test_the_budget_and_the_confusions_say_what_the_json_says(report):
    html = Page(page(report))
    rows = html.rows["budget"]
    assert len(rows) == 8
    gains = {cells[0]: cells[2:6] for cells in rows[1:]}
    for name, key in (("Missed", "missed"), ("Poor mask", "mask"), ("False", "false")):
        a, b = report["budget"]["a"], report["budget"]["b"]
        assert gains[name] == [
            f"{a['gains'][key]:.3f}",
            f"{b['gains'][key]:.3f}",
            f"{a['counts'][key]:,}",
            f"{b['counts'][key]:,}",
        ]
    for side in "ab":
        table = html.rows[f"confusion-{side}"]
        counts = [[int(c) for c in cells[1:] if c] for cells in table[1:]]
        true = report["confusion"][side]["counts"]
        assert counts == [*true[:-1], true[-1][:-1]]
