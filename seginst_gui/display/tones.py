"""Brightness, contrast and gamma as one table from 256 values to 256."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from seginst_gui.display.settings import Tone

ToneTable = npt.NDArray[np.uint8]


@lru_cache(maxsize=8)
def tone_table(tone: Tone) -> ToneTable | None:
    """Return the table of a tone; None where every value stays as it is.

    Gamma comes first; contrast then turns the line about the middle gray, from level at -1 to
    upright at 1; brightness moves it by up to the whole range.
    """
    if tone == Tone():
        return None
    shown = np.linspace(0.0, 1.0, 256) ** (1.0 / tone.gamma)
    slope = math.tan((min(tone.contrast, 0.98) + 1.0) * math.pi / 4.0)
    shown = (shown - 0.5) * slope + 0.5 + tone.brightness
    table: ToneTable = np.rint(np.clip(shown, 0.0, 1.0) * 255.0).astype(np.uint8)
    table.flags.writeable = False
    return table
