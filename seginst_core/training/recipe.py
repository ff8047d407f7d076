"""What is done to learn from little data; every choice can be switched off to measure its worth."""

from dataclasses import dataclass
from typing import Literal

Optimiser = Literal["adamw", "sgd"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training recipe; docs/ablation.md says what its defaults stand on.

    ``object_centred`` is the part of crops placed around an object, the rest lies anywhere.
    ``scale_jitter`` enlarges and shrinks by up to this factor. ``right_angles`` turns and mirrors,
    ``colour`` varies brightness, contrast, gamma and balance. ``copy_paste`` is the part of crops
    into which objects of this or another image are pasted. ``typical_px`` is the side at which the
    network sees the data's typical object (0 = as it is). ``box_jitter`` shakes the nested U-Net's
    boxes by so many times the spread of a detector's. ``average_decay`` is that of the averaged
    weights (0 = no averaging), ``warm_up`` counts iterations, ``gradient_norm`` clips (0 = no
    clipping).
    """

    optimiser: Optimiser = "adamw"
    rate_factor: float = 1.0
    warm_up: int = 30
    average_decay: float = 0.99
    gradient_norm: float = 5.0
    object_centred: float = 0.8
    scale_jitter: float = 1.4
    right_angles: bool = True
    colour: bool = True
    copy_paste: float = 0.0
    typical_px: float = 64.0
    box_jitter: float = 1.0


DEFAULTS = Recipe()
