"""Instances and edits as bytes for the database: JSON, then the packed masks as they are.

Every record starts with the length of its JSON. An edit holds the records of its instances, so
that a commit packs each mask once for both the instance and the history.
"""

import math
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import TypeAlias, cast

import orjson

from seginst_core.errors import FormatError, ProjectError
from seginst_core.masks.rle import pack, unpack
from seginst_core.project.edits import Change, Edit
from seginst_core.types import Box, Instance, Origin, State

Table: TypeAlias = dict[str, object]
Sides: TypeAlias = tuple[bytes | None, bytes | None]
"""One change's instance records, before and after."""
Known: TypeAlias = Callable[[int], Instance | None]
"""Returns the instance of an id, if it is at hand."""
Reader: TypeAlias = Callable[[bytes], Instance]
"""Makes an instance of its record."""

_LENGTH = struct.Struct("<I")
_ORIGIN_DEFAULTS = {f.name: f.default for f in fields(Origin)}


def instance_to_bytes(instance: Instance) -> bytes:
    """Pack an instance exactly; ProjectError if a number in it is not finite."""
    box = instance.box
    sides = [float(box.x0), float(box.y0), float(box.x1), float(box.y1)]
    score = None if instance.score is None else float(instance.score)
    if not all(map(math.isfinite, (*sides, score or 0.0))):
        raise ProjectError(f"Object {instance.id} has a box or score that is not a number.")
    table: Table = {"id": int(instance.id), "category_id": int(instance.category_id), "box": sides}
    # What is as usual is left out: most records are then half as long.
    if score is not None:
        table["score"] = score
    if instance.iscrowd:
        table["iscrowd"] = True
    origin = {name: getattr(instance.origin, name) for name in _ORIGIN_DEFAULTS}
    table["origin"] = {k: v for k, v in origin.items() if v != _ORIGIN_DEFAULTS[k]}
    if instance.attributes:
        table["attributes"] = dict(instance.attributes)
    return _join(table, b"" if instance.mask is None else pack(instance.mask))


def instance_from_bytes(data: bytes) -> Instance:
    """Undo ``instance_to_bytes``; ProjectError if the record is damaged."""
    try:
        table, mask = _split(data)
        return Instance(
            id=cast(int, table["id"]),
            category_id=cast(int, table["category_id"]),
            box=Box(*cast(list[float], table["box"])),
            mask=unpack(mask) if mask else None,
            score=cast(float | None, table.get("score")),
            iscrowd=cast(bool, table.get("iscrowd", False)),
            origin=Origin(**cast(dict[str, str], table["origin"])),  # type: ignore[arg-type]
            attributes=cast(dict[str, str], table.get("attributes", {})),
        )
    except (FormatError, KeyError, TypeError, ValueError, struct.error) as error:
        raise ProjectError("A record of the project database is damaged.") from error


def instances_to_bytes(instances: Sequence[Instance]) -> bytes:
    """Pack instances exactly."""
    bodies = [instance_to_bytes(instance) for instance in instances]
    return _join({"lengths": [len(body) for body in bodies]}, b"".join(bodies))


def instances_from_bytes(data: bytes) -> tuple[Instance, ...]:
    """Undo ``instances_to_bytes``; ProjectError if the record is damaged."""
    try:
        table, rest = _split(data)
        bodies = list(_cut(rest, cast(list[int], table["lengths"])))
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise ProjectError("A record of the project database is damaged.") from error
    return tuple(instance_from_bytes(body) for body in bodies)


def edit_to_bytes(edit: Edit, sides: Sequence[Sides]) -> bytes:
    """Pack an edit's state, tool and the records of its instances, in the order of its changes."""
    bodies = [body for pair in sides for body in pair]
    bodies += [instance_to_bytes(i) for i in (*edit.refused, *edit.allowed)]
    table: Table = {
        "state": edit.state,
        "tool": edit.tool,
        "lengths": [0 if body is None else len(body) for body in bodies],
    }
    if edit.refused or edit.allowed:
        table["verdicts"] = [len(edit.refused), len(edit.allowed)]
    return _join(table, b"".join(body for body in bodies if body is not None))


class Recent:
    """The instances of the newest edits by their records: undoing these unpacks nothing.

    It also gives back the very objects that were there, for which a view may have kept drawings.
    """

    MOST = 2_000
    MOST_BYTES = 16_000_000

    def __init__(self) -> None:
        self._instances: OrderedDict[bytes, Instance] = OrderedDict()
        self._n_bytes = 0

    def keep(self, record: bytes, instance: Instance) -> None:
        """Remember whose record this is, and forget what was not asked for the longest time."""
        if record in self._instances:
            self._n_bytes -= _size(record, self._instances.pop(record))
        self._instances[record] = instance
        self._n_bytes += _size(record, instance)
        while len(self._instances) > self.MOST or self._n_bytes > self.MOST_BYTES:
            self._n_bytes -= _size(*self._instances.popitem(last=False))

    def read(self, record: bytes) -> Instance:
        """Return the instance of a record, unpacked if need be; ProjectError if it is damaged."""
        instance = self._instances.get(record) or instance_from_bytes(record)
        self.keep(record, instance)
        return instance


def _size(record: bytes, instance: Instance) -> int:
    return len(record) + (0 if instance.mask is None else instance.mask.bits.nbytes)


def edit_from_bytes(
    image_id: int,
    text: str,
    data: bytes,
    known: Known | None = None,
    side: int = 0,
    read: Reader = instance_from_bytes,
) -> tuple[Edit, tuple[Sides, ...]]:
    """Undo ``edit_to_bytes``; ProjectError if the record is damaged.

    Of one ``side`` (0 before, 1 after) the instances that are ``known`` by their ids are taken as
    they are; ``read`` makes the others.
    """
    try:
        table, rest = _split(data)
        bodies = [body or None for body in _cut(rest, cast(list[int], table["lengths"]))]
        n_refused, n_allowed = cast(list[int], table.get("verdicts", [0, 0]))
        n_sides = len(bodies) - n_refused - n_allowed
        there = range(side, n_sides, 2)
        instances = [
            None if body is None else _known(body, known if n in there else None) or read(body)
            for n, body in enumerate(bodies)
        ]
        verdicts = tuple(i for i in instances[n_sides:] if i is not None)
        sides = tuple(zip(bodies[0:n_sides:2], bodies[1:n_sides:2], strict=True))
        changes = tuple(map(Change, instances[0:n_sides:2], instances[1:n_sides:2]))
        state = cast(list[State] | None, table["state"])
        tool = cast(str, table["tool"])
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise ProjectError("A record of the project database is damaged.") from error
    pair = None if state is None else (state[0], state[1])
    refused, allowed = verdicts[:n_refused], verdicts[n_refused:]
    edit = Edit(image_id, changes, text, pair, tool, refused=refused, allowed=allowed)
    return edit, sides


def _known(data: bytes, known: Known | None) -> Instance | None:
    return known and known(cast(int, _split(data)[0]["id"]))


def _join(table: Table, rest: bytes) -> bytes:
    try:
        head = orjson.dumps(table, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise ProjectError(f"An object holds a value that cannot be stored ({error}).") from error
    return _LENGTH.pack(len(head)) + head + rest


def _split(data: bytes) -> tuple[Table, bytes]:
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    return cast(Table, orjson.loads(data[_LENGTH.size : end])), data[end:]


def _cut(data: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    if sum(lengths) != len(data):
        raise ValueError("the lengths do not add up")
    start = 0
    for length in lengths:
        yield data[start : start + length]
        start += length
