"""The benchmarks run and print what they promise; how fast anything is, is no test's business."""

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from seginst_core.masks.geometry import iou, mask_box, union
from seginst_core.models import detectron2
from seginst_core.types import Instance, Mask

OPENVINO = ("maskrcnn_r50_800_openvino", "nested_unet_64_openvino")
ROOT = Path(__file__).resolve().parents[1]
FIGURES = {
    "prediction": {
        "paste_crops": "ms",
        "paste_rle": "ms",
        "maskrcnn_r50_800": "ms",
        "nested_unet_64": "ms",
        "nested_unet_64_l2": "ms",
        "tiled": "s",
        "large_image_rss": "MB",
    },
    "editor": {
        "start_to_paint": "s",
        "start_to_paint_p95": "s",
        "start_rss": "MB",
        "first_picture": "s",
        "first_picture_p95": "s",
        "full_detail": "s",
        "full_detail_p95": "s",
        "masks_painted": "s",
        "masks_painted_p95": "s",
        "longest_block": "ms",
        "longest_block_p95": "ms",
        "longest_block_image": "ms",
        "longest_block_image_p95": "ms",
        "open_rss": "MB",
        "peak_rss": "MB",
        "pan_fit_median": "ms",
        "pan_fit_p95": "ms",
        "pan_1to1_median": "ms",
        "pan_1to1_p95": "ms",
        "pan_4to1_median": "ms",
        "pan_4to1_p95": "ms",
        "brush5_median": "ms",
        "brush5_p95": "ms",
        "brush50_median": "ms",
        "brush50_p95": "ms",
        "brush200_median": "ms",
        "brush200_p95": "ms",
        "brush5_wide_median": "ms",
        "brush5_wide_p95": "ms",
        "brush50_wide_median": "ms",
        "brush50_wide_p95": "ms",
        "brush200_wide_median": "ms",
        "brush200_wide_p95": "ms",
        "stroke_end_median": "ms",
        "stroke_end_p95": "ms",
        "stroke_end_wide_median": "ms",
        "stroke_end_wide_p95": "ms",
        "undo": "ms",
        "undo_p95": "ms",
        "edit_saved": "ms",
        "edit_saved_p95": "ms",
        "select_median": "ms",
        "select_p95": "ms",
        "hide_all_median": "ms",
        "hide_all_p95": "ms",
        "delete500": "ms",
        "delete500_p95": "ms",
        "delete500_undo": "ms",
        "delete500_undo_p95": "ms",
        "next_image": "ms",
        "next_image_p95": "ms",
        "undo_steps_rss": "MB",
        "undo_steps_edit": "ms",
        "undo_deep": "ms",
        "undo_deep_p95": "ms",
    },
    "review": {"list_cases": "s"},
    "coco": {"load_100k": "s", "load_100k_masks": "s", "evaluate": "s"},
    "training": {"iterations_per_minute": "1/min"},
    "ablation": {
        "synthetic.base.AP": "mask AP",
        "synthetic.base.AP50": "mask AP50",
        "synthetic.copy_paste.AP": "mask AP",
        "synthetic.copy_paste.AP50": "mask AP50",
    },
    "gpu": {
        "loading_1": "crops/s",
        "loading_2": "crops/s",
        "train_tiny_2_float32": "crops/s",
        "train_unet_tiny_4_float32": "crops/s",
        "tiles_end-to-end_1_float32": "tiles/s",
        "tiles_end-to-end_2_float32": "tiles/s",
        "tiles_two-stage_1_float32": "tiles/s",
        "tiles_two-stage_2_float32": "tiles/s",
        "image_r50_float32": "images/s",
        "masks_tiny_16": "masks/s",
        "masks_tiny_128": "masks/s",
    },
    "detectron2": {"detectron2_r50_800": "ms", "detectron2_r50_4000": "ms"},
    "mask_stage": {
        f"vhr10-airplane.{variant}.{where}{line}": unit
        for variant in ("base", "crop_64")
        for where in ("true_boxes", "found_boxes")
        for line, unit in (
            ("", "mean IoU"),
            ("_0.85", "part with IoU 0.85"),
            ("_0.9", "part with IoU 0.9"),
        )
    },
    "gate": {f"vhr10-airplane.{n}_images": "part called better" for n in (1, 5)},
}
ON_DATA = {"mask_stage", "gate"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_benchmark_prints_one_figure_a_line(name, request):
    if name in ON_DATA:
        request.getfixturevalue("data")
    if name == "detectron2" and not detectron2.is_installed():
        pytest.skip("detectron2 is not installed")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
    )
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    extra = OPENVINO if name == "prediction" and find_spec("openvino") else ()
    expected = {**FIGURES[name], **dict.fromkeys(extra, "ms")}
    assert {line["name"]: line["unit"] for line in lines} == expected
    for line in lines:
        assert set(line) == {"name", "value", "unit", "yardstick", "ratio"}
        # A model of a few iterations may find nothing, steps take no memory, a gate err never.
        weak = line["unit"].startswith(("mask AP", "part with", "part called better"))
        may_be_none = weak or line["name"] == "undo_steps_rss"
        assert line["value"] > 0 or may_be_none
        assert line["ratio"] is None or line["ratio"] > 0
        assert line["yardstick"]


