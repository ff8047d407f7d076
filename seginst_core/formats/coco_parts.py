"""The parts of a COCO file, each checked as it is read."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeAlias, cast

from seginst_core.errors import FormatError
from seginst_core.lenient import MAX_WHOLE, shortened, shown, whole
from seginst_core.masks.polygons import rings_of, to_runs
from seginst_core.masks.rle import MAX_PIXELS, Rle, compress
from seginst_core.types import PALETTE, Box, Category, ImageRef, Instance, Mask, Origin

Table: TypeAlias = dict[str, object]

_IMPORTED = Origin("import")


@dataclass(frozen=True, slots=True)
class CocoFile:
    """A COCO file without pixels; its images and categories are by id.

    An annotation is known by its place: ``annotations[place]`` is its object as the file has it,
    with a segmentation that nobody has looked at, and ``ids``, ``image_ids`` and ``category_ids``
    say what is checked of it. Its image and category are listed; its id is None if the file has no
    whole number there. ``by_id`` is the first place with an id, ``by_image`` the places in each
    image, none for an image without annotations. ``next_id`` is above all ids of the file.

    ``remarks`` are sentences on all but single annotations; ``skipped`` are those on annotations
    left out, each with the place of the next one that was kept.
    """

    images: Mapping[int, ImageRef]
    categories: Mapping[int, Category]
    annotations: Sequence[Table]
    ids: Sequence[int | None]
    image_ids: Sequence[int]
    category_ids: Sequence[int]
    by_id: Mapping[int, int]
    by_image: Mapping[int, Sequence[int]]
    next_id: int
    remarks: tuple[str, ...]
    skipped: tuple[tuple[int, str], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was left out, the last of too many summed up."""
        return shortened([*self.remarks, *(words for _, words in self.skipped)])


def name_of(item: Table) -> str:
    """Return how an annotation is called in a sentence."""
    return shown(item.get("id", "without an id"))


def skipped(item: Table, why: FormatError) -> str:
    """Return the sentence on an annotation that is left out."""
    return f"Annotation {name_of(item)} was skipped: {why}."


def tables(value: object, what: str, notes: list[str]) -> list[Table]:
    """Return the objects of a list; anything else in it is left out and counted in a note."""
    items = value if isinstance(value, list) else []
    found = [item for item in items if isinstance(item, dict)]
    if len(found) < len(items):
        n_lost = len(items) - len(found)
        notes.append(f"Entries of the {what} that are not objects were skipped: {n_lost}.")
    return found


def parse_images(items: Sequence[Table], file_name: str, notes: list[str]) -> tuple[ImageRef, ...]:
    """Read the images; FormatError if one names a file outside the images folder."""
    images: dict[int, ImageRef] = {}
    for item in items:
        try:
            image = _image(item)
        except FormatError as error:
            notes.append(f"Image {shown(item.get('id', '?'))} was skipped: {error}.")
            continue
        if not stays_inside(image.path):
            raise FormatError(
                f"{file_name} names a file outside the images folder: {shown(image.path)} "
                f"(image {image.id})."
            )
        if image.id in images:
            notes.append(f"Image {image.id} is listed twice; the first entry was kept.")
            continue
        images[image.id] = image
    return tuple(images.values())


def _image(item: Table) -> ImageRef:
    image_id = whole(item, "id")
    # LVIS names its images by their address alone.
    name = item.get("file_name") or str(item.get("coco_url") or "").rpartition("/")[2]
    if not isinstance(name, str) or not name:
        raise FormatError("it has no file_name")
    width, height = whole(item, "width"), whole(item, "height")
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise FormatError(f"its size is {width} × {height}")
    return ImageRef(image_id, str(PurePosixPath(name.replace("\\", "/"))), width, height)


def stays_inside(path: str) -> bool:
    """Whether a relative path can never leave its folder."""
    pure = PurePosixPath(path)
    windows = PureWindowsPath(path)
    absolute = pure.is_absolute() or windows.drive or windows.root
    return bool(pure.name) and not absolute and ".." not in pure.parts and "\0" not in path


def parse_categories(items: Sequence[Table], notes: list[str]) -> tuple[Category, ...]:
    """Read the categories; one without a usable colour gets the palette's next."""
    categories: dict[int, Category] = {}
    for item in items:
        try:
            category_id = whole(item, "id")
        except FormatError as error:
            notes.append(f"Category {shown(item.get('name', '?'))} was skipped: {error}.")
            continue
        if category_id in categories:
            notes.append(f"Category {category_id} is listed twice; the first entry was kept.")
            continue
        fallback = PALETTE[len(categories) % len(PALETTE)]
        categories[category_id] = Category(
            category_id,
            shown(item.get("name") or f"category {category_id}"),
            _colour(item.get("color")) or fallback,
            shown(item.get("supercategory") or ""),
        )
    return tuple(categories.values())


