"""Brush and eraser: paint pixels to the selected object, or take them from it."""

from dataclasses import replace

from seginst_core.masks.brush import BrushShape, stroke
from seginst_core.masks.geometry import clip, from_box, mask_box, subtract, union
from seginst_core.project.edits import Edit, change, painted, remove
from seginst_core.types import Instance, Mask
from seginst_gui.language import later, tr
from seginst_gui.session import Session
from seginst_gui.tools.base import (
    Amount,
    Colour,
    Cursor,
    Option,
    PlainTool,
    Pointer,
    Preview,
    Switch,
)
from seginst_gui.tools.drawing import draw

MIN_RADIUS_PX, MAX_RADIUS_PX = 0.5, 500.0
GROWTH = 1.15
Point = tuple[float, float]


class BrushTool(PlainTool):
    """Paints the selected object; with none selected the stroke becomes a new one.

    Alt turns brush into eraser and back for one stroke. Shift draws a straight line: from the last
    stroke's end where it is held from the first, else from where it was pressed.
    """

    cursor: Cursor = "none"
    erases = False
    name, more, new = "brush", later("Paint"), later("Paint a new object")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.radius_px = 10.0
        self.shape: BrushShape = "round"
        self.options: tuple[Option, ...] = (
            self.size_option(
                MIN_RADIUS_PX, MAX_RADIUS_PX, later("Width of the brush in image pixels")
            ),
            Switch(
                "square",
                later("Square"),
                lambda: self.shape == "square",
                self.set_square,
                later("A brush with corners, for straight edges"),
            ),
        )
        self._last: Point | None = None
        self._end: tuple[int, Point] | None = None
        """Where the last stroke ended, and on which image."""
        self._line: tuple[Point, Mask | None] | None = None
        """Where a straight line begins, and the stroke before it."""
        self._stroke: Mask | None = None
        self.preview = self._idle()
        self._erasing = False

    def size_option(self, min_radius_px: float, max_radius_px: float, tip: str) -> Amount:
        """Return the width as a setting of the strip above the canvas."""
        return Amount(
            "size",
            later("Size"),
            round(2 * min_radius_px),
            round(2 * max_radius_px),
            lambda: 2 * self.radius_px,
            lambda size_px: self.set_radius(size_px / 2),
            "px",
            tip,
        )

    def press(self, pointer: Pointer) -> Edit | None:
        """Begin a stroke."""
        self._reset()
        self._erasing = self.erases != pointer.alt
        here = (pointer.x, pointer.y)
        image_id, end = self._end or (None, here)
        linked = pointer.shift and image_id == self.session.image_id
        self._last = end if linked else here
        self._extend(here, straight=pointer.shift)
        return None

    def move(self, pointer: Pointer, *, held: bool) -> None:
        """Go on with the stroke."""
        if held and self._last is not None:
            self._extend((pointer.x, pointer.y), straight=pointer.shift)

    def release(self, pointer: Pointer) -> Edit | None:
        """End the stroke: one stroke is one edit."""
        if self._last is None:
            return None
        here = (pointer.x, pointer.y)
        self._extend(here, straight=pointer.shift)
        painted_mask = self._stroke
        self._reset()
        image = self.session.image
        if painted_mask is None or image is None:
            return None
        self._end = image.id, here
        inside = clip(painted_mask, image.width, image.height)
        if inside is None:
            return None
        return self._erase(inside) if self._erasing else self._paint(inside)

    def cancel(self) -> bool:
        """Give up the stroke."""
        busy = self._last is not None
        self._reset()
        return busy

    def resize(self, steps: int) -> None:
        """Grow or shrink the brush by 15 % a step, half a pixel at least."""
        wanted = self.radius_px * GROWTH**steps
        if abs(wanted - self.radius_px) < 0.5:
            wanted = self.radius_px + (0.5 if steps > 0 else -0.5)
        wanted = round(2 * wanted) / 2
        self.set_radius(min(max(wanted, MIN_RADIUS_PX), MAX_RADIUS_PX))

    def set_radius(self, radius_px: float) -> None:
        """Set the brush's radius in image pixels."""
        self.radius_px = radius_px
        self.preview = replace(self.preview, ring_px=radius_px)
        self.changed()

    def set_square(self, square: bool) -> None:
        """Paint with corners, or round."""
        self.shape = "square" if square else "round"
        self.preview = replace(self.preview, square=square)
        self.changed()

    def segment(self, start: tuple[float, float], end: tuple[float, float]) -> Mask | None:
        """Return what is painted on the way from one place to the next."""
        return stroke([start, end], self.radius_px, self.shape)

    def _extend(self, here: Point, *, straight: bool) -> None:
        assert self._last is not None
        if not straight:
            self._line = None
        elif self._line is None:
            self._line = self._last, self._stroke
        start, before = self._line or (self._last, self._stroke)
        segment = self.segment(start, here)
        self._stroke = before
        if segment is not None:
            self._stroke = segment if before is None else union(before, segment)
        self._last = here
        self.preview = replace(
            self._idle(), mask=self._stroke, erases=self._erasing, colour=self.colour()
        )

    def _idle(self) -> Preview:
        return Preview(ring_px=self.radius_px, square=self.shape == "square")

    def colour(self) -> Colour:
        """Return the colour of the one selected object, which is painted on, or of a new one."""
        chosen = self.session.selected
        category = self.session.category_of(chosen[0]) if len(chosen) == 1 else None
        return category.colour if category else super().colour()

    def _reset(self) -> None:
        self._last = self._line = self._stroke = None
        self.preview = self._idle()

    def _paint(self, mask: Mask) -> Edit | None:
        return draw(self.session, mask, self.name, more=tr(self.more), new=tr(self.new))

    def _erase(self, mask: Mask) -> Edit | None:
        image_id = old_image(self.session)
        pairs, gone = [], []
        for old in self.session.selected or self._touched(mask):
            before = self._mask_of(old)
            if before is None:
                continue
            left = subtract(before, mask)
            if left is None:
                gone.append(old)
            elif left.area != before.area:
                pairs.append((old, painted(old, left)))
        if gone and not pairs:
            return remove(image_id, gone, tr("Erase an object"), tool="eraser")
        if not pairs:
            return None
        edit = change(image_id, pairs, tr("Erase"), tool="eraser")
        whole = remove(image_id, gone, tr("Erase"), tool="eraser")
        return replace(edit, changes=edit.changes + whole.changes)

    def _touched(self, mask: Mask) -> tuple[Instance, ...]:
        """With nothing selected the eraser works on whatever it runs over."""
        box = mask_box(mask)
        return tuple(
            i
            for i in self.session.open_to_change
            if i.mask is not None
            and i.box.x0 < box.x1
            and box.x0 < i.box.x1
            and i.box.y0 < box.y1
            and box.y0 < i.box.y1
        )

    def _mask_of(self, instance: Instance) -> Mask | None:
        """An object that is only a box so far counts as filled once it is erased from."""
        image = self.session.image
        if instance.mask is not None or image is None:
            return instance.mask
        return from_box(instance.box, image.width, image.height)


class EraserTool(BrushTool):
    """The brush the other way round."""

    erases = True


def old_image(session: Session) -> int:
    """Return the id of the image being edited."""
    assert session.image is not None
    return session.image.id
