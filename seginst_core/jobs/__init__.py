"""Use cases: the only place where project, pipelines, training and review meet.

The worker runs a job by its name in ``JOBS``; the command line calls the same functions. Nothing
here imports torch before a job needs it.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.boxes import box_masks
from seginst_core.jobs.exchange import add_detectron2, export_detectron2
from seginst_core.jobs.learning.fine_tune import fine_tune
from seginst_core.jobs.learning.looks import image_looks
from seginst_core.jobs.learning.refresh import refresh_masks
from seginst_core.jobs.predict import predict
from seginst_core.jobs.review.measure import compare, evaluate
from seginst_core.jobs.review.true_boxes import true_box_masks
from seginst_core.jobs.train import train

Job: TypeAlias = Callable[[Mapping[str, JsonValue], Reporter], Mapping[str, JsonValue]]

JOBS: Mapping[str, Job] = {
    "predict": predict,
    "box_masks": box_masks,
    "train": train,
    "fine_tune": fine_tune,
    "image_looks": image_looks,
    "refresh_masks": refresh_masks,
    "evaluate": evaluate,
    "compare": compare,
    "true_box_masks": true_box_masks,
    "add_detectron2": add_detectron2,
    "export_detectron2": export_detectron2,
}
