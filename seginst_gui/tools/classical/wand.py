"""Magic wand: click a region of like colour; drag right or up for more tolerance."""

import math

from seginst_core.masks.classical.flood import flood
from seginst_core.masks.geometry import subtract
from seginst_core.project.edits import Edit
from seginst_core.types import Mask
from seginst_gui.language import later, tr
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, Amount, Option, PlainTool, Pointer, Preview, Switch
from seginst_gui.tools.drawing import draw, redraw

START_TOLERANCE, MAX_TOLERANCE = 16, 255
TOLERANCE_STEP = 2


class WandTool(PlainTool):
    """Adds to the selected object, or makes a new one; Alt takes the region away instead."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.tolerance = START_TOLERANCE
        self.contiguous = True
        self.options: tuple[Option, ...] = (
            Amount(
                "tolerance",
                later("Tolerance"),
                0,
                MAX_TOLERANCE,
                lambda: self.tolerance,
                self.set_tolerance,
                tip=later("How far a channel may differ, 0 to 255, from the pixel clicked"),
            ),
            Switch(
                "contiguous",
                later("Connected"),
                lambda: self.contiguous,
                self.set_contiguous,
                later("Only pixels connected to the one clicked, or all of like colour"),
            ),
        )
        self._start: Pointer | None = None
        self._mask: Mask | None = None

    def press(self, pointer: Pointer) -> Edit | None:
        """Show the region."""
        self._start = pointer
        self._grow(self.tolerance)
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Change the tolerance by dragging: one level a few pixels of the screen."""
        if not held or self._start is None:
            return
        dragged = (pointer.x - self._start.x) - (pointer.y - self._start.y)
        self._grow(self.tolerance + round(dragged / max(self._start.reach_px, 1e-6)))

    def release(self, pointer: Pointer) -> Edit | None:
        """Add the region, or take it away."""
        self.move(pointer, held=True)
        start, mask = self._start, self._mask
        self._start, self._mask, self.preview = None, None, NOTHING
        if start is None or mask is None:
            return None
        if not start.alt:
            return draw(self.session, mask, "wand", more=tr("Add with the wand"), new=tr("Wand"))
        chosen = self.session.selected
        if len(chosen) != 1 or chosen[0].mask is None:
            return None
        left = subtract(chosen[0].mask, mask)
        return redraw(self.session, chosen[0], left, "wand", tr("Take away with the wand"))

    def cancel(self) -> bool:
        """Give up the region."""
        busy = self._start is not None
        self._start, self._mask, self.preview = None, None, NOTHING
        return busy

    def resize(self, steps: int) -> None:
        """Change the tolerance that clicks begin with."""
        self.set_tolerance(self.tolerance + TOLERANCE_STEP * steps)

    def set_tolerance(self, tolerance: float) -> None:
        """Set the tolerance that clicks begin with."""
        self.tolerance = min(max(round(tolerance), 0), MAX_TOLERANCE)
        self.changed()

    def set_contiguous(self, contiguous: bool) -> None:
        """Take only what is connected to the pixel clicked, or all that is alike."""
        self.contiguous = contiguous
        self.changed()

    def _grow(self, tolerance: int) -> None:
        start, picture = self._start, self.session.picture
        if start is None or picture is None:
            return
        tolerance = min(max(tolerance, 0), MAX_TOLERANCE)
        self._mask = flood(
            picture.pixels,
            math.floor(start.x),
            math.floor(start.y),
            tolerance,
            contiguous=self.contiguous,
        )
        self.preview = Preview(self._mask, erases=start.alt, colour=self.colour())