@pytest.mark.slow
@pytest.mark.skipif(detectron2.is_installed(), reason="detectron2 is installed")
def test_without_detectron2_its_benchmark_says_so_in_one_sentence():
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.detectron2", "--quick"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.strip() == detectron2.NOT_INSTALLED


SIZE = (60, 60)


@pytest.fixture
def repairing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the benchmark's module, from the checkout, which is no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("benchmarks.repair")


@pytest.fixture
def annotator(repairing: ModuleType) -> ModuleType:
    """Return the one whose hands are counted."""
    return import_module("benchmarks.annotator")


def square(x0: int, y0: int, side: int) -> Mask:
    return Mask(x0, y0, np.ones((side, side), bool))


CUT_OFF = Mask(10, 10, np.add.outer(np.arange(40), np.arange(40)) > 25)


def test_the_simulated_annotator_draws_one_line_where_that_is_all_it_takes(repairing):
    true = square(10, 10, 40)
    found = repairing.repair(CUT_OFF, true, SIZE, [])
    assert (found.actions, found.hands, found.key) == (1, {"reshape"}, "")
    assert not found.selects
    assert found.mask == true
    # What the line takes off begins outside.
    found = repairing.repair(union(true, square(45, 20, 20)), true, SIZE, [])
    assert (found.actions, found.hands, found.selects) == (1, {"reshape"}, False)
    assert found.mask == true


def test_the_simulated_annotator_selects_what_a_line_would_not_be_taken_for(repairing):
    true, spot = square(10, 10, 40), square(50, 20, 8)
    spotted = union(true, spot)
    assert not repairing.repair(spotted, true, SIZE, [spot]).selects
    # The line takes off what lies over another object, and goes through that one too.
    other = Mask(46, 21, np.ones((6, 8), bool))
    steps = list(repairing._redrawn(spotted, true, SIZE, [other]))
    assert all((step.selects, step.mask) == (True, true) for step in steps)
    assert steps
    assert not repairing.repair(spotted, true, SIZE, [square(0, 0, 9)]).selects


def test_no_line_is_longer_than_half_the_outline(repairing):
    true = square(10, 10, 40)
    found = list(import_module("benchmarks.lines").lines(square(14, 14, 32), true))
    assert len(found) == 3
    *parts, side = (len(line.points) - 1 for line in found)
    assert sum(parts) == 160
    assert max(*parts, side) <= 80
    repaired = repairing.repair(square(14, 14, 32), true, SIZE, [])
    assert repaired.actions == 2
    assert iou(repaired.mask, true) >= repairing.GOOD_IOU


