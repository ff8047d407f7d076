"""What a tool is: pointer events in image pixels go in, at most one edit comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from seginst_core.project.edits import Edit
from seginst_core.types import Box, Instance, Mask
from seginst_gui.session import Session

Cursor = Literal["arrow", "cross", "none"]
Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, in image pixels, and what is held.

    ``reach_px`` is how many image pixels count as near: a few pixels of the screen.
    """

    x: float
    y: float
    shift: bool = False
    alt: bool = False
    reach_px: float = 4.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What a tool shows while it works; nothing of it is stored.

    ``mask`` is painted in ``colour``, or shown as taken away with ``erases``. ``path`` is an open
    line of points (x, y), ``knots`` are points marked by squares, ``box`` is a rectangle,
    ``ring_px`` the radius of the ring around the pointer, or half the side of a ``square``. All in
    image pixels.
    """

    mask: Mask | None = None
    erases: bool = False
    path: tuple[tuple[float, float], ...] = ()
    knots: tuple[tuple[float, float], ...] = ()
    box: Box | None = None
    ring_px: float | None = None
    square: bool = False
    colour: Colour = WHITE


NOTHING = Preview()


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that a tool works with, as the window offers it; ``unit`` stands behind it."""

    name: str
    label: str
    low: int
    high: int
    get: Callable[[], float]
    set: Callable[[float], None]
    unit: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """Something a tool does or does not."""

    name: str
    label: str
    get: Callable[[], bool]
    set: Callable[[bool], None]
    tip: str = ""


Option = Amount | Switch


class Tool(Protocol):
    """One tool in use; the canvas calls it and stores the edits it returns."""

    cursor: Cursor
    preview: Preview
    options: tuple[Option, ...]
    changed: Callable[[], None]
    """Called when an option has another value; whoever shows them sets it."""
    refused: Callable[[str], None]
    """Called with a sentence when what was asked for cannot be done; the window sets it."""

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin, or set a point."""

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Follow the pointer; ``held`` while the button is down."""

    def release(self, pointer: Pointer) -> Edit | None:
        """End a drag."""

    def confirm(self) -> Edit | None:
        """Finish what is under way (Enter, double click)."""

    def cancel(self) -> bool:
        """Give up what is under way (Esc); return whether there was anything."""

    def take_back(self) -> bool:
        """Take back the last part of what is under way; return whether there was any."""

    def resize(self, steps: int) -> None:
        """Grow (or shrink) the tool by so many steps, if it has a size."""


class PlainTool:
    """A tool that does nothing yet: what the tools have in common."""

    cursor: Cursor = "cross"

    def __init__(self, session: Session) -> None:
        self.session = session
        self.preview: Preview = NOTHING
        self.options: tuple[Option, ...] = ()
        self.changed: Callable[[], None] = _nothing
        self.refused: Callable[[str], None] = _unsaid

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin nothing."""
        del pointer
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Follow nothing."""
        del pointer, held

    def release(self, pointer: Pointer) -> Edit | None:
        """End nothing."""
        del pointer
        return None

    def confirm(self) -> Edit | None:
        """Finish nothing."""
        return None

    def cancel(self) -> bool:
        """Clear the preview."""
        busy = self.preview != NOTHING
        self.preview = NOTHING
        return busy

    def take_back(self) -> bool:
        """Give all up: it has one part only."""
        return self.cancel()

    def resize(self, steps: int) -> None:
        """Have no size."""
        del steps

    def colour(self) -> Colour:
        """Return the colour of the class that new objects get; white while there is none."""
        category = self.session.category
        return category.colour if category else WHITE

    def seen(self) -> tuple[Instance, ...]:
        """Return the annotated objects that the canvas shows."""
        return self.session.shown if self.session.layers.annotation else ()


def _nothing() -> None:
    """Nobody shows the options."""


def _unsaid(sentence: str) -> None:
    """Nobody listens."""
    del sentence
