"""`--set key=value`, typed by the annotations of the function that builds the model."""

from __future__ import annotations

import ast
import inspect
import sys
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
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a builtin does not tell its parameters
        parameters = types.MappingProxyType({})
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = {
        name: each for name, each in parameters.items() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    result = {}
    for name, text in settings.items():
        if name not in named and not open_ended:
            known = ", ".join(map(_shown, named.values())) or "none"
            raise UsageError(
                f"{subject} has no parameter {name!r}", expected=f"one of {known}", hint=nearest(name, named)
            )
        annotation = _resolved(named[name].annotation, function) if name in named else inspect.Parameter.empty
        try:
            result[name] = _value(text, annotation)
        except (ValueError, SyntaxError, KeyError):
            raise UsageError(
                f"--set {name}={text} has the wrong type",
                got=repr(text),
                expected=_described(annotation),
                hint=f"the default is {named[name].default!r}" if name in named and _has_default(named[name]) else None,
            ) from None
    missing = [name for name, each in named.items() if not _has_default(each) and name not in result]
    if missing:
        raise UsageError(
            f"{subject} needs a value for " + ", ".join(missing), expected=" ".join(f"--set {n}=VALUE" for n in missing)
        )
    return result


def _has_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is not inspect.Parameter.empty


def _shown(parameter: inspect.Parameter) -> str:
    return f"{parameter.name}={parameter.default!r}" if _has_default(parameter) else parameter.name


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """Annotations are text where a module postpones them."""
    if isinstance(annotation, str):
        try:
            return eval(annotation, _globals(function))  # the module's own text, already imported
        except NameError:
            return inspect.Parameter.empty  # it was imported for a type checker only
    return annotation


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return getattr(function, "__globals__", None) or dict(vars(module) if module else {})


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
    if annotation is inspect.Parameter.empty:
        return _guessed(text)
    return ast.literal_eval(text)


def _guessed(text: str) -> Any:
    """Without an annotation: the Python literal that the text is, else the text."""
    try:
        return ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return text


def _described(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_origin(annotation):
        return {"int": "a whole number", "float": "a number", "bool": "true or false"}.get(
            annotation.__name__, annotation.__name__
        )
    return str(annotation)
