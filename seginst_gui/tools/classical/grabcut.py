"""GrabCut: drag a box around an object, or click an object to fit it to the image's edges."""

from seginst_core.masks.classical.grabcut import grab_in_box, refine
from seginst_core.project.edits import Edit
from seginst_gui.language import tr
from seginst_gui.operations import stack_at
from seginst_gui.tools.base import Pointer
from seginst_gui.tools.box import BoxTool
from seginst_gui.tools.drawing import new_object, redraw


class GrabCutTool(BoxTool):
    """A box makes a new object; a click, or Enter, refines one that is there."""

    def release(self, pointer: Pointer) -> Edit | None:
        """Take what stands out in the box, or refine the object that was clicked."""
        start, picture = self._start, self.session.picture
        box = self.take_box(pointer)
        if start is None or picture is None:
            return None
        small = abs(pointer.x - start.x) + abs(pointer.y - start.y) <= pointer.reach_px
        if box is None or small:
            return self._refine_at(pointer)
        mask = grab_in_box(picture.pixels, box)
        if mask is None:
            self.refused(tr("GrabCut finds nothing that stands out in this box."))
            return None
        return new_object(self.session, mask, tr("GrabCut"), "grabcut")

    def confirm(self) -> Edit | None:
        """Refine the one selected object."""
        picture, chosen = self.session.picture, self.session.selected
        if picture is None or len(chosen) != 1 or self._start is not None:
            return None
        (old,) = chosen
        if old.mask is None:
            mask = grab_in_box(picture.pixels, old.box)
        else:
            mask = refine(picture.pixels, old.mask)
        if mask is None:
            # It is left as it is: nobody asked to delete it.
            self.refused(
                tr("GrabCut finds nothing that this object could be fitted to; it is as it was.")
            )
            return None
        return redraw(self.session, old, mask, "grabcut", tr("Refine"))

    def _refine_at(self, pointer: Pointer) -> Edit | None:
        stack = stack_at(self.session.open_to_change, pointer.x, pointer.y)
        if not stack:
            return None
        if not any(i.id in self.session.selection for i in stack):
            self.session.select([stack[0].id])
        return self.confirm()
