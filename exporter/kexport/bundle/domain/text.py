"""Reading a domain from its text."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable

from kexport.bundle.domain.bins import Bins
from kexport.bundle.domain.choice import Choice
from kexport.bundle.domain.features import Features
from kexport.bundle.domain.protocol import Domain
from kexport.bundle.domain.ranges import Ints, Normal, Uniform
from kexport.errors import UsageError, nearest

_KINDS: dict[str, Callable[..., Domain]] = {
    "uniform": Uniform,
    "normal": Normal,
    "ints": Ints,
    "choice": Choice,
    "bins": Bins,
    "features": Features,
}
_RANGES = ("uniform", "normal", "ints")  # kinds that two numbers describe
_NUMBER = r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_ENDS = re.compile(rf"[\[(]?\s*{_NUMBER}\s*(?:,|:|;|\.\.+|to|\s)\s*{_NUMBER}\s*[\])]?")  # as a range is often written
_BRIEF = 100  # characters
_HINT = (
    "write uniform(LOW, HIGH), normal(MEAN, DEVIATION), ints(LOW, HIGH), choice(A, B, ...), bins(LOW, EDGE, ..., HIGH) "
    "or features(DOMAIN, ...), one for each index along the last axis"
)


def parse(text: str) -> Domain:
    """The domain that a text such as `uniform(-5, 5)` or `ints(0, 10)` describes.

    Raises:
        UsageError: there is no such kind of domain, or its arguments are not numbers or do not fit.
    """
    kind, _, rest = text.strip().partition("(")
    if kind not in _KINDS or not rest.endswith(")"):
        close = nearest(kind, _KINDS) if rest.endswith(")") else None
        if ends := _ENDS.fullmatch(text.strip()):
            both = ", ".join(ends.groups())
            close = f"uniform({both}) for real numbers between these, ints({both}) for whole ones"
        raise UsageError(f"domain {brief(text)!r} cannot be read", expected=_HINT, hint=close)
    try:
        arguments = _features(rest[:-1]) if kind == "features" else _arguments(rest[:-1])
        _require_kind(kind, arguments)
        return _KINDS[kind](*arguments)
    except (ValueError, SyntaxError, TypeError, OverflowError, RecursionError, MemoryError):
        raise UsageError(f"domain {brief(text)!r} cannot be read", expected=_HINT) from None


def brief(text: str) -> str:
    """The text of a domain for a message: the beginning of a long one."""
    if len(text) <= _BRIEF:
        return text
    return f"{text[:_BRIEF].rpartition(',')[0] or text[:_BRIEF]}, ...)"


def _require_kind(kind: str, arguments: list[object]) -> None:
    """Raise `ValueError` unless the arguments have the number and the types that the kind of domain takes."""
    if kind == "features" or (kind == "choice" and all(isinstance(argument, str) for argument in arguments)):
        return
    if kind in _RANGES and len(arguments) != 2:
        raise ValueError  # not one with the other by default: nobody who writes uniform(-5) means uniform(-5, 1)
    for argument in arguments:
        if not isinstance(argument, int | float) or (kind == "ints" and not isinstance(argument, int)):
            raise ValueError
        finite = math.isfinite(argument)  # raises for an integer beyond every dtype
        if not finite and kind != "choice":
            raise ValueError  # no range ends at infinity; choice(0.0, nan) declares that an input may be NaN


def _arguments(text: str) -> list[object]:
    """The literals in a list of arguments; `nan` and `inf` count as literals."""
    if not text.strip():
        return []
    arguments = ast.parse(f"({text},)", mode="eval").body
    if not isinstance(arguments, ast.Tuple):
        raise ValueError
    return [_literal(node) for node in arguments.elts]


def _features(text: str) -> list[object]:
    """The domains in a list of domains, none of them one of features."""
    parts = ast.parse(f"({text},)", mode="eval").body
    if not isinstance(parts, ast.Tuple):
        raise ValueError
    source = f"({text},)"
    domains: list[object] = []
    for node in parts.elts:
        part = ast.get_source_segment(source, node) or ""
        if not isinstance(node, ast.Call) or part.startswith("features"):
            raise ValueError
        domains.append(parse(part))
    return domains


def _literal(node: ast.expr) -> object:
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _literal(node.operand)
        if not isinstance(number, int | float | complex):
            raise ValueError
        return -number
    literal: object = ast.literal_eval(node)
    return literal
