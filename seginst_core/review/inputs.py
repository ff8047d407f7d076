"""Read the truth and the predictions of a review and refuse what does not fit together.

Masks stay run-length encoded: a review never holds an image-sized array.
"""

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypeVar

import orjson

from seginst_core.errors import DataError, FormatError
from seginst_core.events import Reporter
from seginst_core.lenient import parse_json, shortened, shown, whole
from seginst_core.masks.rle import Rle
from seginst_core.review.pairing import images_by_name
from seginst_core.review.rles import BoxTuple, area_of, box_of, drawn_rle, rectangle, to_rle
from seginst_core.types import ImageRef

Source: TypeAlias = Path | Mapping[str, object]
Row: TypeAlias = Mapping[str, object]
Results: TypeAlias = Path | Mapping[str, object] | Sequence[Mapping[str, object]]


_Read = TypeVar("_Read")


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


def read_truth(source: Source, reporter: Reporter | None = None) -> Truth:
    """Return the truth of a COCO file or dictionary; DataError with one sentence if it is wrong.

    It is read as an import reads it: an image, category or annotation that is bad is left out, and
    the log names it. DataError if all of a kind are bad.
    """
    data = _load(source, "truth") if isinstance(source, Path) else source
    if not isinstance(data, Mapping):
        raise DataError("The truth is not a COCO data set: it is not an object.")
    notes: list[str] = []
    refs = _each(_rows(data, "images", "truth", notes), _image, notes)
    images = _first_of([(ref.id, ref) for ref in refs], "Image", notes)
    named = _each(_rows(data, "categories", "truth", notes), _category, notes)
    categories = _first_of(named, "Category", notes)
    if not images:
        raise DataError("The truth has no images.")

    def read(row: Row) -> tuple[int | None, Item]:
        own_id = _own_id(row)
        return own_id, _true_item(row, own_id, images, categories, notes)

    rows = _rows(data, "annotations", "truth", notes)
    items = _numbered(_each(rows, read, notes), notes)
    if reporter is not None:
        for note in shortened(notes):
            reporter.log(note)
    return Truth(images, categories, items)


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
        image_id = _mapped(row, "image_id", name, image_ids)
        category_id = _mapped(row, "category_id", name, category_ids)
        items.append(_found_item(row, name, index, image_id, category_id, truth))
    return tuple(items)


def _load(path: Path, what: str) -> object:
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"The {what} {path} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"The {what} {path} is not JSON: {error}.") from error


def _rows(
    data: Mapping[str, object], key: str, what: str, notes: list[str] | None = None
) -> list[Row]:
    """Return the objects of a list; with ``notes``, what else is in it is counted there."""
    rows = data.get(key)
    listed = rows if isinstance(rows, Sequence) and not isinstance(rows, str | bytes) else None
    found = [row for row in listed or () if isinstance(row, Mapping)]
    n_lost = len(listed or ()) - len(found)
    if listed is None or (n_lost and (notes is None or not found)):
        raise DataError(f'The {what} has no list of "{key}", so it is not a COCO data set.')
    if n_lost and notes is not None:
        notes.append(f"Entries of the {key} that are not objects are left out: {n_lost}.")
    return found


def _each(rows: Sequence[Row], read: Callable[[Row], _Read], notes: list[str]) -> list[_Read]:
    """Return what is read of each row, the bad ones left out; DataError if all are bad."""
    found: list[_Read] = []
    first: DataError | None = None
    for row in rows:
        try:
            found.append(read(row))
        except DataError as error:
            first = first or error
            notes.append(f"{error} It is left out.")
    if first is not None and not found:
        raise first
    return found


def _first_of(listed: Sequence[tuple[int, _Read]], what: str, notes: list[str]) -> dict[int, _Read]:
    """Return what is listed by its id; of several with one id the first."""
    found: dict[int, _Read] = {}
    for own_id, value in listed:
        if own_id in found:
            notes.append(f"{what} {own_id} is listed twice; the first entry was kept.")
        found.setdefault(own_id, value)
    return found


def _numbered(listed: Sequence[tuple[int | None, Item]], notes: list[str]) -> tuple[Item, ...]:
    """Return true objects; one that lacks an id of its own gets a new one."""
    first_new = 1 + max((own_id for own_id, _ in listed if own_id is not None), default=0)
    next_id = first_new
    taken: set[int] = set()
    items = []
    for own_id, item in listed:
        if own_id is None or own_id in taken:
            items.append(replace(item, index=next_id))
            next_id += 1
        else:
            taken.add(own_id)
            items.append(item)
    if next_id > first_new:
        n_new = next_id - first_new
        notes.append(f"{n_new} annotations had no id of their own and were given new ones.")
    return tuple(items)


def _integer(row: Row, key: str, name: str) -> int:
    value = row.get(key)
    if type(value) is int:
        return value
    try:
        return whole(row, key)
    except FormatError:
        raise DataError(f'{name} has no whole number "{key}".') from None


