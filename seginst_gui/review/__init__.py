"""The review: A on the left, B on the right, the truth in both, and every object as a case."""

import json

from seginst_gui.session import Session

KEY = "review"
"""The project's setting that a review goes on from after a restart."""


def recalled(session: Session) -> dict[str, object]:
    """Return what a project remembers of its last review; {} if it had none."""
    text = session.project.setting(KEY) if session.project else None
    try:
        table = json.loads(text) if text else {}
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}
