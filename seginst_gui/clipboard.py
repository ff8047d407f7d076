"""What was copied."""

from dataclasses import dataclass

from seginst_core.types import Instance


@dataclass(frozen=True, slots=True)
class Copied:
    """Objects kept for pasting, and the image they are of."""

    image_id: int | None = None
    instances: tuple[Instance, ...] = ()
