"""The one reader of JSON: strict, and with limits on size, depth, count and the range of numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from kexport.bundle.regular_files import read_regular
from kexport.errors import BundleError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]

#: Of a text, in bytes: fifty times the largest manifest that was seen. What it becomes in memory is 30 times as large.
MOST_JSON = 1 << 24
_MOST_VALUES = 1 << 21
_MOST_CONTAINERS = 1 << 20  # counted before they take memory: each of them takes a hundred times its brackets
_DEEPEST = 128
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1
_DIGITS = 20  # of the largest integer, and more than a float distinguishes
_Place: TypeAlias = "tuple[_Place, str | int] | None"


class _Repeated(dict[str, "Json"]):
    """An object with a key that occurs twice."""

    key = ""


def read_json(path: Path, subject: str, within: Path | None = None, most: int = MOST_JSON) -> Json:
    """The value in a file of JSON.

    Args:
        path: the path of the file.
        subject: what the file is, for errors.
        within: a folder that no symbolic link may lead out of.
        most: the largest size in bytes.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        BundleError: it cannot be read, or is not what `parse` accepts.
    """
    try:
        content = read_regular(path, within, most)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise BundleError(f"{subject} cannot be read", got=error.strerror or error) from None
    return parse(content, subject, most=most)


def parse(content: bytes | str, subject: str, *, most: int = MOST_JSON, finite: bool = True) -> Json:
    """The value of a JSON text.

    Args:
        content: the text; bytes must be UTF-8.
        subject: what the text is, for the error: the name of a file, for one.
        most: the largest size, in bytes or characters.
        finite: whether every number must be finite; the configurations that Keras writes contain NaN and Infinity.

    Raises:
        BundleError: it is no JSON, too large or too deep, repeats a key, or has a number or text that cannot be kept.
    """
    if len(content) > most:
        raise _unreadable(subject, f"{len(content)} bytes", f"at most {most}; --max-bytes allows more")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        if text.count("{") + text.count("[") > _MOST_CONTAINERS:
            raise _unreadable(subject, "too many objects and lists", f"at most {_MOST_CONTAINERS}")
        value: Json = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_constant=float)
    except UnicodeDecodeError as error:
        raise _unreadable(subject, f"{error.reason} at byte {error.start}", "UTF-8") from None
    except RecursionError:
        raise _too_deep(subject) from None
    except ValueError as error:
        raise _unreadable(subject, error, "JSON") from None
    _check(value, subject, finite)
    return value


def _check(root: Json, subject: str, finite: bool) -> None:
    """Raise `BundleError` for the first value that is out of range; does not recurse, as the text may be deep."""
    waiting: list[tuple[Json, _Place, int]] = [([root], None, 0)]
    count = 0
    while waiting:
        container, place, depth = waiting.pop()
        assert isinstance(container, list | dict)
        count += len(container)
        if depth > _DEEPEST:
            raise _too_deep(subject)
        if count > _MOST_VALUES:
            raise _unreadable(subject, "too many values", f"at most {_MOST_VALUES}")
        if isinstance(container, _Repeated):
            raise _unreadable(subject, f"{container.key!r} occurs twice{_in(place)}", "each key once")
        for key, value in _items(container):
            if isinstance(key, str) and not _is_text(key):
                raise _unreadable(subject, f"the key {key!r}{_in(place)}", "text that UTF-8 can hold")
            if isinstance(value, list | dict):
                waiting.append((value, (place, key), depth + 1))
            elif (expected := _fault(value, finite)) is not None:
                raise _unreadable(subject, f"{_brief(value)}{_in((place, key))}", expected)


def _items(container: list[Json] | dict[str, Json]) -> Iterator[tuple[str | int, Json]]:
    yield from container.items() if isinstance(container, dict) else enumerate(container)


def _fault(value: Json, finite: bool) -> str | None:
    """What is expected in place of a value; None where nothing is wrong with it."""
    if isinstance(value, str):
        return None if _is_text(value) else "text that UTF-8 can hold"
    if isinstance(value, int):
        return None if _LOWEST <= value <= _HIGHEST else "an integer of at most 64 bits"
    if isinstance(value, float) and finite:
        return None if math.isfinite(value) else "a finite number"
    return None


def _brief(value: Json) -> str:
    return ascii(value)[:40] if isinstance(value, str) else str(value)


def _is_text(text: str) -> bool:
    """Whether UTF-8 can hold it; an escape in JSON may stand for half a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated, seen = _Repeated(members), set[str]()
    for name, _ in pairs:
        if name in seen:
            repeated.key = name
        seen.add(name)
    return repeated


def _integer(digits: str) -> int:
    """The integer; of one with too many digits only their number counts."""
    return int(digits[: _DIGITS + 2])


def _in(place: _Place) -> str:
    """Where a value is, in words: ` in signature.inputs[0].shape`."""
    steps: list[str | int] = []
    while place is not None:
        place, step = place
        steps.append(step)
    steps.reverse()
    path = path_of(steps[1:])  # the first one is of the list around the whole value
    return f" in {path}" if path else ""


def path_of(steps: Sequence[str | int]) -> str:
    """Keys and indices as people write them: `artifacts[0].path`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _too_deep(subject: str) -> BundleError:
    return _unreadable(subject, "objects and lists that are nested too deeply", f"at most {_DEEPEST} levels")


def _unreadable(subject: str, got: object, expected: str) -> BundleError:
    return BundleError(f"{subject} cannot be read", got=got, expected=expected)