def test_one_line_mends_what_lies_one_after_the_other_on_one_side(repairing):
    true = square(10, 10, 40)
    bitten = np.ones((40, 40), bool)
    bitten[:16, 4:14] = False
    bitten[:16, 24:36] = False
    found = repairing.repair(union(Mask(10, 10, bitten), square(50, 12, 7)), true, SIZE, [])
    assert (found.actions, found.hands, found.mask) == (1, {"reshape"}, true)
    # A line that ends half-way is led back, and one that ends with what is wrong is not.
    found = import_module("benchmarks.lines").lines(Mask(10, 10, bitten), true)
    assert [line.reach_px for line in found] == [0.0, 0.0, 0.0]
    *_, side = import_module("benchmarks.lines").lines(square(14, 14, 32), true)
    assert side.reach_px > 0
    # A bite on the other side of the object takes a line of its own.
    bitten[34:, 4:36] = False
    found = repairing.repair(Mask(10, 10, bitten), true, SIZE, [])
    assert (found.actions, found.hands) == (2, {"reshape"})


def test_the_simulated_annotator_drags_corners_and_presses_keys_on_what_is_selected(repairing):
    def best(steps):
        return max(steps, key=lambda step: step.iou)

    dragged = best(repairing._drags(CUT_OFF, square(10, 10, 40)))
    assert (dragged.tool, dragged.selects) == ("corners", True)
    pressed = best(repairing._keys(square(11, 11, 18), square(10, 10, 20), SIZE))
    assert (pressed.key, pressed.selects) == ("grow", True)
    assert min(dragged.iou, pressed.iou) >= repairing.GOOD_IOU


def test_the_simulated_annotator_gives_up_what_strokes_cannot_mend(repairing):
    comb = np.zeros((60, 60), bool)
    comb[5:55:4, 5:55] = True
    far = Mask(0, 0, np.ones((3, 3), bool))
    assert repairing.repair(far, Mask(0, 0, comb), SIZE, []) is None


def test_a_good_mask_costs_nothing(repairing):
    mask = Mask(3, 4, np.ones((20, 20), bool))
    assert repairing.repair(mask, mask, SIZE, []).actions == 0


def test_the_wand_takes_what_stands_out_and_nothing_where_it_does_not(repairing):
    image = np.full((60, 60, 3), 20, np.uint8)
    image[10:30, 10:30] = 200
    assert iou(repairing.wave(image, square(10, 10, 20)), square(10, 10, 20)) == 1
    assert repairing.wave(image, square(20, 20, 20)) is None


def test_what_the_annotator_counts(annotator):
    truths = [square(5, 5, 20), square(30, 30, 20)]
    drawings = [annotator.draw_polygon(mask, SIZE) for mask in truths]
    assert [drawing.clicks for drawing in drawings] == [4, 4]
    nothing = {"box": (None, None), "wand": (None, None)}

    def cost(*found: tuple[Mask, float], begun=nothing) -> tuple[int, ...]:
        proposals = [
            Instance(k, 1, mask_box(mask), mask, score=score)
            for k, (mask, score) in enumerate(found)
        ]
        work = annotator.label(truths, drawings, proposals, begun, SIZE)
        assert all(iou(a, b) >= 0.9 for a, b in zip(work.masks, truths, strict=True))
        # A model's, as it drew them: what else is a person's.
        assert len(work.untouched) >= work.n_accepted
        counts = (work.n_accepted, work.n_repaired, work.n_boxed, work.n_waved, work.n_polygons)
        return work.actions, *counts

    good, false = square(5, 5, 20), square(0, 50, 8)
    # Two polygons, and the key that takes the tool in hand.
    assert cost() == (9, 0, 0, 0, 0, 2)
    assert cost((truths[0], 0.9), (truths[1], 0.9)) == (1, 2, 0, 0, 0, 0), "all with one key"
    # One accepted with all; the other drawn.
    assert cost((good, 0.9)) == (6, 1, 0, 0, 0, 1)
    # One accepted alone, with a click and a key: to delete the false one would cost one more.
    assert cost((good, 0.9), (false, 0.9)) == (7, 1, 0, 0, 0, 1)
    # Two false ones: two clicks and one key.
    more = square(50, 0, 8)
    assert cost((truths[0], 0.9), (truths[1], 0.9), (false, 0.9), (more, 0.9)) == (4, 2, 0, 0, 0, 0)
    # A threshold of its own is an action.
    assert cost((truths[0], 0.4), (truths[1], 0.4)) == (2, 2, 0, 0, 0, 0)
    # Accepted, selected with a click and grown with a key; for two the key is pressed once.
    small = square(31, 31, 18)
    assert cost((good, 0.9), (small, 0.9)) == (3, 1, 1, 0, 0, 0)
    assert cost((square(6, 6, 18), 0.9), (small, 0.9)) == (4, 0, 2, 0, 0, 0)
    # A stroke, a key and a stroke for the wand, and a key for each tool.
    begun = {"box": (truths[0], None), "wand": (None, truths[1])}
    assert cost(begun=begun) == (5, 0, 0, 1, 1, 0)
    # What is drawn first keeps out the proposal it stands for, if they meet by a half.
    begun = {"box": (None, truths[1]), "wand": (None, None)}
    half = Mask(30, 30, np.ones((12, 20), bool))
    assert cost((good, 0.9), (half, 0.9), begun=begun) == (3, 1, 0, 1, 0, 0)
    less = square(34, 34, 12)
    assert cost((good, 0.9), (less, 0.9), begun=begun) == (4, 1, 0, 1, 0, 0)