def _own_id(row: Row) -> int | None:
    value = row.get("id")
    if type(value) is int:
        return value
    try:
        return whole(row, "id")
    except FormatError:
        return None


def _image(row: Row) -> ImageRef:
    name = f"Image {shown(row.get('id', '?'))} of the truth"
    width, height = _integer(row, "width", name), _integer(row, "height", name)
    if width < 1 or height < 1:
        raise DataError(f"{name} has the impossible size {width} x {height}.")
    file_name = row.get("file_name")
    is_named = isinstance(file_name, str) and bool(file_name)
    path = str(PurePosixPath(str(file_name).replace("\\", "/"))) if is_named else ""
    return ImageRef(_integer(row, "id", name), path, width, height)


def _category(row: Row) -> tuple[int, str]:
    own_id = _integer(row, "id", "A category of the truth")
    return own_id, _category_name(row, own_id)


def _category_name(row: Row, own_id: int) -> str:
    return shown(row.get("name") or f"category {own_id}")


def _images_by_name(rows: Sequence[Row], truth: Truth) -> dict[int, int]:
    """Map the predictions' image ids to the truth's; an image of unknown name maps to no id."""
    named = [
        (_integer(row, "id", "An image of the predictions"), str(row.get("file_name", "")))
        for row in rows
    ]
    return images_by_name(named, truth.images.values())


def _categories_by_name(rows: Sequence[Row], truth: Truth) -> dict[int, int]:
    by_name = {name: category_id for category_id, name in truth.categories.items()}
    own_ids = [_integer(row, "id", "A category of the predictions") for row in rows]
    named = [(k, _category_name(row, k)) for k, row in zip(own_ids, rows, strict=True)]
    return {own_id: by_name[name] for own_id, name in named if name in by_name}


def _mapped(row: Row, key: str, name: str, ids: Mapping[int, int] | None) -> int:
    value = _integer(row, key, name)
    if ids is None:
        return value
    if value not in ids:
        what = key.removesuffix("_id")
        raise DataError(f"The predictions use the {what} {value}, which the truth does not have.")
    return ids[value]


def _true_item(
    row: Row,
    own_id: int | None,
    images: Mapping[int, ImageRef],
    categories: Container[int],
    notes: list[str],
) -> Item:
    called = shown(row.get("id", "without an id")) if own_id is None else own_id
    name = f"Annotation {called} of the truth"
    image_id, category_id = _integer(row, "image_id", name), _integer(row, "category_id", name)
    _check_listed(image_id, category_id, name, "its", images, categories)
    image, segmentation = images[image_id], row.get("segmentation")
    rle = drawn_rle(segmentation, image, name) if segmentation else None
    try:
        bbox = _bbox(row, name)
    except DataError:
        bbox = None
    if rle is not None:
        mask = rle
    elif bbox is not None:
        mask = rectangle(bbox, image)
    else:
        raise DataError(f"{name} has neither a box nor a mask.")
    if rle is None and segmentation:
        notes.append(f"{name} keeps only its box: its mask covers no pixel.")
    # As pycocotools takes it: the file's own.
    area = _finite(row.get("area"))
    return Item(
        index=own_id or 0,
        image_id=image_id,
        category_id=category_id,
        bbox=bbox or box_of(mask),
        area=area_of(mask) if area is None else area,
        rle=mask,
        iscrowd=row.get("iscrowd") in (1, "1"),
        box_only=rle is None,
    )


def _found_item(
    row: Row, name: str, index: int, image_id: int, category_id: int, truth: Truth
) -> Item:
    _check_listed(image_id, category_id, name, "the truth's", truth.images, truth.categories)
    image, bbox = truth.images[image_id], _bbox(row, name)
    segmentation = row.get("segmentation")
    if segmentation:
        rle = to_rle(segmentation, image, name)
    elif bbox is not None:
        rle = rectangle(bbox, image)
    else:
        raise DataError(f"{name} has neither a box nor a mask.")
    return Item(
        index=index,
        image_id=image_id,
        category_id=category_id,
        bbox=bbox or box_of(rle),
        # As pycocotools takes it: the box's.
        area=area_of(rle) if bbox is None else bbox[2] * bbox[3],
        rle=rle,
        score=_number(row.get("score"), f'{name} has no "score".'),
        box_only=not segmentation,
    )


def _check_listed(
    image_id: int,
    category_id: int,
    name: str,
    whose: str,
    images: Container[int],
    categories: Container[int],
) -> None:
    if image_id not in images:
        raise DataError(f"{name} names the image {image_id}, which is not one of {whose} images.")
    if category_id not in categories:
        raise DataError(
            f"{name} names the category {category_id}, which is not one of {whose} categories."
        )


def _finite(value: object) -> float | None:
    # value - value is not zero for infinities and NaN.
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        return None
    return float(value)


def _number(value: object, complaint: str) -> float:
    number = _finite(value)
    if number is None:
        raise DataError(complaint)
    return number


def _bbox(row: Row, name: str) -> BoxTuple | None:
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
