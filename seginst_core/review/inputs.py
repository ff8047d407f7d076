"""Read the truth and the predictions of a review and refuse what does not fit together.

Masks stay run-length encoded: a review never holds an image-sized array.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson

from seginst_core.errors import DataError
from seginst_core.masks.rle import Rle
from seginst_core.review.pairing import images_by_name
from seginst_core.review.rles import BoxTuple, area_of, box_of, rectangle, to_rle
from seginst_core.types import ImageRef

Source: TypeAlias = Path | Mapping[str, object]
Results: TypeAlias = Path | Mapping[str, object] | Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Item:
    """One object of the truth or of a prediction; ``bbox`` is COCO's x, y, width, height in pixels.

    ``index`` is the truth's annotation id or the prediction's place in its file. ``box_only``
    objects have their box as mask.
    """

    index: int
    image_id: int
    category_id: int
    bbox: BoxTuple
    area: float
    rle: Rle
    score: float = 1.0
    iscrowd: bool = False
    box_only: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """The images, category names and objects that predictions are measured against."""

    images: Mapping[int, ImageRef]
    categories: Mapping[int, str]
    items: tuple[Item, ...]


def read_truth(source: Source) -> Truth:
    """Return the truth of a COCO file or dictionary; DataError with one sentence if it is wrong."""
    data = _load(source, "truth") if isinstance(source, Path) else source
    if not isinstance(data, Mapping):
        raise DataError("The truth is not a COCO data set: it is not an object.")
    images = {ref.id: ref for ref in (_image(row) for row in _rows(data, "images", "truth"))}
    categories = {
        _integer(row, "id", "A category of the truth"): str(row.get("name", ""))
        for row in _rows(data, "categories", "truth")
    }
    if not images:
        raise DataError("The truth has no images.")
    items = []
    for row in _rows(data, "annotations", "truth"):
        name = f"Annotation {row.get('id', '?')} of the truth"
        index = _integer(row, "id", name)
        items.append(_item(row, name, index, images, categories, is_truth=True))
    return Truth(images, categories, tuple(items))


def without_images(truth: Truth, image_ids: Collection[int]) -> Truth:
    """Return the truth without some of its images and all that is in them."""
    images = {key: ref for key, ref in truth.images.items() if key not in image_ids}
    items = tuple(item for item in truth.items if item.image_id in images)
    return Truth(images, truth.categories, items)


def read_predictions(source: Results, truth: Truth) -> tuple[Item, ...]:
    """Return predictions: COCO results, or a COCO data set whose annotations have scores.

    A data set's images are matched with the truth's by file name (``pairing``) and its categories
    by name, since its ids are its own; results without them use the truth's ids. DataError if
    anything in it is unknown to the truth or malformed: nothing is dropped.
    """
    data = _load(source, "predictions") if isinstance(source, Path) else source
    image_ids: Mapping[int, int] | None = None
    category_ids: Mapping[int, int] | None = None
    rows: object = data
    if isinstance(data, Mapping):
        rows = _rows(data, "annotations", "predictions")
        if "images" in data:
            image_ids = _images_by_name(_rows(data, "images", "predictions"), truth)
        if "categories" in data:
            category_ids = _categories_by_name(_rows(data, "categories", "predictions"), truth)
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        raise DataError("The predictions are not COCO results: they are not a list.")
    items = []
    for index, row in enumerate(rows):
        name = f"Prediction {index}"
        if not isinstance(row, Mapping):
            raise DataError(f"{name} is not an object.")
        mapped = dict(row)
        _map_id(mapped, "image_id", image_ids)
        _map_id(mapped, "category_id", category_ids)
        items.append(_item(mapped, name, index, truth.images, truth.categories, is_truth=False))
    return tuple(items)


def _load(path: Path, what: str) -> object:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"The {what} {path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"The {what} {path} is not JSON: {error}.") from error


def _rows(data: Mapping[str, object], key: str, what: str) -> list[Mapping[str, object]]:
    rows = data.get(key)
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise DataError(f'The {what} has no list of "{key}", so it is not a COCO data set.')
    return list(rows)


def _integer(row: Mapping[str, object], key: str, name: str) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DataError(f'{name} has no whole number "{key}".')
    return value


def _image(row: Mapping[str, object]) -> ImageRef:
    name = f"Image {row.get('id', '?')} of the truth"
    width, height = _integer(row, "width", name), _integer(row, "height", name)
    if width < 1 or height < 1:
        raise DataError(f"{name} has the impossible size {width} x {height}.")
    return ImageRef(_integer(row, "id", name), str(row.get("file_name", "")), width, height)


def _images_by_name(rows: Sequence[Mapping[str, object]], truth: Truth) -> dict[int, int]:
    """Map the predictions' image ids to the truth's; an image of unknown name maps to no id."""
    named = [
        (_integer(row, "id", "An image of the predictions"), str(row.get("file_name", "")))
        for row in rows
    ]
    return images_by_name(named, truth.images.values())


def _categories_by_name(rows: Sequence[Mapping[str, object]], truth: Truth) -> dict[int, int]:
    by_name = {name: category_id for category_id, name in truth.categories.items()}
    return {
        _integer(row, "id", "A category of the predictions"): by_name[str(row.get("name", ""))]
        for row in rows
        if str(row.get("name", "")) in by_name
    }


def _map_id(row: dict[str, object], key: str, ids: Mapping[int, int] | None) -> None:
    value = row.get(key)
    if ids is None or not isinstance(value, int):
        return
    if value not in ids:
        what = key.removesuffix("_id")
        raise DataError(f"The predictions use the {what} {value}, which the truth does not have.")
    row[key] = ids[value]


def _item(
    row: Mapping[str, object],
    name: str,
    index: int,
    images: Mapping[int, ImageRef],
    categories: Mapping[int, str],
    *,
    is_truth: bool,
) -> Item:
    image_id = _integer(row, "image_id", name)
    category_id = _integer(row, "category_id", name)
    owner = "the truth's images" if not is_truth else "its images"
    if image_id not in images:
        raise DataError(f"{name} names the image {image_id}, which is not one of {owner}.")
    if category_id not in categories:
        owner = owner.replace("images", "categories")
        raise DataError(f"{name} names the category {category_id}, which is not one of {owner}.")
    image = images[image_id]
    bbox = _bbox(row, name)
    segmentation = row.get("segmentation")
    if segmentation:
        rle = to_rle(segmentation, image, name)
    elif bbox is not None:
        rle = rectangle(bbox, image)
    else:
        raise DataError(f"{name} has neither a box nor a mask.")
    # Areas as pycocotools takes them: the file's for the truth, the box's for a prediction.
    area = row.get("area") if is_truth else None if bbox is None else bbox[2] * bbox[3]
    return Item(
        index=index,
        image_id=image_id,
        category_id=category_id,
        bbox=bbox or box_of(rle),
        area=float(area) if isinstance(area, int | float) else area_of(rle),
        rle=rle,
        score=1.0 if is_truth else _number(row.get("score"), f'{name} has no "score".'),
        iscrowd=is_truth and bool(row.get("iscrowd", 0)),
        box_only=not segmentation,
    )


def _number(value: object, complaint: str) -> float:
    # value - value is not zero for infinities and NaN.
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise DataError(complaint)
    return float(value)


def _bbox(row: Mapping[str, object], name: str) -> BoxTuple | None:
    values = row.get("bbox")
    if not values:
        return None
    complaint = f'{name} has a "bbox" that is not [x, y, width, height].'
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 4:
        raise DataError(complaint)
    x, y, width, height = (_number(value, complaint) for value in values)
    if width < 0 or height < 0:
        raise DataError(complaint)
    for end in (x + width, y + height):
        _number(end, complaint)
    return x, y, width, height
