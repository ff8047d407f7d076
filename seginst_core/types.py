"""The nouns of SegInst: frozen dataclasses with read-only arrays.

Coordinates are full-image pixels, origin at the top left, half-open: a box covers
``x0 <= x < x1``. Boxes are float, masks are integer-aligned crops of bool.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

ImageArray: TypeAlias = npt.NDArray[np.uint8]
"""An image as ``uint8 (H, W, 3)``, RGB."""
BoolArray: TypeAlias = npt.NDArray[np.bool_]
FloatArray: TypeAlias = npt.NDArray[np.float32]

PipelineName = Literal["two-stage", "end-to-end"]
EngineName = Literal["torchvision", "detectron2"]
Preset = Literal["tiny", "fast", "accurate"]
State = Literal["todo", "draft", "done"]
Stage = Literal["all", "detector", "mask"]
Backend = Literal["torch", "openvino"]
TileChoice: TypeAlias = int | Literal["auto"] | None
"""How large images are cut: ``auto``, the tile's side in image pixels, or None for not at all."""

PIPELINES: tuple[PipelineName, ...] = get_args(PipelineName)
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)
PRESETS: tuple[Preset, ...] = get_args(Preset)
STATES: tuple[State, ...] = get_args(State)
STAGES: tuple[Stage, ...] = get_args(Stage)
BACKENDS: tuple[Backend, ...] = get_args(Backend)

# Colours that stay apart for colour-blind people (Okabe and Ito 2008), then lighter companions.
PALETTE: tuple[tuple[int, int, int], ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
    (170, 220, 110),
    (250, 190, 170),
    (160, 140, 220),
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """How a model runs: on which device and by which library.

    ``levels`` is how many of its decoders a nested U-Net draws with, 0 for all of them.
    """

    device: str = "auto"
    backend: Backend = "torch"
    levels: int = 0


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image of a project or data set; ``path`` is POSIX and relative to the images folder."""

    id: int
    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Category:
    """A class of objects; ``id`` is the COCO id (>= 0), ``colour`` is RGB 0..255."""

    id: int
    name: str
    colour: tuple[int, int, int] = (230, 159, 0)
    supercategory: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A box in float pixels, ``x0 <= x1`` and ``y0 <= y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 <= self.x1 and self.y0 <= self.y1):
            raise ValueError(f"not a box: {(self.x0, self.y0, self.x1, self.y1)}")

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A crop of bool and its integer offset: pixel ``(x0 + j, y0 + i)`` is ``bits[i, j]``."""

    x0: int
    y0: int
    bits: BoolArray

    def __post_init__(self) -> None:
        if self.bits.ndim != 2 or self.bits.dtype != np.bool_:
            raise ValueError("a mask's bits are a 2-D array of bool")
        if self.bits.flags.writeable:
            bits = self.bits.view()
            bits.flags.writeable = False
            object.__setattr__(self, "bits", bits)

    @property
    def x1(self) -> int:
        """Right edge of the crop, exclusive."""
        return self.x0 + int(self.bits.shape[1])

    @property
    def y1(self) -> int:
        """Bottom edge of the crop, exclusive."""
        return self.y0 + int(self.bits.shape[0])

    @property
    def area(self) -> int:
        """Number of pixels set."""
        return int(np.count_nonzero(self.bits))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        same_place = (self.x0, self.y0) == (other.x0, other.y0)
        return same_place and np.array_equal(self.bits, other.bits)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instance came from: a model, an import or a hand; kept through later edits.

    ``seen`` says that a person looked at this object by itself and found it right.
    """

    kind: Literal["human", "model", "import"]
    model: str = ""
    pipeline: PipelineName | None = None
    score: float | None = None
    threshold: float | None = None
    edited: bool = False
    seen: bool = False

    @property
    def vouched(self) -> bool:
        """Whether a person answers for the object: drew, imported, corrected or confirmed it.

        What was only accepted together with others must not score the model that drew it.
        """
        return self.kind != "model" or self.edited or self.seen


HUMAN = Origin("human")


@dataclass(frozen=True, slots=True)
class Instance:
    """One object: ``id`` is unique in its project, never reused; ``mask`` None means box-only."""

    id: int
    category_id: int
    box: Box
    mask: Mask | None
    score: float | None = None
    iscrowd: bool = False
    origin: Origin = HUMAN
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Annotation:
    """The human-approved instances of one image, in id order."""

    image_id: int
    instances: tuple[Instance, ...] = ()
    state: State = "todo"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One model's untouched answer for one image; never changed once stored."""

    image_id: int
    model: str
    pipeline: PipelineName
    instances: tuple[Instance, ...]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images, categories and annotations read from or written to an exchange format.

    ``notes`` are sentences about what was skipped or mended while reading.
    """

    images: tuple[ImageRef, ...]
    categories: tuple[Category, ...]
    annotations: Mapping[int, Annotation]
    notes: tuple[str, ...] = ()
