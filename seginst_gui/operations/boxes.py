"""The mask that a model draws in a box comes later: the person may be elsewhere by then."""

from dataclasses import replace

from seginst_core.masks.geometry import mask_box
from seginst_core.project import Project
from seginst_core.project.document import Document
from seginst_core.project.edits import change
from seginst_core.types import Instance, Mask, Origin
from seginst_gui.language import tr
from seginst_gui.operations.apart import kept_apart
from seginst_gui.session import Session


def fill_box(
    session: Session, image_id: int, drawn: Instance, mask: Mask | None, model: str
) -> str:
    """Give a box its mask, in whichever image it is; return a sentence if it stays a box.

    What else the person changed of the object meanwhile is kept. If its box is another one by now
    or gone, nothing is done. ProjectError if the mask cannot be stored.
    """
    project, document = session.project, session.document
    assert project is not None
    if document is not None and document.image.id == image_id:
        return _fill(session, project, document, drawn, mask, model)
    # On a connection of its own, so that the person's time goes on counting where they are.
    with project.beside() as other:
        return _fill(session, other, other.document(image_id), drawn, mask, model)


def _fill(
    session: Session,
    project: Project,
    document: Document,
    drawn: Instance,
    mask: Mask | None,
    model: str,
) -> str:
    now = document.get(drawn.id)
    if now is None or now.mask is not None or now.box != drawn.box:
        return ""
    if mask is None:
        return tr("The model sees no object in this box, so it stays a box.")
    if now.id in session.locked:
        return tr("The box is locked, so it did not get the mask that the model drew.")
    free = kept_apart(session, mask, (i for i in document.instances if i is not now))
    if free is None:
        return tr("All that the model sees in this box is other objects', so it stays a box.")
    filled = replace(now, box=mask_box(free), mask=free, origin=Origin("model", model, "two-stage"))
    edit = change(document.image.id, [(now, filled)], tr("Draw the mask in the box"), tool="box")
    if document is session.document:
        session.apply(edit)
    else:
        project.commit(document, edit)
        session.stepped.emit(document.image.id, 1)
        session.refresh_image(document.image.id)
    return ""
