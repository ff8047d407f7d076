"""``seginst evaluate`` and ``seginst compare`` as a shell runs them."""

import json
import subprocess
import sys

import pytest

SIZE = 64


def square(x, y, side):
    """Return a square mask of a 64 x 64 image as COCO's plain RLE: columns, background first."""
    flat = [int(x <= c < x + side and y <= r < y + side) for c in range(SIZE) for r in range(SIZE)]
    runs, last = [0], 0
    for value in flat:
        if value != last:
            runs.append(0)
            last = value
        runs[-1] += 1
    return {"size": [SIZE, SIZE], "counts": runs}


@pytest.fixture
def files(tmp_path):
    """Return the paths of a truth, perfect predictions and worse ones, ten images each."""
    objects = [(n, 4 * n, 3 * n, 14) for n in range(1, 11)]
    truth = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": SIZE, "height": SIZE}
            for n, _, _, _ in objects
        ],
        "categories": [{"id": 1, "name": "plane"}],
        "annotations": [
            {
                "id": n,
                "image_id": n,
                "category_id": 1,
                "bbox": [x, y, side, side],
                "area": side * side,
                "iscrowd": 0,
                "segmentation": square(x, y, side),
            }
            for n, x, y, side in objects
        ],
    }

    def results(shift):
        return [
            {
                "image_id": n,
                "category_id": 1,
                "bbox": [x + shift, y, side, side],
                "score": 0.5 + n / 100,
                "segmentation": square(x + shift, y, side),
            }
            for n, x, y, side in objects
        ]

    paths = {}
    for name, value in (("truth", truth), ("worse", results(3)), ("perfect", results(0))):
        paths[name] = tmp_path / f"{name}.json"
        paths[name].write_text(json.dumps(value), encoding="utf-8")
    return paths


def seginst(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "seginst_core.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def evaluate(files, predictions, *more):
    return seginst("evaluate", "--truth", files["truth"], "--predictions", predictions, *more)


def compare(files, a, b, *more):
    return seginst("compare", "--truth", files["truth"], "--a", a, "--b", b, *more)


def test_evaluate_prints_and_writes_the_same_measures(files, tmp_path):
    out = tmp_path / "deep" / "R.json"
    done = evaluate(files, files["perfect"], "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    measures = json.loads(done.stdout)
    assert measures == json.loads(out.read_text(encoding="utf-8"))
    assert measures.keys() == {"images", "bbox", "segm", "boundary", "mean_iou", "max_dets"}
    for kind in ("bbox", "segm", "boundary"):
        assert list(measures[kind]) == ["AP", "AP50", "AP75", "APs", "APm", "APl"]
        assert measures[kind]["AP"] == pytest.approx(1.0)
    assert (measures["images"], measures["mean_iou"], measures["max_dets"]) == (10, 1.0, 1000)


def test_evaluate_prints_a_table_for_people(files):
    done = evaluate(files, files["worse"])
    assert done.returncode == 0, done.stderr
    assert "boundary" in done.stdout
    assert "mean IoU" in done.stdout


def test_compare_prints_json_and_writes_both_reports(files, tmp_path):
    out = tmp_path / "report"
    done = compare(files, files["worse"], files["perfect"], "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["difference"]["segm_AP"] == pytest.approx(
        report["b"]["segm"]["AP"] - report["a"]["segm"]["AP"]
    )
    low, high = report["difference"]["ci95"]
    assert 0 < low <= report["difference"]["segm_AP"] <= high
    assert len(report["cases"]) == 10
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "B is better than A." in html
    assert "worse.json" in html


def test_compare_says_in_words_which_is_better(files):
    done = compare(files, files["perfect"], files["worse"])
    assert done.returncode == 0, done.stderr
    assert "A is better than B." in done.stdout


def test_the_difference_between_twins_is_nothing(files):
    done = compare(files, files["worse"], files["worse"], "--json")
    difference = json.loads(done.stdout)["difference"]
    assert (difference["segm_AP"], difference["ci95"]) == (0.0, [0.0, 0.0])


def refused(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "is not JSON"),
        ("{}", '"annotations"'),
        ("7", "not COCO results"),
        ('[{"image_id": 99, "category_id": 1}]', "image 99"),
        ('[{"image_id": 1, "category_id": 9}]', "category 9"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}]', '"score"'),
    ],
)
def test_bad_predictions_end_with_one_sentence(files, tmp_path, content, says):
    bad = tmp_path / "bad.json"
    bad.write_text(content, encoding="utf-8")
    assert says in refused(evaluate(files, bad))
    assert says in refused(compare(files, files["worse"], bad, "--json"))


def test_files_that_are_not_there_end_with_one_sentence(files, tmp_path):
    assert "nowhere.json" in refused(evaluate(files, tmp_path / "nowhere.json"))
    assert "nowhere.json" in refused(compare(files, tmp_path / "nowhere.json", files["worse"]))


def test_a_report_that_cannot_be_written_ends_with_one_sentence(files):
    done = compare(files, files["worse"], files["perfect"], "--out", files["truth"])
    assert "could not be written" in refused(done)
    assert json.loads(files["truth"].read_text(encoding="utf-8"))["images"]
    assert refused(evaluate(files, files["worse"], "--out", files["truth"] / "R.json"))


def test_wrong_usage_ends_with_two(files):
    assert seginst("evaluate", "--truth", files["truth"]).returncode == 2
    assert seginst("compare").returncode == 2
