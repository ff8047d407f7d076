"""Cut: drag a line through an object and get two."""

from seginst_core.masks.cut import cut
from seginst_core.project.edits import Edit
from seginst_core.types import Instance, Mask
from seginst_gui.language import tr
from seginst_gui.operations.shapes import split
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview

LINE_COLOUR = (255, 70, 70)


class CutTool(PlainTool):
    """Cuts the selected objects that the line divides; if it divides none, all that it does."""

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
        self.preview = Preview(path=tuple(self._line), colour=LINE_COLOUR)

    def release(self, pointer: Pointer) -> Edit | None:
        """Cut along the line."""
        self.move(pointer, held=True)
        line = self._line
        self.cancel()
        if len(line) < 2:
            return None
        found = self._divided(self.session.selected, line)
        found = found or self._divided(self.session.open_to_change, line)
        return split(self.session, found, tr("Cut {objects}"), tool="cut") if found else None

    def cancel(self) -> bool:
        """Give up the line."""
        busy, self._line = bool(self._line), []
        self.preview = NOTHING
        return busy

    def _divided(
        self, instances: tuple[Instance, ...], line: list[tuple[float, float]]
    ) -> list[tuple[Instance, list[Mask]]]:
        x0, x1 = min(x for x, _ in line), max(x for x, _ in line)
        y0, y1 = min(y for _, y in line), max(y for _, y in line)
        found = []
        for old in instances:
            box = old.box
            apart = box.x0 > x1 or box.x1 < x0 or box.y0 > y1 or box.y1 < y0
            if old.mask is None or apart:
                continue
            pieces = cut(old.mask, line)
            if len(pieces) > 1:
                found.append((old, pieces))
        return found
