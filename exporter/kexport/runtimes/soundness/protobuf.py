"""Reading protocol buffers field by field, without a copy of what they hold."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.runtimes.soundness.flaw import FlawError

Bytes = bytes | memoryview
Field = tuple[int, int | Bytes]

_CONTINUED = 0x80  # the bit of a byte that further ones follow
_SHORT = 4096
_VARINT, _EIGHT, _SPAN, _FOUR = 0, 1, 2, 5
_LONGEST = 10  # bytes of a number
_MOST_FIELDS = 1 << 29  # other readers drop the bits of a larger number, and take it for another field


def fields(message: Bytes, place: str) -> Iterator[Field]:
    """Number and value of each field: numbers as they are stored, without a sign; everything else as its bytes.

    Args:
        message: the bytes of a message.
        place: what messages of errors call it.

    Raises:
        FlawError: it is not a message.
    """
    at, end = 0, len(message)
    if end < _SHORT:
        message = bytes(message)  # which are read in half the time
    while at < end:
        key = message[at]
        at += 1
        if key >= _CONTINUED:  # most numbers are of one byte, and a call for each would take most of the time
            key, at = varint(message, at - 1, place)
        number, kind = key >> 3, key & 7
        if not 0 < number < _MOST_FIELDS:
            raise FlawError(place, f"field {number}", f"a field from 1 to {_MOST_FIELDS - 1}")
        if kind == _SPAN:
            if at < end and (length := message[at]) < _CONTINUED:
                at += 1
            elif at + 1 < end and (high := message[at + 1]) < _CONTINUED:
                length, at = length & 0x7F | high << 7, at + 2
            else:
                length, at = varint(message, at, place)
        elif kind == _VARINT:
            if at < end and (value := message[at]) < _CONTINUED:
                at += 1
            else:
                value, at = varint(message, at, place)
            yield number, value
            continue
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise FlawError(place, f"a field of kind {kind}", "a protocol buffer message")
        stop = at + length
        if stop > end:
            raise FlawError(place, f"field {number} of {length} bytes", f"a field within {end - at} bytes")
        yield number, message[at:stop]
        at = stop


def varint(message: Bytes, at: int, place: str) -> tuple[int, int]:
    """The number at a position, and the position after it."""
    byte = message[at] if at < len(message) else 0
    if byte < _CONTINUED and at < len(message):
        return byte, at + 1
    value = shift = 0
    for position in range(at, min(at + _LONGEST, len(message))):
        byte = message[position]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < _CONTINUED:
            return value, position + 1
    raise FlawError(place, "a number without end", "a protocol buffer message")


def signed(value: int) -> int:
    """A stored number as a 64-bit integer with a sign."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: int | Bytes, place: str) -> str:
    """The text of a field."""
    try:
        return str(value, "utf-8")  # type: ignore[arg-type]
    except TypeError:
        raise FlawError(place, f"the number {value!r}", "a text") from None
    except UnicodeDecodeError as error:
        raise FlawError(place, bytes(value)[:40], "a text in UTF-8") from error


def integers(value: int | Bytes, place: str) -> list[int]:
    """The numbers of a repeated field: one of them, or all, packed."""
    if isinstance(value, int):
        return [signed(value)]
    if isinstance(value, bytes) and value.isascii():
        return list(value)  # each of one byte
    numbers, at = [], 0
    while at < len(value):
        number, at = varint(value, at, place)
        numbers.append(signed(number))
    return numbers
