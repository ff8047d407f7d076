"""How a case is drawn: predictions in their side's colour, the truth white, differences filled."""

from functools import cache

from seginst_core.types import PipelineName
from seginst_gui.canvas.looks import PIPELINE_COLOURS
from seginst_gui.canvas.render import Band, Colour, Look, tint

TRUTH: Colour = (255, 255, 255)
MISSING: Colour = (255, 196, 0)
"""Pixels of the truth that the prediction lacks."""
SURPLUS: Colour = (255, 60, 60)
"""Pixels of the prediction that the truth lacks."""
_DARK: Colour = (0, 0, 0)


@cache
def beside(pipeline: PipelineName) -> Look:
    """Return the look of a prediction that is not in focus."""
    colour = PIPELINE_COLOURS[pipeline]
    return Look(tint(colour, 0.12), (Band(-1, 0, tint(colour, 0.75)),))


@cache
def focused(pipeline: PipelineName) -> Look:
    """Return the look of the prediction in focus."""
    colour = PIPELINE_COLOURS[pipeline]
    line = Band(-1, 1, tint(colour, 1.0))
    return Look(tint(colour, 0.22), (line,), (Band(1, 2, tint(_DARK, 0.5)),), rank=1)


@cache
def truth_beside() -> Look:
    """Return the outline of a true object that is not in focus."""
    return Look(0, (Band(0, 1, tint(TRUTH, 0.55)),))


@cache
def truth_focused() -> Look:
    """Return the outline of the true object in focus."""
    line = Band(0, 2, tint(TRUTH, 1.0))
    return Look(0, (line,), (Band(2, 3, tint(_DARK, 0.6)),), rank=1)


@cache
def difference(colour: Colour) -> Look:
    """Return the look of pixels that are in one mask only."""
    return Look(tint(colour, 0.6), ())
