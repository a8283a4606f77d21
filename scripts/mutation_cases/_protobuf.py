"""Changes of any protocol buffer without its schema: the fields of its messages, with the lengths around them right."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

_VARINTS = (0, 1, 2, 5, 7, 16, 127, 128, 1000, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
_TEXTS = (
    b"",
    b"x",
    b"a\0b",
    b"\xff\xfe",
    b"x" * 5000,
    b"../../watched/secret",
    b"/etc/passwd",
    b"\x1b[31m",
    b":0",
    b"PyFunc",
    b"WriteFile",
)


@dataclass
class Field:
    """A field of a message: its tag, and its number or its bytes, and the message that these may be."""

    tag: int
    value: int | bytes
    message: list[Field] | None = None


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise ValueError("too long")


def _as_varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def parsed(content: bytes, depth: int = 0) -> list[Field]:
    """The fields; raises `ValueError` or `IndexError` if it is no message."""
    fields, place = [], 0
    while place < len(content):
        tag, place = _varint(content, place)
        wire = tag & 7
        if tag >> 3 == 0 or tag >> 3 > 100_000 or wire not in (0, 1, 2, 5):
            raise ValueError("no message")
        if wire == 0:
            value, place = _varint(content, place)
            fields.append(Field(tag, value))
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            size, place = _varint(content, place)
        if place + size > len(content):
            raise ValueError("no message")
        body, place = content[place : place + size], place + size
        field = Field(tag, body)
        if wire == 2 and size > 1 and depth < 30:
            try:
                field.message = parsed(body, depth + 1)
            except (ValueError, IndexError):
                pass  # text, or numbers
        fields.append(field)
    return fields


def written(fields: list[Field]) -> bytes:
    """The inverse of `parsed`."""
    parts = []
    for field in fields:
        parts.append(_as_varint(field.tag))
        if isinstance(field.value, int):
            parts.append(_as_varint(field.value))
            continue
        body = field.value if field.message is None else written(field.message)
        parts.append(_as_varint(len(body)) + body if field.tag & 7 == 2 else body)
    return b"".join(parts)


def _lists(fields: list[Field]) -> list[list[Field]]:
    found = [fields] if fields else []
    for field in fields:
        if field.message:
            found += _lists(field.message)
    return found


def _change(fields: list[Field], rng: Random) -> str:
    place = rng.randrange(len(fields))
    field = fields[place]
    how = rng.choice(("value", "value", "value", "value", "remove", "repeat", "many", "tag", "nest", "swap"))
    if how == "remove":
        del fields[place]
    elif how in ("repeat", "many"):
        fields[place:place] = [field] * rng.choice((1, 2) if how == "repeat" else (100, 3000))
    elif how == "tag":
        field.tag = rng.choice((1, 2, 3, 5, 7, 9, field.tag >> 3)) << 3 | field.tag & 7
    elif how == "swap":
        other = rng.randrange(len(fields))
        fields[place], fields[other] = fields[other], field
    elif how == "nest" and field.message is not None:
        for _ in range(rng.choice((1, 50, 500))):
            field.message = [Field(field.tag, b"", field.message)]
    elif isinstance(field.value, int):
        field.value = rng.choice((*_VARINTS, field.value + 1, max(0, field.value - 1), field.value * 2 % 2**64))
    elif field.tag & 7 == 2:
        body = written(field.message) if field.message is not None else field.value
        field.message = None
        field.value = rng.choice((*_TEXTS, body + b"_", body[:-1], body * 2, body[::-1]))
    else:
        field.value = bytes(rng.choice((0, 0xFF, 0x7F, 0x80)) for _ in field.value)
    return f"{how} of field {field.tag >> 3}"


def edit(content: bytes, rng: Random) -> Edited:
    """One change."""
    if rng.random() < 0.25:
        return _bytes.edit(content, rng)
    try:
        fields = parsed(content)
        what = _change(rng.choice(_lists(fields)), rng)
        return what, written(fields)
    except (ValueError, IndexError, RecursionError, TypeError):
        return _bytes.edit(content, rng)
