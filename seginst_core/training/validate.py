"""Score a model on a COCO file: what its card will say of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seginst_core.errors import DataError, ImageError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.images import read_image
from seginst_core.pipelines.load import load_pipeline
from seginst_core.review.metrics import evaluate
from seginst_core.review.schema import Measures


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's COCO results on a data set, and how long an image took."""

    results: tuple[Mapping[str, object], ...]
    seconds_per_image: float


def validate(
    model: Path, data: Path, images: Path, device: str, reporter: Reporter
) -> Mapping[str, float]:
    """Predict every image of ``data`` and return the metrics, 0..1, and seconds an image.

    The model's categories are matched with the data's by name. DataError if none is shared.
    """
    found = answers(model, data, images, device, reporter)
    return card_scores(evaluate(data, found.results), found.seconds_per_image)


def answers(model: Path, data: Path, images: Path, device: str, reporter: Reporter) -> Answers:
    """Predict every image of ``data``; DataError if it shares no category with the model."""
    pipeline = load_pipeline(model, device)
    # The true masks are another's matter: what is scored is compared with the file itself.
    truth = coco_json.load(data)
    ids = {category.name.casefold(): category.id for category in truth.categories.values()}
    named = [(c.id, ids.get(c.name.casefold())) for c in pipeline.card.categories]
    shared = {own: theirs for own, theirs in named if theirs is not None}
    if not shared:
        raise DataError(f"{data.name} and the model share no category.")
    results: list[Mapping[str, object]] = []
    seconds = 0.0
    for done, ref in enumerate(truth.images.values()):
        reporter.progress(done, len(truth.images), "Scoring on the validation images")
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
    return Answers(tuple(results), round(seconds / max(len(truth.images), 1), 3))


def card_scores(measures: Measures, seconds_per_image: float) -> dict[str, float]:
    """Return those measures that a model card keeps; what is not known is left out."""
    measured = {
        f"{kind}_{name}": values[name]
        for kind, values in (("bbox", measures["bbox"]), ("segm", measures["segm"]))
        for name in ("AP", "AP50", "AP75")
    }
    measured["mean_iou"] = measures["mean_iou"]
    scores = {name: value for name, value in measured.items() if value is not None}
    scores["seconds_per_image"] = seconds_per_image
    return scores
