"""Objects hidden or locked for the time being; nothing of it is stored."""

from seginst_gui.session import Session


def switch_lock(session: Session) -> None:
    """Lock the selected objects against changes, or unlock them if all are locked."""
    chosen, locked = session.selection, session.locked
    session.set_marks(locked=locked - chosen if chosen <= locked else locked | chosen)


def switch_hidden(session: Session) -> None:
    """Hide the selected objects, or show them if all are hidden."""
    chosen, hidden = session.selection, session.hidden
    session.set_marks(hidden=hidden - chosen if chosen <= hidden else hidden | chosen)


def solo(session: Session) -> None:
    """Hide all but the selected objects."""
    session.set_marks(hidden=frozenset(i.id for i in session.instances) - session.selection)


def show_all(session: Session) -> None:
    """Show what was hidden."""
    session.set_marks(hidden=frozenset())
