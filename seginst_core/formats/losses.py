"""What a data set holds that a format has no place for, in sentences."""

from collections.abc import Sequence, Set
from typing import Literal, TypeAlias

import cv2
import numpy as np

from seginst_core.masks.geometry import overlap
from seginst_core.types import PALETTE, Annotation, Dataset, Instance, Mask

Feature: TypeAlias = Literal[
    "ids", "colours", "supercategories", "scores", "crowds", "attributes", "empty classes"
]


def plain_losses(dataset: Dataset, keeps: Set[Feature]) -> list[str]:
    """Return a sentence for each thing in the data set that a format does not keep."""
    instances = [i for a in dataset.annotations.values() for i in a.instances]
    used = {instance.category_id for instance in instances}
    counts: dict[Feature, int] = {
        "ids": len(instances),
        "colours": sum(
            category.colour != PALETTE[k % len(PALETTE)]
            for k, category in enumerate(dataset.categories)
        ),
        "supercategories": sum(bool(category.supercategory) for category in dataset.categories),
        "scores": sum(instance.score is not None for instance in instances),
        "crowds": sum(instance.iscrowd for instance in instances),
        "attributes": sum(bool(instance.attributes) for instance in instances),
        "empty classes": sum(category.id not in used for category in dataset.categories),
    }
    texts: dict[Feature, str] = {
        "ids": "Ids are not kept: objects are numbered anew.",
        "colours": "Colours of classes are not kept: {}.",
        "supercategories": "Super-categories of classes are not kept: {}.",
        "scores": "Scores of objects are not kept: {}.",
        "crowds": "Crowd marks of objects are not kept: {}.",
        "attributes": "Attributes of objects are not kept: {}.",
        "empty classes": "Classes without an object are not kept: {}.",
    }
    return [
        texts[name].format(count) for name, count in counts.items() if count and name not in keeps
    ]


def painted_order(annotation: Annotation) -> list[Instance]:
    """Return the instances with masks, large to small: small ones are painted over large ones."""
    masked = [instance for instance in annotation.instances if instance.mask is not None]
    return sorted(masked, key=lambda i: (-i.mask.area if i.mask is not None else 0, i.id))


def covered(order: Sequence[Instance]) -> list[Instance]:
    """Return the instances that lose pixels when all are painted into one picture in this order."""
    masks = [instance.mask for instance in order if instance.mask is not None]
    edges = np.array([(m.x0, m.y0, m.x1, m.y1) for m in masks], np.int64).reshape(-1, 4)
    lost = []
    for k, mask in enumerate(masks):
        later = edges[k + 1 :]
        near = np.flatnonzero(
            (later[:, 0] < mask.x1)
            & (later[:, 2] > mask.x0)
            & (later[:, 1] < mask.y1)
            & (later[:, 3] > mask.y0)
        )
        if any(overlap(mask, masks[k + 1 + j]) for j in near.tolist()):
            lost.append(order[k])
    return lost


def has_holes(mask: Mask) -> bool:
    """Whether a mask's outline has inner rings; what parts that touch at corners enclose is none.

    Tells the same as its outlines, in a small part of the time.
    """
    outside = np.pad(~mask.bits, 1, constant_values=True)
    n_labels, _ = cv2.connectedComponents(outside.astype(np.uint8), connectivity=8)
    # Label 0 is the mask itself, 1 what is around it.
    return n_labels > 2
