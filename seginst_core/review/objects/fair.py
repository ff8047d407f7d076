"""Which annotated objects may score a model, and which of them began as its own drawing."""

from collections.abc import Collection
from dataclasses import replace

from seginst_core.types import Dataset, Instance


def for_scoring(dataset: Dataset, models: Collection[str]) -> tuple[Dataset, int]:
    """Return a data set that may score models, and how many objects it does not count.

    What one of them drew and what was accepted without a look at it becomes a crowd: finding it is
    no merit, and missing it no mistake. ``models`` are cards' ids.
    """
    n_left_out = 0

    def fair(instance: Instance) -> Instance:
        nonlocal n_left_out
        if instance.origin.vouched or instance.origin.model not in models:
            return instance
        n_left_out += 1
        return replace(instance, iscrowd=True)

    annotations = {
        image_id: replace(annotation, instances=tuple(map(fair, annotation.instances)))
        for image_id, annotation in dataset.annotations.items()
    }
    return replace(dataset, annotations=annotations), n_left_out


def begun_by(dataset: Dataset, models: Collection[str]) -> list[int]:
    """Return the ids of objects whose masks models drew first, whatever was corrected since."""
    return [
        instance.id
        for annotation in dataset.annotations.values()
        for instance in annotation.instances
        if instance.origin.model in models
    ]
