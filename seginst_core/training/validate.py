"""Score a model on a COCO file: what its card will say of it."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from seginst_core.errors import DataError, ImageError
from seginst_core.events import Reporter
from seginst_core.formats import coco_json
from seginst_core.images import image_file, read_image, read_size
from seginst_core.models.card import named_now
from seginst_core.pipelines.load import load_pipeline
from seginst_core.review.inputs import read_predictions, read_truth, without_images
from seginst_core.review.metrics import analyse
from seginst_core.review.schema import Measures
from seginst_core.training.scenes import image_fault
from seginst_core.types import Category


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's COCO results on a data set, and how long an image took.

    ``unread`` are the ids of images that could not be read: nothing is known of them.
    """

    results: tuple[Mapping[str, object], ...]
    seconds_per_image: float
    unread: frozenset[int] = frozenset()


def check_validation(
    data: Path, images: Path, categories: Iterable[Category], reporter: Reporter
) -> None:
    """Look at ``data`` before a model of ``categories`` is trained that is to be scored on it.

    DataError or FormatError in one sentence if it is no truth to score on, shares no object's
    category, or if any of its images is absent, damaged or of another size than stated.
    """
    truth = read_truth(data, reporter)
    own = {category.name.casefold() for category in categories}
    shared = {key for key, name in truth.categories.items() if name.casefold() in own}
    if not shared:
        raise DataError(f"{data.name} and the training data share no category.")
    if not any(item.category_id in shared and not item.iscrowd for item in truth.items):
        raise DataError(
            f"{data.name} holds no annotated object of the training data's categories, so there "
            "is nothing to score on."
        )
    refs = tuple(coco_json.load(data).images.values())
    faults = [fault for ref in refs if (fault := image_fault(images, ref))]
    if faults:
        raise DataError(
            f"{len(faults)} of the {len(refs)} images of {data.name} cannot be scored on: "
            f"{faults[0]}"
        )


def check_held_out(data: Path, images: Path, reporter: Reporter) -> None:
    """Look at held-out images before training: DataError if ``data`` is bad or none can be read.

    They may hold no object, and some may be gone, which are left out.
    """
    read_truth(data, reporter)
    refs = coco_json.load(data).images.values()
    if not any(_is_readable(image_file(images, ref.path)) for ref in refs):
        raise _none_readable(data)


def _is_readable(path: Path) -> bool:
    try:
        read_size(path)
    except ImageError:
        return False
    return True


def _none_readable(data: Path) -> DataError:
    return DataError(f"None of the images of {data.name} can be read, so there is no score.")


def validate(
    model: Path, data: Path, images: Path, device: str, reporter: Reporter
) -> Mapping[str, float]:
    """Predict every image of ``data`` and return the metrics, 0..1, and seconds an image.

    The model's categories are matched with the data's by name. DataError if none is shared, or if
    no image can be read; single ones that cannot are left out of the truth.
    """
    return scores_of(data, answers(model, data, images, device, reporter), reporter)


def scores_of(data: Path, found: Answers, reporter: Reporter) -> Mapping[str, float]:
    """Return what a model's card says of its answers on ``data``."""
    truth = without_images(read_truth(data), found.unread)
    measures = analyse(truth, read_predictions(found.results, truth), reporter).measures
    return card_scores(measures, found.seconds_per_image)


def answers(
    model: Path,
    data: Path,
    images: Path,
    device: str,
    reporter: Reporter,
    *,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> Answers:
    """Predict every image of ``data``; DataError if it shares no category with the model.

    ``renamed`` are the present names of classes that the model may know by a former one.
    """
    pipeline = load_pipeline(model, device)
    # The true masks are another's matter: what is scored is compared with the file itself.
    truth = coco_json.load(data)
    ids = {category.name.casefold(): category.id for category in truth.categories.values()}
    own = named_now(pipeline.card.categories, renamed)
    named = [(c.id, ids.get(c.name.casefold())) for c in own]
    shared = {own: theirs for own, theirs in named if theirs is not None}
    if not shared:
        raise DataError(f"{data.name} and the model share no category.")
    results: list[Mapping[str, object]] = []
    unread: set[int] = set()
    seconds = 0.0
    for done, ref in enumerate(truth.images.values()):
        reporter.progress(done, len(truth.images), "Scoring on the validation images")
        try:
            image = read_image(image_file(images, ref.path))
        except ImageError as error:
            reporter.log(f"{error} It is left out of the score.")
            unread.add(ref.id)
            continue
        start = time.perf_counter()
        found = pipeline.predict(image)
        seconds += time.perf_counter() - start
        height, width = image.shape[:2]
        for result in coco_json.results(ref.id, found, width, height):
            if result["category_id"] in shared:
                results.append({**result, "category_id": shared[result["category_id"]]})
    n_read = len(truth.images) - len(unread)
    if unread and not n_read:
        raise _none_readable(data)
    return Answers(tuple(results), round(seconds / max(n_read, 1), 3), frozenset(unread))


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
