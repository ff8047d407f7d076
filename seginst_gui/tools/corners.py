"""Corners: drag the corners of an object that is there; the rest of its outline stays exact."""

from seginst_core.masks.corners import Ring, move_knot, rings, sides, with_knot
from seginst_core.project.edits import Edit
from seginst_core.types import Instance, Mask
from seginst_gui.language import tr
from seginst_gui.operations import stack_at
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview
from seginst_gui.tools.drawing import redraw
from seginst_gui.tools.polygon import near

MIN_TOLERANCE_PX = 1.5
"""Steps of slanting edges are no corners: they lie within this."""


class CornersTool(PlainTool):
    """Works on the one selected object; a click selects another one.

    Dragging a side makes a new corner of it; Alt takes a corner away.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._mask: Mask | None = None
        self._tolerance_px = MIN_TOLERANCE_PX
        self._rings: list[Ring] = []
        self._held: tuple[Instance, Ring, int] | None = None

    def press(self, pointer: Pointer) -> Edit | None:
        """Take hold of a corner, or of a side; elsewhere select what is there."""
        old = self._look(pointer)
        held = None if old is None else self._at(pointer)
        if old is None or held is None:
            self._select_at(pointer)
            return None
        if pointer.alt:
            return self._moved(old, *held, None)
        self._held = (old, *held)
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Show the corners, and the sides of the one that is dragged."""
        if not held or self._held is None:
            self._look(pointer)
            self.preview = Preview(knots=tuple(c for r in self._rings for c in r.corners()))
            return
        _, ring, place = self._held
        before, after = sides(ring, place)
        here = (pointer.x, pointer.y)
        others = tuple(c for c in ring.corners() if c != ring.corners()[place])
        self.preview = Preview(path=(before, here, after), knots=(*others, here))

    def release(self, pointer: Pointer) -> Edit | None:
        """Put the corner here; a click that moved nothing changes nothing."""
        held = self._held
        self.cancel()
        if held is None:
            return None
        old, ring, place = held
        here = (pointer.x, pointer.y)
        still = near(ring.corners()[place], here, pointer.reach_px / 2)
        return None if still else self._moved(old, ring, place, here)

    def cancel(self) -> bool:
        """Let go of the corner."""
        busy, self._held = self._held is not None, None
        self.preview = NOTHING
        return busy

    def _look(self, pointer: Pointer) -> Instance | None:
        """Return the selected object, with its rings as coarse as the view of them."""
        chosen = self.session.selected
        old = chosen[0] if len(chosen) == 1 else None
        mask = old.mask if old is not None else None
        tolerance_px = max(MIN_TOLERANCE_PX, pointer.reach_px / 3)
        if mask is not self._mask or tolerance_px != self._tolerance_px:
            self._mask, self._tolerance_px = mask, tolerance_px
            self._rings = [] if mask is None else rings(mask, tolerance_px)
        return old if mask is not None else None

    def _at(self, pointer: Pointer) -> tuple[Ring, int] | None:
        """Return the corner in reach, or a new one on the side in reach."""
        here = (pointer.x, pointer.y)
        for ring in self._rings:
            for place, corner in enumerate(ring.corners()):
                if near(corner, here, pointer.reach_px):
                    return ring, place
        for ring in () if pointer.alt else self._rings:
            more, distance_px = with_knot(ring, *here)
            if distance_px <= pointer.reach_px:
                corners = more.corners()
                nearest = min(corners, key=lambda c: (c[0] - here[0]) ** 2 + (c[1] - here[1]) ** 2)
                return more, corners.index(nearest)
        return None

    def _select_at(self, pointer: Pointer) -> None:
        stack = stack_at(self.seen(), pointer.x, pointer.y)
        self.session.select(i.id for i in stack[:1])

    def _moved(
        self, old: Instance, ring: Ring, place: int, to: tuple[float, float] | None
    ) -> Edit | None:
        image = self.session.image
        if old.mask is None or image is None:
            return None
        mask = move_knot(old.mask, ring, place, to, image.width, image.height)
        text = tr("Take a corner away") if to is None else tr("Move a corner")
        return redraw(self.session, old, mask, "corners", text)
