"""Box: drag around an object; a loaded two-stage model's nested U-Net draws the mask in it."""

from seginst_core.project.edits import Edit
from seginst_core.types import Box
from seginst_gui.language import tr
from seginst_gui.session import Session
from seginst_gui.tools.base import NOTHING, PlainTool, Pointer, Preview
from seginst_gui.tools.drawing import new_box

MIN_SIDE_PX = 2.0


class BoxTool(PlainTool):
    """Adds an object that is only a box yet; the window asks the model for its mask then."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._start: Pointer | None = None

    def press(self, pointer: Pointer) -> Edit | None:
        """Set the first corner."""
        self._start = pointer
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Stretch the box."""
        box = self._box(pointer) if held else None
        if box is not None:
            self.preview = Preview(box=box, colour=self.colour())

    def release(self, pointer: Pointer) -> Edit | None:
        """Add the object; what is too small to be meant is left."""
        box = self.take_box(pointer)
        return None if box is None else new_box(self.session, box, tr("Draw a box"), "box")

    def cancel(self) -> bool:
        """Give up the box."""
        busy, self._start = self._start is not None, None
        self.preview = NOTHING
        return busy

    def take_box(self, pointer: Pointer) -> Box | None:
        """End the drag; return its box, None if it is too small to be meant."""
        box = self._box(pointer)
        self._start, self.preview = None, NOTHING
        return box if box is not None and min(box.width, box.height) >= MIN_SIDE_PX else None

    def _box(self, pointer: Pointer) -> Box | None:
        image = self.session.image
        if self._start is None or image is None:
            return None
        xs = sorted(min(max(x, 0.0), float(image.width)) for x in (self._start.x, pointer.x))
        ys = sorted(min(max(y, 0.0), float(image.height)) for y in (self._start.y, pointer.y))
        return Box(xs[0], ys[0], xs[1], ys[1])
