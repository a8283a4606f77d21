"""Whether the arguments of a public function are what its annotations say, before anything is done with them.

`trust="no"` would be as true as `True`, and a text in place of a list be taken letter by letter.
"""

from __future__ import annotations

import inspect
import numbers
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kexport.errors import UsageError

_LONGEST = 60  # of what is shown of a value
_SIMPLE: Mapping[str, tuple[type, ...]] = {
    "None": (type(None),),
    "str": (str,),
    "Path": (os.PathLike,),
    "int": (numbers.Integral,),
    "float": (numbers.Real,),
}


def require_types(function: Callable[..., object], args: Sequence[object], options: Mapping[str, object]) -> None:
    """Raise `UsageError` for the first argument of another type than its annotation states.

    Args:
        function: the function; an annotation that names what is only known to type checkers takes anything.
        args: its positional arguments.
        options: the other ones; those that it does not have are left to Python.
    """
    parameters = inspect.signature(function).parameters
    given = {**dict(zip(parameters, args, strict=False)), **options}
    for name, value in given.items():
        annotation = parameters[name].annotation if name in parameters else ""
        if isinstance(annotation, str) and annotation and not _fits(value, annotation, function):
            text = repr(value)
            shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
            raise UsageError(
                f"{name} of kexport.{function.__name__} has the wrong type",
                got=f"{shown}, {type(value).__name__}",
                expected=annotation,
                hint=f"{name}=[{value!r}]" if isinstance(value, str) and "Sequence[str]" in annotation else None,
            )


def _fits(value: object, annotation: str, function: Callable[..., object]) -> bool:
    return any(_is(value, each.strip(), getattr(function, "__globals__", {})) for each in _parts(annotation))


def _parts(annotation: str) -> list[str]:
    """The types of a union; those within brackets belong to what is before them."""
    parts, depth, begin = [], 0, 0
    for at, letter in enumerate(annotation):
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and not depth:
            parts.append(annotation[begin:at])
            begin = at + 1
    return [*parts, annotation[begin:]]


def _is(value: object, name: str, known: Mapping[str, Any]) -> bool:
    if name == "bool":
        return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # of NumPy too
    if name in _SIMPLE:
        return isinstance(value, _SIMPLE[name]) and not (isinstance(value, bool) and name in ("int", "float"))
    if name == "Sequence[str]":
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Collection):
            return False
        return all(isinstance(each, str) for each in value)
    if name.startswith("Mapping["):
        return isinstance(value, Mapping)
    found = known.get(name)
    return isinstance(value, found) if isinstance(found, type) else True
