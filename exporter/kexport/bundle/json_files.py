"""JSON as the files of a bundle hold it: its layout, its schema, and typed access to parsed entries.

An entry of the wrong type raises `FieldError`, which names its place: `artifacts[0].path is not text`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from kexport.bundle.json_text import Json, JsonObject, path_of
from kexport.errors import BundleError

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


#: A list of numbers, each on a line; no text can look so, as it has no unescaped line breaks.
_NUMBERS = re.compile(r"\[\n\s*((?:-?[0-9][-+.0-9eE]*,?\s+)+)\]")


class FieldError(TypeError):
    """An entry of parsed JSON is missing or of the wrong type.

    Attributes:
        steps: keys and indices that lead to it.
        problem: what is wrong, as a predicate.
    """

    def __init__(self, steps: tuple[str | int, ...], problem: str) -> None:
        self.steps, self.problem = steps, problem
        super().__init__(f"{path_of(steps)} {problem}".strip())

    def below(self, step: str | int) -> FieldError:
        """The same error, of a value that holds the one that it was of."""
        return FieldError((step, *self.steps), self.problem)


def write_json(path: Path, data: object) -> None:
    """Write JSON in the layout of all files of a bundle: indented by two spaces, one newline at the end.

    A list of numbers takes one line.
    """
    indented = json.dumps(data, indent=2, allow_nan=False)
    path.write_text(_NUMBERS.sub(_on_one_line, indented) + "\n", encoding="utf-8")


def _on_one_line(numbers: re.Match[str]) -> str:
    return f"[{' '.join(numbers[1].split())}]"


def require_schema(
    subject: str, data: object, supported: int, *, absent: int | None = None, hint: str | None = None
) -> JsonObject:
    """The parsed data itself, if this kexport can read its schema.

    Args:
        subject: what the data is, for the error: `"witness 0123.npz"`.
        data: as parsed from JSON.
        supported: the newest schema that can be read; older ones can be read too.
        absent: the schema of data that states none; by default such data is refused.
        hint: what to do about data without a schema.

    Raises:
        BundleError: the data has no schema, or a newer one.
    """
    schema = data.get("schema", absent) if isinstance(data, dict) else None
    if not isinstance(data, dict) or isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        expected = "a whole number of at least 1"
        raise BundleError(f"{subject} has no schema", got=repr(schema), expected=expected, hint=hint)
    if schema > supported:
        raise BundleError(
            f"{subject} has a newer schema than this kexport reads",
            got=schema,
            expected=f"at most {supported}",
            hint="pip install --upgrade kexport",
        )
    return data


def member(data: JsonObject, key: str, read: Callable[[Json], _Value]) -> _Value:
    """An entry of an object.

    Args:
        data: the object.
        key: the key of the entry.
        read: makes it from JSON.

    Raises:
        FieldError: there is no such entry, or `read` refuses it.
    """
    if key not in data:
        raise FieldError((key,), "is missing")
    return _placed(key, data[key], read)


def optional(data: JsonObject, key: str, read: Callable[[Json], _Value], default: _Default) -> _Value | _Default:
    """An entry of an object, or the default where there is no such entry; raises as `member` does."""
    return _placed(key, data[key], read) if key in data else default


def list_of(read: Callable[[Json], _Value]) -> Callable[[Json], tuple[_Value, ...]]:
    """A reader of lists whose items `read` makes from JSON."""
    return lambda value: tuple(_placed(index, item, read) for index, item in enumerate(items(value)))


def object_of(read: Callable[[JsonObject], _Value]) -> Callable[[Json], _Value]:
    """A reader of objects that `read` takes."""
    return lambda value: read(mapping(value))


def _placed(step: str | int, value: Json, read: Callable[[Json], _Value]) -> _Value:
    try:
        return read(value)
    except FieldError as error:
        raise error.below(step) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise FieldError((step,), f"is damaged: {error}") from None


def text(value: Json) -> str:
    """The value itself, if it is text; raises `FieldError` otherwise."""
    if not isinstance(value, str):
        raise _wrong(value, "text")
    return value


def flag(value: Json) -> bool:
    """The value itself, if it is true or false; raises `FieldError` otherwise."""
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def number(value: Json) -> float:
    """The value itself, if it is a number; raises `FieldError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a number")
    return value


def whole(value: Json) -> int:
    """The value itself, if it is a whole number of at least 0; raises `FieldError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(value, "a whole number of at least 0")
    return value


def integer(value: Json) -> int:
    """The value itself, if it is a whole number; raises `FieldError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(value, "a whole number")
    return value


def mapping(value: Json) -> JsonObject:
    """The value itself, if it is an object; raises `FieldError` otherwise."""
    if not isinstance(value, Mapping):
        raise _wrong(value, "an object")
    return value


def items(value: Json) -> Sequence[Json]:
    """The value itself, if it is a list; raises `FieldError` otherwise."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _wrong(value, "a list")
    return value


def texts(value: Json) -> tuple[str, ...]:
    """The texts of a list; raises `FieldError` if there is anything else."""
    return list_of(text)(value)


def text_map(value: Json) -> dict[str, str]:
    """An object whose values are texts; raises `FieldError` otherwise."""
    members = mapping(value)
    return {name: member(members, name, text) for name in members}


def _wrong(value: Json, expected: str) -> FieldError:
    return FieldError((), f"is not {expected} but {str(value)[:40]!r}")
