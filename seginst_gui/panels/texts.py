"""Numbers in words, and sentences with links, the same in every panel."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from seginst_core.models.detectron2 import DETECTRON2_PAGE
from seginst_gui.language import later, tr

Noun = Literal["object", "image", "more image", "corrected object", "case", "edit", "model"]
NOUNS: Mapping[Noun, tuple[str, str]] = {
    "object": (later("1 object"), later("{n} objects")),
    "image": (later("1 image"), later("{n} images")),
    "more image": (later("1 more image"), later("{n} more images")),
    "corrected object": (later("1 corrected object"), later("{n} corrected objects")),
    "case": (later("1 case"), later("{n} cases")),
    "edit": (later("1 edit"), later("{n} edits")),
    "model": (later("1 model"), later("{n} models")),
}


def count(n: int, noun: Noun) -> str:
    """Return ``1 object``, ``12 objects``, ``1,234 objects``."""
    one, many = NOUNS[noun]
    return tr(one) if n == 1 else tr(many).format(n=f"{n:,}")


def duration(seconds: float) -> str:
    """Return a rounded length of time, as ``40 s``, ``3 min``, ``1 h 20 min``."""
    if seconds < 60:
        return tr("{n} s").format(n=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr("{n} min").format(n=minutes)
    hours, rest = divmod(minutes, 60)
    return (
        tr("{hours} h {minutes} min").format(hours=hours, minutes=rest)
        if rest
        else tr("{n} h").format(n=hours)
    )


def moment(stamp: str, now: datetime) -> str:
    """Return a time of ISO 8601 in ``now``'s zone: ``15:04`` today, else ``11 Jun 15:04``."""
    time = datetime.fromisoformat(stamp).astimezone(now.tzinfo)
    if time.date() == now.date():
        return f"{time:%H:%M}"
    year = "" if time.year == now.year else f" {time.year}"
    return f"{time.day} {time:%b}{year} {time:%H:%M}"


def with_link(sentence: str) -> str:
    """Return rich text of a sentence that ends in the address of detectron2's page."""
    link = f'<a href="{DETECTRON2_PAGE}">its installation page</a>.'
    return sentence.replace(DETECTRON2_PAGE, link)
