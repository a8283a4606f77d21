"""`--set key=value`, converted to the annotated types of the function that creates the model."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence

from kexport.errors import UsageError, nearest

_Function = Callable[..., object]
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def typed_settings(function: _Function, settings: Mapping[str, str], subject: str) -> dict[str, object]:
    """The settings as keyword arguments for the function.

    Args:
        function: creates the model.
        settings: values as text, by the name of the parameter.
        subject: the function, for error messages.

    Raises:
        UsageError: a name is not a parameter of the function, or a value does not have the annotated type.
    """
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # some builtins have no signature
        parameters = types.MappingProxyType({})
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    named = {
        name: each for name, each in parameters.items() if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    }
    arguments = {}
    for name, text in settings.items():
        if name not in named and not open_ended:
            choices = ", ".join(map(_shown, named.values())) or "none"
            raise UsageError(
                f"{subject} has no parameter {name!r}", expected=f"one of {choices}", hint=nearest(name, named)
            )
        annotation = _resolved(named[name].annotation, function) if name in named else inspect.Parameter.empty
        try:
            arguments[name] = _value(text, annotation)
        except (ValueError, SyntaxError, KeyError):
            raise UsageError(
                f"--set {name}={text} has the wrong type",
                got=repr(text),
                expected=_described(annotation),
                hint=f"the default is {named[name].default!r}" if name in named and _has_default(named[name]) else None,
            ) from None
    missing = [name for name, each in named.items() if not _has_default(each) and name not in arguments]
    if missing:
        raise UsageError(
            f"{subject} needs a value for " + ", ".join(missing), expected=" ".join(f"--set {n}=VALUE" for n in missing)
        )
    return arguments


def _has_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is not inspect.Parameter.empty


def _shown(parameter: inspect.Parameter) -> str:
    return f"{parameter.name}={parameter.default!r}" if _has_default(parameter) else parameter.name


def _resolved(annotation: object, function: _Function) -> object:
    """The annotation itself; it is text where a module postpones evaluation."""
    if isinstance(annotation, str):
        try:
            return eval(annotation, _globals(function))  # text of the module itself, which was imported
        except NameError:
            return inspect.Parameter.empty  # imported for a type checker only
    return annotation


def _globals(function: _Function) -> dict[str, object]:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return getattr(function, "__globals__", None) or dict(vars(module) if module else {})


def _value(text: str, annotation: object) -> object:
    """The value that the text stands for.

    Raises:
        ValueError: it does not have the annotated type.
        KeyError: likewise, of a boolean.
        SyntaxError: likewise, of a literal.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(text, arguments)
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
        return _TRUTH[text.lower()]
    if annotation is int:
        return int(text)
    if annotation is float:
        return float(text)
    if annotation is inspect.Parameter.empty:
        return _literal_or_text(text)
    return ast.literal_eval(text)


def _first_that_fits(text: str, annotations: Sequence[object]) -> object:
    for annotation in annotations:
        try:
            return _value(text, annotation)
        except (ValueError, SyntaxError, KeyError):
            continue
    raise ValueError(text)


def _literal_or_text(text: str) -> object:
    """Without an annotation: the Python literal that the text is, or else the text."""
    try:
        return ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return text


def _described(annotation: object) -> str:
    if isinstance(annotation, type) and not typing.get_origin(annotation):
        words = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        return words.get(annotation.__name__, annotation.__name__)
    return str(annotation)
