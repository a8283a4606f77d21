"""Reading FlatBuffers, with every offset, size and alignment checked on the way.

A table begins with the distance to its vtable, which holds the offset of each field, 0 for one that is absent. The
fields of a `Layout` are read in one go; the vtables, which tables share, are checked once for each layout.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from kexport.runtimes.soundness.flaw import FlawError

#: Sizes of the scalars, by the letters of `struct`.
_SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8}
_COUNT, _DISTANCE = struct.Struct("<I"), struct.Struct("<i")
_MOST_TABLES = 500_000

Value = int | float | tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Layout:
    """The fields of a table, in the order of their slots.

    Attributes:
        name: of the table.
        text: `name:type` for each slot; a type is a scalar's letter, `s` for a string, `t` for a table, in brackets
            for a vector of these; `_` for a slot that is no longer used. A field may have a default: `name:type=value`.
    """

    name: str
    text: str = ""

    @cached_property
    def slots(self) -> tuple[tuple[str, str, int | None], ...]:
        """Name, type and default of each."""
        return tuple(map(_slot, self.text.split()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(name for name, _, _ in self.slots)


def _slot(text: str) -> tuple[str, str, int | None]:
    name, _, rest = text.partition(":")
    kind, _, default = rest.partition("=")
    return name, kind, int(default) if default else 0 if kind in _SIZES else None


class _Plan(NamedTuple):
    """How the tables with one vtable are read.

    Attributes:
        size: of such a table.
        numbers: unpacks what its fields hold, in the order of their offsets.
        scalars: the slot of each number that is a value, and its place among them.
        references: slot, place, offset and type of those that refer to something else.
        defaults: the values of what is absent.
        eights: the offsets of those that must lie on multiples of eight.
    """

    size: int
    numbers: struct.Struct
    scalars: tuple[tuple[int, int], ...]
    references: tuple[tuple[int, int, int, str], ...]
    defaults: list[Value]
    eights: tuple[int, ...]


def _planned(layout: Layout, size: int, fields: Sequence[tuple[int, int, int, str]]) -> _Plan:
    text, end = "<", 0
    for offset, width, _, kind in fields:
        if offset < end:
            raise FlawError(f"the vtable of a table {layout.name}", "fields that overlap", "each at its own place")
        text += f"{offset - end}x{kind if kind in _SIZES else 'I'}"
        end = offset + width
    return _Plan(
        size,
        struct.Struct(text),
        tuple((slot, place) for place, (_, _, slot, kind) in enumerate(fields) if kind in _SIZES),
        tuple((slot, at, offset, kind) for at, (offset, _, slot, kind) in enumerate(fields) if kind not in _SIZES),
        [default for _, _, default in layout.slots],
        tuple(offset for offset, width, _, _ in fields if width == 8),
    )


class Flatbuffer:
    """A buffer that is read table by table; whatever lies outside of it raises `FlawError`.

    Args:
        content: the bytes.
    """

    def __init__(self, content: memoryview) -> None:
        self.content = content
        self.size = len(content)
        self._plans: dict[tuple[int, int], _Plan] = {}
        self._tables_left = _MOST_TABLES
        # Vectors may be shared, but a file whose vectors add up to much more than itself is made to waste time.
        self._bytes_left = 4 * self.size + 65536

    def root(self, identifier: bytes) -> int:
        """The position of the root table."""
        if self.size < 8 or self.content[4:8] != identifier:
            got = bytes(self.content[4:8])
            raise FlawError("the file identifier", got or "an empty file", repr(identifier))
        return int(_COUNT.unpack_from(self.content)[0])

    def read(self, at: int, layout: Layout) -> list[Value]:
        """The values of a table's fields.

        Scalars are numbers; vectors of four-byte integers and of tables are tuples (of positions for tables); a table
        is its position; a string or any other vector is `(position, count)`. None stands for what is absent.
        """
        self._tables_left -= 1
        if self._tables_left < 0:
            raise FlawError("the number of tables", f"more than {_MOST_TABLES}", "fewer")
        if at & 3 or not 0 <= at <= self.size - 4:
            raise FlawError(f"the position of a table {layout.name}", at, f"a multiple of 4 within {self.size} bytes")
        vtable = at - _DISTANCE.unpack_from(self.content, at)[0]
        key = vtable, id(layout)
        plan = self._plans.get(key) or self._plan(vtable, layout)
        if at + plan.size > self.size:
            raise FlawError(f"the end of a table {layout.name}", at + plan.size, f"at most {self.size}")
        for offset in plan.eights:
            if at + offset & 7:
                raise FlawError("the position of a number", at + offset, "a multiple of 8")
        values = plan.defaults.copy()
        held = plan.numbers.unpack_from(self.content, at)
        for slot, place in plan.scalars:
            values[slot] = held[place]
        for slot, place, offset, kind in plan.references:
            target = at + offset + held[place]
            values[slot] = target if kind == "t" else self._vector(target, kind)
        return values

    def text(self, span: Value) -> str:
        """The text of a string that `read` returned."""
        if not isinstance(span, tuple):
            return ""
        start, count = span
        return bytes(self.content[start : start + count]).decode(errors="replace")

    def words(self, span: Value, letter: str) -> tuple[int, ...]:
        """The numbers of a vector that `read` returned as position and count."""
        if not isinstance(span, tuple):
            return ()
        start, count = span
        self._spend(count * _SIZES[letter])
        return struct.unpack_from(f"<{count}{letter}", self.content, start)

    def array(self, span: Value, dtype: str) -> Any:
        """The numbers of a vector that `read` returned as position and count, as an array; empty where it is absent."""
        start, count = span if isinstance(span, tuple) else (0, 0)
        self._spend(count * np.dtype(dtype).itemsize)
        return np.frombuffer(self.content, dtype, count, start)

    def _spend(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise FlawError("the vectors together", "more than four times the file", "less")

    def _plan(self, vtable: int, layout: Layout) -> _Plan:
        """How to read the tables that have a vtable."""
        if vtable & 1 or not 0 <= vtable <= self.size - 4:
            raise FlawError(f"the vtable of a table {layout.name}", vtable, f"a position within {self.size} bytes")
        length, size = struct.unpack_from("<HH", self.content, vtable)
        if length & 1 or length < 4 or vtable + length > self.size or size < 4:
            raise FlawError(f"the vtable of a table {layout.name}", f"{length} bytes", "an even number within the file")
        offsets = struct.unpack_from(f"<{length // 2 - 2}H", self.content, vtable + 4)
        fields = []
        for slot, ((name, kind, _), offset) in enumerate(zip(layout.slots, offsets, strict=False)):
            if not offset or kind == "_":
                continue
            width = _SIZES.get(kind, 4)
            if offset < 4 or offset + width > size or offset % min(width, 4):
                raise FlawError(f"the field {name} of a table {layout.name}", f"offset {offset}", f"within {size}")
            fields.append((offset, width, slot, kind))
        self._plans[vtable, id(layout)] = _planned(layout, size, sorted(fields))
        return self._plans[vtable, id(layout)]

    def _vector(self, target: int, kind: str) -> Value:
        """A vector, or where a string lies."""
        if target & 3 or not 0 <= target <= self.size - 4:
            raise FlawError("the position of a vector", target, f"a multiple of 4 within {self.size} bytes")
        count, start, element = _COUNT.unpack_from(self.content, target)[0], target + 4, kind[1:-1]
        size = 1 if kind == "s" else _SIZES.get(element, 4)
        end = start + count * size
        if end > self.size or (kind == "s" and (end == self.size or self.content[end])):
            raise FlawError("the length of a vector or string", count, f"an end within {self.size} bytes")
        if kind == "s" or size != 4 or element == "f":
            if start % size and count:
                raise FlawError("the position of a vector", start, f"a multiple of {size}")
            return start, count
        self._spend(4 * count)
        if element in "ts":
            relative: Sequence[int] = struct.unpack_from(f"<{count}I", self.content, start)
            return tuple(start + 4 * index + offset for index, offset in enumerate(relative))
        return struct.unpack_from(f"<{count}{element}", self.content, start)


def numbers(value: Value) -> tuple[int, ...]:
    """The elements of a vector, or the span of another; empty where it is absent."""
    return value if isinstance(value, tuple) else ()


def integer(value: Value) -> int:
    """A number, or the position of a table; 0 where it is absent."""
    return value if isinstance(value, int) else 0
