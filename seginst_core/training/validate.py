"""Score a model on a COCO file: what its card will say of it."""

import time
from collections.abc import Mapping
from pathlib import Path

from seginst_core.errors import DataError, ImageError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.images import read_image
from seginst_core.pipelines.load import load_pipeline
from seginst_core.review.metrics import evaluate


def validate(
    model: Path, data: Path, images: Path, device: str, reporter: Reporter
) -> Mapping[str, float]:
    """Predict every image of ``data`` and return the metrics, 0..1, and seconds an image.

    The model's categories are matched with the data's by name. DataError if none is shared.
    """
    pipeline = load_pipeline(model, device)
    dataset = coco_json.read(data)
    ids = {category.name: category.id for category in dataset.categories}
    shared = {c.id: ids[c.name] for c in pipeline.card.categories if c.name in ids}
    if not shared:
        raise DataError(f"{data.name} and the model share no category.")
    results: list[dict[str, object]] = []
    seconds = 0.0
    for done, ref in enumerate(dataset.images):
        reporter.progress(done, len(dataset.images), "Scoring on the validation images")
        try:
            image = read_image(images / ref.path)
        except ImageError as error:
            reporter.log(str(error))
            continue
        start = time.perf_counter()
        found = pipeline.predict(image)
        seconds += time.perf_counter() - start
        height, width = image.shape[:2]
        for result in coco_json.results(ref.id, found, width, height):
            if result["category_id"] in shared:
                results.append({**result, "category_id": shared[result["category_id"]]})
    report = evaluate(data, results)
    scores = {
        f"{kind}_{name}": float(report[kind][name])
        for kind in ("bbox", "segm")
        for name in ("AP", "AP50", "AP75")
        if report[kind][name] is not None
    }
    scores["mean_iou"] = float(report["mean_iou"])
    scores["seconds_per_image"] = round(seconds / max(len(dataset.images), 1), 3)
    return scores
