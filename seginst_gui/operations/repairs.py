"""One case of a review repaired by one key: each function is one step that can be undone.

An object keeps where it comes from: what is taken from a model names it, what is made of two masks
counts as edited by hand. A person saw each of them, so that it may score the model.
"""

from dataclasses import replace
from typing import Literal

from seginst_core.errors import ProjectError
from seginst_core.masks import geometry
from seginst_core.masks.geometry import mask_box
from seginst_core.project.edits import Change, Edit
from seginst_core.review.objects.schema import ObjectCase, sign_of
from seginst_core.types import HUMAN, Instance, Mask, PipelineName
from seginst_gui.language import tr
from seginst_gui.operations.objects import is_there
from seginst_gui.session import PIPELINE_LETTERS, Session

Side = Literal["a", "b"]
SIDES: dict[PipelineName, Side] = {"two-stage": "a", "end-to-end": "b"}


def found_by(session: Session, case: ObjectCase, pipeline: PipelineName) -> Instance | None:
    """Return a pipeline's prediction of a case; None also if another image or model is current."""
    prediction = session.predictions.get(pipeline) if _is_here(session, case) else None
    a = pipeline == "two-stage"
    wanted, sign = (case.a_id, case.sign_a) if a else (case.b_id, case.sign_b)
    if prediction is None or wanted is None:
        return None
    found = next((i for i in prediction.instances if i.id == wanted), None)
    # Another model's prediction may have come meanwhile: its object of this id is not the one seen.
    return found if found is not None and sign_of(found) == sign else None


def truth_of(session: Session, case: ObjectCase) -> Instance | None:
    """Return the annotated object of a case; None also if another image is current."""
    if session.document is None or case.truth_id is None or not _is_here(session, case):
        return None
    return session.document.get(case.truth_id)


def take(session: Session, case: ObjectCase, pipeline: PipelineName) -> None:
    """Let a pipeline's prediction be the object: its mask and its class."""
    letter = PIPELINE_LETTERS[pipeline]
    found = found_by(session, case, pipeline)
    if found is None:
        raise ProjectError(tr("{letter} sees no object here.").format(letter=letter))
    text = tr("Take {letter}").format(letter=letter)
    _put(session, case, _as_seen(session, found), text, f"take_{letter.lower()}")


def confirm(session: Session, case: ObjectCase) -> None:
    """Say that the case is right as it stands.

    An annotated object is marked as looked at. Where A or B sees one that is not annotated, it is
    taken (A's before B's), or in an image that is done marked as none. What was said to be no
    object stays none.
    """
    if _is_refused(case):
        return
    truth = truth_of(session, case)
    if truth is None and case.fault_a != "false" and case.fault_b != "false":
        take(session, case, "two-stage" if case.a_id is not None else "end-to-end")
    elif truth is None:
        refuse(session, case)
    elif not truth.origin.vouched:
        seen = replace(truth, origin=replace(truth.origin, seen=True))
        _apply(session, case, (Change(truth, seen),), tr("Confirm"), "confirm")


def refuse(session: Session, case: ObjectCase) -> None:
    """Say that there is no object: the annotated one is deleted, the predicted ones marked.

    Said again it changes nothing.
    ProjectError if the object is only found twice: to mark the second find would mark the first.
    """
    if case.kind == "duplicate":
        raise ProjectError(tr("The object is found twice; what is annotated stays."))
    if _is_refused(case):
        return
    truth = truth_of(session, case)
    both = (found_by(session, case, p) for p in SIDES)
    found = [i for i in both if i is not None]
    ids = session.new_ids(len(found))
    refused = tuple(replace(i, id=new) for i, new in zip(found, ids, strict=True))
    changes = () if truth is None else (Change(truth, None),)
    _apply(session, case, changes, tr("Not an object"), "not_object", refused)


def name_as_b(session: Session, case: ObjectCase) -> None:
    """Let the object be A's mask with B's class."""
    a, b = _both(session, case)
    named = replace(_as_seen(session, a), category_id=b.category_id)
    _put(session, case, named, tr("A's mask with B's class"), "a_as_b")


