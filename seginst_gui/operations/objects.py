"""Objects as a whole: delete, classes, states, predictions taken, the next one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from seginst_core.masks.geometry import box_iou, contains, iou, meet
from seginst_core.project.edits import Edit, add, change, remove
from seginst_core.types import Instance, PipelineName, State
from seginst_gui.language import tr
from seginst_gui.panels.texts import count
from seginst_gui.session import PIPELINE_LETTERS, Session

SAME_OBJECT_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many predictions were taken; were annotated already; were said to be no object."""

    n_taken: int
    n_there: int
    n_refused: int = 0


def delete_selected(session: Session) -> None:
    """Delete the selected objects."""
    chosen = session.selected
    if chosen and session.image is not None:
        session.apply(
            remove(
                session.image.id,
                chosen,
                tr("Delete {objects}").format(objects=count(len(chosen), "object")),
            )
        )


def set_class(session: Session, category_id: int) -> None:
    """Draw with a class from now on, and give it to the selected objects.

    Who corrects an object's class has looked at it.
    """
    session.choose_category(category_id)
    pairs = [
        (i, replace(i, category_id=category_id, origin=replace(i.origin, seen=True)))
        for i in session.selected
        if i.category_id != category_id
    ]
    if pairs and session.image is not None and session.category is not None:
        text = tr("Make {objects} {name}").format(
            objects=count(len(pairs), "object"), name=session.category.name
        )
        session.apply(change(session.image.id, pairs, text))


def set_state(session: Session, state: State) -> None:
    """Mark the current image; an edit like any other, so that it can be undone."""
    document = session.document
    if document is None or document.state == state:
        return
    text = tr("Mark as done") if state == "done" else tr("Open again")
    session.apply(Edit(document.image.id, (), text, state=(document.state, state)))


def accept_selected(session: Session) -> Accepted:
    """Take the selected prediction into the annotation and select it there."""
    chosen = session.proposal
    if chosen is None:
        return Accepted(0, 0)
    picked = [i for i in session.proposals(chosen.pipeline) if i.id == chosen.id]
    return _accept(session, chosen.pipeline, picked, select=True)


def accept_all(session: Session, pipeline: PipelineName) -> Accepted:
    """Take a pipeline's predictions above the threshold: none annotated already, none refused."""
    refused = session.document.refusals if session.document else ()
    proposed = session.proposals(pipeline)
    open_ones = [i for i in proposed if not is_there(i, refused)]
    accepted = _accept(session, pipeline, open_ones, select=False)
    return replace(accepted, n_refused=len(proposed) - len(open_ones))


def stack_at(instances: Iterable[Instance], x: float, y: float) -> list[Instance]:
    """Return the objects at a point, the smallest first, so that one inside another is reached."""
    hits = [i for i in instances if _is_at(i, x, y)]
    return sorted(hits, key=lambda i: i.box.width * i.box.height)


def select_below(session: Session, x: float, y: float) -> bool:
    """If the selected object lies over others at a point, select the next of them.

    The smallest one comes after the largest. Return whether there was another one.
    """
    ids = [i.id for i in stack_at(session.shown, x, y)]
    chosen = [k for k, instance_id in enumerate(ids) if instance_id in session.selection]
    if len(ids) < 2 or len(chosen) != 1 or len(session.selection) != 1:
        return False
    session.select([ids[(chosen[0] + 1) % len(ids)]])
    return True


def select_next(session: Session) -> Instance | None:
    """Select the object after the selected one, the first after the last."""
    instances = session.shown
    if not instances:
        return None
    last = max(session.selection, default=-1)
    after = next((i for i in instances if i.id > last), instances[0])
    session.select([after.id])
    return after


def _accept(
    session: Session, pipeline: PipelineName, proposed: Sequence[Instance], *, select: bool
) -> Accepted:
    image = session.image
    if image is None or not proposed:
        return Accepted(0, 0)
    fresh = [i for i in proposed if not is_there(i, session.instances)]
    if fresh:
        threshold = session.layers.threshold
        taken = [
            replace(i, id=new_id, origin=replace(i.origin, threshold=threshold))
            for i, new_id in zip(fresh, session.new_ids(len(fresh)), strict=True)
        ]
        letter = PIPELINE_LETTERS[pipeline]
        edit = add(
            image.id,
            taken,
            tr("Accept {objects} of {letter}").format(
                objects=count(len(taken), "object"), letter=letter
            ),
            tool="accept",
        )
        session.apply(edit, select_added=select)
    return Accepted(len(fresh), len(proposed) - len(fresh))


def _is_at(instance: Instance, x: float, y: float) -> bool:
    box = instance.box
    if not (box.x0 <= x < box.x1 and box.y0 <= y < box.y1):
        return False
    return instance.mask is None or contains(instance.mask, int(x), int(y))


def is_there(proposed: Instance, instances: Iterable[Instance]) -> bool:
    """Return whether one of the instances is the same object as the proposed one."""
    return any(
        meet(proposed.box, i.box) and _overlap(proposed, i) >= SAME_OBJECT_IOU for i in instances
    )


def _overlap(a: Instance, b: Instance) -> float:
    if a.mask is not None and b.mask is not None:
        return iou(a.mask, b.mask)
    return box_iou(a.box, b.box)
