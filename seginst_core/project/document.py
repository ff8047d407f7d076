"""One open image: its instances and state, changed by edits alone."""

from collections.abc import Iterable

from seginst_core.errors import ProjectError
from seginst_core.project.edits import Edit
from seginst_core.types import Annotation, ImageRef, Instance, State


class Document:
    """The annotation of one image in memory.

    It outlives single calls because the canvas, the table and the tools all look at it; only
    ``Project`` changes it, after the database has taken the change.
    """

    def __init__(
        self,
        image: ImageRef,
        annotation: Annotation,
        revision: int = 0,
        refusals: Iterable[Instance] = (),
    ) -> None:
        self.image = image
        self.state: State = annotation.state
        # Counts the changes to this image; the database has moved on if its own is higher.
        self.revision = revision
        self._instances = {i.id: i for i in annotation.instances}
        self._in_order: tuple[Instance, ...] | None = None
        self._refusals = {i.id: i for i in refusals}

    @property
    def instances(self) -> tuple[Instance, ...]:
        """All instances in id order, which is also the order they are drawn in."""
        if self._in_order is None:
            self._in_order = tuple(map(self._instances.__getitem__, sorted(self._instances)))
        return self._in_order

    @property
    def refusals(self) -> tuple[Instance, ...]:
        """The predicted objects that a person said are none, in the order of their ids."""
        return tuple(self._refusals[k] for k in sorted(self._refusals))

    def __contains__(self, instance_id: int) -> bool:
        return instance_id in self._instances

    def __len__(self) -> int:
        return len(self._instances)

    def get(self, instance_id: int) -> Instance | None:
        """Return an instance by id, or None."""
        return self._instances.get(instance_id)

    def some(self, ids: Iterable[int]) -> tuple[Instance, ...]:
        """Return those of ``ids`` that are there, in id order."""
        return tuple(self._instances[k] for k in sorted(ids) if k in self._instances)

    def check(self, edit: Edit) -> None:
        """Raise ProjectError if the edit was made from another state of this image.

        Also if it would leave an object that no format can hold: a mask that is empty or reaches
        outside the image.
        """
        if edit.image_id != self.image.id:
            raise ProjectError("The change belongs to another image.")
        if edit.state is not None and edit.state[0] != self.state:
            raise ProjectError("The image's state has changed in the meantime.")
        if len({change.id for change in edit.changes}) != len(edit.changes):
            raise ProjectError("The change touches the same object twice.")
        if any(i.id in self._refusals for i in edit.refused) or any(
            i.id not in self._refusals for i in edit.allowed
        ):
            raise ProjectError("What is no object has changed in the meantime; nothing was done.")
        for change in edit.changes:
            _check_fits(change.after, self.image)
            if not _same(self._instances.get(change.id), change.before):
                raise ProjectError(
                    f"Object {change.id} has changed in the meantime; nothing was done."
                )

    def apply(self, edit: Edit) -> None:
        """Change memory as ``edit`` says; it was checked before."""
        self._in_order = None
        for change in edit.changes:
            if change.after is None:
                del self._instances[change.id]
            else:
                self._instances[change.id] = change.after
        for refusal in edit.allowed:
            del self._refusals[refusal.id]
        self._refusals |= {i.id: i for i in edit.refused}
        if edit.state is not None:
            self.state = edit.state[1]
        self.revision += 1


def _same(here: Instance | None, expected: Instance | None) -> bool:
    # Identity first: comparing large masks pixel by pixel is for steps that come from the database.
    return here is expected or here == expected


def _check_fits(instance: Instance | None, image: ImageRef) -> None:
    if instance is None or instance.mask is None:
        return
    mask = instance.mask
    if not mask.bits.any():
        raise ProjectError(f"Object {instance.id} has no pixels left; delete it instead.")
    # The size is 0 as long as the image's file has not been read.
    inside = mask.x1 <= image.width and mask.y1 <= image.height if image.width else True
    if mask.x0 < 0 or mask.y0 < 0 or not inside:
        raise ProjectError(f"Object {instance.id} reaches outside its image.")
