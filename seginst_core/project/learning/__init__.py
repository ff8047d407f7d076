"""What a project knows of learning: hold-out, runs, live models, and what there is to learn."""

from seginst_core.project.learning.rows import (
    UNFINISHED,
    Learning,
    LiveModel,
    Run,
    RunKind,
    RunState,
)

__all__ = ["UNFINISHED", "Learning", "LiveModel", "Run", "RunKind", "RunState"]
