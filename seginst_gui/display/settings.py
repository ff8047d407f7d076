"""What can be set about the look of images and objects; none of it touches the data."""

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

from seginst_core.images import Bands
from seginst_core.types import PipelineName

ColourBy = Literal["class", "object", "origin"]
COLOUR_BY: tuple[ColourBy, ...] = get_args(ColourBy)
GAMMA_RANGE = (0.2, 5.0)
MAX_OUTLINE_PX = 4


@dataclass(frozen=True, slots=True)
class Layers:
    """Which objects the canvas shows; predictions below ``threshold`` (0..1) stay hidden."""

    annotation: bool = True
    two_stage: bool = True
    end_to_end: bool = True
    threshold: float = 0.5

    def shows(self, pipeline: PipelineName) -> bool:
        """Return whether a pipeline's predictions are switched on."""
        return self.two_stage if pipeline == "two-stage" else self.end_to_end


@dataclass(frozen=True, slots=True)
class Tone:
    """How bright the image is shown: ``brightness`` and ``contrast`` -1..1, ``gamma`` 0.2..5."""

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0


@dataclass(frozen=True, slots=True)
class Style:
    """How annotated objects are drawn; ``fill`` and ``opacity`` 0..1, no outline if it is 0 px.

    ``opacity`` is that of everything over the image, predictions included.
    """

    colour_by: ColourBy = "class"
    fill: float = 0.35
    outline_px: int = 2
    opacity: float = 1.0
    names: bool = True
    """Whether the object under the pointer is named."""


@dataclass(frozen=True, slots=True)
class Display:
    """All that is remembered with a project; ``bands`` None means each image's own colours."""

    tone: Tone = field(default_factory=Tone)
    bands: Bands | None = None
    style: Style = field(default_factory=Style)
    minimap: bool = True
    pixel_grid: bool = True


def to_text(display: Display) -> str:
    """Write the settings as JSON."""
    return json.dumps(asdict(display))


def from_text(text: str) -> Display:
    """Read what ``to_text`` wrote; whatever makes no sense is as it is at first."""
    try:
        table = json.loads(text)
    except ValueError:
        return Display()
    if not isinstance(table, dict):
        return Display()
    tone, style = _part(table, "tone"), _part(table, "style")
    usual = Style()
    by = style.get("colour_by")
    return Display(
        Tone(
            _number(tone, "brightness", -1.0, 1.0, 0.0),
            _number(tone, "contrast", -1.0, 1.0, 0.0),
            _number(tone, "gamma", *GAMMA_RANGE, 1.0),
        ),
        _bands(table.get("bands")),
        replace(
            usual,
            colour_by=next((name for name in COLOUR_BY if name == by), usual.colour_by),
            fill=_number(style, "fill", 0.0, 1.0, usual.fill),
            outline_px=round(_number(style, "outline_px", 0, MAX_OUTLINE_PX, usual.outline_px)),
            opacity=_number(style, "opacity", 0.0, 1.0, usual.opacity),
            names=style.get("names") is not False,
        ),
        table.get("minimap") is not False,
        table.get("pixel_grid") is not False,
    )


def _part(table: dict[str, object], name: str) -> dict[str, object]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _number(
    table: dict[str, object], name: str, lowest: float, highest: float, usual: float
) -> float:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return usual
    return min(max(float(value), lowest), highest)


def _bands(value: object) -> Bands | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    if not all(isinstance(band, int) and band >= 0 for band in value):
        return None
    return value[0], value[1], value[2]
