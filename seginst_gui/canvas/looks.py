"""The colours of the canvas: how annotated and proposed objects look."""

import colorsys
from functools import cache, lru_cache

from seginst_core.types import PALETTE, Category, Instance, Origin, PipelineName
from seginst_gui.canvas.render import Band, Colour, Look, tint
from seginst_gui.display.settings import ColourBy, Style

PIPELINE_COLOURS: dict[PipelineName, Colour] = {
    "two-stage": (0, 200, 255),
    "end-to-end": (255, 80, 200),
}
ORIGIN_COLOURS: dict[str, Colour] = {
    "human": (120, 200, 60),
    "import": (240, 200, 40),
    "model": (190, 160, 255),
}
"""By what an object came from; one that a pipeline found has the pipeline's colour."""
PLAIN = Style()
_DARK, _WHITE = (0, 0, 0), (255, 255, 255)


def category_colour(categories: dict[int, Category], category_id: int) -> Colour:
    """Return a class's colour; one the project does not know gets a colour by its number."""
    known = categories.get(category_id)
    return known.colour if known else PALETTE[category_id % len(PALETTE)]


@cache
def object_colour(instance_id: int) -> Colour:
    """Return an object's own colour; ids that follow each other get hues far apart."""
    # Steps of the golden section keep away from the hues before; 180 of them are told apart.
    hue = int(instance_id * 0.618033988749895 % 1.0 * 180) / 180
    saturation, value = ((0.75, 0.95), (0.95, 0.8), (0.5, 1.0))[instance_id % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def origin_colour(origin: Origin) -> Colour:
    """Return the colour of where an object came from, whoever has changed it since."""
    if origin.pipeline is not None:
        return PIPELINE_COLOURS[origin.pipeline]
    return ORIGIN_COLOURS[origin.kind]


def colour_of(instance: Instance, categories: dict[int, Category], by: ColourBy) -> Colour:
    """Return an object's colour."""
    if by == "object":
        return object_colour(instance.id)
    if by == "origin":
        return origin_colour(instance.origin)
    return category_colour(categories, instance.category_id)


@lru_cache(maxsize=4096)
def annotated(colour: Colour, fill: float = PLAIN.fill, line_px: int = PLAIN.outline_px) -> Look:
    """Return the look of an object of the annotation; ``fill`` 0..1, a line of 0 px is none."""
    if not line_px:
        return Look(tint(colour, fill), ())
    line = Band(-line_px, 0, tint(colour, 1.0))
    return Look(tint(colour, fill), (line,), (Band(0, 1, tint(_DARK, 0.45)),))


@lru_cache(maxsize=4096)
def chosen(colour: Colour) -> Look:
    """Return what is added to a selected object: more fill, and its outline within white.

    On a layer of its own, so that to select something draws nothing else anew.
    """
    return Look(
        tint(colour, 0.22),
        (Band(-2, 0, tint(colour, 1.0)), Band(0, 2, tint(_WHITE, 1.0))),
        (Band(2, 3, tint(_DARK, 0.6)),),
    )


@cache
def proposed(pipeline: PipelineName, selected: bool) -> Look:
    """Return the look of a prediction: A's line runs around the object and B's around A's.

    So the annotation's line, A's and B's are all seen where they agree to the pixel.
    """
    colour = PIPELINE_COLOURS[pipeline]
    inner, outer = (0, 2) if pipeline == "two-stage" else (2, 4)
    line = Band(inner, outer, tint(colour, 1.0))
    casing = Band(outer, outer + 1, tint(_DARK, 0.5))
    if selected:
        white = Band(inner - 2, inner, tint(_WHITE, 1.0))
        return Look(tint(colour, 0.4), (line, white), (casing,), rank=1)
    return Look(0, (line,), (casing,))


@cache
def drawn(colour: Colour, erases: bool) -> Look:
    """Return the look of a mask that a tool is just painting or taking away."""
    if erases:
        return Look(tint(_DARK, 0.55), (Band(-1, 0, tint(_WHITE, 0.9)),))
    return Look(tint(colour, 0.5), (Band(-1, 0, tint(colour, 1.0)),))