def test_only_what_a_person_touched_is_theirs(annotator):
    truths = [square(2 + 20 * (k % 3), 2 + 20 * (k // 3), 14) for k in range(4)]
    drawings = [annotator.draw_polygon(mask, SIZE) for mask in truths]
    small = square(23, 3, 12)
    found = [
        Instance(k, 1, mask_box(mask), mask, score=0.9) for k, mask in enumerate((truths[0], small))
    ]
    begun = {"box": (None, None, truths[2], None), "wand": (None, None, None, truths[3])}
    work = annotator.label(truths, drawings, found, begun, SIZE)
    # Accepted, grown by a key, drawn in a box by the model, waved.
    assert work.untouched == {0, 2}
    assert (work.n_accepted, work.n_repaired, work.n_boxed, work.n_waved) == (1, 1, 1, 1)


def test_a_polygon_stays_in_its_image(annotator):
    drawn = annotator.draw_polygon(square(50, 50, 10), SIZE).mask
    assert (drawn.x1, drawn.y1) <= SIZE


def test_a_change_of_radius_costs_the_way_back_too(repairing):
    def step(tool: str, radius: int) -> object:
        return repairing._Step(tool, radius, square(0, 0, 4), 1.0)

    def actions(*steps: object) -> int:
        return repairing._counted(steps, square(0, 0, 4)).actions

    assert actions(step("brush", 3), step("brush", 3)) == 2
    assert actions(step("brush", 3), step("brush", 5)) == 4
    assert actions(step("brush", 3), step("corners", 0)) == 4
    assert actions(step("brush", 3), step("", 0), step("brush", 3)) == 3
    hands = repairing._counted([step("brush", 3), step("corners", 0)], square(0, 0, 4)).hands
    assert hands == {"brush", "3 px", "corners"}


def test_the_loop_adds_up_its_orders(annotator, capsys):
    loop = import_module("benchmarks.loop")

    def cost(*actions: int) -> object:
        return loop.Cost(tuple(annotator.Work(n, ()) for n in actions), ())

    orders = [
        loop.Rounds((10, 20), (100, 300), (cost(30), cost(30, 10)), (cost(30), cost(20))),
        loop.Rounds((30, 20), (300, 300), (cost(50), cost(40)), (cost(50), cost(12))),
    ]
    loop._show("set", orders)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["name"]: one["value"] for one in said} == {
        "set.actions_by_hand": 1250.0,
        "set.actions_starter": 200.0,
        "set.actions_loop": 140.0,
        "set.starter_1": 200.0,
        "set.round_1": 200.0,
        "set.starter_2": 200.0,
        "set.round_2": 80.0,
    }
    parts = loop._in_rounds(range(58), loop.SHARES)
    assert [list(part) for part in parts] == [
        list(range(*ends)) for ends in ((0, 12), (12, 35), (35, 58))
    ]
