"""What to tell a person about an exception: one sentence, and a log file if it was a bug."""

import os
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

from seginst_core.errors import SegInstError, is_out_of_memory, plain
from seginst_core.library import user_folder


def sentence(error: BaseException) -> str:
    """Return one sentence for the person; an unexpected error is also written to a log file."""
    if isinstance(error, SegInstError):
        return plain(error)
    if is_out_of_memory(error):
        return (
            "The machine's or its GPU's memory ran out; close other programs, or use smaller "
            "tiles or batches, a smaller preset or a smaller image."
        )
    if isinstance(error, OSError) and error.strerror:
        return plain(error)
    log = write_log(error)
    where = f"the details are in {log}" if log else "its details could not be written to a log"
    return f"SegInst met an unexpected error ({type(error).__name__}); {where}."


def write_log(error: BaseException) -> Path | None:
    """Write the traceback into the person's logs, else the temporary folder; None if neither."""
    text = "".join(traceback.format_exception(error))
    name = f"seginst-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in (user_folder() / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # What went wrong first in this second is the cause of the rest.
            with (folder / name).open("a", encoding="utf-8") as log:
                log.write(text)
        except OSError:
            continue
        return folder / name
    return None
