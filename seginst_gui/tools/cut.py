"""Cut: drag a line through an object and get two."""

from seginst_core.masks.cut import cut
from seginst_core.project.edits import Edit
from seginst_core.types import Instance, Mask
from seginst_gui.language import tr
from seginst_gui.operations.shapes import split
from seginst_gui.tools.base import Colour, Pointer
from seginst_gui.tools.line import FreeLine, Line, meets

LINE_COLOUR = (255, 70, 70)


class CutTool(FreeLine):
    """Cuts the selected objects that the line divides; if it divides none, all that it does."""

    def release(self, pointer: Pointer) -> Edit | None:
        """Cut along the line."""
        line = self.take_line(pointer)
        if not line:
            return None
        found = self._divided(self.session.selected, line)
        found = found or self._divided(self.session.open_to_change, line)
        return split(self.session, found, tr("Cut {objects}"), tool="cut") if found else None

    def colour(self) -> Colour:
        """Return the colour of what hurts."""
        return LINE_COLOUR

    def _divided(
        self, instances: tuple[Instance, ...], line: Line
    ) -> list[tuple[Instance, list[Mask]]]:
        found = []
        for old in instances:
            if old.mask is None or not meets(line, old.box):
                continue
            pieces = cut(old.mask, line)
            if len(pieces) > 1:
                found.append((old, pieces))
        return found