def combine(session: Session, case: ObjectCase, how: Literal["union", "intersection"]) -> None:
    """Let the object be what either of A and B covers, or what both cover; the class is A's."""
    a, b = _both(session, case)
    masks = a.mask, b.mask
    if masks[0] is None or masks[1] is None:
        raise ProjectError(tr("One of the two predictions is only a box."))
    mask = (geometry.union if how == "union" else geometry.intersect)(masks[0], masks[1])
    if mask is None:
        raise ProjectError(tr("The two masks have no pixel in common."))
    text = tr("Union of A and B") if how == "union" else tr("Intersection of A and B")
    _put(session, case, _with_mask(session, a, mask), text, how)


def take_drawn(session: Session, case: ObjectCase, mask: Mask) -> None:
    """Let the object be what A's nested U-Net drew in B's box, with B's class."""
    b = found_by(session, case, "end-to-end")
    if b is None:
        raise ProjectError(tr("B sees no object here."))
    a_model = session.predictions.get("two-stage")
    made = _with_mask(session, b, mask)
    if a_model is not None:
        origin = replace(made.origin, model=a_model.model, pipeline="two-stage", edited=False)
        made = replace(made, origin=origin)
    _put(session, case, made, tr("A's mask in B's box"), "b_box")


def _is_refused(case: ObjectCase) -> bool:
    """Whether a person said that there is no object; only with one is it settled otherwise."""
    return case.truth_id is None and case.settled


def _is_here(session: Session, case: ObjectCase) -> bool:
    return session.image is not None and session.image.id == case.image_id


def _both(session: Session, case: ObjectCase) -> tuple[Instance, Instance]:
    a, b = (found_by(session, case, p) for p in SIDES)
    if a is None or b is None:
        raise ProjectError(tr("This takes an object that both A and B see."))
    return a, b


def _as_seen(session: Session, found: Instance) -> Instance:
    """Return a prediction as an object that a person looked at and took."""
    origin = replace(found.origin, threshold=session.layers.threshold, seen=True)
    return replace(found, origin=origin)


def _with_mask(session: Session, found: Instance, mask: Mask) -> Instance:
    seen = _as_seen(session, found)
    origin = replace(seen.origin, edited=True)
    return replace(seen, mask=mask, box=mask_box(mask), origin=origin)


def _put(session: Session, case: ObjectCase, made: Instance, text: str, tool: str) -> None:
    """Add the object, or let it take the place of the annotated one; it is refused no more."""
    truth = truth_of(session, case)
    new_id = session.new_ids()[0] if truth is None else truth.id
    after = replace(made, id=new_id)
    if truth is not None:
        after = replace(after, attributes=truth.attributes)
        if truth.origin == HUMAN and truth.mask == after.mask:
            after = replace(after, origin=truth.origin)
    allowed = _refusals_of(session, case, after) if truth is None else ()
    _apply(session, case, (Change(truth, after),), text, tool, allowed=allowed)


def _refusals_of(session: Session, case: ObjectCase, made: Instance) -> tuple[Instance, ...]:
    """Return what says of an object, or of a prediction of its case, that it is none."""
    both = (found_by(session, case, pipeline) for pipeline in SIDES)
    same = [made, *(i for i in both if i is not None)]
    refusals = session.document.refusals if session.document is not None else ()
    return tuple(r for r in refusals if is_there(r, same))


def _apply(
    session: Session,
    case: ObjectCase,
    changes: tuple[Change, ...],
    text: str,
    tool: str,
    refused: tuple[Instance, ...] = (),
    allowed: tuple[Instance, ...] = (),
) -> None:
    if not _is_here(session, case):
        raise ProjectError(tr("The object is in another image."))
    edit = Edit(case.image_id, changes, text, tool=tool, refused=refused, allowed=allowed)
    session.apply(edit)
