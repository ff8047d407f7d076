"""What there is to learn from: whole images that are done, or the objects that were corrected."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from seginst_core.project.catalogue import ImageEntry
from seginst_core.types import Dataset, Instance


def split(dataset: Dataset, held_out: Mapping[int, bool]) -> tuple[Dataset, Dataset]:
    """Return the images to train on, and those held out; one without a side is trained on."""
    return (
        _part(dataset, lambda image_id: not held_out.get(image_id, False)),
        _part(dataset, lambda image_id: held_out.get(image_id, False)),
    )


def without(dataset: Dataset, image_ids: Collection[int]) -> Dataset:
    """Return a data set without some of its images."""
    return _part(dataset, lambda image_id: image_id not in image_ids)


def there(dataset: Dataset, entries: Iterable[ImageEntry]) -> Dataset:
    """Return a data set without the images whose files are gone."""
    return without(dataset, {entry.ref.id for entry in entries if entry.missing})


def corrections(dataset: Dataset, held_out: Mapping[int, bool]) -> tuple[Dataset, Dataset]:
    """Return the corrected objects to train on, and those held out; images without any are gone.

    ``held_out`` are the sides with the drafts' (``Learning.sides_with_drafts``); the caller freezes
    those that are learned from (``Learning.train_on``) before a model sees them.
    """
    kept = {
        image_id: replace(a, instances=tuple(i for i in a.instances if is_corrected(i)))
        for image_id, a in dataset.annotations.items()
    }
    some = {image_id: a for image_id, a in kept.items() if a.instances}
    images = tuple(ref for ref in dataset.images if ref.id in some)
    return split(replace(dataset, images=images, annotations=some), held_out)


def is_corrected(instance: Instance) -> bool:
    """Whether a person drew or changed an object's mask; one that was only accepted is not."""
    origin = instance.origin
    return instance.mask is not None and (origin.kind == "human" or origin.edited)


def newest(dataset: Dataset, n: int) -> Dataset:
    """Return a data set with its ``n`` newest objects (those of the highest ids) alone."""
    ids = sorted(i.id for a in dataset.annotations.values() for i in a.instances)
    if len(ids) <= n:
        return dataset
    first = ids[-n]
    kept = {
        k: replace(a, instances=tuple(i for i in a.instances if i.id >= first))
        for k, a in dataset.annotations.items()
    }
    part = _part(dataset, lambda image_id: bool(kept[image_id].instances))
    return replace(part, annotations={k: kept[k] for k in part.annotations})


def n_objects(dataset: Dataset) -> int:
    """Return how many objects a data set holds."""
    return sum(len(a.instances) for a in dataset.annotations.values())


def _part(dataset: Dataset, wanted: Callable[[int], bool]) -> Dataset:
    return replace(
        dataset,
        images=tuple(ref for ref in dataset.images if wanted(ref.id)),
        annotations={k: a for k, a in dataset.annotations.items() if wanted(k)},
    )
