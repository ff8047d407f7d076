"""The class names of a YOLO data set: the ``names`` of its data.yaml, or its classes.txt.

Only what such files hold is understood: names as a list or a mapping of numbers, in block or
flow style. Reading whole YAML would need a package for this one key.
"""

import json
import re
from collections.abc import Iterator, Sequence

from seginst_core.errors import FormatError

_MAX_CHARS = 1 << 20
_KEY = re.compile(r"names\s*:(.*)")
_ITEM = re.compile(r"\s*-\s+(.*)")
_PAIR = re.compile(r"\s+[\"']?(\d{1,9})[\"']?\s*:\s+(.*)")
_NUMBER = re.compile(r"\s*[\"']?(\d{1,9})[\"']?\s*:\s+")
_QUOTED = re.compile(r"\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')")
_PLAIN = re.compile(r"\s*[^,\[\]{}\n]*")
_END = re.compile(r"\s*(?:#[^\n]*\s*)?([,\]}])")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def names_of_yaml(text: str) -> dict[int, str]:
    """Return class names by number; FormatError, as a clause, if there are none to be found."""
    lines = text.splitlines() if len(text) <= _MAX_CHARS else []
    for place, line in enumerate(lines):
        key = _KEY.fullmatch(line)
        if key is None:
            continue
        rest = key[1].strip()
        if rest.startswith(("[", "{")):
            names = dict(_flow("\n".join((rest, *lines[place + 1 :]))))
        else:
            names = dict(_block(lines[place + 1 :]))
        if names:
            return names
    raise FormatError("it has no list of class names")


def names_of_lines(text: str) -> dict[int, str]:
    """Return the names of a classes.txt, one a line."""
    return {k: line.strip() for k, line in enumerate(text.splitlines()) if line.strip()}


def yaml_text(names: Sequence[str]) -> str:
    """Return a data.yaml as Ultralytics reads it, for images beside the labels."""
    # A JSON string is a YAML string, whatever is in it.
    rows = [f"  {k}: {json.dumps(name, ensure_ascii=False)}\n" for k, name in enumerate(names)]
    listed = "names:\n" + "".join(rows) if rows else "names: []\n"
    return f"# Written by SegInst\ntrain: images\nval: images\n{listed}"


def _block(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Read ``- a`` lines or ``  0: a`` lines, to the first line that is neither."""
    n_items = 0
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item, pair = _ITEM.fullmatch(line), _PAIR.fullmatch(line)
        if item:
            yield n_items, _scalar(item[1])
            n_items += 1
        elif pair:
            yield int(pair[1]), _scalar(pair[2])
        else:
            return


def _flow(text: str) -> Iterator[tuple[int, str]]:
    """Read ``[a, "b"]`` or ``{0: a, 1: 'b'}``, over as many lines as it takes."""
    keyed = text[0] == "{"
    at, number = 1, 0
    while at < len(text):
        if keyed:
            key = _NUMBER.match(text, at)
            if key is None:
                return
            number, at = int(key[1]), key.end()
        found = _QUOTED.match(text, at) or _PLAIN.match(text, at)
        name = _scalar(found[0]) if found else ""
        end = _END.match(text, found.end() if found else at)
        if name:
            yield number, name
        if end is None or end[1] != ",":
            return
        number, at = number + 1, end.end()


def _scalar(text: str) -> str:
    """Return a quoted or plain YAML scalar on one line, without its comment."""
    text = text.strip()
    quoted = _QUOTED.match(text)
    if quoted is None:
        return _COMMENT.sub("", text).strip()
    inner = quoted[1]
    if inner.startswith("'"):
        return inner[1:-1].replace("''", "'")
    try:
        return str(json.loads(inner))
    except ValueError:  # YAML has escapes that JSON lacks
        return inner[1:-1]
