"""Reshape: draw a part of an object's outline anew, whether that adds to it or takes away."""

from collections.abc import Iterator

from seginst_core.masks.geometry import distance
from seginst_core.masks.reshape import reshape
from seginst_core.project.edits import Edit
from seginst_core.types import Instance
from seginst_gui.language import tr
from seginst_gui.tools.base import Pointer
from seginst_gui.tools.drawing import redraw
from seginst_gui.tools.line import FreeLine, Line, meets


class ReshapeTool(FreeLine):
    """Changes the selected object; if the line does not, the one nearest to where it begins."""

    def release(self, pointer: Pointer) -> Edit | None:
        """Let the outline run along the line."""
        line, image = self.take_line(pointer), self.session.image
        if not line or image is None:
            return None
        for old in self._candidates(line, pointer.reach_px):
            assert old.mask is not None
            mask = reshape(old.mask, line, image.width, image.height, reach_px=pointer.reach_px)
            if mask is not None:
                return redraw(self.session, old, mask, "reshape", tr("Reshape"))
        return None

    def _candidates(self, line: Line, reach_px: float) -> Iterator[Instance]:
        """Yield the objects that a line may be meant for, the likeliest first."""
        yield from (one for one in self.session.selected if one.mask is not None)
        near = [
            (distance(one.mask, *line[0]), one.mask.area, one.id, one)
            for one in self.session.open_to_change
            if one.mask is not None and meets(line, one.box, reach_px)
        ]
        yield from (one for *_, one in sorted(near, key=lambda found: found[:3]))
