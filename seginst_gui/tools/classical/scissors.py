"""Intelligent scissors: click along an object's edge; the line between clicks clings to it."""

from seginst_core.masks.classical.scissors import Scissors
from seginst_core.project.edits import Edit
from seginst_gui.language import later
from seginst_gui.session import Session
from seginst_gui.tools.base import Pointer, Preview
from seginst_gui.tools.polygon import MIN_POINTS, PolygonTool, near


class ScissorsTool(PolygonTool):
    """A polygon whose sides follow edges; with Shift a side is straight."""

    name, text = "scissors", later("Cut out with the scissors")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._scissors: Scissors | None = None
        self._anchors: list[tuple[float, float]] = []
        self._n_before: list[int] = []
        """How many points there were before each anchor."""

    def press(self, pointer: Pointer) -> Edit | None:
        """Fix the line up to here, or close the ring on its first point."""
        picture, here = self.session.picture, (pointer.x, pointer.y)
        if picture is None:
            return None
        if len(self._points) >= MIN_POINTS and near(self._points[0], here, pointer.reach_px):
            return self.confirm()
        if not self._anchors or not near(self._anchors[-1], here, pointer.reach_px / 4):
            self._n_before.append(len(self._points))
            self._points += self._side(pointer)
            self._anchors.append(here)
            self._scissors = Scissors(picture.pixels, here)
        self._show_side(pointer)
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Show the line up to the pointer."""
        del held
        if self._anchors:
            self._show_side(pointer)

    def confirm(self) -> Edit | None:
        """Close the ring along the edges."""
        if self._scissors is None or len(self._points) < MIN_POINTS:
            return None
        self._points += self._scissors.path_to(*self._points[0])[1:-1]
        edit = super().confirm()
        self.cancel()
        return edit

    def cancel(self) -> bool:
        """Take the line away."""
        self._scissors, self._anchors, self._n_before = None, [], []
        return super().cancel()

    def take_back(self) -> bool:
        """Take the line back to the click before the last one."""
        picture = self.session.picture
        if picture is None or len(self._anchors) < 2:
            return self.cancel()
        here = self.preview.path[-1]
        self._anchors.pop()
        del self._points[self._n_before.pop() :]
        self._scissors = Scissors(picture.pixels, self._anchors[-1])
        self._show_side(Pointer(*here))
        return True

    def _side(self, pointer: Pointer) -> list[tuple[float, float]]:
        """Return the points from the last click, without it, to the pointer."""
        here = (pointer.x, pointer.y)
        if self._scissors is None or pointer.shift:
            return [here]
        return list(self._scissors.path_to(*here)[1:])

    def _show_side(self, pointer: Pointer) -> None:
        path = (*self._points, *self._side(pointer))
        self.preview = Preview(path=path, knots=tuple(self._anchors), colour=self.colour())
