"""Select: click an object, the smallest under the pointer first; drag a rectangle over several."""

from seginst_core.project.edits import Edit
from seginst_core.types import PIPELINES, Box
from seginst_gui.operations import stack_at
from seginst_gui.session import Proposal, Session
from seginst_gui.tools.base import NOTHING, Cursor, PlainTool, Pointer, Preview


class SelectTool(PlainTool):
    """Shift adds to the selection; a predicted object is selected where no annotated one lies."""

    cursor: Cursor = "arrow"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._start: Pointer | None = None

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin a click or a rectangle."""
        self._start = pointer
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Stretch the rectangle."""
        if held and self._start is not None and not _is_click(self._start, pointer):
            self.preview = Preview(box=_box(self._start, pointer))

    def release(self, pointer: Pointer) -> Edit | None:
        """Select what was clicked, or all that lies in the rectangle."""
        start, self._start = self._start, None
        self.preview = NOTHING
        if start is None:
            return None
        if _is_click(start, pointer):
            self._click(pointer)
            return None
        within = _box(start, pointer)
        found = {i.id for i in self.session.open_to_change if _inside(i.box, within)}
        self.session.select(found | self.session.selection if start.shift else found)
        return None

    def cancel(self) -> bool:
        """Give up the rectangle."""
        busy, self._start = self._start is not None, None
        self.preview = NOTHING
        return busy

    def _click(self, pointer: Pointer) -> None:
        hit = next(iter(stack_at(self.seen(), pointer.x, pointer.y)), None)
        chosen = self.session.selection
        if hit is not None:
            one = frozenset({hit.id})
            self.session.select(chosen ^ one if pointer.shift else one)
            return
        for pipeline in PIPELINES:
            if self.session.layers.shows(pipeline):
                found = stack_at(self.session.proposals(pipeline), pointer.x, pointer.y)
                if found:
                    self.session.select_proposal(Proposal(pipeline, found[0].id))
                    return
        if not pointer.shift:
            self.session.select(())


def _is_click(a: Pointer, b: Pointer) -> bool:
    return abs(a.x - b.x) <= a.reach_px and abs(a.y - b.y) <= a.reach_px


def _box(a: Pointer, b: Pointer) -> Box:
    return Box(min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y))


def _inside(inner: Box, outer: Box) -> bool:
    return (
        outer.x0 <= inner.x0
        and outer.y0 <= inner.y0
        and inner.x1 <= outer.x1
        and inner.y1 <= outer.y1
    )
