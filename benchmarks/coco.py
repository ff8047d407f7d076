"""``python -m benchmarks.coco``: reading a large COCO file, and measuring predictions."""

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks.report import Choices, Figure, choices, figure, seconds, show
from seginst_core.formats import coco_json
from seginst_core.review.metrics import evaluate

SIDE_PX = 800
Table = dict[str, object]


def main() -> None:
    """Print one figure a line."""
    given = choices("COCO files, against pycocotools.", PARTS)
    with tempfile.TemporaryDirectory() as folder:
        for name, part in PARTS.items():
            if not given.only or name in given.only:
                for found in part(Path(folder), given):
                    show(found)


def loading(folder: Path, given: Choices) -> Iterator[Figure]:
    """Read a file of polygons: first its lists and indices, then every mask as well.

    ``load`` and COCO() do the same: both parse the file and find images and annotations by id and
    annotations by image, with no segmentation looked at; ours checks ids and references besides,
    COCO() lists the images of each category. ``read`` and COCO() with ``annToMask`` of each object
    both have every mask afterwards.
    """
    n_images, n_objects = (20, 10) if given.quick else (2000, 50)
    path = folder / "polygons.json"
    path.write_text(json.dumps(_polygons(n_images, n_objects)))
    n_runs = 1 if given.quick else 5
    value = seconds(lambda: coco_json.load(path), n_runs, given.clock)
    theirs = seconds(lambda: _quietly(lambda: COCO(path)), n_runs, given.clock)
    scene = f"{n_images * n_objects} polygons in {n_images} images"
    words = f"pycocotools COCO(): both index the file and make no mask, {scene}"
    yield figure("load_100k", value, "s", words, theirs)

    def with_masks() -> None:
        data = COCO(path)
        for row in data.dataset["annotations"]:
            data.annToMask(row)

    words = f"pycocotools COCO() and annToMask of each, {scene}"
    value = seconds(lambda: coco_json.read(path), 1 if given.quick else 3, given.clock)
    theirs = seconds(lambda: _quietly(with_masks), 1, given.clock)
    yield figure("load_100k_masks", value, "s", words, theirs)


def measuring(folder: Path, given: Choices) -> Iterator[Figure]:
    """Measure predictions; ours include the boundaries, which pycocotools does not know."""
    n_images, n_objects = (5, 8) if given.quick else (500, 50)
    rng = np.random.default_rng(1)
    truth = _polygons(n_images, n_objects)
    rows = truth["annotations"]
    assert isinstance(rows, list)
    for row in rows:
        row["segmentation"] = _rle(row["segmentation"][0])
    results = []
    for row in rows:
        x, y, w, h = row["bbox"]
        dx, dy = (float(v) for v in rng.normal(0, 3, 2))
        moved = [x + dx, y + dy, x + w + dx, y + dy, x + w + dx, y + h + dy, x + dx, y + h + dy]
        results.append(
            {
                "image_id": row["image_id"],
                "category_id": 1,
                "bbox": [x + dx, y + dy, w, h],
                "score": float(rng.random()),
                "segmentation": _rle(moved),
            }
        )
    truth_path, results_path = folder / "truth.json", folder / "results.json"
    truth_path.write_text(json.dumps(truth))
    results_path.write_text(json.dumps(results))

    def theirs() -> None:
        data = COCO(truth_path)
        found = data.loadRes(str(results_path))
        for kind in ("bbox", "segm"):
            work = COCOeval(data, found, kind)
            work.params.maxDets = [1, 10, 1000]
            work.evaluate()
            work.accumulate()

    n_runs = 1 if given.quick else 3
    value = seconds(lambda: evaluate(truth_path, results_path), n_runs, given.clock)
    words = (
        f"pycocotools COCOeval of boxes and masks (no boundaries), {n_images} images of "
        f"{n_objects} objects"
    )
    yield figure(
        "evaluate", value, "s", words, seconds(lambda: _quietly(theirs), n_runs, given.clock)
    )


def _quietly(work: object) -> None:
    """Run what prints as it works: a line of it would not be JSON."""
    assert callable(work)
    with contextlib.redirect_stdout(io.StringIO()):
        work()


def _polygons(n_images: int, n_objects: int) -> dict[str, object]:
    """Stars of 20 corners, 10 to 40 pixels across."""
    rng = np.random.default_rng(0)
    angles = np.arange(20) * np.pi / 10
    annotations: list[Table] = []
    for image_id in range(1, n_images + 1):
        centres = rng.uniform(40, SIDE_PX - 40, (n_objects, 1, 2))
        radii = rng.uniform(5, 20, (n_objects, 1)) * rng.uniform(0.7, 1.0, (n_objects, 20))
        rings = centres + radii[..., None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        for ring in rings.round(2):
            x0, y0 = ring.min(0).tolist()
            x1, y1 = ring.max(0).tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0) / 2,
                    "iscrowd": 0,
                    "segmentation": [ring.ravel().tolist()],
                }
            )
    images = [
        {"id": k, "file_name": f"{k}.jpg", "width": SIDE_PX, "height": SIDE_PX}
        for k in range(1, n_images + 1)
    ]
    categories = [{"id": 1, "name": "airplane"}]
    return {"images": images, "categories": categories, "annotations": annotations}


def _rle(ring: list[float]) -> Table:
    (rle,) = coco_mask.frPyObjects([ring], SIDE_PX, SIDE_PX)
    return {"size": rle["size"], "counts": rle["counts"].decode("ascii")}


PARTS = {"loading": loading, "measuring": measuring}


if __name__ == "__main__":
    main()
