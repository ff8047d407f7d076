"""A line drawn by hand: what the tools that work along one have in common."""

from seginst_core.project.edits import Edit
from seginst_core.types import Box
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview

Line = list[tuple[float, float]]


class FreeLine(PlainTool):
    """Draws and shows a line; with Shift it stays straight."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._line: Line = []

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin the line."""
        self._line = [(pointer.x, pointer.y)]
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Go on with the line."""
        if not held or not self._line:
            return
        here = (pointer.x, pointer.y)
        self._line = [self._line[0], here] if pointer.shift else [*self._line, here]
        self.preview = Preview(path=tuple(self._line), colour=self.colour())

    def cancel(self) -> bool:
        """Give up the line."""
        busy, self._line = bool(self._line), []
        self.preview = NOTHING
        return busy

    def take_line(self, pointer: Pointer) -> Line:
        """End the drag; return its line, empty if it is only a point."""
        self.move(pointer, held=True)
        line = self._line
        self.cancel()
        return line if len(line) > 1 else []


def meets(line: Line, box: Box, reach_px: float = 0.0) -> bool:
    """Whether a line comes as near as that to a box, as far as its own box tells."""
    x0, x1 = min(x for x, _ in line) - reach_px, max(x for x, _ in line) + reach_px
    y0, y1 = min(y for _, y in line) - reach_px, max(y for _, y in line) + reach_px
    return box.x0 <= x1 and box.x1 >= x0 and box.y0 <= y1 and box.y1 >= y0
