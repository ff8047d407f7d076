"""Truths and predictions for the tests of the review, as COCO dictionaries."""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

WIDTH, HEIGHT = 240, 200
SCORE_CUTS = {"AP": (slice(None), 0), "AP50": (slice(0, 1), 0), "AP75": (slice(5, 6), 0)}
SIZE_CUTS = {name: (slice(None), area) for area, name in enumerate(("APs", "APm", "APl"), start=1)}


def rectangle(x, y, width, height):
    """Return a filled rectangle as full-image bits, cut off at the image's edges."""
    bits = np.zeros((HEIGHT, WIDTH), np.uint8)
    bits[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = 1
    return bits


def diamond(x, y, reach):
    """Return a filled diamond around a pixel as full-image bits: half of its box."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return (abs(rows - y) + abs(columns - x) <= reach).astype(np.uint8)


def segment(bits):
    """Return the mask's COCO fields: compressed RLE, bbox and area."""
    rle = coco_mask.encode(np.asfortranarray(bits))
    return {
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
        "bbox": coco_mask.toBbox(rle).tolist(),
        "area": float(coco_mask.area(rle)),
    }


def truth(
    objects: Sequence[tuple], n_images: int = 1, categories: Sequence[str] = ("plane", "ship")
) -> dict:
    """Return a truth of ``(image_id, category_id, bits, iscrowd)``; ids count from 1."""
    return {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT}
            for n in range(1, n_images + 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(categories, start=1)],
        "annotations": [
            {
                "id": n,
                "image_id": image_id,
                "category_id": category_id,
                "iscrowd": int(iscrowd),
                **segment(bits),
            }
            for n, (image_id, category_id, bits, iscrowd) in enumerate(objects, start=1)
        ],
    }


def predictions(objects: Sequence[tuple]) -> list[dict]:
    """Return COCO results of ``(image_id, category_id, bits, score)``."""
    results = []
    for image_id, category_id, bits, score in objects:
        fields = segment(bits)
        del fields["area"]
        results.append({"image_id": image_id, "category_id": category_id, "score": score, **fields})
    return results


def random_truth(seed: int) -> dict:
    """Return images with small to large blobs, crowds, three categories and an empty image."""
    random = np.random.default_rng(seed)
    objects = []
    for image_id in range(1, 6):
        for _ in range(int(random.integers(0, 12)) if image_id != 3 else 0):
            bits = _blob(random)
            # The third category is never there, though it may be predicted.
            category_id = int(random.integers(1, 3))
            objects.append((image_id, category_id, bits, random.random() < 0.1))
    return truth(objects, n_images=5, categories=("plane", "ship", "airship"))


def random_predictions(seed: int, of: dict) -> list[dict]:
    """Return moved, doubled, dropped, misnamed and made-up objects, many with the same score."""
    random = np.random.default_rng(seed)
    objects = []
    for row in of["annotations"]:
        bits = coco_mask.decode(row["segmentation"])
        for _ in range(int(random.integers(0, 3))):
            shift = random.integers(-4, 5, 2)
            category_id = row["category_id"] if random.random() < 0.9 else 3
            moved = _moved(bits, int(shift[0]), int(shift[1]))
            score = round(float(random.random()), 1)
            objects.append((row["image_id"], category_id, moved, score))
    for _ in range(6):
        image_id, category_id = int(random.integers(1, 6)), int(random.integers(1, 4))
        objects.append((image_id, category_id, _blob(random), round(float(random.random()), 1)))
    return predictions(objects)


def coco_scores(of: dict, found: list[dict], kind: str, ious=None) -> dict[str, float | None]:
    """Return pycocotools' scores at 1000 detections; ``ious`` replaces its own overlaps."""
    true_coco = COCO()
    true_coco.dataset = of
    true_coco.createIndex()
    if found:
        found_coco = true_coco.loadRes([dict(row) for row in found])
    else:
        found_coco = COCO()
        found_coco.dataset = {**of, "annotations": []}
        found_coco.createIndex()
    evaluation = COCOeval(true_coco, found_coco, kind)
    evaluation.params.maxDets = [1000]
    if ious is not None:
        own = evaluation.computeIoU

        def replaced(image_id, category_id):
            computed = own(image_id, category_id)
            return ious(evaluation, image_id, category_id, computed)

        evaluation.computeIoU = replaced
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"]
    scores = {}
    for name, (thresholds, area) in {**SCORE_CUTS, **SIZE_CUTS}.items():
        cut = precision[thresholds, :, :, area, 0]
        scores[name] = float(cut[cut > -1].mean()) if (cut > -1).any() else None
    return scores


def _blob(random: np.random.Generator):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    radius_x, radius_y = random.choice([4, 8, 20, 40, 70], 2) * random.uniform(0.7, 1.3, 2)
    x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
    return (((columns - x) / radius_x) ** 2 + ((rows - y) / radius_y) ** 2 <= 1).astype(np.uint8)


def _moved(bits, x, y):
    moved = np.zeros_like(bits)
    moved[max(y, 0) : HEIGHT + min(y, 0), max(x, 0) : WIDTH + min(x, 0)] = bits[
        max(-y, 0) : HEIGHT + min(-y, 0), max(-x, 0) : WIDTH + min(-x, 0)
    ]
    return moved
