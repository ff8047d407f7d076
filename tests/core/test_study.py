"""The study: its figures on hand-made predictions, and the whole of it on a small sample."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
import typer

from seginst_core.cli.study import study as study_command
from seginst_core.errors import Cancelled, DataError
from seginst_core.events import Reporter
from seginst_core.jobs.study import read_losses
from seginst_core.masks.rle import encode
from seginst_core.review.report.study import explain, page, verdict
from seginst_core.review.study import Loss, SideRun, summarise
from seginst_core.types import Mask

SIDE = 64


def disc(x: int, y: int, radius: int) -> Mask:
    yy, xx = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return Mask(x - radius, y - radius, xx * xx + yy * yy <= radius * radius)


def write_truth(folder: Path, n_images: int = 4) -> Path:
    annotations = []
    for image_id in range(1, n_images + 1):
        for x in (16, 46):
            mask = disc(x, 30, 10)
            box = [mask.x0, mask.y0, 21, 21]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": 1,
                    "bbox": box,
                    "area": mask.area,
                    "iscrowd": 0,
                    "segmentation": encode(mask, SIDE, SIDE),
                }
            )
    images = [
        {"id": k, "file_name": f"{k}.png", "width": SIDE, "height": SIDE}
        for k in range(1, n_images + 1)
    ]
    path = folder / "val.json"
    root = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    path.write_bytes(orjson.dumps(root))
    return path


def write_found(folder: Path, name: str, radius: int, n_images: int = 4) -> Path:
    rows = []
    for image_id in range(1, n_images + 1):
        for x in (16, 46):
            mask = disc(x, 30, radius)
            rows.append(
                {
                    "image_id": image_id,
                    "category_id": 1,
                    "score": 0.95,
                    "bbox": [mask.x0, mask.y0, 2 * radius + 1, 2 * radius + 1],
                    "segmentation": encode(mask, SIDE, SIDE),
                }
            )
    path = folder / name
    path.write_bytes(orjson.dumps(rows))
    return path


def test_the_better_side_is_named_with_its_lead(tmp_path: Path) -> None:
    val = write_truth(tmp_path, 5)
    exact = write_found(tmp_path, "a.json", 10, 5)
    small = write_found(tmp_path, "b.json", 8, 5)
    runs = [SideRun("a", s, exact, (), 0.1) for s in (0, 1)]
    runs += [SideRun("b", s, small, (), 0.2) for s in (0, 1)]
    report = summarise(val, runs, Reporter())
    assert report["sides"]["a"]["segm_AP"] == {"mean": 1.0, "deviation": 0.0, "values": [1.0, 1.0]}
    assert report["sides"]["a"]["dice"]["mean"] == pytest.approx(1.0)
    iou = disc(16, 30, 8).area / disc(16, 30, 10).area
    assert report["sides"]["b"]["mean_iou"]["mean"] == pytest.approx(iou)
    assert report["sides"]["b"]["dice"]["mean"] == pytest.approx(2 * iou / (1 + iou))
    (gap,) = report["gaps"]
    assert gap["of"] == "b - a"
    assert gap["segm_AP"] < 0
    # Every image is like every other, so no draw of images changes the gap.
    assert gap["ci95"] == pytest.approx([gap["segm_AP"]] * 2)
    assert verdict([gap]).startswith("A draws better masks")
    assert "excludes zero" in explain(gap)
    assert report["calibration"]["a"] == [[pytest.approx(0.95), 1.0, 20.0]]


def test_too_few_images_name_a_lead_and_no_winner(tmp_path: Path) -> None:
    val = write_truth(tmp_path, 1)
    sides = {
        "a": write_found(tmp_path, "a.json", 10, 1),
        "b": write_found(tmp_path, "b.json", 8, 1),
    }
    runs = [SideRun(side, 0, found, (), 0.1) for side, found in sides.items()]
    (gap,) = summarise(val, runs, Reporter())["gaps"]
    assert gap["ci95"] == [None, None]
    assert verdict([gap]) == "No clear winner between A and B."
    assert explain(gap).startswith("B \N{MINUS SIGN} A: \N{MINUS SIGN}0.")
    assert "too few" in explain(gap)


def test_what_lies_in_a_crowd_calibrates_nothing(tmp_path: Path) -> None:
    val, found = write_truth(tmp_path, 2), write_found(tmp_path, "a.json", 10, 2)
    data = orjson.loads(val.read_bytes())
    data["annotations"][0]["iscrowd"] = data["annotations"][1]["iscrowd"] = 1
    val.write_bytes(orjson.dumps(data))
    rows = orjson.loads(found.read_bytes())
    found.write_bytes(orjson.dumps([{**row, "score": 0.95} for row in rows + rows[:2]]))
    report = summarise(val, [SideRun("a", 0, found, (), 0.1)], Reporter())
    # A crowd holds any number of objects: neither of those in it is right or wrong.
    assert report["calibration"]["a"] == [[pytest.approx(0.95), 1.0, 2.0]]


def test_an_interrupted_study_says_how_to_go_on(tmp_path: Path, monkeypatch, capsys) -> None:
    def stopped(*_: object) -> None:
        raise Cancelled

    monkeypatch.setattr("seginst_core.jobs.study.study", stopped)
    with pytest.raises(typer.Exit) as end:
        study_command(tmp_path, tmp_path, tmp_path, tmp_path / "study")
    assert end.value.exit_code == 130
    assert f"the same command goes on with the study in {tmp_path}" in capsys.readouterr().err


def test_every_chart_says_whose_line_is_whose(tmp_path: Path) -> None:
    val, found = write_truth(tmp_path), write_found(tmp_path, "a.json", 9)
    losses = [Loss("detector", k, 0.066 / k) for k in range(1, 504)]
    runs = [SideRun(side, 0, found, losses, 0.1) for side in "ab"]
    runs.append(SideRun("c", 0, found, (), 0.1))
    report = summarise(val, runs, Reporter())
    report["settings"] = {"seeds": 1, "minutes": 5.0, "preset": "fast", "data": "t", "val": "v"}
    assert "with a score of at least 0.5" in page(report, ["<figure></figure>"])
    html = page(report)
    assert html.count("<title>The lines of A, B, C</title>") == 2
    assert html.count("<title>The lines of A, B</title>") == 1
    assert "1 seed, 5 min of training" in html
    # All predictions have one score: a point, no line.
    calibration = html.split("<h2>Calibration</h2>")[1].split("</section>")[0]
    assert 'class="line-ideal"' in calibration
    assert calibration.count("<circle") == 3
    training = html.split("<h2>Training</h2>")[1]
    assert re.findall(r">([\d.]+)</text>", training) == (
        ["0", "0", "126", "0.035", "252", "378", "0.07", "504"]
    )


def test_iterations_that_an_interrupted_run_repeats_count_once(tmp_path: Path) -> None:
    path = tmp_path / "a.losses.jsonl"
    rows = [(1, 4.0), (2, 3.0), (3, 2.0), (2, 3.5), (3, 2.5), (4, 1.0)]
    events = [{"part": "detector", "iteration": k, "losses": {"x": v}} for k, v in rows]
    lines = [orjson.dumps(event) + b"\n" for event in events]
    # The process was killed while it wrote one.
    path.write_bytes(b"".join([*lines[:3], lines[2][:9], b"\n", *lines[3:]]))
    read = [(loss.iteration, loss.value) for loss in read_losses(path)]
    assert read == [(1, 4.0), (2, 3.5), (3, 2.5), (4, 1.0)]


def test_equal_sides_have_no_winner(tmp_path: Path) -> None:
    val, same = write_truth(tmp_path), write_found(tmp_path, "a.json", 9)
    report = summarise(val, [SideRun(side, 0, same, (), 0.1) for side in ("a", "b")], Reporter())
    assert verdict(report["gaps"]) == "No clear winner between A and B."
    report["settings"] = {"seeds": 1, "minutes": 1, "preset": "<b>", "data": "t", "val": "v"}
    assert "<b>" not in page(report).replace("<body>", "")


@pytest.mark.slow
def test_a_study_goes_on_where_it_was_and_refuses_other_settings(tmp_path: Path) -> None:
    from seginst_core.jobs.predict_files import PredictSettings, predict_dataset
    from seginst_core.jobs.study import StudySettings, study
    from seginst_core.sample import write_sample

    write_sample(tmp_path / "data", n_images=3, side_px=160)
    settings = StudySettings(
        data=tmp_path / "data" / "instances_train.json",
        val=tmp_path / "data" / "instances_val.json",
        images=tmp_path / "data" / "images",
        out=tmp_path / "study",
        minutes=0.02,
        seeds=1,
        preset="tiny",
        device="cpu",
    )
    report = study(settings, Reporter())
    assert set(report["sides"]) == {"a", "b", "c"}
    assert {gap["of"] for gap in report["gaps"]} == {"b - a", "c - a", "c - b"}
    html = (tmp_path / "study" / "study.html").read_text(encoding="utf-8")
    assert "data:image/jpeg" in html
    runs = orjson.loads((tmp_path / "study" / "study.json").read_bytes())["runs"]
    assert all(run["memory_gb"] > 0.05 for run in runs) or not sys.platform.startswith("linux")
    seed = tmp_path / "study" / "seed-0"
    again = tmp_path / "again.json"
    refined = PredictSettings(str(seed / "b"), "cpu", refine=str(seed / "a"))
    predict_dataset(refined, settings.val, settings.images, again, Reporter())
    assert orjson.loads(again.read_bytes()) == orjson.loads((seed / "c.json").read_bytes())
    card = seed / "a" / "model.toml"
    before = card.stat().st_mtime_ns
    (tmp_path / "study" / "study.html").unlink()
    study(settings, Reporter())
    assert card.stat().st_mtime_ns == before
    assert (tmp_path / "study" / "study.html").is_file()
    with pytest.raises(DataError, match="of other settings"):
        study(StudySettings(**{**_fields(settings), "minutes": 0.03}), Reporter())
    # Other annotations under the same name are other data; what an older version did not write
    # down is not asked for.
    settings.val.write_text(settings.val.read_text() + " ")
    with pytest.raises(DataError, match="of other settings"):
        study(settings, Reporter())
    kept = tmp_path / "study" / "settings.json"
    words = orjson.loads(kept.read_bytes())
    kept.write_bytes(orjson.dumps({k: v for k, v in words.items() if "sha256" not in k}))
    study(settings, Reporter())
    for spoilt in (kept, seed / "a.cost.json"):
        whole = spoilt.read_bytes()
        spoilt.write_bytes(b"")
        with pytest.raises(DataError, match=f"{spoilt.name} is damaged"):
            study(settings, Reporter())
        spoilt.write_bytes(whole)


PEAKS = """
import numpy as np, torch
from seginst_core.jobs.memory import PeakMemory
from seginst_core.memory import keep_freed_memory
if KEPT:
    keep_freed_memory()
def peak(megabytes):
    memory = PeakMemory(torch.device("cpu"))
    np.ones(megabytes << 20, np.uint8)
    return memory.gigabytes()
print(peak(0), peak(300), peak(100))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
@pytest.mark.parametrize("kept", [False, True])
def test_the_peak_of_memory_is_that_of_the_work_alone(kept: bool) -> None:
    # In a process of its own: what earlier tests left free would be used first.
    code = PEAKS.replace("KEPT", str(kept))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    idle, much, less = map(float, done.stdout.split())
    assert much - idle == pytest.approx(0.315, abs=0.03)
    assert less - idle == pytest.approx(0.105, abs=0.03), "and nothing of the work before"


def _fields(settings: object) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__slots__}
