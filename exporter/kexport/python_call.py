"""Calls of the public functions from Python: errors name arguments in place of options, and a notebook shows a bar."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from kexport import notebook
from kexport.argument_types import require_types
from kexport.errors import KexportError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_SWITCHES = ("allow-lambda", "budgets", "keep-going", "trust")
_ARGUMENTS = {
    "import": "imports", "contract": "contracts", "runtime": "runtime", "map": "names", "set": "settings",
}  # fmt: skip
_LISTS = ("imports", "formats")
_PAIRS = ("names", "settings", "domain", "tolerance")
_KNOWN = (
    "allow-lambda", "budget", "budgets", "calibration", "contract", "domain", "formats", "import", "io", "keep-going",
    "labels", "map", "max-bytes", "max-drop", "max-seconds", "metric", "model", "opset", "out", "precision", "runtime",
    "samples", "search", "set", "signature", "signed-by", "timeout", "tolerance", "trust", "unseen", "witness",
)  # fmt: skip
#: A value, and not the next word of the sentence: in quotes, a placeholder, a pair, a path, or one of a closed list.
_VALUE = (
    r"'[^']*'|[A-Z][A-Z_]+(?:[|.=:][\w|]+)*|[\w.]+=[\w.\[\]]+|[\w.]*/[\w./]+|\w+\.(?:py|npz|npy|csv|keras)\b"
    r"|(?:float32|float16|dynamic|int16x8|int8|auto|int|float|domain|accuracy|top5|f1|mae|rmse)\b"
    r"|\w+(?:,\w+)+|(?:keras|onnx|tflite|saved_model)\b|\d+\w*"
)
_OPTION = re.compile(rf"--({'|'.join(_KNOWN)})\b(?![-\w])(?: ({_VALUE}))?")


def in_python(text: str) -> str:
    """A text with the arguments of `kexport.build` and the others in place of the options of the command line."""
    return _OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    option, value = found[1], found[2]
    name = _ARGUMENTS.get(option, option.replace("-", "_"))
    if option in _SWITCHES:
        return f"{name}=True" + (f" {value}" if value else "")
    if value is None:
        return name
    bare = value.strip("'")
    if name in _PAIRS and "=" in bare:
        key, _, given = bare.partition("=")
        return f"{name}={{{key!r}: {given!r}}}"
    return f"{name}={bare.split(',')!r}" if name in _LISTS else f"{name}={bare!r}"


def public(hook: str = "") -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """Decorator of what users call from Python: arguments of wrong types are refused before the function runs.

    Args:
        hook: the argument that is called with each step, or each check; a notebook shows a bar where it is not given.
    """

    def decorate(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        @functools.wraps(function)
        def call(*args: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
            try:
                require_types(function, args, options)
                return _in_notebook(function, hook, args, options) if notebook.inside() else function(*args, **options)
            except KexportError as error:
                error.restate(in_python)
                raise

        return call

    return decorate


def _in_notebook(function: Callable[..., _Result], hook: str, args: Any, options: dict[str, Any]) -> _Result:
    bar = notebook.ProgressBar(function.__name__) if hook and hook not in options else None
    if bar is not None:
        options = {**options, hook: bar}
    word = "stopped"
    try:
        with notebook.quiet():
            result = function(*args, **options)
        word = "done"
        return result
    finally:
        if bar is not None:
            bar.end(word)
