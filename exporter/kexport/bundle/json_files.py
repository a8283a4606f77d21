"""JSON as the files of a bundle hold it: its type, its layout, its schema, and typed access to parsed entries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from kexport.errors import BundleError

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


def write_json(path: Path, data: object) -> None:
    """Write JSON in the layout of all files of a bundle: indented by two spaces, one newline at the end."""
    path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")


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


def number(value: Json) -> float:
    """The value itself, if it is a number; raises `TypeError` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def mapping(value: Json) -> JsonObject:
    """The value itself, if it is an object; raises `TypeError` otherwise."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is not an object")
    return value


def items(value: Json) -> Sequence[Json]:
    """The value itself, if it is a list; raises `TypeError` otherwise."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{value!r} is not a list")
    return value


def objects(value: Json) -> list[JsonObject]:
    """The objects of a list; raises `TypeError` if there is anything else."""
    return list(map(mapping, items(value)))


def texts(value: Json) -> tuple[str, ...]:
    """The items of a list as text; raises `TypeError` if it is not a list."""
    return tuple(map(str, items(value)))


def text_map(value: Json) -> dict[str, str]:
    """An object with its values as text; raises `TypeError` if it is not an object."""
    return {name: str(each) for name, each in mapping(value).items()}
