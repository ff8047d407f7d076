"""What a key changes about the display: one function each, by the id of its action."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from seginst_gui.display.settings import COLOUR_BY, Tone
from seginst_gui.session import Session


def switch_minimap(session: Session) -> None:
    """Show the small map, or hide it."""
    now = session.display.now
    session.display.set(replace(now, minimap=not now.minimap))


def switch_pixel_grid(session: Session) -> None:
    """Show grid and values of pixels, or hide them."""
    now = session.display.now
    session.display.set(replace(now, pixel_grid=not now.pixel_grid))


def next_colouring(session: Session) -> None:
    """Colour objects by class, by object, by origin, and by class again."""
    now = session.display.now
    by = COLOUR_BY[(COLOUR_BY.index(now.style.colour_by) + 1) % len(COLOUR_BY)]
    session.display.set(replace(now, style=replace(now.style, colour_by=by)))


def reset_tone(session: Session) -> None:
    """Show images as they are: usual brightness, contrast, gamma and bands."""
    session.display.set(replace(session.display.now, tone=Tone(), bands=None))


SWITCHES: Mapping[str, Callable[[Session], None]] = {
    "show_minimap": switch_minimap,
    "pixel_grid": switch_pixel_grid,
    "next_colouring": next_colouring,
    "reset_tone": reset_tone,
}
