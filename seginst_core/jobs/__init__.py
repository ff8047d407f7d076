"""Use cases: the only place where project, pipelines, training and review meet.

The worker runs a job by its name in ``JOBS``; the command line calls the same functions. Nothing
here imports torch before a job needs it.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.boxes import box_masks
from seginst_core.jobs.predict import predict
from seginst_core.jobs.review import compare, evaluate
from seginst_core.jobs.train import train

Job: TypeAlias = Callable[[Mapping[str, JsonValue], Reporter], Mapping[str, JsonValue]]

JOBS: Mapping[str, Job] = {
    "predict": predict,
    "box_masks": box_masks,
    "train": train,
    "evaluate": evaluate,
    "compare": compare,
}
