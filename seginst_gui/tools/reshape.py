"""Reshape: draw a part of an object's outline anew, whether that adds to it or takes away."""

from collections.abc import Iterator

from seginst_core.masks.geometry import distance
from seginst_core.masks.reshape import reshape
from seginst_core.project.edits import Edit
from seginst_core.types import Instance
from seginst_gui.language import tr
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview
from seginst_gui.tools.drawing import redraw


class ReshapeTool(PlainTool):
    """Changes the selected object; if the line does not, the one nearest to where it begins."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._line: list[tuple[float, float]] = []

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin the line."""
        self._line = [(pointer.x, pointer.y)]
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Go on with the line; with Shift it stays straight."""
        if not held or not self._line:
            return
        here = (pointer.x, pointer.y)
        self._line = [self._line[0], here] if pointer.shift else [*self._line, here]
        category = self.session.category
        colour = category.colour if category else (255, 255, 255)
        self.preview = Preview(path=tuple(self._line), colour=colour)

    def release(self, pointer: Pointer) -> Edit | None:
        """Let the outline run along the line."""
        self.move(pointer, held=True)
        line, image = self._line, self.session.image
        self.cancel()
        if len(line) < 2 or image is None:
            return None
        for old in self._candidates(line, pointer.reach_px):
            assert old.mask is not None
            mask = reshape(old.mask, line, image.width, image.height, reach_px=pointer.reach_px)
            if mask is not None:
                return redraw(self.session, old, mask, "reshape", tr("Reshape"))
        return None

    def cancel(self) -> bool:
        """Give up the line."""
        busy, self._line = bool(self._line), []
        self.preview = NOTHING
        return busy

    def _candidates(self, line: list[tuple[float, float]], reach_px: float) -> Iterator[Instance]:
        """Yield the objects that a line may be meant for, the likeliest first."""
        yield from (one for one in self.session.selected if one.mask is not None)
        x0, x1 = min(x for x, _ in line) - reach_px, max(x for x, _ in line) + reach_px
        y0, y1 = min(y for _, y in line) - reach_px, max(y for _, y in line) + reach_px
        near = []
        for one in self.session.open_to_change:
            box = one.box
            apart = box.x0 > x1 or box.x1 < x0 or box.y0 > y1 or box.y1 < y0
            if one.mask is not None and not apart:
                near.append((distance(one.mask, *line[0]), one.mask.area, one.id, one))
        yield from (one for *_, one in sorted(near, key=lambda found: found[:3]))
