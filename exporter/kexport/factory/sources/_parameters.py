"""`--set key=value`, typed by the annotations of the function that builds the model."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kexport.errors import UsageError, nearest


def typed(function: Callable[..., Any], settings: Mapping[str, str], subject: str) -> dict[str, Any]:
    """The settings as keyword arguments for the function.

    Raises:
        UsageError: a name is not a parameter of the function, or a value is not of the annotated type.
    """
    parameters = inspect.signature(function).parameters
    result = {}
    for name, text in settings.items():
        if name not in parameters:
            known = ", ".join(f"{p.name}={p.default!r}" for p in parameters.values()) or "none"
            raise UsageError(
                f"{subject} has no parameter {name!r}", expected=f"one of {known}", hint=nearest(name, parameters)
            )
        annotation = _resolved(parameters[name].annotation, function)
        try:
            result[name] = _value(text, annotation)
        except (ValueError, SyntaxError, KeyError):
            raise UsageError(
                f"--set {name}={text} has the wrong type",
                got=repr(text),
                expected=_described(annotation),
                hint=f"the default is {parameters[name].default!r}",
            ) from None
    return result


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """Annotations are text where a module postpones them."""
    if isinstance(annotation, str):
        return eval(annotation, getattr(function, "__globals__", {}))  # the module's own text, already imported
    return annotation


def _value(text: str, annotation: Any) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        for option in arguments:
            try:
                return _value(text, option)
            except (ValueError, SyntaxError, KeyError):
                continue
        raise ValueError(text)
    if origin is typing.Literal:
        if text in arguments:
            return text
        raise ValueError(text)
    if origin in (tuple, list, Sequence):
        items = text.strip("()[] ").split(",")
        return tuple(_value(item.strip(), arguments[0]) for item in items if item.strip())
    if annotation is str:
        return text
    if annotation in (type(None), None):
        if text.lower() in ("none", "null"):
            return None
        raise ValueError(text)
    if annotation is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
    if annotation in (int, float):
        return annotation(text)
    return ast.literal_eval(text)


def _described(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_origin(annotation):
        return {"int": "a whole number", "float": "a number", "bool": "true or false"}.get(
            annotation.__name__, annotation.__name__
        )
    return str(annotation)
