"""What was found for each image, under the names of classes, made a data set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from seginst_core.lenient import shortened
from seginst_core.types import PALETTE, Annotation, Category, Dataset, ImageRef, Instance

Found = dict[str, tuple[ImageRef, list[tuple[str, Instance]]]]
"""By the path of an image: the image, and its objects with the names of their classes."""


def gathered(
    found: Mapping[str, tuple[ImageRef, Sequence[tuple[str, Instance]]]],
    listed: Iterable[str],
    notes: list[str],
) -> Dataset:
    """Return the data set; the ``listed`` classes come first, in their order."""
    labels = {label for _, objects in found.values() for label, _ in objects}
    names = dict.fromkeys((*listed, *sorted(labels)))
    categories = tuple(
        Category(k, name, PALETTE[(k - 1) % len(PALETTE)]) for k, name in enumerate(names, 1)
    )
    ids = {category.name: category.id for category in categories}
    annotations = {
        image.id: Annotation(
            image.id,
            tuple(replace(one, category_id=ids[label]) for label, one in objects),
            "done",
        )
        for image, objects in found.values()
        if objects
    }
    refs = tuple(image for image, _ in found.values())
    return Dataset(refs, categories, annotations, shortened(notes))