def index(
    images: Mapping[int, ImageRef],
    categories: Mapping[int, Category],
    items: Sequence[Table],
    remarks: tuple[str, ...],
) -> CocoFile:
    """Check the annotations' ids and references and find them by id and by image."""
    ids: Sequence[int | None] = _plain_wholes(items, "id") or [_own_id(item) for item in items]
    next_id = max((i for i in ids if i is not None), default=0) + 1
    said: list[tuple[int, str]] = []
    places = _plain_places(items, images, categories)
    if places is None:
        kept: list[int] = []
        places = [], []
        for k, item in enumerate(items):
            try:
                image, category_id = parse_place(item, images, categories)
            except FormatError as error:
                said.append((len(kept), skipped(item, error)))
                continue
            kept.append(k)
            places[0].append(image.id)
            places[1].append(category_id)
        items, ids = [items[k] for k in kept], [ids[k] for k in kept]
    by_id: dict[int, int] = {}
    by_image: dict[int, list[int]] = {image_id: [] for image_id in images}
    for place, (own_id, image_id) in enumerate(zip(ids, places[0], strict=True)):
        by_image[image_id].append(place)
        if own_id is not None:
            by_id.setdefault(own_id, place)
    return CocoFile(
        images, categories, items, ids, *places, by_id, by_image, next_id, remarks, tuple(said)
    )


def _plain_places(
    items: Sequence[Table], images: Mapping[int, ImageRef], categories: Mapping[int, Category]
) -> tuple[list[int], list[int]] | None:
    """Return the image ids and the category ids; None if ``parse_place`` has to look at each."""
    image_ids, category_ids = _plain_wholes(items, "image_id"), _plain_wholes(items, "category_id")
    if image_ids is None or category_ids is None:
        return None
    are_listed = images.keys() >= set(image_ids) and categories.keys() >= set(category_ids)
    return (image_ids, category_ids) if are_listed else None


def _plain_wholes(items: Sequence[Table], key: str) -> list[int] | None:
    """Return what ``whole`` does of each item; None if any is absent or spelled another way.

    All at once: item by item, a large file's numbers would take longer than its parsing.
    """
    try:
        values = list(map(itemgetter(key), items))
    except KeyError:
        return None
    if not set(map(type, values)) <= {int}:
        return None
    found = cast(list[int], values)
    return found if not found or -MAX_WHOLE <= min(found) <= max(found) <= MAX_WHOLE else None


def _own_id(item: Table) -> int | None:
    try:
        return whole(item, "id")
    except FormatError:
        return None


def parse_place(
    item: Table, images: Mapping[int, ImageRef], categories: Container[int]
) -> tuple[ImageRef, int]:
    """Return the image and the category's id of an annotation; FormatError if not listed."""
    image_id, category_id = whole(item, "image_id"), whole(item, "category_id")
    if image_id not in images:
        raise FormatError(f"its image {image_id} is not listed")
    if category_id not in categories:
        raise FormatError(f"its category {category_id} is not listed")
    return images[image_id], category_id


def parse_instance(
    item: Table, instance_id: int, image: ImageRef, category_id: int, mask: Mask | None
) -> Instance:
    """Read the rest of an annotation, whose tight mask is known. FormatError if it has no box."""
    if mask is None:
        box = _box(item.get("bbox"), image)
    else:
        box = Box(float(mask.x0), float(mask.y0), float(mask.x1), float(mask.y1))
    if box is None:
        raise FormatError("it has neither a mask nor a box inside its image")
    return Instance(
        id=instance_id,
        category_id=category_id,
        box=box,
        mask=mask,
        score=_number(item.get("score")),
        iscrowd=item.get("iscrowd") in (1, "1"),
        origin=_IMPORTED,
        attributes=parse_attributes(item.get("attributes")),
    )


def parse_attributes(value: object) -> dict[str, str]:
    """Return attributes as texts: what is none, such as false, stays as JSON writes it, whole."""
    if not isinstance(value, dict):
        return {}
    try:
        return {
            str(key): held if isinstance(held, str) else json.dumps(held, ensure_ascii=False)
            for key, held in value.items()
        }
    except RecursionError as error:
        raise FormatError("one of its attributes is too deep") from error


def parse_runs(segmentation: object, image: ImageRef) -> Rle | None:
    """Return a segmentation as compressed RLE, its text not yet checked; None if there is none."""
    if not segmentation:
        return None
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if size != [image.height, image.width]:
            raise FormatError(
                f"its RLE has size {shown(size)} where its image has {[image.height, image.width]}"
            )
        if isinstance(counts, str):
            return {"size": [image.height, image.width], "counts": counts}
        return compress(segmentation)
    if not isinstance(segmentation, list):
        raise FormatError("its segmentation is neither polygons nor an RLE")
    return to_runs(rings_of(segmentation), image.width, image.height)


def _box(value: object, image: ImageRef) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    x, y, w, h = (_number(v) for v in value)
    if x is None or y is None or w is None or h is None:
        return None
    x0, y0 = max(x, 0.0), max(y, 0.0)
    x1, y1 = min(x + w, float(image.width)), min(y + h, float(image.height))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _number(value: object) -> float | None:
    """Return a number that is neither NaN nor beyond all sense, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MAX_WHOLE else None


def _colour(value: object) -> tuple[int, int, int] | None:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(v, int) for v in value):
        red, green, blue = (min(max(int(v), 0), 255) for v in value)
        return red, green, blue
    return None
